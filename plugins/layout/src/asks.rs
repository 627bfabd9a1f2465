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

/// What a tag may ask for by an `open-type` that is an expression: the texts that it chooses among, each with the byte
/// offset. Libraries compare with such texts, too: `openType === 'getUserInfo' ? '' : openType`.
pub fn possible_open_types<'t>(tag: &Tag<'t>) -> Vec<(&'t str, usize)> {
    let Some((value, at)) = open_type(tag).filter(|(value, _)| value.contains('{')) else { return Vec::new() };
    let parts: Vec<&str> = value.split(['"', '\'', '`']).collect();
    let texts = parts.chunks_exact(2).zip(parts.iter().skip(2).step_by(2));
    let compared =
        |before: &str, after: &str| before.trim_end().ends_with('=') || after.trim_start().starts_with(['=', '!']);
    let chosen = texts.filter(|(text, after)| !text[1].is_empty() && !compared(text[0], after));
    chosen.map(|(text, _)| (text[1], at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scanner::tags;

    #[test]
    fn an_expression_asks_for_the_texts_that_it_chooses_among() {
        let asked = |value: &str| {
            let text = format!("<button open-type=\"{value}\"/>");
            let tags = tags(&text);
            possible_open_types(&tags[0]).into_iter().map(|(text, _)| text.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(asked("{{ready ? 'getPhoneNumber' : 'share'}}"), ["getPhoneNumber", "share"]);
        assert_eq!(asked("{{type === 'a' ? 'getPhoneNumber' : ''}}"), ["getPhoneNumber"]);
        assert_eq!(asked("{{ready && `chooseAvatar`}}"), ["chooseAvatar"]);
        // As in Vant.
        let compared = "{{ disabled || (can && openType === 'getUserInfo') || 'share' != openType ? '' : openType }}";
        for value in [compared, "getPhoneNumber", "{{type}}", "{{a ? 'b", "{{'}}"] {
            assert_eq!(asked(value), [""; 0], "{value}");
        }
    }
}
