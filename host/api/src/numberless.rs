//! Comments cite the numbers of `tests/RULES.md`. Those who read the description of the API do not have that page, so it
//! goes without them.

use serde_json::Value;
use utoipa::openapi::OpenApi;

/// The document without the numbers of rules in its texts.
pub(crate) fn numberless(document: OpenApi) -> OpenApi {
    let Ok(mut told) = serde_json::to_value(&document) else { return document };
    strip_all(&mut told);
    serde_json::from_value(told).unwrap_or(document)
}

fn strip_all(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "description" || name == "summary" => *text = strip(text),
                    other => strip_all(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(strip_all),
        _ => {}
    }
}

/// The text without the parentheses in which only numbers of rules stand.
fn strip(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(" (") {
        let inside = &rest[start + 2..];
        let Some(end) = inside.find(')') else { break };
        let is_cited = inside[..end].split([',', '–']).all(|one| is_number(one.trim()));
        kept.push_str(if is_cited { &rest[..start] } else { &rest[..start + end + 3] });
        rest = &inside[end + 1..];
    }
    kept + rest
}

/// Whether this is the number of a rule, such as `V12`.
fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_uppercase());
    text.len() == digits.len() + 1 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_of_rules_are_left_out() {
        for (text, expected) in [
            ("Publish (V7, V8). Then (see below) rest.", "Publish. Then (see below) rest."),
            ("It holds (A1–A4), in all (I1)", "It holds, in all"),
            ("Bytes (at most 256) of UTF8 (E)", "Bytes (at most 256) of UTF8 (E)"),
            ("An open one (V7", "An open one (V7"),
        ] {
            assert_eq!(strip(text), expected);
        }
    }
}
