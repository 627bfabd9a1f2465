//! The policies that a new task asks besides its conditions and its share: which, with what config, and how.

use berth_model::{
    policy::{
        LimitOverrides, PolicyKind,
        registry::{InstalledPolicy, Mode, NewPolicyBinding, OnError, Watch},
    },
    rollout::{Admits, TaskPolicy, admits::Misread, conditions, share::POLICY},
};
use serde_json::Value;

use super::number;
use crate::{
    act::Sent,
    parts::Filled,
    refused::{Refused, invalid, json},
    schema::{self, Field},
    visit::{OrShow, Shown, Visit},
};

/// The guard that a new task is offered.
const RATE: &str = "error-rate";
/// The policies whose configs are the rest of the form, unless the task gives them names of their own.
const IN_THE_FORM: [&str; 2] = [POLICY, conditions::POLICY];
/// How many policies a form offers besides those that it was filled with.
const MOST: usize = 40;

/// A policy that a task may ask.
pub struct Offered {
    /// The name by which the task means it: the policy's own, but for a task that is made like another one.
    pub name: String,
    pub policy: InstalledPolicy,
    pub fields: Vec<Field>,
    pub is_asked: bool,
}

impl Offered {
    /// Whether it is the guard that compares failures, which a form names by what it does.
    pub fn is_rate(&self) -> bool {
        self.name == RATE
    }

    pub fn is_guard(&self) -> bool {
        self.policy.kind == PolicyKind::Guard
    }

    /// Whether its settings must be seen: one of them is needed, is not the usual one, or is wrong.
    pub fn is_set(&self, filled: &Filled) -> bool {
        let (mode, on_error) = (Mode::default(), OnError::default());
        let usual = [("mode", mode.as_str()), ("on_error", on_error.as_str())];
        let usual = usual.into_iter().chain(["limits", "window_minutes", "min_devices"].map(|what| (what, "")));
        let is_unusual = |name: &str, usual: &str| filled.or(name, usual) != usual || filled.is_wrong(name);
        filled.is_config_refused(&self.name)
            || self.fields.iter().any(|field| self.is_asked && field.is_needed || is_unusual(&field.name, ""))
            || usual.into_iter().any(|(what, usual)| is_unusual(&self.field(what), usual))
    }

    /// The name of one of its fields.
    pub fn field(&self, what: &str) -> String {
        field(what, &self.name)
    }

    /// The policy with its version, after a name that is not its own.
    pub fn called(&self) -> String {
        let InstalledPolicy { name, version, .. } = &self.policy;
        if self.name == *name { format!("{name} {version}") } else { format!("{} ({name} {version})", self.name) }
    }
}

fn field(what: &str, name: &str) -> String {
    format!("{what}.{name}")
}

/// The policies that a task may ask, newest first.
///
/// # Errors
/// What the API refuses, as the visitor sees it.
pub async fn installed(visit: &Visit) -> Result<Vec<InstalledPolicy>, Shown> {
    let all: Vec<InstalledPolicy> = visit.api.list("/v1/policies").await.or_show(visit)?;
    Ok(all.into_iter().filter(|policy| policy.kind != PolicyKind::Auditor).collect())
}

/// What the form offers: of each policy the version that it was filled with, else the newest one. A new form has the first-party
/// guard ticked. Those that are asked come first, and the first-party guard before others. What was asked under a name of its own
/// is offered under it, besides.
pub fn offered(visit: &Visit, installed: Vec<InstalledPolicy>, filled: &Filled) -> Vec<Offered> {
    let mut chosen: Vec<(String, InstalledPolicy)> = Vec::new();
    for name in filled.all("policies") {
        let meant = installed.iter().find(|policy| filled.get(&field("digest", name)) == policy.digest.to_string());
        if let Some(policy) = meant.filter(|_| chosen.iter().all(|(known, _)| known != name)) {
            chosen.push((name.to_owned(), policy.clone()));
        }
    }
    for policy in installed.into_iter().filter(|policy| !IN_THE_FORM.contains(&policy.name.as_str())) {
        let is_meant = filled.get(&field("digest", &policy.name)) == policy.digest.to_string();
        match chosen.iter_mut().find(|(name, _)| *name == policy.name) {
            None => chosen.push((policy.name.clone(), policy)),
            Some((_, one)) if is_meant => *one = policy,
            Some(_) => {}
        }
    }
    let offer = |(name, policy): (String, InstalledPolicy)| Offered {
        fields: schema::fields(visit.t, policy.config_schema.as_ref(), &Value::Null, &field("config", &name)),
        is_asked: filled.has("policies", &name) || filled.is_new() && name == RATE,
        policy,
        name,
    };
    let mut offered: Vec<_> = chosen.into_iter().map(offer).collect();
    offered.sort_by_cached_key(|one| (!one.is_asked, !one.is_rate(), one.name.clone()));
    offered
}

