//! Panels of rows: one row per strategy, one horizontal axis per panel, one panel per cell.

use super::canvas::{Anchor, Canvas, draw};
use super::domain::Domain;
use super::ink::{Ink, Look};
use super::text::{apart, fit, labels, width};
use super::{TEXT, WIDTH};
use crate::stats::Known;

/// A chart of panels of rows. All panels have the same rows.
#[derive(Clone, Debug)]
pub(crate) struct Strips {
    /// Panels side by side.
    pub(crate) columns: usize,
    /// Name and look of each row.
    pub(crate) rows: Vec<(String, Look)>,
    /// Row by row of the grid; `None` leaves a gap.
    pub(crate) panels: Vec<Option<StripPanel>>,
    /// The parts whose bars are explained, and their names.
    pub(crate) legend: Vec<(usize, String)>,
}

/// One panel.
#[derive(Clone, Debug)]
pub(crate) struct StripPanel {
    /// What it shows, with the unit.
    pub(crate) title: String,
    /// Its axis; a panel without one says why.
    pub(crate) domain: Known<Domain>,
    /// How a tick is written.
    pub(crate) tick: fn(f64) -> String,
    /// A reference line.
    pub(crate) rule: Option<f64>,
    /// A range behind everything, from one value to another.
    pub(crate) band: Option<(f64, f64)>,
    /// As many as the chart has rows.
    pub(crate) strips: Vec<Strip>,
}

/// One row of a panel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strip {
    /// What is drawn, in order.
    pub(crate) marks: Vec<Mark>,
    /// What stands at the right end, for example the number itself.
    pub(crate) value: String,
}

/// Something drawn in a row.
#[derive(Clone, Debug)]
pub(crate) enum Mark {
    /// A marker of the row's look.
    Point(f64),
    /// A hollow marker of the row's colour.
    Hollow(f64),
    /// A comb: a thin tooth for each value.
    Comb(Vec<f64>),
    /// A line from one value to another.
    Range(f64, f64),
    /// A filled bar with the texture of the part.
    Bar(f64, f64, usize),
}

const ROW: f64 = 36.0;
const TITLE: f64 = 44.0;
const AXIS: f64 = 46.0;
const GAP: f64 = 14.0;
const MARGIN: f64 = 12.0;
/// Space between columns, beside the values.
const GUTTER: f64 = 36.0;
// LIMIT: a label area may take 320 of 1440 units; longer names are cut and stand in full in the table.
const LABEL_ROOM: f64 = 320.0;
const VALUE_ROOM: f64 = 200.0;

/// Where a panel's parts are.
struct Frame {
    left: f64,
    right: f64,
    top: f64,
}

impl Strips {
    /// Paints the chart.
    pub(crate) fn draw(&self) -> Known<String> {
        let columns = self.columns.max(1);
        let grid_rows = self.panels.len().div_ceil(columns);
        let panel_height = TITLE + ROW * self.rows.len() as f64 + AXIS + GAP;
        let legend_height = if self.legend.is_empty() { 0.0 } else { 52.0 };
        let height = legend_height + panel_height * grid_rows as f64 + MARGIN;
        draw(height as i32, |canvas| {
            self.legend(canvas);
            let names: Vec<&str> = self.rows.iter().map(|(name, _)| name.as_str()).collect();
            let names = labels(&names, TEXT, LABEL_ROOM);
            let label_area = names.iter().map(|name| width(name, TEXT)).fold(0.0, f64::max) + 58.0;
            let value_area = self.value_area();
            let column_width = (f64::from(WIDTH) - 2.0 * MARGIN - label_area + GUTTER) / columns as f64;
            for (place, panel) in self.panels.iter().enumerate() {
                let Some(panel) = panel else { continue };
                let left = MARGIN + label_area + column_width * (place % columns) as f64;
                let top = legend_height + panel_height * (place / columns) as f64;
                let frame = Frame { left, right: left + column_width - GUTTER - value_area, top };
                self.panel(canvas, panel, &frame, value_area);
                let first_of_its_row =
                    self.panels[place / columns * columns..place].iter().all(Option::is_none);
                if first_of_its_row {
                    self.names(canvas, &names, MARGIN + label_area, top);
                }
            }
        })
    }

