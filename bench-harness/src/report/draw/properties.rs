//! Whatever is drawn: it ends, it is well formed, inside the picture, and names do not touch.

use proptest::collection::vec;
use proptest::prelude::*;

use super::text::{apart, width};
use super::*;
use crate::report::model::Role;

#[path = "../../../tests/markup/mod.rs"]
mod markup;

use markup::{Element, parse};

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(0.0),
        Just(-1.0),
        Just(5.0),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
        (-12.0..12.0_f64).prop_map(|power| 10_f64.powf(power)),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z-]{1,20}", vec(any::<char>(), 0..300).prop_map(|chars| chars.into_iter().collect())]
}

fn look(i: usize) -> Look {
    Look::of(match i {
        0 => Role::Control,
        1 => Role::Limit,
        2 => Role::Twin,
        i => Role::Strategy(i - 3),
    })
}

fn strips() -> impl Strategy<Value = Strips> {
    let mark = prop_oneof![
        value().prop_map(Mark::Point),
        value().prop_map(Mark::Hollow),
        (value(), value()).prop_map(|(a, b)| Mark::Range(a, b)),
        (value(), value(), 0..9_usize).prop_map(|(a, b, part)| Mark::Bar(a, b, part)),
        vec(value(), 0..20).prop_map(Mark::Comb),
    ];
    let strip = (vec(mark, 0..5), name()).prop_map(|(marks, value)| Strip { marks, value }).boxed();
    (vec(name(), 0..16), 1..3_usize, 1..5_usize).prop_flat_map(move |(names, columns, panels)| {
        let panel = (name(), vec(value(), 0..9), any::<bool>(), vec(strip.clone(), names.len()));
        let panel = panel.prop_map(|(title, values, log, strips)| StripPanel {
            title,
            domain: if log { Domain::log(values.clone()) } else { Domain::from_zero(values.clone()) },
            tick: crate::report::format::tick,
            rule: values.first().copied(),
            band: values.first().copied().zip(values.last().copied()),
            strips,
        });
        vec(prop::option::of(panel), panels).prop_map(move |panels| Strips {
            columns,
            rows: names.iter().enumerate().map(|(i, name)| (name.clone(), look(i))).collect(),
            panels,
            legend: vec![(0, "a part".to_owned())],
        })
    })
}

fn lines() -> impl Strategy<Value = Lines> {
    let curve = (name(), vec((value(), value()), 0..60), vec((value(), value(), value()), 0..60));
    let panel = (vec(curve, 0..16), vec(value(), 0..9), vec(value(), 0..9), any::<bool>());
    let panel = panel.prop_map(|(curves, xs, ys, markers)| {
        let curve = |(i, (name, points, band)): (usize, _)| Curve {
            name,
            look: look(i),
            points,
            band,
            thin: i % 5 == 4,
            special: vec![(i, Shape::Arrow), (0, Shape::Ring)],
        };
        LinePanel {
            title: "a title".to_owned(),
            x_title: "to the right".to_owned(),
            x_ticks: xs.iter().map(|x| (*x, crate::report::format::tick(*x))).collect(),
            x: Domain::log(xs),
            y: Domain::from_zero(ys.clone()),
            y_tick: crate::report::format::tick_duration,
            rule: ys.first().map(|y| Rule::Level(*y)),
            curves: curves.into_iter().enumerate().map(curve).collect(),
            markers,
            shaded: ys.first().copied().zip(ys.last().copied()).into_iter().collect(),
        }
    });
    (1..3_usize, vec(prop::option::of(panel), 1..4)).prop_map(|(columns, panels)| Lines { columns, panels })
}

/// Everything lies inside the picture, and no text overlaps another.
fn check(drawn: &str) -> Result<(), TestCaseError> {
    let svg = inline(drawn, "id", "a title", "a finding");
    let elements = parse(&svg).map_err(TestCaseError::fail)?;
    let view: Vec<f64> =
        elements[0].attributes["viewBox"].split(' ').filter_map(|n| n.parse().ok()).collect();
    let texts: Vec<_> = elements.iter().filter(|element| element.name == "text").map(extent).collect();
    for (left, right, y, text) in &texts {
        prop_assert!(
            *left >= -1.0 && *right <= view[2] + 1.0 && *y >= TEXT / 2.0 && *y <= view[3],
            "outside: {text:?}"
        );
    }
    for (i, a) in texts.iter().enumerate() {
        for b in &texts[..i] {
            let touch = a.0 < b.1 && b.0 < a.1 && (a.2 - b.2).abs() < TEXT * 0.8;
            prop_assert!(!touch, "{a:?} touches {b:?}");
        }
    }
    for points in elements.iter().filter_map(|element| element.attributes.get("points")) {
        let coordinates = points.split([' ', ',']).filter(|n| !n.is_empty()).map(|n| n.parse::<f64>());
        for (i, coordinate) in coordinates.enumerate() {
            let coordinate = coordinate.map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert!((0.0..=view[2 + i % 2]).contains(&coordinate), "outside: {points}");
        }
    }
    prop_assert!(!svg.contains("NaN") || svg.contains(">NaN"), "not a number in {svg}");
    Ok(())
}

/// Left, right, baseline and words of a text.
fn extent(element: &Element) -> (f64, f64, f64, String) {
    let number =
        |key: &str| element.attributes.get(key).and_then(|n| n.parse::<f64>().ok()).unwrap_or(f64::NAN);
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    let words = entities.iter().fold(element.text.clone(), |text, (entity, c)| text.replace(entity, c));
    let (x, wide) = (number("x"), width(&words, TEXT));
    let left = match element.attributes.get("text-anchor").map(String::as_str) {
        Some("end") => x - wide,
        Some("middle") => x - wide / 2.0,
        _ => x,
    };
    (left, left + wide, number("y"), words)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_strips_can_be_drawn(strips in strips()) {
        let drawn = strips.draw().map_err(|absent| TestCaseError::fail(absent.to_string()))?;
        check(&drawn)?;
        prop_assert_eq!(Ok(drawn), strips.draw());
    }

    #[test]
    fn any_lines_can_be_drawn(lines in lines()) {
        let drawn = lines.draw().map_err(|absent| TestCaseError::fail(absent.to_string()))?;
        check(&drawn)?;
        prop_assert_eq!(Ok(drawn), lines.draw());
    }

    #[test]
    fn any_domain_is_finite_and_has_few_ticks(values in vec(value(), 0..20), wanted in 0..12_usize) {
        for domain in [Domain::log(values.clone()), Domain::from_zero(values.clone())].into_iter().flatten() {
            let ticks = domain.ticks(wanted);
            prop_assert!(ticks.len() <= 3 * wanted.max(2), "{ticks:?}");
            prop_assert!(ticks.iter().all(|tick| tick.is_finite() && domain.place(*tick).is_some()), "{ticks:?}");
            for share in values.iter().filter_map(|value| domain.place(*value)) {
                prop_assert!((0.0..=1.0).contains(&share));
            }
        }
    }

    #[test]
    fn centred_labels_stay_apart(at in vec(0.0..1440.0_f64, 0..30)) {
        let mut at: Vec<(f64, String)> = at.into_iter().map(|x| (x, format!("{x:.0}"))).collect();
        at.sort_by(|a, b| a.0.total_cmp(&b.0));
        let placed = apart(&at, TEXT);
        let half = |label: &str| width(label, TEXT) / 2.0;
        let clear = placed.windows(2).all(|pair| pair[0].0 + half(pair[0].1) < pair[1].0 - half(pair[1].1));
        prop_assert!(clear);
    }
}