/// Those that a form has room for, and how many more there are. Whatever is asked is shown.
pub fn shown(mut offered: Vec<Offered>) -> (Vec<Offered>, usize) {
    let asked = offered.iter().filter(|one| one.is_asked).count();
    let further = offered.len().saturating_sub(asked.max(MOST));
    offered.truncate(asked.max(MOST));
    (offered, further)
}

/// The policies that were ticked.
///
/// # Errors
/// What is wrong with a field of theirs.
pub fn asked(visit: &Visit, installed: &[InstalledPolicy], sent: &Sent) -> Result<Vec<NewPolicyBinding>, Refused> {
    sent.all("policies").map(|name| bound(visit, installed, name, sent)).collect()
}

fn bound(visit: &Visit, installed: &[InstalledPolicy], name: &str, sent: &Sent) -> Result<NewPolicyBinding, Refused> {
    let digest = sent.some(&field("digest", name));
    let is_meant = |policy: &&InstalledPolicy| match &digest {
        Some(digest) => policy.digest.to_string() == *digest,
        None => policy.name == name,
    };
    let known = installed.iter().find(is_meant);
    let schema = known.and_then(|policy| policy.config_schema.as_ref());
    let limits = field("limits", name);
    Ok(NewPolicyBinding {
        policy: digest.clone().unwrap_or_else(|| name.to_owned()),
        config: schema::config(visit.t, schema, &Value::Null, sent, &field("config", name))?,
        mode: sent.read_some(&field("mode", name))?.unwrap_or_default(),
        on_error: sent.read_some(&field("on_error", name))?.unwrap_or_default(),
        limits: sent.some(&limits).map_or(Ok(LimitOverrides::default()), |text| json(visit.t, &limits, &text))?,
        watch: watch(visit, name, sent)?,
        name: known.filter(|policy| policy.name != name).map(|_| name.to_owned()),
    })
}

/// How often a guard looks; `None` where nothing is said.
fn watch(visit: &Visit, name: &str, sent: &Sent) -> Result<Option<Watch>, Refused> {
    let minutes = number(visit, sent, &field("window_minutes", name))?;
    let devices = number(visit, sent, &field("min_devices", name))?;
    if minutes.is_none() && devices.is_none() {
        return Ok(None);
    }
    let default = Watch::default();
    Ok(Some(Watch {
        window_minutes: minutes.unwrap_or(default.window_minutes),
        min_devices: devices.unwrap_or(default.min_devices),
    }))
}

/// What was typed of what the task admits; `None` where nothing was.
///
/// # Errors
/// Where it is no expression.
pub fn admits(visit: &Visit, sent: &Sent) -> Result<Option<Admits>, Refused> {
    let read = |text: String| text.parse().map_err(|wrong: Misread| invalid(visit.t, "admits", &wrong.to_string()));
    sent.some("admits").map(read).transpose()
}

/// The binding of a share, as the form has it.
pub fn plain(policy: &str, config: Value) -> NewPolicyBinding {
    let (mode, on_error, limits) = (Mode::default(), OnError::default(), LimitOverrides::default());
    NewPolicyBinding { policy: policy.into(), config, mode, on_error, limits, watch: None, name: None }
}

/// What stands in the fields for a policy of a task. An empty list for those that the rest of the form says.
pub fn typed(visit: &Visit, installed: &[InstalledPolicy], policy: &TaskPolicy) -> Vec<(String, String)> {
    let name = policy.name.as_str();
    if policy.is_standard() || IN_THE_FORM.contains(&name) {
        return Vec::new();
    }
    let schema = installed.iter().find(|one| one.digest == policy.digest).and_then(|one| one.config_schema.as_ref());
    let config = schema::fields(visit.t, schema, &policy.config, &field("config", name));
    let mut fields = vec![
        ("policies".to_owned(), name.to_owned()),
        (field("digest", name), policy.digest.to_string()),
        (field("mode", name), policy.mode.to_string()),
        (field("on_error", name), policy.on_error.to_string()),
    ];
    fields.extend(config.into_iter().map(|one| (one.name, one.value)));
    if policy.limits != LimitOverrides::default() {
        fields.extend(serde_json::to_string(&policy.limits).ok().map(|limits| (field("limits", name), limits)));
    }
    if let Some(Watch { window_minutes, min_devices }) = policy.watch {
        fields.push((field("window_minutes", name), window_minutes.to_string()));
        fields.push((field("min_devices", name), min_devices.to_string()));
    }
    fields
}
