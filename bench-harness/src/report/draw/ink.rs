//! What colours stand for, and the two palettes that give them a value.

use std::fmt::Write as _;

use plotters::style::RGBColor;

use crate::report::model::Role;

/// What a stroke or fill stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Text, axes and the control.
    Text,
    /// Grid lines.
    Grid,
    /// Secondary text and the limit.
    Muted,
    /// The background, for gaps between fills.
    Paper,
    /// A strategy, by its place among those that are not the control.
    Series(usize),
    /// A part of an update's life.
    Part(usize),
}

/// Strategies that have a colour of their own; beyond, colours repeat and marker, dash and label tell them apart.
const SERIES: usize = 6;
const PARTS: usize = 6;

impl Ink {
    /// The placeholder that is drawn; a stylesheet rule exists for each.
    pub(crate) fn sentinel(self) -> RGBColor {
        let low = |base: u8, index: usize, n: usize| base + u8::try_from(index % n).unwrap_or(0);
        match self {
            Self::Text => RGBColor(1, 1, 1),
            Self::Grid => RGBColor(2, 2, 2),
            Self::Muted => RGBColor(4, 4, 4),
            Self::Paper => RGBColor(5, 5, 5),
            Self::Series(i) => RGBColor(0x0a, 0x0b, low(0x10, i, SERIES)),
            Self::Part(i) => RGBColor(0x0a, 0x0c, low(0x10, i, PARTS)),
        }
    }

    /// The placeholder as plotters writes it.
    pub(super) fn hex(self) -> String {
        let RGBColor(r, g, b) = self.sentinel();
        format!("#{r:02X}{g:02X}{b:02X}")
    }

    /// The placeholder as it stands in a chart: shorter, and the name of the variable that the stylesheet gives it.
    pub(super) fn name(self) -> String {
        match self {
            Self::Text => "fg".to_owned(),
            Self::Grid => "grid".to_owned(),
            Self::Muted => "muted".to_owned(),
            Self::Paper => "bg".to_owned(),
            Self::Series(i) => format!("s{}", i % SERIES),
            Self::Part(i) => format!("p{}", i % PARTS),
        }
    }

    /// Each once.
    pub(super) fn every() -> Vec<Self> {
        let fixed = [Self::Text, Self::Grid, Self::Muted, Self::Paper];
        fixed.into_iter().chain((0..SERIES).map(Self::Series)).chain((0..PARTS).map(Self::Part)).collect()
    }
}

/// The shape of a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// ●
    Circle,
    /// ■
    Square,
    /// ▲
    Up,
    /// ◆
    Diamond,
    /// ▼
    Down,
    /// ✚
    Cross,
    /// ★
    Star,
    /// ☆
    HollowStar,
    /// ○
    Ring,
    /// ↑
    Arrow,
}

/// How a row looks in every chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Its colour.
    pub(crate) ink: Ink,
    /// Its marker.
    pub(crate) shape: Shape,
}

impl Look {
    /// The look of a role; it depends on the place in the list only, so it is the same on every page.
    pub(crate) fn of(role: Role) -> Self {
        let shapes = [Shape::Circle, Shape::Square, Shape::Up, Shape::Diamond, Shape::Down, Shape::Cross];
        match role {
            Role::Control => Self { ink: Ink::Text, shape: Shape::Star },
            Role::Twin => Self { ink: Ink::Text, shape: Shape::HollowStar },
            Role::Limit => Self { ink: Ink::Muted, shape: Shape::Ring },
            Role::Strategy(i) => Self { ink: Ink::Series(i), shape: shapes[i % shapes.len()] },
        }
    }

    /// The class that gives a character of the page the same colour.
    pub(crate) fn class(self) -> String {
        format!("i-{}", self.ink.name())
    }
}

/// The marker as a character.
pub(crate) fn glyph(shape: Shape) -> char {
    match shape {
        Shape::Circle => '●',
        Shape::Square => '■',
        Shape::Up => '▲',
        Shape::Diamond => '◆',
        Shape::Down => '▼',
        Shape::Cross => '✚',
        Shape::Star => '★',
        Shape::HollowStar => '☆',
        Shape::Ring => '○',
        Shape::Arrow => '↑',
    }
}

