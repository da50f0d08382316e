//! Panels of curves, each curve named at its last point.

use super::canvas::{Anchor, Canvas, draw};
use super::domain::Domain;
use super::ink::{Ink, Look, Shape};
use super::text::{apart, fit, labels, width};
use super::{TEXT, WIDTH};
use crate::stats::Known;

/// A chart of panels of curves.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    /// Panels side by side.
    pub(crate) columns: usize,
    /// Row by row of the grid; `None` leaves a gap.
    pub(crate) panels: Vec<Option<LinePanel>>,
}

/// One panel.
#[derive(Clone, Debug)]
pub(crate) struct LinePanel {
    /// What is up, with its unit, and for whom.
    pub(crate) title: String,
    /// What is to the right, with its unit.
    pub(crate) x_title: String,
    /// The horizontal axis; a panel without one says why.
    pub(crate) x: Known<Domain>,
    /// The vertical axis.
    pub(crate) y: Known<Domain>,
    /// Where the horizontal axis has ticks, and what they say.
    pub(crate) x_ticks: Vec<(f64, String)>,
    /// How a vertical tick is written.
    pub(crate) y_tick: fn(f64) -> String,
    /// A reference line.
    pub(crate) rule: Option<Rule>,
    /// The curves.
    pub(crate) curves: Vec<Curve>,
    /// Whether each point has a marker, not the last alone.
    pub(crate) markers: bool,
    /// Ranges of the horizontal axis with a grey ground.
    pub(crate) shaded: Vec<(f64, f64)>,
}

/// A reference.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    /// A horizontal line.
    Level(f64),
    /// A curve without a name of its own.
    Through(Vec<(f64, f64)>),
}

/// One curve.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    /// Its name, written once.
    pub(crate) name: String,
    /// How it looks.
    pub(crate) look: Look,
    /// Its points, from left to right.
    pub(crate) points: Vec<(f64, f64)>,
    /// `(x, low, high)` of its interval, where there is one.
    pub(crate) band: Vec<(f64, f64, f64)>,
    /// Points, by their place, with a marker of their own.
    pub(crate) special: Vec<(usize, Shape)>,
    /// Drawn thin and without a name: a companion of the curve before it.
    pub(crate) thin: bool,
}

const TITLE: f64 = 46.0;
const PLOT: f64 = 400.0;
const AXIS: f64 = 92.0;
const MARGIN: f64 = 12.0;
/// Least distance of two names.
const NAME_STEP: f64 = 29.0;
// LIMIT: names beside a curve may take 260 of 1440 units; longer ones are cut and stand in full in the table.
const NAME_ROOM: f64 = 260.0;
/// From the last point to its name, for the leader line.
const LEADER: f64 = 34.0;

/// A rectangle of the canvas.
struct Area {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// Where a panel plots, and on which axes.
struct Frame {
    area: Area,
    x: Domain,
    y: Domain,
}

impl Lines {
    /// Paints the chart.
    pub(crate) fn draw(&self) -> Known<String> {
        let columns = self.columns.max(1);
        let most = self.panels.iter().flatten().map(|panel| panel.curves.len()).max().unwrap_or(0);
        let plot = PLOT.max(NAME_STEP * most as f64);
        let panel_height = TITLE + plot + AXIS;
        let height = panel_height * self.panels.len().div_ceil(columns) as f64 + MARGIN;
        let column_width = (f64::from(WIDTH) - 2.0 * MARGIN) / columns as f64;
        draw(height as i32, |canvas| {
            for (place, panel) in self.panels.iter().enumerate() {
                let Some(panel) = panel else { continue };
                let left = MARGIN + column_width * (place % columns) as f64;
                let top = panel_height * (place / columns) as f64 + TITLE;
                panel
                    .paint(canvas, Area { left, right: left + column_width - 16.0, top, bottom: top + plot });
            }
        })
    }
}

impl LinePanel {
    fn paint(&self, canvas: &Canvas<'_>, area: Area) {
        let room = area.right - area.left;
        canvas.heading(&fit(&self.title, TEXT * 1.1, room), (area.left, area.top - TITLE / 2.0));
        let (x, y) = match (&self.x, &self.y) {
            (Ok(x), Ok(y)) => (*x, *y),
            (Err(reason), _) | (_, Err(reason)) => {
                let text = fit(reason.reason(), TEXT, room);
                canvas.text(&text, (area.left, area.top + TEXT), Anchor::Start, Ink::Muted);
                return;
            }
        };
        let names: Vec<&str> = self.named().map(|curve| curve.name.as_str()).collect();
        let names = labels(&names, TEXT, NAME_ROOM);
        let y_ticks: Vec<(f64, String)> =
            y.ticks(6).into_iter().map(|tick| (tick, (self.y_tick)(tick))).collect();
        let y_room = y_ticks.iter().map(|(_, label)| width(label, TEXT)).fold(0.0, f64::max);
        let name_room = names.iter().map(|name| width(name, TEXT)).fold(0.0, f64::max);
        let (left, right) = (area.left + y_room + 18.0, area.right - name_room - LEADER - 14.0);
        let frame = Frame { area: Area { left, right, ..area }, x, y };
        self.shaded.iter().for_each(|range| frame.shade(canvas, *range));
        frame.upright(canvas, &y_ticks);
        frame.across(canvas, &self.x_ticks, &self.x_title);
        frame.rule(canvas, self.rule.as_ref());
        self.curves.iter().for_each(|curve| curve.paint(canvas, &frame, self.markers));
        self.names(canvas, &names, &frame);
    }

