//! Reads markup and style sheets as far as is needed to know what they name. Neither has to be well-formed: markup of
//! mini-programs has attributes without values, and comparisons in its expressions.

mod condition;

use std::collections::HashMap;

/// A tag that opens an element.
#[derive(Debug, PartialEq, Eq)]
pub struct Tag<'t> {
    /// The name of the tag.
    pub name: &'t str,
    /// The attributes that have a value: the name, the value, and the byte offset of the value.
    pub attributes: Vec<(&'t str, &'t str, usize)>,
}

impl<'t> Tag<'t> {
    /// The value of an attribute, if it is constant, with its byte offset.
    pub fn constant(&self, name: &str) -> Option<(&'t str, usize)> {
        let (_, value, at) = self.attributes.iter().find(|(have, ..)| *have == name)?;
        let value = value.trim();
        (!value.is_empty() && !value.contains('{')).then_some((value, *at))
    }
}

/// The tags of a text, except those in comments and expressions, and those that are never shown: elements under a
/// condition that is constantly false, with all that is in them.
pub fn tags(text: &str) -> Vec<Tag<'_>> {
    let (mut shown, mut at) = (Shown::default(), 0);
    while let Some(found) = text[at..].find(['<', '{']) {
        at += found;
        let rest = &text[at..];
        at += match () {
            () if rest.starts_with("<!--") => past(rest, "-->"),
            () if rest.starts_with("{{") => past(rest, "}}"),
            () if rest.starts_with('{') => 1,
            () if rest.starts_with("</") => {
                let name = &rest[2..2 + word(&rest[2..])];
                shown.close(name);
                2 + name.len()
            }
            () => match tag(text, at) {
                Some((tag, length)) => {
                    let closed = rest[..length].ends_with("/>");
                    let inline = ["wxs", "sjs", "qs", "filter"].contains(&tag.name) && !closed;
                    let script = if inline { past(&rest[length..], "</") } else { 0 };
                    shown.open(tag, closed || inline);
                    length + script
                }
                None => 1,
            },
        };
    }
    shown.tags
}

/// The tags so far that are shown.
#[derive(Default)]
struct Shown<'t> {
    tags: Vec<Tag<'t>>,
    /// The elements that are open, by name: for one that is never shown, how many tags there were before it.
    open: HashMap<&'t str, Vec<Option<usize>>>,
}

impl<'t> Shown<'t> {
    fn open(&mut self, tag: Tag<'t>, closed: bool) {
        let is_dead = condition::is_false(&tag);
        if !closed {
            self.open.entry(tag.name).or_default().push(is_dead.then_some(self.tags.len()));
        }
        // What is never closed is an element without content, so that it takes nothing else with it.
        if !is_dead {
            self.tags.push(tag);
        }
    }

    fn close(&mut self, name: &str) {
        if let Some(Some(before)) = self.open.get_mut(name).and_then(Vec::pop) {
            self.tags.truncate(before);
        }
    }
}

/// Whether the character may stand in the name of a tag or an attribute.
fn is_name(c: char) -> bool {
    c.is_alphanumeric() || "-_:.@#".contains(c)
}

/// The length of the name with which the text begins.
fn word(text: &str) -> usize {
    text.find(|c| !is_name(c)).unwrap_or(text.len())
}

/// The length up to and including `end`; that of the whole text when there is no `end`.
fn past(text: &str, end: &str) -> usize {
    text.find(end).map_or(text.len(), |at| at + end.len())
}

/// The tag that begins at an offset, and its length.
fn tag(text: &str, start: usize) -> Option<(Tag<'_>, usize)> {
    let name = &text[start + 1..start + 1 + word(&text[start + 1..])];
    if name.is_empty() {
        return None;
    }
    let (mut attributes, mut at) = (Vec::new(), start + 1 + name.len());
    while let Some(next) = text[at..].chars().next() {
        match next {
            '>' => return Some((Tag { name, attributes }, at + 1 - start)),
            '<' => return Some((Tag { name, attributes }, at - start)),
            '"' | '\'' => at += 1 + past(&text[at + 1..], &next.to_string()),
            next if !is_name(next) => at += next.len_utf8(),
            _ => {
                let key = &text[at..at + word(&text[at..])];
                at += key.len();
                let Some((value, from)) = value(text, at) else { continue };
                attributes.push((key, value, from));
                let quoted = text[..from].ends_with(['"', '\'']);
                at = (from + value.len() + usize::from(quoted)).min(text.len());
            }
        }
    }
    Some((Tag { name, attributes }, at - start))
}

/// The value after `=`, with its byte offset.
fn value(text: &str, at: usize) -> Option<(&str, usize)> {
    let rest = text[at..].trim_start().strip_prefix('=')?.trim_start();
    let start = text.len() - rest.len();
    let quote = rest.chars().next()?;
    if quote != '"' && quote != '\'' {
        let length = rest.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(rest.len());
        return Some((&rest[..length], start));
    }
    let inside = &rest[1..];
    Some((&inside[..inside.find(quote).unwrap_or(inside.len())], start + 1))
}

/// How many bytes after `@import` are looked at. Paths of a package are far shorter.
const LONGEST_IMPORT: usize = 1024;

