//! What markup asks the platform for: the `open-type` of buttons.

use crate::scanner::Tag;

/// Extensions of markup in all dialects.
const MARKUP: [&str; 9] = ["wxml", "axml", "ttml", "swan", "qml", "ksml", "jxml", "xhsml", "html"];

/// Whether a path names markup.
pub fn is_markup(path: &str) -> bool {
    MARKUP.contains(&path.rsplit('.').next().unwrap_or_default())
}

/// The `open-type` of a tag, with its byte offset; `None` without one.
pub fn open_type<'t>(tag: &Tag<'t>) -> Option<(&'t str, usize)> {
    let asked = tag.attributes.iter().find(|(name, ..)| *name == "open-type" || *name == "openType");
    asked.map(|(_, value, at)| (*value, *at))
}

/// What a tag asks for by `open-type`, as far as that is constant, each with the byte offset.
pub fn open_types<'t>(tag: &Tag<'t>) -> impl Iterator<Item = (&'t str, usize)> + use<'t> {
    let parts = |(value, at): (&'t str, usize)| value.split('|').map(move |part| (part.trim(), at));
    let named = |(part, _): &(&str, usize)| !part.is_empty() && !part.contains('{');
    open_type(tag).into_iter().flat_map(parts).filter(named)
}