    fn named(&self) -> impl Iterator<Item = &Curve> {
        self.curves.iter().filter(|curve| !curve.thin)
    }

    /// Each name beside its curve's last point, moved up or down where two would touch, with a leader line.
    fn names(&self, canvas: &Canvas<'_>, names: &[String], frame: &Frame) {
        let last = |curve: &Curve| curve.points.iter().rev().find_map(|point| frame.at(*point));
        let named = names.iter().zip(self.named());
        let mut ends: Vec<(&String, &Curve, (f64, f64))> =
            named.filter_map(|(name, curve)| Some((name, curve, last(curve)?))).collect();
        ends.sort_by(|a, b| a.2.1.total_cmp(&b.2.1));
        let wanted: Vec<f64> = ends.iter().map(|(_, _, (_, y))| *y).collect();
        let room = (frame.area.top + TEXT / 2.0, frame.area.bottom - TEXT / 2.0);
        for ((name, curve, end), y) in ends.into_iter().zip(spread(&wanted, NAME_STEP, room)) {
            let x = frame.area.right + LEADER;
            let ink = if curve.look.ink == Ink::Muted { Ink::Muted } else { Ink::Text };
            canvas.line(end, (x - 6.0, y), Ink::Muted, 2);
            canvas.text(name, (x, y), Anchor::Start, ink);
        }
    }
}

impl Frame {
    fn place_x(&self, value: f64) -> Option<f64> {
        Some(self.area.left + self.x.place(value)? * (self.area.right - self.area.left))
    }

    fn place_y(&self, value: f64) -> Option<f64> {
        Some(self.area.bottom - self.y.place(value)? * (self.area.bottom - self.area.top))
    }

    fn at(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        Some((self.place_x(x)?, self.place_y(y)?))
    }

    fn shade(&self, canvas: &Canvas<'_>, (from, to): (f64, f64)) {
        let Area { top, bottom, .. } = self.area;
        if let (Some(left), Some(right)) = (self.place_x(from), self.place_x(to)) {
            canvas.fill(&[(left, top), (right, top), (right, bottom), (left, bottom)], Ink::Muted, 0.22);
        }
    }

    fn upright(&self, canvas: &Canvas<'_>, ticks: &[(f64, String)]) {
        for (tick, label) in ticks {
            let Some(y) = self.place_y(*tick) else { continue };
            canvas.line((self.area.left, y), (self.area.right, y), Ink::Grid, 2);
            canvas.text(label, (self.area.left - 12.0, y), Anchor::End, Ink::Muted);
        }
    }

