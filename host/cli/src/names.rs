//! The names of accounts. Answers name accounts by ids; people are shown names, which one more request gets for all ids in
//! an answer at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, RwLock},
};

use berth_base::ids::UserId;
use berth_model::access::AccountName;
use serde_json::Value;

/// The names that are known by now, by id. Clones share them.
#[derive(Clone, Default)]
pub struct Names(Arc<RwLock<BTreeMap<UserId, Option<String>>>>);

impl Names {
    /// The name of the account with this id; the text itself when it is none, or its name is not known.
    pub(crate) fn of(&self, id: &str) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let name = id.parse::<UserId>().ok().and_then(|id| known.get(&id).cloned().flatten());
        name.unwrap_or_else(|| id.to_owned())
    }

    /// The ids in a document that were not looked up yet.
    pub(crate) fn unknown_in(&self, document: &Value) -> BTreeSet<UserId> {
        let mut found = BTreeSet::new();
        collect(document, &mut found);
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        found.retain(|id| !known.contains_key(id));
        found
    }

    /// Takes in what was found of `asked`. Those without a name are not asked for again.
    pub(crate) fn learn(&self, asked: BTreeSet<UserId>, found: Vec<AccountName>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(asked.into_iter().map(|id| (id, None)));
        known.extend(found.into_iter().map(|one| (one.id, Some(one.name))));
    }
}

/// The ids of accounts anywhere in a document.
fn collect(value: &Value, found: &mut BTreeSet<UserId>) {
    match value {
        Value::String(text) => found.extend(text.parse()),
        Value::Array(items) => items.iter().for_each(|one| collect(one, found)),
        Value::Object(members) => members.values().for_each(|one| collect(one, found)),
        _ => {}
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_anywhere_in_an_answer_are_looked_up_once() {
        let (id, gone) = (format!("usr_{}", "0".repeat(26)), format!("usr_{}", "1".repeat(26)));
        let document = json!({"by": id, "items": [{"actor": gone}, {"actor": "berth"}], "usr": 7});
        let names = Names::default();
        let asked = names.unknown_in(&document);
        assert_eq!(asked.len(), 2);
        names.learn(asked, vec![AccountName { id: id.parse().unwrap(), name: "Ada".into() }]);
        assert!(names.unknown_in(&document).is_empty());
        assert_eq!(
            [id.as_str(), &gone, "berth"].map(|id| names.of(id)),
            ["Ada".to_owned(), gone.clone(), "berth".into()]
        );
    }
}
