//! What the makers of a policy say of it, in sections of its wasm beside the program.

use berth_base::text::turns_direction;
use serde::{Deserialize, Serialize};
use url::Url;

/// How many characters of a section are taken at the most; a longer one is left out.
const MOST: usize = 1_000;

/// What the makers of a policy say of it: whose it is, on which terms, and what it was made from. Nobody has verified it: a
/// signature is what vouches for a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PolicyMetadata {
    /// Who has made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authors: Option<String>,
    /// What it is, in more words than its summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The licences under which it may be used, as an expression of SPDX, such as `Apache-2.0 OR MIT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licenses: Option<String>,
    /// The address of its source code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The address of a page about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// The revision of the source code from which it was built, such as a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The version of the package from which it was built. Which version the policy has it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl PolicyMetadata {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is said, by the names of the sections, which are those that `wasm-tools metadata` reads and writes.
    pub fn sections(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("authors", &self.authors),
            ("description", &self.description),
            ("licenses", &self.licenses),
            ("source", &self.source),
            ("homepage", &self.homepage),
            ("revision", &self.revision),
            ("version", &self.version),
        ];
        all.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?)))
    }

    /// Takes in what a section says, as one line of text. What is empty, too long or no text is as good as none, and sections of
    /// other names are no metadata.
    pub fn take(&mut self, section: &str, said: &[u8]) {
        let member = match section {
            "authors" => &mut self.authors,
            "description" => &mut self.description,
            "licenses" => &mut self.licenses,
            "source" => &mut self.source,
            "homepage" => &mut self.homepage,
            "revision" => &mut self.revision,
            "version" => &mut self.version,
            _ => return,
        };
        *member = std::str::from_utf8(said).ok().and_then(line);
    }

    /// This, and what only `other` says.
    pub fn or(self, other: Self) -> Self {
        Self {
            authors: self.authors.or(other.authors),
            description: self.description.or(other.description),
            licenses: self.licenses.or(other.licenses),
            source: self.source.or(other.source),
            homepage: self.homepage.or(other.homepage),
            revision: self.revision.or(other.revision),
            version: self.version.or(other.version),
        }
    }
}

/// A text as one line without what moves a cursor or reorders what stands beside it (F18); `None` when there is nothing to read, or
/// too much.
fn line(text: &str) -> Option<String> {
    let gap = |c: char| c.is_whitespace() || c.is_control() || turns_direction(c);
    let words: Vec<_> = text.split(gap).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    (!line.is_empty() && line.chars().count() <= MOST).then_some(line)
}

/// Whether an address that somebody else has written may be a link: over TLS to a host, without a user in it, who would look like
/// the host.
pub fn is_link(address: &str) -> bool {
    let plain = |url: &Url| url.scheme() == "https" && url.has_host() && url.username().is_empty();
    Url::parse(address).is_ok_and(|url| plain(&url) && url.password().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authors(said: &[u8]) -> Option<String> {
        let mut metadata = PolicyMetadata::default();
        metadata.take("authors", said);
        metadata.authors
    }

    #[test]
    fn g27_what_a_section_says_is_one_line_of_text() {
        assert_eq!(
            authors("Ann <ann@example.com>,\n\tBob\u{202e}\u{1b}[2J".as_bytes()).as_deref(),
            Some("Ann <ann@example.com>, Bob [2J")
        );
        assert_eq!(authors("<script>".as_bytes()).as_deref(), Some("<script>"), "it is escaped where it is shown");
        for nothing in [&b""[..], b" \n", b"\xff\xfe"] {
            assert_eq!(authors(nothing), None);
        }
        assert!(authors("ä".repeat(1_000).as_bytes()).is_some() && authors("ä".repeat(1_001).as_bytes()).is_none());
    }

    #[test]
    fn g27_a_section_that_comes_twice_says_what_it_says_last() {
        let mut metadata = PolicyMetadata::default();
        metadata.take("licenses", b"MIT");
        metadata.take("name", b"other sections are no metadata");
        metadata.take("licenses", b"Apache-2.0");
        assert_eq!(metadata.sections().collect::<Vec<_>>(), [("licenses", "Apache-2.0")]);
        metadata.take("licenses", b"");
        assert!(metadata.is_empty());
    }

    #[test]
    fn g27_only_plain_addresses_over_tls_are_links() {
        assert!(is_link("https://git.example/coffee/no-eval") && is_link("https://git.example"));
        for address in [
            "http://git.example/",
            "javascript:alert(1)",
            "https://git.example@evil.example/",
            "https://git.example:secret@evil.example/",
            "https:",
            "git@git.example:coffee/no-eval.git",
            "data:text/html,x",
            "//git.example/",
        ] {
            assert!(!is_link(address), "{address}");
        }
    }
}
