//! A canvas of drawing units over plotters' SVG backend.

use std::cell::RefCell;

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, Drawable, PathElement, PointCollection, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, ShapeStyle, TextStyle};

use super::ink::{Ink, Look, Shape};
use super::{TEXT, WIDTH};
use crate::stats::{Absent, Known};

/// plotters divides the size that it is asked for by this.
const PLOTTERS_SHRINKS: f64 = 1.24;

/// From the middle of digits and capitals down to the baseline, as a share of the size.
const BASELINE: f64 = 0.36;

/// Where a text hangs on its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// The text begins there.
    Start,
    /// The text is centred there.
    Middle,
    /// The text ends there.
    End,
}

/// A canvas to paint on; failures are remembered and reported when the drawing is finished.
pub(crate) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    height: i32,
    failure: RefCell<Option<String>>,
}

/// Paints on a canvas of [`WIDTH`] by `height` units and gives the SVG text as plotters writes it.
///
/// # Errors
/// Absent when plotters refuses, with its reason.
pub(crate) fn draw(height: i32, paint: impl FnOnce(&Canvas<'_>)) -> Known<String> {
    let mut text = String::new();
    let size = (WIDTH.unsigned_abs(), height.max(1).unsigned_abs());
    let failure = {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let canvas = Canvas { area, height, failure: RefCell::default() };
        paint(&canvas);
        let finished = canvas.area.present().map_err(|error| error.to_string());
        canvas.failure.into_inner().or(finished.err())
    };
    failure.map_or(Ok(text), |why| Err(Absent::because(format!("plotters: {why}"))))
}

impl<'a> Canvas<'a> {
    /// A straight line.
    pub(crate) fn line(&self, from: (f64, f64), to: (f64, f64), ink: Ink, thickness: u32) {
        let style = ShapeStyle::from(&ink.sentinel()).stroke_width(thickness);
        self.put(&PathElement::new(vec![self.at(from), self.at(to)], style));
    }

    /// A line through points.
    pub(crate) fn path(&self, points: &[(f64, f64)], ink: Ink, thickness: u32) {
        if points.len() < 2 {
            return;
        }
        let style = ShapeStyle::from(&ink.sentinel()).stroke_width(thickness);
        self.put(&PathElement::new(points.iter().map(|point| self.at(*point)).collect::<Vec<_>>(), style));
    }

    /// A filled area, `opacity` from 0 to 1.
    pub(crate) fn fill(&self, outline: &[(f64, f64)], ink: Ink, opacity: f64) {
        let points: Vec<_> = outline.iter().map(|point| self.at(*point)).collect();
        self.put(&Polygon::new(points, ink.sentinel().mix(opacity).filled()));
    }

    /// A filled rectangle.
    pub(crate) fn bar(&self, from: (f64, f64), to: (f64, f64), ink: Ink) {
        self.put(&Rectangle::new([self.at(from), self.at(to)], ink.sentinel().filled()));
    }

    /// A marker.
    pub(crate) fn marker(&self, (x, y): (f64, f64), look: Look) {
        // LIMIT: 9 units are 5 to 6 CSS pixels: shapes can be told apart, and rows of 34 units do not touch.
        let r = 9.0;
        let polygon = |corners: &[(f64, f64)]| {
            let corners: Vec<_> = corners.iter().map(|(dx, dy)| (x + dx * r, y + dy * r)).collect();
            self.fill(&corners, look.ink, 1.0);
        };
        match look.shape {
            Shape::Circle => self.put(&Circle::new(self.at((x, y)), 9, look.ink.sentinel().filled())),
            Shape::Ring => {
                let style = ShapeStyle::from(&look.ink.sentinel()).stroke_width(3);
                self.put(&Circle::new(self.at((x, y)), 8, style));
            }
            Shape::Square => polygon(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
            Shape::Up => polygon(&[(0.0, -1.1), (1.1, 0.9), (-1.1, 0.9)]),
            Shape::Down => polygon(&[(0.0, 1.1), (1.1, -0.9), (-1.1, -0.9)]),
            Shape::Diamond => polygon(&[(0.0, -1.2), (1.2, 0.0), (0.0, 1.2), (-1.2, 0.0)]),
            Shape::Cross => polygon(&cross()),
            Shape::Star => polygon(&star()),
            Shape::Arrow => {
                let (top, wing) = (y - 2.4 * r, 0.8 * r);
                self.path(&[(x, y), (x, top)], look.ink, 3);
                self.path(&[(x - wing, top + wing), (x, top), (x + wing, top + wing)], look.ink, 3);
            }
            Shape::HollowStar => {
                let outline: Vec<_> =
                    star().iter().chain(&star()[..1]).map(|(dx, dy)| (x + dx * r, y + dy * r)).collect();
                self.path(&outline, look.ink, 3);
            }
        }
    }

    /// Text whose middle line is at `y`.
    pub(crate) fn text(&self, text: &str, (x, y): (f64, f64), anchor: Anchor, ink: Ink) {
        self.styled_text(text, (x, y), anchor, ink, FontStyle::Normal);
    }

    /// Text that heads a panel.
    pub(crate) fn heading(&self, text: &str, (x, y): (f64, f64)) {
        self.styled_text(text, (x, y), Anchor::Start, Ink::Text, FontStyle::Bold);
    }

    fn styled_text(&self, text: &str, point: (f64, f64), anchor: Anchor, ink: Ink, style: FontStyle) {
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let font = ("sans-serif", TEXT * PLOTTERS_SHRINKS).into_font().style(style);
        // plotters would centre by a relative shift, which not every viewer knows; so the baseline is placed here.
        let point = (point.0, point.1 + BASELINE * TEXT);
        let colour = ink.sentinel();
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(horizontal, VPos::Center));
        self.put(&Text::new(text.to_owned(), self.at(point), style));
    }

    fn put<'e, E>(&self, element: &'e E)
    where
        &'e E: PointCollection<'e, (i32, i32)>,
        E: Drawable<SVGBackend<'a>>,
    {
        if let Err(error) = self.area.draw(element) {
            self.failure.borrow_mut().get_or_insert(error.to_string());
        }
    }

    /// Held inside the canvas; a coordinate that is not finite goes to its edge.
    fn at(&self, (x, y): (f64, f64)) -> (i32, i32) {
        let whole = |value: f64, end: i32| value.round().clamp(0.0, f64::from(end)) as i32;
        (whole(x, WIDTH), whole(y, self.height))
    }
}

fn cross() -> [(f64, f64); 12] {
    let (a, b) = (0.35, 1.05);
    [
        (-a, -b),
        (a, -b),
        (a, -a),
        (b, -a),
        (b, a),
        (a, a),
        (a, b),
        (-a, b),
        (-a, a),
        (-b, a),
        (-b, -a),
        (-a, -a),
    ]
}

/// Five points, every second corner pulled in.
fn star() -> [(f64, f64); 10] {
    std::array::from_fn(|i| {
        let angle = std::f64::consts::TAU * i as f64 / 10.0;
        let radius = if i % 2 == 0 { 1.35 } else { 0.58 };
        (radius * angle.sin(), -radius * angle.cos())
    })
}