    fn value_area(&self) -> f64 {
        let values = self.panels.iter().flatten().flat_map(|panel| &panel.strips);
        let widest = values.map(|strip| width(&strip.value, TEXT)).fold(0.0, f64::max).min(VALUE_ROOM);
        if widest > 0.0 { widest + 20.0 } else { 12.0 }
    }

    fn legend(&self, canvas: &Canvas<'_>) {
        let mut x = MARGIN;
        for (part, word) in &self.legend {
            canvas.bar((x, 12.0), (x + 40.0, 36.0), Ink::Part(*part));
            texture(canvas, (x, 12.0), (x + 40.0, 36.0), *part);
            canvas.text(word, (x + 50.0, 24.0), Anchor::Start, Ink::Text);
            x += 50.0 + width(word, TEXT) + 36.0;
        }
    }

    fn names(&self, canvas: &Canvas<'_>, names: &[String], right: f64, top: f64) {
        for (i, (name, (_, look))) in names.iter().zip(&self.rows).enumerate() {
            let y = middle(top, i);
            canvas.marker((MARGIN + 12.0, y), *look);
            canvas.text(
                name,
                (right - 16.0, y),
                Anchor::End,
                if look.ink == Ink::Muted { Ink::Muted } else { Ink::Text },
            );
        }
    }

    fn panel(&self, canvas: &Canvas<'_>, panel: &StripPanel, frame: &Frame, value_area: f64) {
        let room = frame.right + value_area - frame.left;
        canvas.heading(&fit(&panel.title, TEXT * 1.1, room), (frame.left, frame.top + TITLE / 2.0));
        let domain = match &panel.domain {
            Ok(domain) => domain,
            Err(reason) => {
                let text = fit(reason.reason(), TEXT, room);
                canvas.text(&text, (frame.left, middle(frame.top, 0)), Anchor::Start, Ink::Muted);
                return;
            }
        };
        let x = |value: f64| domain.place(value).map(|share| frame.left + share * (frame.right - frame.left));
        let (top, bottom) = (frame.top + TITLE, frame.top + TITLE + ROW * self.rows.len() as f64);
        if let Some((low, high)) = panel.band.and_then(|(low, high)| Some((x(low)?, x(high)?))) {
            canvas.fill(&[(low, top), (high, top), (high, bottom), (low, bottom)], Ink::Muted, 0.22);
        }
        ticks(canvas, panel, domain, frame, frame.left + room + GUTTER / 2.0, (top, bottom));
        if let Some(rule) = panel.rule.and_then(x) {
            canvas.line((rule, top), (rule, bottom), Ink::Text, 2);
        }
        for (i, (strip, (_, look))) in panel.strips.iter().zip(&self.rows).enumerate() {
            let y = middle(frame.top, i);
            strip.marks.iter().for_each(|mark| paint(canvas, mark, y, *look, &x));
            let value = fit(&strip.value, TEXT, VALUE_ROOM);
            if !value.is_empty() {
                canvas.text(&value, (frame.right + 14.0, y), Anchor::Start, Ink::Text);
            }
        }
    }
}

fn middle(top: f64, row: usize) -> f64 {
    top + TITLE + ROW * (row as f64 + 0.5)
}