    fn across(&self, canvas: &Canvas<'_>, ticks: &[(f64, String)], title: &str) {
        let Area { left, right, bottom, .. } = self.area;
        let ticks = ticks.iter().filter_map(|(tick, label)| Some((self.place_x(*tick)?, label.clone())));
        let ticks: Vec<(f64, String)> = ticks.collect();
        ticks.iter().for_each(|(x, _)| canvas.line((*x, bottom), (*x, bottom + 8.0), Ink::Muted, 2));
        for (x, label) in apart(&ticks, TEXT) {
            canvas.text(label, (x, bottom + 26.0), Anchor::Middle, Ink::Muted);
        }
        canvas.line((left, bottom), (right, bottom), Ink::Muted, 2);
        let title = fit(title, TEXT, right - left);
        canvas.text(&title, ((left + right) / 2.0, bottom + 58.0), Anchor::Middle, Ink::Text);
    }

    fn rule(&self, canvas: &Canvas<'_>, rule: Option<&Rule>) {
        match rule {
            None => {}
            Some(Rule::Level(level)) => {
                if let Some(y) = self.place_y(*level) {
                    canvas.line((self.area.left, y), (self.area.right, y), Ink::Text, 2);
                }
            }
            Some(Rule::Through(points)) => {
                let points: Vec<_> = points.iter().filter_map(|point| self.at(*point)).collect();
                canvas.path(&points, Ink::Muted, 3);
            }
        }
    }
}

impl Curve {
    fn paint(&self, canvas: &Canvas<'_>, frame: &Frame, markers: bool) {
        let upper = self.band.iter().filter_map(|(x, _, high)| frame.at((*x, *high)));
        let lower = self.band.iter().rev().filter_map(|(x, low, _)| frame.at((*x, *low)));
        if self.band.len() > 1 {
            canvas.fill(&upper.chain(lower).collect::<Vec<_>>(), self.look.ink, 0.18);
        }
        let placed = self.points.iter().enumerate().filter_map(|(i, point)| Some((i, frame.at(*point)?)));
        let placed: Vec<_> = placed.collect();
        let points: Vec<_> = placed.iter().map(|(_, point)| *point).collect();
        canvas.path(&points, self.look.ink, if self.thin { 1 } else { 4 });
        if self.thin {
            return;
        }
        let marked = if markers { 0 } else { points.len().saturating_sub(1) };
        for (place, point) in &placed[marked..] {
            let special = self.special.iter().find(|(at, _)| at == place);
            let shape = special.map_or(self.look.shape, |(_, shape)| *shape);
            canvas.marker(*point, Look { shape, ..self.look });
        }
    }
}

/// Moves sorted positions apart by `step`, inside the range where there is room, each as little as its group allows.
fn spread(wanted: &[f64], step: f64, (low, high): (f64, f64)) -> Vec<f64> {
    // Groups of neighbours that touch: sum of their free positions, and how many.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    let start = |(sum, n): (f64, usize)| {
        let centred = sum / n as f64 - step * (n - 1) as f64 / 2.0;
        centred.min(high - step * (n - 1) as f64).max(low)
    };
    for position in wanted {
        groups.push((*position, 1));
        while let [.., before, after] = groups.as_slice() {
            if start(*before) + step * before.1 as f64 <= start(*after) {
                break;
            }
            let merged = (before.0 + after.0, before.1 + after.1);
            groups.truncate(groups.len() - 2);
            groups.push(merged);
        }
    }
    groups
        .iter()
        .flat_map(|group| (0..group.1).map(|i| start(*group) + step * i as f64).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_distance_and_their_order_inside_the_panel() {
        let tables: [&[f64]; 5] = [&[], &[50.0], &[50.0, 50.0, 50.0], &[0.0, 1.0, 99.0, 100.0], &[100.0; 5]];
        for wanted in tables {
            let placed = spread(wanted, 20.0, (0.0, 100.0));
            assert_eq!(placed.len(), wanted.len());
            assert!(placed.windows(2).all(|pair| pair[1] - pair[0] >= 20.0 - 1e-9), "{wanted:?}: {placed:?}");
            assert!(placed.iter().all(|y| (-1e-9..=100.0 + 1e-9).contains(y)), "{wanted:?}: {placed:?}");
        }
        assert_eq!(spread(&[10.0, 60.0], 20.0, (0.0, 100.0)), [10.0, 60.0]);
    }
}
