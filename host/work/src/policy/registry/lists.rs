//! The lists that the configs of a gray task's policies name. A policy that asks for a list that is not there hears that
//! nobody is in it, so a name that is misspelt is refused before it is stored (G17).

use std::collections::BTreeSet;

use berth_base::{
    error::{Code, Error, Result},
    ids::{CohortId, MiniAppId},
};
use berth_judge::named_lists;
use berth_model::{
    policy::registry::InstalledPolicy,
    rollout::{Cohort, each_text},
};
use berth_store::Tx;
use serde_json::Value;

/// Makes sure that the MiniApp has every list that the config names.
///
/// # Errors
/// `policy-config`, with the lists that the MiniApp has.
pub async fn require(tx: &mut Tx, mini_app: &MiniAppId, policy: &InstalledPolicy, config: &Value) -> Result<()> {
    for name in named(policy, config) {
        let known = match name.parse::<CohortId>() {
            Ok(id) => tx.cohort_digest(mini_app, &id).await?.is_some(),
            Err(_) => false,
        };
        if !known {
            return Err(unknown(mini_app, policy, &name, &tx.cohorts(mini_app).await?));
        }
    }
    Ok(())
}

/// Everything that the config calls a list: what its schema says is one (`"format": "cohort"`), and what looks like the id
/// of one, wherever it stands.
fn named(policy: &InstalledPolicy, config: &Value) -> BTreeSet<String> {
    let mut names = policy.config_schema.as_ref().map(|schema| named_lists(schema, config)).unwrap_or_default();
    each_text(config, &mut |text| {
        if text.starts_with("coh_") {
            names.insert(text.to_owned());
        }
    });
    names
}

fn unknown(mini_app: &MiniAppId, policy: &InstalledPolicy, name: &str, lists: &[Cohort]) -> Error {
    const MOST: usize = 5;
    let mut told: Vec<_> = lists.iter().take(MOST).map(|list| format!("{} ({})", list.id, list.name)).collect();
    if lists.len() > MOST {
        told.push(format!("and {} more", lists.len() - MOST));
    }
    let there = if told.is_empty() { "It has none.".into() } else { format!("It has {}.", told.join(", ")) };
    let same = lists.iter().find(|list| list.name == name);
    let hint = same.map_or("Upload one: berth gray upload-list.".into(), |list| format!("Did you mean {}?", list.id));
    let detail = format!(
        "The config of {} names the list {name:?}, which {mini_app} does not have. {there} {hint}",
        policy.name
    );
    Error::new(Code::PolicyConfig, detail).with("list", name)
}
