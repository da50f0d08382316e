//! From plotters' output to an accessible SVG, inside a page or as a file of its own.

use super::ink::{Ink, colour_rules};
use super::{TEXT, WIDTH};
use crate::report::escape;

/// What a chart says to those who do not see it.
#[derive(Clone, Copy, Debug)]
struct Description<'a> {
    id: &'a str,
    title: &'a str,
    finding: &'a str,
}

/// For a page: no size of its own, named and described; the page's stylesheet colours it.
pub(crate) fn inline(drawn: &str, id: &str, title: &str, finding: &str) -> String {
    wrap(drawn, "", "", Description { id, title, finding })
}

/// As a file: sized, opaque in both themes, coloured by its own style.
pub(crate) fn standalone(drawn: &str, id: &str, title: &str, finding: &str) -> String {
    let height = height_of(drawn);
    let size = format!(" width=\"{}\" height=\"{}\"", WIDTH / 2, height / 2);
    let style = format!(
        "<style>{}{}.paper{{fill:var(--bg)}}</style><rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>",
        colour_rules("svg", "svg"),
        shape_rules("svg")
    );
    wrap(drawn, &size, &style, Description { id, title, finding })
}

fn wrap(drawn: &str, size: &str, first: &str, about: Description<'_>) -> String {
    let (id, title, finding) = (about.id, escape::html(about.title), escape::html(about.finding));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\"{size} class=\"c\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{finding}</desc>{first}{content}</svg>",
        height = height_of(drawn),
        content = compact(content(drawn)),
    )
}

/// What is between the root's tags.
fn content(drawn: &str) -> &str {
    let start = drawn.find('>').map_or(0, |at| at + 1);
    let end = drawn.rfind("</svg>").unwrap_or(drawn.len());
    &drawn[start.min(end)..end]
}

/// The height that the root names.
fn height_of(drawn: &str) -> i32 {
    let after = drawn.split_once(" height=\"").map_or("", |(_, rest)| rest);
    after.split('"').next().and_then(|text| text.parse().ok()).unwrap_or(WIDTH)
}

/// What every element repeats and the rules of [`shape_rules`] or SVG's defaults already say.
const NOISE: [&str; 7] = [
    " opacity=\"1\"",
    " font-family=\"sans-serif\"",
    " stroke=\"none\"",
    " fill=\"none\"",
    " stroke-width=\"2\"",
    " text-anchor=\"start\"",
    " dy=\"0.5ex\"",
];

/// What all elements of a chart have in common, for the stylesheet of `svg`.
pub(crate) fn shape_rules(svg: &str) -> String {
    format!(
        "{svg} text{{font:{TEXT}px system-ui,sans-serif;fill:var(--fg)}}{svg} [font-weight]{{font-weight:600}}{svg} polyline,{svg} circle[stroke]{{fill:none}}{svg} polyline,{svg} line{{stroke-width:2}}{svg} [stroke-width=\"1\"]{{stroke-width:1}}{svg} polyline[stroke-width=\"1\"]{{stroke-width:2;stroke-dasharray:5 5}}{svg} [stroke-width=\"3\"]{{stroke-width:3}}{svg} [stroke-width=\"4\"]{{stroke-width:4}}\n"
    )
}

/// Without the noise. Texts cannot be hit: in them quotes are entities and line breaks were cleaned away.
fn compact(content: &str) -> String {
    let mut text = content.replace('\n', "");
    for noise in NOISE {
        text = text.replace(noise, "");
    }
    let mut short = String::with_capacity(text.len());
    for (i, piece) in text.split(" font-size=\"").enumerate() {
        // The size is in the stylesheet; plotters writes its own rounding of it.
        let rest = if i == 0 { piece } else { piece.split_once('"').map_or("", |(_, rest)| rest) };
        short.push_str(rest);
    }
    // Only texts end their start tag this way; the stylesheet gives them this colour.
    let short = short.replace(" fill=\"#010101\">", ">").replace(" \"/>", "\"/>");
    Ink::every().into_iter().fold(short, |text, ink| text.replace(&ink.hex(), &ink.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWN: &str = "<svg width=\"1440\" height=\"300\" viewBox=\"0 0 1440 300\" xmlns=\"http://www.w3.org/2000/svg\">\n<line opacity=\"1\" stroke=\"#010101\" stroke-width=\"2\" x1=\"0\"/>\n</svg>\n";

    #[test]
    fn a_chart_in_a_page_has_a_view_box_and_a_description_and_no_size() {
        let svg = inline(DRAWN, "c-1", "A <title>", "It \"grows\".");
        assert!(
            svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1440 300\" class=\"c\""),
            "{svg}"
        );
        assert!(svg.contains(
            "<title id=\"c-1-t\">A &lt;title&gt;</title><desc id=\"c-1-d\">It &quot;grows&quot;.</desc>"
        ));
        assert!(svg.ends_with("<line stroke=\"fg\" x1=\"0\"/></svg>"), "{svg}");
    }

    #[test]
    fn a_chart_in_a_file_has_a_size_and_paper() {
        let svg = standalone(DRAWN, "c-1", "t", "d");
        assert!(
            svg.contains(" width=\"720\" height=\"150\"") && svg.contains("<rect class=\"paper\""),
            "{svg}"
        );
    }
}