/// `(variable, light, dark)`: every colour of the page and of the charts.
///
/// At least 3.1:1 against the background, except grid and panel; told apart under the common colour-vision deficiencies.
fn palette() -> [(&'static str, &'static str, &'static str); 19] {
    [
        ("fg", "#1b1b1b", "#eeeeee"),
        ("muted", "#5f6368", "#9aa0a6"),
        ("bg", "#ffffff", "#14161a"),
        ("panel", "#f5f6f8", "#1d2026"),
        ("grid", "#dcdfe3", "#343941"),
        ("bad", "#b3261e", "#ff8a80"),
        ("link", "#0c4d88", "#7db8f5"),
        ("s0", "#0c4d88", "#2581e0"),
        ("s1", "#9f2b00", "#be5e00"),
        ("s2", "#198343", "#58d191"),
        ("s3", "#b47fb1", "#b478b9"),
        ("s4", "#bd7800", "#ecac12"),
        ("s5", "#1799e9", "#add4ff"),
        ("p0", "#bd7800", "#ecac12"),
        ("p1", "#6e6e6e", "#8c8c8c"),
        ("p2", "#198343", "#58d191"),
        ("p3", "#0c4d88", "#2581e0"),
        ("p4", "#b47fb1", "#b478b9"),
        ("p5", "#9f2b00", "#be5e00"),
    ]
}

/// The rules of a page whose reader chose a theme by `#t-light` or `#t-dark`; paper stays light.
pub(crate) fn theme_rules() -> String {
    let chosen = |theme: &str, pick: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
        let variables = palette()
            .iter()
            .fold(String::new(), |all, colour| format!("{all}--{}:{};", colour.0, pick(colour)));
        format!(":root:has(#t-{theme}:checked){{color-scheme:{theme};{variables}}}")
    };
    format!("@media screen{{{}{}}}\n", chosen("light", |c| c.1), chosen("dark", |c| c.2))
}

/// The rules that give the placeholders their colours: variables on `root`, light and dark, and one rule per placeholder
/// inside `svg`.
pub(crate) fn colour_rules(root: &str, svg: &str) -> String {
    let variables = |pick: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
        palette().iter().fold(String::new(), |all, colour| format!("{all}--{}:{};", colour.0, pick(colour)))
    };
    let mut rules = format!(
        "{root}{{color-scheme:light dark;{}}}\n@media (prefers-color-scheme:dark){{{root}{{{}}}}}\n@media print{{{root}{{color-scheme:light;{}}}}}\n",
        variables(|c| c.1),
        variables(|c| c.2),
        variables(|c| c.1)
    );
    for ink in Ink::every() {
        let name = ink.name();
        let rule = writeln!(
            rules,
            "{svg} [stroke=\"{name}\"]{{stroke:var(--{name})}}{svg} [fill=\"{name}\"]{{fill:var(--{name})}}.i-{name}{{color:var(--{name})}}"
        );
        rule.expect("a string takes every write");
    }
    for (i, dash) in ["none", "16 6", "4 5", "20 5 4 5", "10 4", "2 4"].iter().enumerate() {
        let name = Ink::Series(i).name();
        writeln!(rules, "{svg} polyline[stroke=\"{name}\"][stroke-width=\"4\"]{{stroke-dasharray:{dash}}}")
            .expect("a string takes every write");
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast of two colours, as WCAG defines it.
    fn contrast(a: &str, b: &str) -> f64 {
        let luminance = |hex: &str| {
            let channel = |at: usize| {
                let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
        };
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn marks_and_text_stand_out_in_both_themes() {
        let of = |name: &str| palette().into_iter().find(|colour| colour.0 == name).unwrap();
        let (_, light, dark) = of("bg");
        for (name, on_light, on_dark) in palette() {
            let needed = match name {
                "bg" | "panel" | "grid" => continue,
                "fg" | "muted" | "bad" | "link" => 4.5,
                _ => 3.0,
            };
            for (colour, paper) in [(on_light, light), (on_dark, dark)] {
                let seen = contrast(colour, paper);
                assert!(seen >= needed, "{name} {colour} on {paper}: {seen:.2}, needs {needed}");
            }
        }
    }

    #[test]
    fn every_ink_has_a_rule() {
        let rules = colour_rules(":root", "svg.c");
        for ink in Ink::every() {
            let name = ink.name();
            assert!(
                rules.contains(&format!("[fill=\"{name}\"]"))
                    && rules.contains(&format!("[stroke=\"{name}\"]")),
                "{ink:?}"
            );
            assert!(rules.contains(&format!("--{name}:")), "{ink:?}");
        }
    }
}
