//! Finds source maps, which contain the sources as they were written, and the secrets in them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth_policy::{
    Finding,
    serde_json::{self, Value},
};
use berth_policy_javascript::{Found, Source};

use crate::lines;

const RULE: &str = "inline-source-map";
const MARK: &str = "sourceMappingURL=data:";

/// The secrets in a source map, all placed at its beginning; `None` when it cannot be read.
pub fn in_map(source: &Source) -> Option<Found> {
    in_json(&source.text)
}

fn in_json(text: &str) -> Option<Found> {
    let map: Value = serde_json::from_str(text).ok()?;
    let sources = map.get("sourcesContent")?.as_array()?.iter().filter_map(Value::as_str);
    let found = sources.flat_map(lines::in_text).map(|(_, finding)| (0, finding));
    Some(found.collect())
}

/// A source map inside a script or a style sheet, and the secrets in it.
pub fn inline(text: &str) -> Found {
    let Some(at) = text.rfind(MARK) else { return Found::new() };
    let data = text[at + MARK.len()..].lines().next().unwrap_or_default();
    let Some((_, encoded)) = data.split_once("base64,") else { return Found::new() };
    let encoded = encoded.trim_end_matches("*/").trim();
    let Some(map) = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return Found::new();
    };
    let Some(secrets) = in_json(&map) else { return Found::new() };
    let told = Finding::warning(RULE, "A source map inside of the file shows your sources to everybody.")
        .fix("Build for production, without source maps.");
    let placed = secrets.into_iter().map(|(_, finding)| (at as u32, finding));
    std::iter::once((at as u32, told)).chain(placed).collect()
}

/// Merges all findings of source maps inside files into one, as one setting of the build causes them.
pub fn together(findings: Vec<Finding>) -> Vec<Finding> {
    let (maps, mut others): (Vec<_>, Vec<_>) = findings.into_iter().partition(|finding| finding.rule == RULE);
    let more = maps.len().saturating_sub(1);
    others.extend(maps.into_iter().next().map(|mut first| {
        match more {
            0 => {}
            1 => first.message.push_str(" So does one in another file."),
            more => first.message.push_str(&format!(" So do those in {more} other files.")),
        }
        first
    }));
    others
}
