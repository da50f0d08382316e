//! A strict reader of the HTML and SVG that reports consist of: enough to check structure, not to display it.

use std::collections::BTreeMap;

/// An element, in document order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Element {
    /// Its name.
    pub(crate) name: String,
    /// Its attributes.
    pub(crate) attributes: BTreeMap<String, String>,
    /// Names of the elements around it, outermost first.
    pub(crate) inside: Vec<String>,
    /// The text directly in it.
    pub(crate) text: String,
}

/// Elements that have no end tag in HTML.
const VOID: [&str; 4] = ["meta", "link", "br", "input"];

/// Reads a document in which every element is closed, every attribute quoted and once, and every special character an
/// entity.
pub(crate) fn parse(document: &str) -> Result<Vec<Element>, String> {
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rest = document.strip_prefix("<!doctype html>").unwrap_or(document);
    while let Some(at) = rest.find('<') {
        text(&rest[..at], &mut elements, &open)?;
        let end = rest[at..].find('>').ok_or("a tag never ends")? + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let innermost = open.pop().ok_or_else(|| format!("</{name}> closes nothing"))?;
            if elements[innermost].name != name {
                return Err(format!("</{name}> closes <{}>", elements[innermost].name));
            }
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = attributes(tag)?;
        let inside = open.iter().map(|i| elements[*i].name.clone()).collect();
        let stays_open = !closed && !VOID.contains(&name.as_str());
        let end_of_raw = matches!(name.as_str(), "style" | "script").then(|| format!("</{name}>"));
        elements.push(Element { name, attributes, inside, text: String::new() });
        if let Some(end_tag) = end_of_raw {
            let end = rest.find(&end_tag).ok_or_else(|| format!("no {end_tag}"))?;
            elements.last_mut().expect("just pushed").text = rest[..end].to_owned();
            rest = &rest[end + end_tag.len()..];
        } else if stays_open {
            open.push(elements.len() - 1);
        }
    }
    text(rest, &mut elements, &open)?;
    match open.pop() {
        Some(left) => Err(format!("<{}> is never closed", elements[left].name)),
        None => Ok(elements),
    }
}

fn text(piece: &str, elements: &mut [Element], open: &[usize]) -> Result<(), String> {
    check_entities(piece)?;
    if let Some(innermost) = open.last() {
        elements[*innermost].text.push_str(piece);
    } else if !piece.trim().is_empty() {
        return Err(format!("text outside of everything: {piece:?}"));
    }
    Ok(())
}

fn attributes(tag: &str) -> Result<(String, BTreeMap<String, String>), String> {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(format!("not a name: {name:?}"));
    }
    let mut attributes = BTreeMap::new();
    while !rest.trim_start().is_empty() {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("open") {
            attributes.insert("open".to_owned(), String::new());
            rest = after;
            continue;
        }
        let (key, after) =
            rest.split_once("=\"").ok_or_else(|| format!("not an attribute in <{name}>: {rest:?}"))?;
        let (value, after) =
            after.split_once('"').ok_or_else(|| format!("a value never ends in <{name}>"))?;
        check_entities(value)?;
        if attributes.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(format!("{key} is twice in <{name}>"));
        }
        rest = after;
    }
    Ok((name.to_owned(), attributes))
}

fn check_entities(text: &str) -> Result<(), String> {
    if let Some(bad) =
        text.chars().find(|c| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c))
    {
        return Err(format!("a character that must not be there: {bad:?} in {text:?}"));
    }
    for piece in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "apos;", "#39;"];
        if !known.iter().any(|entity| piece.starts_with(entity)) {
            return Err(format!("a bare & before {piece:?}"));
        }
    }
    Ok(())
}
