//! What a gray task would say that does not exist yet, and how many devices it may reach: as far as anybody can know.

use berth_base::ids::{Digest, PolicyBindingId};
use berth_model::{
    check::CheckRecord,
    policy::{
        PolicyKind,
        registry::{InstalledPolicy, NewPolicyBinding},
    },
    rollout::{NewGrayTask, TaskPolicy, in_words_of, share::POLICY},
};

use crate::{
    act::Sent,
    path::{at, with_query},
    show,
    visit::Visit,
};

/// A task as it would be.
pub struct Preview {
    pub sentence: String,
    /// What restricts it, phrase by phrase.
    pub phrases: Vec<String>,
    /// How many devices it may reach, a sentence each.
    pub bounds: Vec<String>,
    /// The form as it is filled in, to be passed on; none when it names devices or accounts.
    pub address: Option<String>,
}

impl Preview {
    /// What `new` says, which was typed as `sent`.
    pub async fn of(visit: &Visit, id: &str, installed: &[InstalledPolicy], new: &NewGrayTask, sent: &Sent) -> Self {
        let t = visit.t;
        let policies: Vec<_> = new.policies.iter().map(|policy| as_if_bound(visit, installed, policy)).collect();
        let (start, end) = (visit.when(&new.start).shown, visit.when(&new.end).shown);
        Self {
            sentence: t.gray_sentence(&new.version, start, end),
            phrases: in_words_of(t.phrases(), &new.conditions(), &policies, new.admits.as_ref(), new.max_users),
            bounds: bounds(visit, id, new).await,
            address: as_address(id, sent),
        }
    }
}

/// A policy as the task would have it. It is bound when the task is made, and not before.
fn as_if_bound(visit: &Visit, installed: &[InstalledPolicy], new: &NewPolicyBinding) -> TaskPolicy {
    let is_meant = |one: &&InstalledPolicy| one.digest.to_string() == new.policy || one.name == new.policy;
    let known = installed.iter().find(is_meant);
    let policy = known.map_or(&new.policy, |known| &known.name).clone();
    TaskPolicy {
        binding: PolicyBindingId::least_of(visit.now),
        name: new.name.clone().unwrap_or_else(|| policy.clone()),
        kind: known.map_or(PolicyKind::Grayscale, |known| known.kind),
        digest: known.map_or_else(|| Digest::of(b""), |known| known.digest.clone()),
        policy,
        config: new.config.clone(),
        mode: new.mode,
        on_error: new.on_error,
        limits: new.limits.clone(),
        watch: new.watch,
    }
}

/// How many devices the task may reach. Nobody knows those that have never asked.
async fn bounds(visit: &Visit, id: &str, new: &NewGrayTask) -> Vec<String> {
    let t = visit.t;
    let has_share = new.policies.iter().any(|policy| policy.policy == POLICY);
    let bound = match new.max_users {
        Some(most) => t.gray_bound_cap(show::grouped(most)),
        None if has_share => t.gray_bound_share().to_owned(),
        None => t.gray_bound_none().to_owned(),
    };
    let record: Option<CheckRecord> = visit.api.get(&at!("/v1/mini-apps/{}/check-record", id)).await.ok();
    let recorded = record
        .filter(|record| record.devices > 0)
        .and_then(|record| Some(t.gray_bound_record(show::grouped(record.devices), record.percent?)));
    [bound].into_iter().chain(recorded).collect()
}

/// What is asked of a policy that is not ticked says nothing.
const OF_POLICIES: [&str; 7] = ["digest", "mode", "on_error", "limits", "window_minutes", "min_devices", "config"];

/// The address of the form as it is filled in; `None` for one with typed devices or accounts, which stand in no address: browsers
/// remember addresses, and proxies write them down.
pub fn as_address(id: &str, sent: &Sent) -> Option<String> {
    let is_typed = |(name, value): &(String, String)| name.starts_with("typed.") && !value.trim().is_empty();
    if sent.0.iter().any(is_typed) {
        return None;
    }
    let is_asked = |of: &str| sent.all("policies").any(|policy| of == policy || of.starts_with(&format!("{policy}.")));
    let says = |name: &str| match name.split_once('.') {
        Some((what, of)) if OF_POLICIES.contains(&what) => is_asked(of),
        _ => name != PREVIEW,
    };
    let members = sent.0.iter().filter(|(name, _)| says(name)).map(|(name, value)| (name.as_str(), Some(value.trim())));
    Some(with_query(&at!("/ui/mini-apps/{}/gray/new", id), members))
}

/// The button that asks what the task would say.
pub const PREVIEW: &str = "preview";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_names_nobody_is_an_address_of_what_it_says() {
        let sent = |fields: &[(&str, &str)]| {
            Sent(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let fields = [
            ("name", "canary"),
            ("percent", "1"),
            ("max_users", ""),
            ("policies", "error-rate"),
            ("digest.error-rate", "d"),
            ("config.error-rate.most", "5"),
            ("digest.expression", "e"),
            ("config.expression.admit", "true"),
            ("host_min.super-app", "3.2"),
            ("typed.guid", " "),
            (PREVIEW, "yes"),
        ];
        let address = "/ui/mini-apps/coffee/gray/new?name=canary&percent=1&policies=error-rate&digest.error-rate=d\
            &config.error-rate.most=5&host_min.super-app=3.2";
        assert_eq!(as_address("coffee", &sent(&fields)).as_deref(), Some(address));
        assert_eq!(as_address("coffee", &sent(&[("typed.account", "ann")])), None);
    }
}
