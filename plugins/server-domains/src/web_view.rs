//! The pages that markup shows in web-views.

use berth_policy_javascript::{About, Source, Text};
use berth_policy_layout::scanner::{Tag, tags};

use crate::{
    Kind, ServerDomains,
    address::Read,
    scripts::{Named, whole},
};

/// Extensions of markup in all dialects.
const MARKUP: [&str; 9] = ["wxml", "axml", "ttml", "swan", "qml", "ksml", "jxml", "xhsml", "html"];

/// Whether a path names markup.
pub fn is_markup(path: &str) -> bool {
    MARKUP.contains(&path.rsplit('.').next().unwrap_or_default())
}

/// Judges the web-views of a file.
pub fn judge(policy: &ServerDomains, named: &Named, mini_app: &str, source: &Source) -> Vec<About> {
    let mut found = Vec::new();
    for tag in tags(&source.text).iter().filter(|tag| tag.name == "web-view") {
        let Some((value, offset)) = source_of(tag) else { continue };
        for text in texts(value, source, named) {
            let finding = policy.finding(Kind::Business, "The web-view", &Read::url(Kind::Business, &text), mini_app);
            found.extend(finding.map(|(about, finding)| (offset as u32, about, finding)));
        }
    }
    found
}

fn source_of<'t>(tag: &Tag<'t>) -> Option<(&'t str, usize)> {
    tag.attributes.iter().find(|(name, ..)| *name == "src").map(|(_, value, at)| (*value, *at))
}

/// What the address can be: a constant, the beginning before an expression, or what the script of the page has under
/// the name in `{{name}}`.
fn texts(value: &str, source: &Source, named: &Named) -> Vec<Text> {
    let value = value.trim();
    match value.split_once('{') {
        None => vec![whole(value)],
        Some(("", rest)) => {
            let name = rest.trim_matches(['{', '}', ' ', '=']).to_owned();
            let stem = source.path.rsplit_once('.').map_or(source.path.as_str(), |(stem, _)| stem);
            let known = named.get(&(stem.to_owned(), name));
            known.into_iter().flatten().map(|text| whole(text)).collect()
        }
        Some((known, _)) => vec![Text { known: known.to_owned(), whole: false }],
    }
}
