//! Finds secrets that were left in a package, where everybody who has the package can read them.
//!
//! | rule | severity | what |
//! |---|---|---|
//! | `app-secret` | error | 32 hexadecimal characters under a name such as `appSecret`, or as `secret=…` in an address |
//! | `private-key` | error | a PEM block of a private key, with its content |
//! | `secret-key` | error | a random text under a name such as `secretAccessKey`, `accessKeySecret`, `SecretKey` |
//! | `access-token` | error | tokens whose form tells whose they are: GitHub, GitLab, Slack, Stripe (live), npm |
//! | `cloud-key-id` | warning | key ids of AWS, Alibaba Cloud, Tencent Cloud: no secret, but seldom alone |
//! | `password` | warning | a text that looks like a password under a name such as `password` |
//!
//! Scripts and JSON files are parsed, so that a text is known together with the name it is given to; `.pem` and `.key`
//! files are looked through. What a finding shows is the first four characters and the length, never the secret.
//! A text has to look random: placeholders, labels, translations, class names and the examples of manuals are not told.

mod names;
mod randomness;
mod rules;
mod texts;

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
        summary: "Finds AppSecrets, private keys, cloud keys, tokens and passwords that were left in the package.",
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
        (is_script(path) || path.ends_with(".json") || is_key_file(path)) && !self.ignore_paths.iter().any(below)
    }
}

fn is_key_file(path: &str) -> bool {
    path.ends_with(".pem") || path.ends_with(".key")
}

impl Auditor for Secrets {
    fn audit(&self, package: &dyn Package) -> Result<Vec<Finding>, String> {
        each_file(package, self.max_file_bytes, |path| self.wants(path), judge)
    }
}

fn judge(source: &Source) -> Found {
    if is_key_file(&source.path) {
        return rules::private_key(&source.text).map(|finding| (0, finding)).into_iter().collect();
    }
    if source.path.ends_with(".json") {
        return with_json(source, texts::in_value);
    }
    with_program(source, texts::in_program)
}

berth_policy::auditor!(Secrets);

#[cfg(test)]
mod tests;
