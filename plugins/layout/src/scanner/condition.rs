//! Tells conditions of markup that are constantly false, by which developers switch parts of a page off.

use super::Tag;

/// Constants that count as false.
const FALSE: [&str; 8] = ["false", "0", "null", "undefined", "''", "\"\"", "!1", "!true"];

/// Whether the tag has a condition that no state of the page fulfils.
pub fn is_false(tag: &Tag<'_>) -> bool {
    tag.attributes.iter().filter_map(|(name, value, _)| expression(name, value)).any(never)
}

/// The expression of an attribute that is a condition. WeChat and who followed it write `wx:if="{{…}}"`, where a value
/// without braces is a text; Baidu and Vue take the value itself, and Baidu braces, too.
fn expression<'v>(name: &str, value: &'v str) -> Option<&'v str> {
    match name {
        "v-if" | "v-else-if" => Some(value),
        "s-if" | "s-elif" => Some(within(value, "{{", "}}").or_else(|| within(value, "{=", "=}")).unwrap_or(value)),
        _ if matches!(name.split_once(':')?.1, "if" | "elif") => within(value, "{{", "}}"),
        _ => None,
    }
}

/// What stands between braces that are the whole value.
fn within<'v>(value: &'v str, open: &str, close: &str) -> Option<&'v str> {
    let inside = value.strip_prefix(open)?.strip_suffix(close)?;
    (!inside.contains(open)).then_some(inside)
}

/// Whether the expression is a constant that is false, alone or before `&&` without any other operator that could
/// outweigh it.
fn never(expression: &str) -> bool {
    let first = expression.split("&&").next().unwrap_or_default().trim();
    FALSE.contains(&first) && !expression.contains(['|', '?', ','])
}