/// The paths that a style sheet imports, except in comments, with their byte offsets.
pub fn style_imports(text: &str) -> Vec<(&str, usize)> {
    let (mut imports, mut at) = (Vec::new(), 0);
    while let Some(found) = text[at..].find(['/', '@']) {
        at += found;
        let rest = &text[at..];
        if rest.starts_with("/*") {
            at += past(rest, "*/");
        } else if let Some(after) = rest.strip_prefix("@import") {
            imports.extend(imported(text, after));
            at += "@import".len();
        } else {
            at += 1;
        }
    }
    imports
}

/// The path in `"a.wxss"` or `url("a.wxss")`.
fn imported<'t>(text: &str, after: &'t str) -> Option<(&'t str, usize)> {
    let rest = after[..after.floor_char_boundary(LONGEST_IMPORT)].trim_start();
    let rest = rest.strip_prefix("url(").unwrap_or(rest).trim_start();
    let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
    let path = &rest[..rest.find(['"', '\'', ')', ';', '\n'])?];
    let from = path.as_ptr() as usize - text.as_ptr() as usize;
    (!path.trim().is_empty()).then(|| (path.trim(), from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        tags(text).into_iter().map(|tag| tag.name).collect()
    }

    #[test]
    fn tags_are_read_whatever_stands_around_them() {
        assert_eq!(names("<view><image src='a'/></view>"), ["view", "image"]);
        assert_eq!(names("<!-- <image/> --><view>{{a < b ? '<image>' : ''}}</view>"), ["view"]);
        assert_eq!(names("<view wx:if=\"{{a > b}}\" hidden><text>1 < 2</text>"), ["view", "text"]);
        assert_eq!(names("<wxs module='m'>if (a <b) { x = '<image>' }</wxs><view/>"), ["wxs", "view"]);
        assert_eq!(names("<view <image src='a'>"), ["view", "image"]);
        assert_eq!(names("<"), [""; 0]);
    }

    #[test]
    fn what_is_never_shown_has_no_tags() {
        let dead = |attribute: &str| format!("<view {attribute}><image/><view><text/></view></view><icon/>");
        for attribute in [
            "wx:if=\"{{false}}\"",
            "a:if='{{ 0 }}'",
            "tt:elif=\"{{!true}}\"",
            "s-if=\"false\"",
            "s-elif=\"{{false}}\"",
            "s-if=\"{= false =}\"",
            "v-if=\"null\"",
            "v-else-if=\"''\"",
            "qq:if=\"{{!1}}\"",
            "wx:for='{{list}}' wx:if='{{false && ready}}'",
        ] {
            assert_eq!(names(&dead(attribute)), ["icon"], "{attribute}");
        }
        for attribute in [
            "wx:if=\"{{ready}}\"",
            "wx:if=\"{{false || ready}}\"",
            "wx:if=\"{{false ? a : b}}\"",
            // A text that is not empty, and so true.
            "wx:if=\"false\"",
            "wx:if=\"{{false}} \"",
            "wx:if=\"{{'false'}}\"",
            "v-if=\"ready\"",
            "v-show=\"false\"",
            "hidden=\"{{true}}\"",
            "data-if=\"{{false}}\"",
            "wx:if",
        ] {
            assert_eq!(names(&dead(attribute)), ["view", "image", "view", "text", "icon"], "{attribute}");
        }
        assert_eq!(names("<image wx:if='{{false}}' src='a'/><icon/>"), ["icon"]);
        assert_eq!(names("<image wx:if='{{false}}' src='a'><icon/>"), ["icon"], "it is not closed");
        assert_eq!(names("</view><view wx:if='{{false}}'><!-- </view> --><a/></view><icon/>"), ["icon"]);
    }

    #[test]
    fn f28_no_text_breaks_the_reader() {
        let text = "<中 é='名\" {{中 <!-- --><a b=中 c=\"é <wxs>'</ @import 'é\"@import url(中";
        let cuts = text.char_indices().map(|(at, _)| at);
        let read = |text: &str| drop((tags(text), style_imports(text)));
        cuts.for_each(|at| [&text[at..], &text[..at]].into_iter().for_each(read));
    }

    #[test]
    fn attributes_have_values_with_their_offsets() {
        let text = "<image mode=fill src = '/a.png' alt=\"{{x}}\" lazy/>";
        let tags = tags(text);
        assert_eq!(tags[0].constant("src"), Some(("/a.png", 24)));
        assert_eq!(tags[0].constant("mode"), Some(("fill", 12)));
        assert_eq!((tags[0].constant("alt"), tags[0].constant("lazy")), (None, None));
    }

    #[test]
    fn style_sheets_name_what_they_import() {
        let text = "@import './a.wxss'; /* @import 'b' */\n@import url(\"c.css\");@media x {}\n@import 'd";
        let paths: Vec<_> = style_imports(text).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["./a.wxss", "c.css"]);
        assert_eq!(style_imports(text)[0].1, 9);
        assert_eq!(style_imports(&format!("@import '{}';", "中".repeat(LONGEST_IMPORT))), []);
    }

    /// Only time tells: if all that follows were read for each of the beginnings, this would take minutes.
    #[test]
    fn f38_many_beginnings_are_read_once() {
        assert_eq!(style_imports(&"@import ".repeat(20_000)), []);
        assert_eq!(tags(&"<view ".repeat(20_000)).len(), 20_000);
    }
}
