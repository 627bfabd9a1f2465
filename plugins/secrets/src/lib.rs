//! Finds secrets that were left in a package, where everybody who has the package can read them.
//!
//! | rule | severity | what |
//! |---|---|---|
//! | `app-secret` | error | 32 hexadecimal characters under a name such as `appSecret`, or as `secret=…` in an address |
//! | `private-key` | error | a private key, as PEM in any wrapping or as its bare base64 |
//! | `secret-key` | error | a random text under a name such as `secretAccessKey`, `appSecret`, `aesKey`, `mch_key`, `signKey` |
//! | `access-token` | error | tokens whose form tells whose they are: GitHub, GitLab, Slack, Stripe (live), npm, `sk-…` |
//! | `connection-string` | error | an address with a name and a password in it |
//! | `cloud-key-id` | warning | key ids of AWS, Alibaba Cloud, Tencent Cloud: no secret, but seldom alone |
//! | `json-web-token` | warning | a signed token that was given to somebody |
//! | `password` | warning | a text that looks like a password under a name such as `password` |
//! | `inline-source-map` | warning | the sources of a script, inside of it |
//!
//! Scripts and JSON files are parsed, so that each text is known together with the name that it is assigned to. All
//! other texts, comments, source maps, and scripts that do not parse are read line by line. A finding shows the first
//! four characters and the length, never the secret. A text has to look random: placeholders, labels, translations,
//! class names and the examples of manuals are not reported.

mod keys;
mod lines;
mod maps;
mod names;
mod randomness;
mod rules;
mod texts;
mod tokens;

use berth_policy::{Auditor, Description, Finding, Package, Policy, serde::Deserialize};
use berth_policy_javascript::{Found, Source, each_file, is_script, with_json, with_program};

/// The policy, which is its config.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields, default)]
pub struct Secrets {
    max_file_bytes: u64,
    ignore_paths: Vec<String>,
}

impl Default for Secrets {
    fn default() -> Self {
        Self { max_file_bytes: 8 << 20, ignore_paths: Vec::new() }
    }
}

impl Policy for Secrets {
    type Config = Self;

    const DESCRIPTION: Description = Description {
        name: "secrets",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Finds AppSecrets, keys, tokens and passwords that were left in the texts of the package.",
        config_schema: include_str!("../config.schema.json"),
    };

    fn configure(config: Self) -> Result<Self, String> {
        Ok(config)
    }
}

impl Secrets {
    fn wants(&self, path: &str) -> bool {
        let below = |folder: &String| {
            path.strip_prefix(folder.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        !is_binary(path) && !self.ignore_paths.iter().any(below)
    }
}

/// Extensions of files that contain no text.
const BINARY: [&str; 34] = [
    "png", "jpg", "jpeg", "gif", "webp", "bmp", "ico", "mp3", "mp4", "m4a", "aac", "wav", "ogg", "webm", "mov", "avi",
    "ttf", "otf", "woff", "woff2", "eot", "zip", "gz", "br", "7z", "rar", "pdf", "wasm", "bin", "dat", "glb", "psd",
    "xlsx", "docx",
];

fn is_binary(path: &str) -> bool {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    BINARY.contains(&&*ending)
}

impl Auditor for Secrets {
    fn audit(&self, package: &dyn Package) -> Result<Vec<Finding>, String> {
        let findings = each_file(package, self.max_file_bytes, |path| self.wants(path), judge)?;
        Ok(maps::together(findings))
    }
}

fn judge(source: &Source) -> Found {
    if source.text.contains('\0') {
        return Found::new();
    }
    let mut found = match source.path.rsplit('.').next() {
        Some("json") => with_json(source, texts::in_value),
        Some("map") => maps::in_map(source),
        _ if is_script(&source.path) => with_program(source, texts::in_program).ok(),
        _ => None,
    }
    .unwrap_or_else(|| lines::in_text(&source.text));
    found.extend(maps::inline(&source.text));
    found.extend(apart(&source.text, &found));
    found
}

/// A private key that is spread over several texts, unless one was found in a single text.
fn apart(text: &str, found: &Found) -> Option<(u32, Finding)> {
    let known = found.iter().any(|(_, finding)| finding.rule == "private-key");
    if known { None } else { keys::spread(text) }
}

berth_policy::auditor!(Secrets);

#[cfg(test)]
mod tests;