/// Grid lines and tick labels.
fn ticks(
    canvas: &Canvas<'_>,
    panel: &StripPanel,
    domain: &Domain,
    frame: &Frame,
    edge: f64,
    (top, bottom): (f64, f64),
) {
    let span = frame.right - frame.left;
    let place = |tick: f64| domain.place(tick).map(|share| frame.left + share * span);
    let ticks = domain.ticks((span / 110.0) as usize).into_iter();
    let ticks: Vec<(f64, String)> =
        ticks.filter_map(|tick| Some((place(tick)?, (panel.tick)(tick)))).collect();
    ticks.iter().for_each(|(x, _)| canvas.line((*x, top), (*x, bottom), Ink::Grid, 2));
    // A wide label at the end stays out of the neighbouring panel.
    let inside = |(x, label): (f64, String)| (x.min(edge - width(&label, TEXT) / 2.0), label);
    let ticks: Vec<_> = ticks.into_iter().map(inside).collect();
    for (x, label) in apart(&ticks, TEXT) {
        canvas.text(label, (x, bottom + AXIS / 2.0 - 2.0), Anchor::Middle, Ink::Muted);
    }
    canvas.line((frame.left, bottom), (frame.right, bottom), Ink::Muted, 2);
}

fn paint(canvas: &Canvas<'_>, mark: &Mark, y: f64, look: Look, x: &impl Fn(f64) -> Option<f64>) {
    match mark {
        Mark::Point(at) => {
            if let Some(x) = x(*at) {
                canvas.marker((x, y), look);
            }
        }
        Mark::Hollow(at) => {
            if let Some(x) = x(*at) {
                canvas.marker((x, y), Look { shape: super::Shape::Ring, ..look });
            }
        }
        Mark::Comb(values) => {
            // Teeth on the same point are one.
            let mut at: Vec<f64> = values.iter().filter_map(|value| x(*value)).map(f64::round).collect();
            at.dedup();
            let teeth: Vec<_> = at.into_iter().flat_map(|x| [(x, y), (x, y - 14.0), (x, y)]).collect();
            canvas.path(&teeth, look.ink, 2);
        }
        Mark::Range(low, high) => {
            if let (Some(low), Some(high)) = (x(*low), x(*high)) {
                canvas.bar((low, y - 2.0), (high.max(low + 1.0), y + 2.0), look.ink);
            }
        }
        Mark::Bar(from, to, part) => {
            if let (Some(from), Some(to)) = (x(*from), x(*to)) {
                let (a, b) = ((from, y - 13.0), (to.max(from), y + 13.0));
                canvas.bar(a, b, Ink::Part(*part));
                texture(canvas, a, b, *part);
            }
        }
    }
}

/// A second way to tell parts apart: none, a steep zigzag, a middle line, a dense zigzag, two lines, a wide zigzag
/// with a middle line.
fn texture(canvas: &Canvas<'_>, from: (f64, f64), to: (f64, f64), part: usize) {
    // LIMIT: narrower bars are thinner than a stroke of the pattern; one zigzag has at most 24 strokes.
    if to.0 - from.0 < 16.0 {
        return;
    }
    let middle = (from.1 + to.1) / 2.0;
    let zigzag = |step: f64| {
        let strokes = ((to.0 - from.0) / step).floor().min(24.0) as usize;
        let step = (to.0 - from.0) / strokes.max(1) as f64;
        let point = |i: usize| (from.0 + step * i as f64, if i.is_multiple_of(2) { to.1 } else { from.1 });
        canvas.path(&(0..=strokes).map(point).collect::<Vec<_>>(), Ink::Paper, 2);
    };
    match part {
        1 => zigzag(36.0),
        2 => canvas.line((from.0, middle), (to.0, middle), Ink::Paper, 2),
        3 => zigzag(13.0),
        5 => {
            canvas.line((from.0, middle), (to.0, middle), Ink::Paper, 2);
            zigzag(50.0);
        }
        4 => {
            canvas.line((from.0, middle - 5.0), (to.0, middle - 5.0), Ink::Paper, 2);
            canvas.line((from.0, middle + 5.0), (to.0, middle + 5.0), Ink::Paper, 2);
        }
        _ => {}
    }
}
