//! The kinds of personal information, from the file that the host has them from.

use std::collections::HashMap;

use berth_policy::{serde::Deserialize, serde_json};

/// A kind, as the file has it.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde")]
struct Written {
    kind: String,
    en: String,
    reads: Vec<String>,
    writes: Vec<String>,
    tags: Vec<(String, String, String)>,
    scopes: Vec<String>,
}

/// A kind of personal information.
pub struct Kind {
    /// Its name in an agreement, such as `phone_number`.
    pub kind: String,
    /// What people call it.
    pub name: String,
}

/// What uses personal information, and of which kind.
#[derive(Default)]
pub struct Catalogue {
    kinds: Vec<Kind>,
    /// The kind that an API is of, and whether the API only adds to it.
    apis: HashMap<String, (usize, bool)>,
    /// The kind that a scope asks for.
    scopes: HashMap<String, usize>,
    tags: Vec<(String, String, String, usize)>,
}

impl Catalogue {
    /// Reads the file. The error is a defect of this policy.
    pub fn read() -> Result<Self, String> {
        let written: Vec<Written> = serde_json::from_str(include_str!("../../../host/model/src/privacy/kinds.json"))
            .map_err(|error| format!("kinds.json: {error}"))?;
        let mut all = Self::default();
        for (index, Written { kind, en, reads, writes, tags, scopes }) in written.into_iter().enumerate() {
            all.kinds.push(Kind { kind, name: en });
            all.apis.extend(reads.into_iter().map(|api| (api, (index, false))));
            all.apis.extend(writes.into_iter().map(|api| (api, (index, true))));
            all.scopes.extend(scopes.into_iter().map(|scope| (scope, index)));
            all.tags.extend(tags.into_iter().map(|(tag, attribute, value)| (tag, attribute, value, index)));
        }
        Ok(all)
    }

    /// The kind with this index.
    pub fn kind(&self, index: usize) -> &Kind {
        &self.kinds[index]
    }

    /// The kind that an API is of, and whether the API only adds to it.
    pub fn of_api(&self, api: &str) -> Option<(usize, bool)> {
        self.apis.get(api).copied()
    }

    /// The kind that a scope asks for.
    pub fn of_scope(&self, scope: &str) -> Option<usize> {
        self.scopes.get(scope).copied()
    }

    /// The kinds that a tag uses; `attribute` says what its attributes are.
    pub fn of_tag<'c>(
        &'c self,
        tag: &'c str,
        attribute: impl Fn(&str) -> Option<&'c str> + 'c,
    ) -> impl Iterator<Item = usize> + 'c {
        let uses = move |(name, key, value, kind): &'c (String, String, String, usize)| {
            let fits = name == tag && (key.is_empty() || attribute(key) == Some(value));
            fits.then_some(*kind)
        };
        self.tags.iter().filter_map(uses)
    }

    /// Whether any API or component of a kind can be found in code.
    pub fn can_be_seen(&self, kind: &str) -> bool {
        let index = self.kinds.iter().position(|one| one.kind == kind);
        index.is_some_and(|index| self.apis.values().any(|(of, _)| *of == index))
    }
}
