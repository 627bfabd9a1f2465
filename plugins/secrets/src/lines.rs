//! Finds secrets in texts that are not parsed: markup, settings, shell scripts, comments.

use berth_policy_javascript::Found;

use crate::{keys, rules};

/// How many bytes a line may have to be read. A longer one is data.
const LONGEST: usize = 20_000;
/// How many characters of a word are looked at. A secret has fewer.
const LONGEST_WORD: usize = 1024;

/// The secrets in a text. The name of a value is what stands before `=` or `:`, with or without quotes.
pub fn in_text(text: &str) -> Found {
    let mut found: Found = keys::spread(text).into_iter().collect();
    let mut at = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        if line.len() <= LONGEST {
            let told = in_line(line).into_iter().filter(|(_, finding)| {
                finding.rule != "private-key" || !found.iter().any(|(_, have)| have.rule == "private-key")
            });
            let told: Vec<_> = told.map(|(offset, finding)| (offset + at, finding)).collect();
            found.extend(told);
        }
        at += line.len() as u32;
    }
    found
}

fn in_line(line: &str) -> Found {
    let (mut found, mut end) = (Found::new(), 0);
    for (offset, value) in words(line) {
        // An address holds the values of its own parameters, which were judged with it.
        if offset < end {
            continue;
        }
        if let Some(finding) = rules::judge(name_before(&line[..offset]), value) {
            found.push((offset as u32, finding));
            end = offset + value.len();
        }
    }
    found
}

/// The words of a line, and the parts of words after `=` and `:`, with their byte offsets.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let word = |c: char| !c.is_whitespace() && !"\"'`<>,;(){}[]".contains(c);
    let starts = line.char_indices().scan(false, move |inside, (at, c)| {
        let starts = word(c) && !*inside;
        *inside = word(c);
        Some((at, starts || c == '=' || c == ':'))
    });
    let starts = starts.filter(|(_, starts)| *starts).map(|(at, _)| at);
    let from = move |at: usize| {
        let at = if line[at..].starts_with(['=', ':']) { at + 1 } else { at };
        let length: usize = line[at..].chars().take(LONGEST_WORD).take_while(|c| word(*c)).map(char::len_utf8).sum();
        (at, &line[at..at + length])
    };
    starts.map(from).filter(|(_, value)| value.len() >= 8)
}

/// The name that a value is assigned to: `name = `, `"name": "`, `name=`.
fn name_before(before: &str) -> Option<&str> {
    let rest = before.trim_end_matches(['"', '\'', '`']).trim_end();
    let rest = rest.strip_suffix(['=', ':'])?.trim_end_matches(':');
    let rest = rest.trim_end().trim_end_matches(['"', '\'', '`', '?', ']']);
    let start = rest
        .rfind(|c: char| !c.is_ascii_alphanumeric() && !"_-.".contains(c))
        .map_or(0, |at| at + rest[at..].chars().next().map_or(1, char::len_utf8));
    let name = rest[start..].rsplit('.').next()?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_name_before_it() {
        for before in
            ["name = '", "name=", "\"name\": \"", "a.name := `", "<a name=\"", "// name：x name: ", "name?: '"]
        {
            assert_eq!(name_before(before), Some("name"), "{before}");
        }
        assert_eq!(name_before("name "), None);
        assert_eq!(name_before("中=\""), None);
    }

    #[test]
    fn f28_no_text_breaks_the_reader() {
        let text = "中=\"é:'`a==::名='中\u{301}' -----BEGIN PRIVATE KEY-----eyJ.é.中://a:é@中secret=é sk-中 私钥：MII中IBAAK中\
                    AgEAMBMGByqGSM49AgEG中IBADANBgkqhkiG9w0BAQEFAASC中.eyJ中.é://é:中@é-----BEGIN 中PRIVATE KEY-----中-----END";
        let cuts = text.char_indices().map(|(at, _)| at);
        cuts.for_each(|at| drop((in_text(&text[at..]), in_text(&text[..at]))));
    }

    #[test]
    fn a_line_has_words_and_values() {
        let told: Vec<_> = words("a='12345678' http://x.example/?b=abcdefgh").map(|(_, value)| value).collect();
        assert_eq!(told, ["12345678", "http://x.example/?b=abcdefgh", "//x.example/?b=abcdefgh", "abcdefgh"]);
    }
}
