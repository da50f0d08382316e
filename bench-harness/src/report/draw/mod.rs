//! Drawing: plotters' SVG backend, without system fonts, behind a canvas that knows inks instead of colours.
//!
//! Charts are drawn once, in placeholder colours; a stylesheet maps those to a light, a dark and a printed palette.
//! Coordinates are twice the size at which a chart is shown, because plotters has whole pixels only.

mod canvas;
mod domain;
mod ink;
mod lines;
#[cfg(test)]
mod properties;
mod strips;
mod svg;
mod text;

pub(crate) use domain::Domain;
pub(crate) use ink::{Look, Shape, colour_rules, glyph, theme_rules};
pub(crate) use lines::{Curve, LinePanel, Lines, Rule};
pub(crate) use strips::{Mark, Strip, StripPanel, Strips};
pub(crate) use svg::{inline, shape_rules, standalone};

/// Width of every chart, in drawing units.
// LIMIT: 1440 units show as 720 to 960 CSS pixels, where text of `TEXT` units is 11 to 15 pixels high.
pub(crate) const WIDTH: i32 = 1440;
/// Size of all text as it is rendered, in drawing units.
pub(crate) const TEXT: f64 = 22.58;
