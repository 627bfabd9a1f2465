//! Edits of gray tasks (G16). A task that has not started may be edited in every way; one that runs may only be widened,
//! so that no device loses what it could have got; one that has ended stays as it was.

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{GrayTaskId, PolicyBindingId},
    text,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Admits, Conditions, HostAppRange, ObjectList, PlatformRange, State, TaskPolicy,
    admits::{self, CONDITIONS, Member},
    conditions, share, widen,
};
use crate::policy::{
    LimitOverrides, PolicyKind,
    registry::{Mode, OnError, Watch},
};

/// What may be edited of a gray task. Absent members stay as they are; lists replace the ones before.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditGrayTask {
    /// The new display name, 1 to 20 characters (G2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new start; only of a task that has not started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Millis>,
    /// The new end, later or earlier; not in the past and not before the start (G3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Millis>,
    /// The new cap, 1 or more, and not below the one of a task that runs; null removes the cap (G7).
    #[serde(default, deserialize_with = "crate::said::said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pub max_users: Option<Option<u64>>,
    /// The new host apps; an empty list never restricts (G4). Of a task that runs, this and the other conditions must
    /// admit every device that the ones before admitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_apps: Option<Vec<HostAppRange>>,
    /// The new platforms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platforms: Option<Vec<PlatformRange>>,
    /// The new networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<Vec<String>>,
    /// The new lists of devices or accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<Vec<ObjectList>>,
    /// Changes to policies of the task, each at most once. A task keeps its policies: in mode `shadow` one decides nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<EditTaskPolicy>,
    /// Which of the policies have to admit a device from now on (G24); null for all. Of a task that runs, it must admit
    /// whomever the one before admitted.
    #[serde(default, deserialize_with = "crate::said::said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Admits>)]
    pub admits: Option<Option<Admits>>,
    /// Why, for the history: at most 500 characters; may be left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Changes to a policy of a gray task. Absent members stay as they are.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditTaskPolicy {
    /// Id of the binding, as the task shows it.
    pub binding: PolicyBindingId,
    /// The new config, which the policy must accept. Of a task that runs, `percentage` and `standard-conditions` must
    /// admit every device that they admitted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// The new mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The new meaning of its failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_error: Option<OnError>,
    /// The new limits, in place of all that differ from the defaults now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitOverrides>,
    /// How a guard watches from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
}

/// What an edit changed of a task: one of its members, before and after. Conditions are in words.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Change {
    /// The member: `name`, `start`, `end`, `max_users`, `host_apps`, `platforms`, `networks`, `objects`, `admits`
    /// (as people write it), or the name of the policy and its member, such as `percentage.config`.
    pub field: String,
    /// What it was; null for none.
    #[schema(value_type = Value)]
    pub from: Value,
    /// What it is now; null for none.
    #[schema(value_type = Value)]
    pub to: Value,
}

/// The part of a task that edits change.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the words are those of GrayTask")]
pub struct Terms {
    pub name: String,
    pub start: Millis,
    pub end: Millis,
    pub max_users: Option<u64>,
    pub conditions: Conditions,
    pub policies: Vec<TaskPolicy>,
    pub admits: Option<Admits>,
}

impl TaskPolicy {
    /// Whether this is the policy that judges the conditions of the task.
    pub fn is_standard(&self) -> bool {
        self.name == CONDITIONS && self.policy == conditions::POLICY
    }

    fn member(&self) -> Member<'_> {
        let given = (self.name != self.policy).then_some(self.name.as_str());
        Member { given, policy: &self.policy, kind: self.kind, mode: self.mode }
    }
}

impl Terms {
    /// The terms after the edit of the task `id`, whose state is `state` at `now`.
    ///
    /// # Errors
    /// `gray-state` when the task has ended; `gray-narrows`, naming all that would be lost, for an edit of a running task
    /// that does not widen it; `gray-period`; `invalid-field`.
    pub fn edited(&self, id: &GrayTaskId, state: State, now: Millis, edit: &EditGrayTask) -> Result<Self> {
        if state == State::Ended {
            let detail = format!("{id} has ended and stays as it was. Create another task: berth gray create.");
            return Err(Error::new(Code::GrayState, detail).with("state", state));
        }
        let new = self.with(edit)?;
        new.check(now, edit)?;
        let lost = if state == State::Pending { Vec::new() } else { self.lost(&new, now) };
        if lost.is_empty() { Ok(new) } else { Err(narrows(id, state, &lost)) }
    }

    fn with(&self, edit: &EditGrayTask) -> Result<Self> {
        let Conditions { host_apps, platforms, networks, objects } = self.conditions.clone();
        let mut new = Self {
            name: edit.name.as_ref().map_or(Ok(self.name.clone()), |name| text::name("name", name, 20))?,
            start: edit.start.unwrap_or(self.start),
            end: edit.end.unwrap_or(self.end),
            max_users: edit.max_users.unwrap_or(self.max_users),
            conditions: Conditions {
                host_apps: edit.host_apps.clone().unwrap_or(host_apps),
                platforms: edit.platforms.clone().unwrap_or(platforms),
                networks: edit.networks.clone().unwrap_or(networks),
                objects: edit.objects.clone().unwrap_or(objects),
            },
            policies: self.policies.clone(),
            admits: edit.admits.clone().unwrap_or_else(|| self.admits.clone()),
        };
        for (at, change) in edit.policies.iter().enumerate() {
            let is_new = edit.policies[..at].iter().all(|other| other.binding != change.binding);
            new.change_policy(change, is_new)?;
        }
        if let Some(standard) = new.policies.iter_mut().find(|policy| policy.is_standard()) {
            standard.config = new.conditions.config();
        }
        Ok(new)
    }

    fn change_policy(&mut self, change: &EditTaskPolicy, is_new: bool) -> Result<()> {
        let binding = &change.binding;
        if !is_new {
            return Err(Error::field("policies", format!("{binding} is there twice.")));
        }
        let policy = self.policies.iter_mut().find(|policy| policy.binding == *binding);
        let policy = policy.ok_or_else(|| {
            Error::field("policies", format!("the task has no policy {binding}. The task shows its policies."))
        })?;
        if policy.is_standard() {
            let rule = format!(
                "{binding} judges the conditions of the task. Edit host_apps, platforms, networks or objects instead."
            );
            return Err(Error::field("policies", rule));
        }
        let EditTaskPolicy { config, mode, on_error, limits, watch, .. } = change.clone();
        policy.config = config.unwrap_or_else(|| policy.config.take());
        policy.mode = mode.unwrap_or(policy.mode);
        policy.on_error = on_error.unwrap_or(policy.on_error);
        policy.limits = limits.unwrap_or_else(|| std::mem::take(&mut policy.limits));
        policy.watch = Watch::of(watch.or(policy.watch), policy.kind)?;
        Ok(())
    }

    /// Checks what holds for new tasks as well. An end that is over is no matter of an edit that leaves it.
    fn check(&self, now: Millis, edit: &EditGrayTask) -> Result<()> {
        if edit.start.is_some() || edit.end.is_some() {
            check_period(now, self.start, self.end)?;
        }
        check_cap(self.max_users)?;
        self.conditions.check()?;
        self.check_admits()
    }

    /// What the task admits has to fit the policies that it has, which edits put into other modes.
    fn check_admits(&self) -> Result<()> {
        if self.admits.is_none() {
            return Ok(());
        }
        let members: Vec<_> =
            self.policies.iter().filter(|policy| !policy.is_standard()).map(TaskPolicy::member).collect();
        admits::check(self.admits.as_ref(), &members, !self.conditions.is_empty())
    }

    /// The whole of what the task asks, of conditions where `with_conditions` says so.
    fn whole(&self, with_conditions: bool) -> Admits {
        let decides = |policy: &&TaskPolicy| policy.kind == PolicyKind::Grayscale && policy.mode == Mode::Enforce;
        let named = |policy: &TaskPolicy| Admits::Policy(policy.name.clone());
        let all =
            || Admits::All(self.policies.iter().filter(|one| !one.is_standard()).filter(decides).map(named).collect());
        let whole = self.admits.clone().unwrap_or_else(all);
        if with_conditions { whole.with_conditions() } else { whole }
    }

    /// What of these terms would be lost for devices by the new ones, in words.
    fn lost(&self, new: &Self, now: Millis) -> Vec<String> {
        let mut lost = Vec::new();
        if new.start != self.start {
            lost.push(format!("start: it was {}, and what has begun has begun", self.start));
        }
        match (self.max_users, new.max_users) {
            (None, Some(_)) => lost.push("max_users: there is no cap now".into()),
            (Some(old), Some(new)) if new < old => lost.push(format!("max_users: {old} devices now")),
            _ => {}
        }
        let both = !self.conditions.is_empty() && !new.conditions.is_empty();
        if self.admits != new.admits {
            let (old, new) = (self.whole(both), new.whole(both));
            lost.extend(old.lost(&new).map(|devices| format!("admits: {devices}")));
        }
        let since = now.since_epoch().saturating_sub(self.start.since_epoch());
        lost.extend(self.placed(new, CONDITIONS, |old, new| widen::lost(&old.conditions, &new.conditions)));
        for (at, policy) in self.policies.iter().enumerate().filter(|(_, policy)| !policy.is_standard()) {
            lost.extend(self.placed(new, &policy.name, |old, new| old.policies[at].lost(&new.policies[at], since)));
        }
        lost
    }

    /// What is lost by a policy that judges otherwise, by its place in the new expression. `lost` says what its first terms
    /// admit and its second ones do not.
    fn placed(&self, new: &Self, name: &str, lost: impl Fn(&Self, &Self) -> Vec<String>) -> Vec<String> {
        let Some(admits) = &new.admits else { return lost(self, new) };
        let was_asked = self.whole(!self.conditions.is_empty()).names(name);
        match admits.widens(name) {
            // It comes in or goes by the expression, which is compared by itself.
            Some(_) if !was_asked => Vec::new(),
            None if name != CONDITIONS => Vec::new(),
            None | Some(true) => lost(self, new),
            Some(false) if lost(new, self).is_empty() => Vec::new(),
            Some(false) => {
                vec![format!("{name}: it stands under `not`, so that fewer get the version when it admits more")]
            }
        }
    }

    /// What differs in the new terms.
    pub fn changes(&self, new: &Self) -> Vec<Change> {
        let (old, words) = (&self.conditions, |words: Option<String>| json!(words));
        let members = [
            ("name", json!(self.name), json!(new.name)),
            ("start", json!(self.start), json!(new.start)),
            ("end", json!(self.end), json!(new.end)),
            ("max_users", json!(self.max_users), json!(new.max_users)),
            ("admits", json!(told_admits(self)), json!(told_admits(new))),
        ];
        let told = [
            ("host_apps", old.host_apps != new.conditions.host_apps),
            ("platforms", old.platforms != new.conditions.platforms),
            ("networks", old.networks != new.conditions.networks),
            ("objects", old.objects != new.conditions.objects),
        ];
        let members = members.into_iter().filter(|(_, from, to)| from != to);
        let mut changes: Vec<_> = members.map(|(field, from, to)| Change { field: field.into(), from, to }).collect();
        changes.extend(told.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| Change {
            field: field.into(),
            from: words(old.told(field)),
            to: words(new.conditions.told(field)),
        }));
        for (before, after) in self.policies.iter().zip(&new.policies).filter(|(one, _)| !one.is_standard()) {
            changes.extend(before.changes(after));
        }
        changes
    }
}

impl TaskPolicy {
    /// What the new config would take from devices, where Berth knows what the config means.
    fn lost(&self, new: &Self, since: u64) -> Vec<String> {
        if self.config == new.config {
            return Vec::new();
        }
        let named = |what: String| format!("{}: {what}", self.name);
        match self.policy.as_str() {
            share::POLICY => share::lost(&self.config, &new.config, since).map(named).into_iter().collect(),
            conditions::POLICY => {
                let read = |config: &Value| Conditions::deserialize(config).ok();
                let both = read(&self.config).zip(read(&new.config));
                both.map(|(old, new)| widen::lost(&old, &new)).unwrap_or_default().into_iter().map(named).collect()
            }
            _ => Vec::new(),
        }
    }

    fn changes(&self, new: &Self) -> Vec<Change> {
        let members = [
            ("config", json!(self.config), json!(new.config)),
            ("mode", json!(self.mode), json!(new.mode)),
            ("on_error", json!(self.on_error), json!(new.on_error)),
            ("limits", json!(self.limits), json!(new.limits)),
            ("watch", json!(self.watch), json!(new.watch)),
        ];
        let members = members.into_iter().filter(|(_, from, to)| from != to);
        members.map(|(member, from, to)| Change { field: format!("{}.{member}", self.name), from, to }).collect()
    }
}

fn told_admits(terms: &Terms) -> Option<String> {
    terms.admits.as_ref().map(Admits::to_string)
}

fn narrows(id: &GrayTaskId, state: State, lost: &[String]) -> Error {
    let detail = format!(
        "{id} is {state}, and a task that has started can only be widened. Lost would be: {}. To narrow it, end it and \
         create another one: berth gray end {id}, berth gray create.",
        lost.join("; ")
    );
    Error::new(Code::GrayNarrows, detail).with("lost", lost).with("state", state)
}

/// Checks the period of a task (G3).
///
/// # Errors
/// `gray-period`.
pub fn check_period(now: Millis, start: Millis, end: Millis) -> Result<()> {
    let wrong = |detail: String| Err(Error::new(Code::GrayPeriod, detail).with("now", now));
    if end < start {
        return wrong(format!("The end {end} lies before the start {start}."));
    }
    if end < now {
        return wrong(format!("The end {end} is over already; it is {now} now."));
    }
    Ok(())
}

/// Checks the cap of a task (G7).
///
/// # Errors
/// `invalid-field`.
pub fn check_cap(max_users: Option<u64>) -> Result<()> {
    match max_users {
        Some(max) if max == 0 || i64::try_from(max).is_err() => {
            Err(Error::field("max_users", "must be at least 1; leave it out for no bound."))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use berth_base::{clock::SystemRandom, ids::Digest};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::DAWN;

    fn policy(name: &str, config: Value) -> TaskPolicy {
        TaskPolicy {
            binding: PolicyBindingId::generate(DAWN, &SystemRandom),
            name: if name == conditions::POLICY { CONDITIONS.into() } else { name.into() },
            kind: PolicyKind::Grayscale,
            policy: name.into(),
            digest: Digest::of(name.as_bytes()),
            config,
            mode: Mode::Enforce,
            on_error: OnError::Closed,
            limits: LimitOverrides::default(),
            watch: None,
        }
    }

    /// A task of an hour for 100 devices on wifi, a tenth of all.
    fn terms() -> Terms {
        let conditions = Conditions { networks: vec!["wifi".into()], ..Conditions::default() };
        Terms {
            name: "canary".into(),
            start: DAWN,
            end: DAWN.plus_seconds(3600),
            max_users: Some(100),
            policies: vec![
                policy(conditions::POLICY, conditions.config()),
                policy("percentage", json!({"percent": 10})),
                policy("own", json!({"level": 3})),
            ],
            conditions,
            admits: None,
        }
    }

    fn id() -> GrayTaskId {
        GrayTaskId::generate(DAWN, &SystemRandom)
    }

    fn edited(state: State, edit: Value) -> Result<Terms> {
        terms_edited(&terms(), state, edit)
    }

    fn terms_edited(terms: &Terms, state: State, edit: Value) -> Result<Terms> {
        terms.edited(&id(), state, DAWN.plus_seconds(60), &serde_json::from_value(edit).expect("edit"))
    }

    fn narrows(edit: Value) -> bool {
        let refused = |state| edited(state, edit.clone()).err().map(|error| error.code);
        let both = [State::Delivering, State::Suspended].map(refused);
        assert_eq!(both[0], both[1], "{edit}");
        both[0] == Some(Code::GrayNarrows)
    }

    #[test]
    fn g16_a_running_task_is_widened_and_not_narrowed() {
        let end = DAWN.plus_seconds(1800);
        for wider in [
            json!({}),
            json!({"name": "wide", "end": DAWN.plus_seconds(9000)}),
            json!({"end": end}),
            json!({"max_users": 100}),
            json!({"max_users": 500}),
            json!({"max_users": null}),
            json!({"networks": ["5g", "wifi"]}),
            json!({"networks": []}),
        ] {
            assert!(!narrows(wider.clone()), "{wider}");
        }
        for narrower in [
            json!({"start": DAWN.plus_seconds(30)}),
            json!({"max_users": 99}),
            json!({"networks": ["5g"]}),
            json!({"platforms": [{"platform": "ios"}]}),
        ] {
            assert!(narrows(narrower.clone()), "{narrower}");
        }
    }

    #[test]
    fn g16_before_its_start_a_task_may_be_narrowed_and_after_its_end_nothing_changes() {
        let narrower = json!({"max_users": 1, "networks": ["5g"], "start": DAWN.plus_seconds(90)});
        let pending = edited(State::Pending, narrower.clone()).expect("edited");
        assert_eq!((pending.max_users, pending.conditions.networks.as_slice()), (Some(1), &["5g".to_owned()][..]));
        assert_eq!(edited(State::Ended, json!({"name": "late"})).expect_err("ended").code, Code::GrayState);
    }

    #[test]
    fn g16_all_that_would_be_lost_is_named_with_the_way_out() {
        let edit = json!({"max_users": 5, "networks": ["5g"]});
        let refused = edited(State::Delivering, edit).expect_err("narrows");
        assert_eq!(refused.fields["lost"], json!(["max_users: 100 devices now", "networks: wifi"]));
        assert!(refused.detail.contains("berth gray end gray_"), "{}", refused.detail);
    }

    #[test]
    fn g16_policies_are_changed_and_those_that_berth_knows_only_widened() {
        let terms = terms();
        let [_, share, own] = [0, 1, 2].map(|at| terms.policies[at].binding.clone());
        let edit = |binding: &PolicyBindingId, change: Value| {
            let mut one = json!({"binding": binding});
            one.as_object_mut().expect("object").extend(change.as_object().expect("object").clone());
            terms_edited(&terms, State::Delivering, json!({"policies": [one]}))
        };
        let raised = edit(&share, json!({"config": {"percent": 30}})).expect("raised");
        let changes = terms.changes(&raised);
        let percent = |percent: u8| json!({"percent": percent});
        assert_eq!(changes, [Change { field: "percentage.config".into(), from: percent(10), to: percent(30) }]);
        assert_eq!(edit(&share, json!({"config": {"percent": 5}})).expect_err("falls").code, Code::GrayNarrows);
        let all = json!({"config": {"level": 1}, "mode": "shadow", "on_error": "open", "limits": {"deadline_ms": 9}});
        let fields: Vec<_> = terms.changes(&edit(&own, all).expect("any")).into_iter().map(|one| one.field).collect();
        assert_eq!(fields, ["own.config", "own.mode", "own.on_error", "own.limits"]);
    }

    #[test]
    fn g16_the_conditions_are_edited_as_conditions_and_each_policy_once() {
        let terms = terms();
        let code = |policies: Value| {
            terms_edited(&terms, State::Pending, json!({ "policies": policies })).expect_err("refused").code
        };
        let [standard, own] = [0, 2].map(|at| json!({"binding": terms.policies[at].binding, "mode": "shadow"}));
        assert_eq!(code(json!([standard])), Code::InvalidField);
        assert_eq!(code(json!([own, own])), Code::InvalidField);
        let stranger = PolicyBindingId::generate(DAWN, &SystemRandom);
        assert_eq!(code(json!([{"binding": stranger}])), Code::InvalidField);
        let wider = terms_edited(&terms, State::Delivering, json!({"networks": []})).expect("wider");
        assert_eq!(wider.policies[0].config, json!({}));
        let changes = terms.changes(&wider);
        assert_eq!(changes, [Change { field: "networks".into(), from: json!("Network: wifi"), to: json!(null) }]);
    }

    #[test]
    fn g2_g3_g7_what_holds_for_new_tasks_holds_for_edited_ones() {
        let code = |edit| edited(State::Delivering, edit).expect_err("refused").code;
        assert_eq!(code(json!({"name": "灰".repeat(21)})), Code::InvalidField);
        assert_eq!(code(json!({"max_users": 0})), Code::InvalidField);
        assert_eq!(code(json!({"end": DAWN.plus_seconds(59)})), Code::GrayPeriod);
    }

    /// A task of a share, of tablets that are left out, and of a policy in shadow.
    fn composed() -> Terms {
        let vip = TaskPolicy { mode: Mode::Shadow, ..policy("vip", json!({})) };
        let policies = vec![policy("percentage", json!({"percent": 10})), policy("tablets", json!({})), vip];
        let admits = "percentage and not tablets".parse().ok();
        Terms { policies, admits, conditions: Conditions::default(), ..terms() }
    }

    #[test]
    fn g16_g24_an_expression_of_a_running_task_is_widened_and_not_narrowed() {
        let terms = composed();
        let enforced = json!([{"binding": terms.policies[2].binding, "mode": "enforce"}]);
        let widened = |edit: Value| terms_edited(&terms, State::Delivering, edit).map_err(|error| error.code);
        let wide = json!({"any": ["vip", {"all": ["percentage", {"not": "tablets"}]}]});
        assert!(widened(json!({"admits": wide, "policies": enforced})).is_ok());
        let narrow = json!({"all": ["vip", "percentage", {"not": "tablets"}]});
        assert_eq!(widened(json!({"admits": narrow, "policies": enforced})), Err(Code::GrayNarrows));
        assert_eq!(widened(json!({ "admits": null })), Err(Code::GrayNarrows), "all of them is something else");
        assert_eq!(widened(json!({ "policies": enforced })), Err(Code::InvalidField), "it is not named");
        let begun = terms_edited(&terms, State::Pending, json!({"admits": null})).expect("it has not begun");
        let fields: Vec<_> = terms.changes(&begun).into_iter().map(|one| (one.from, one.to)).collect();
        assert_eq!(fields, [(json!("percentage and not tablets"), Value::Null)]);
    }

    #[test]
    fn g16_g24_under_not_a_policy_may_admit_fewer_and_no_more() {
        let terms = Terms { admits: "tablets and not percentage".parse().ok(), ..composed() };
        let percent = |percent: u8| {
            let change = json!([{"binding": terms.policies[0].binding, "config": {"percent": percent}}]);
            terms_edited(&terms, State::Delivering, json!({ "policies": change }))
        };
        assert!(percent(5).is_ok());
        let refused = percent(11).expect_err("narrows");
        assert!(refused.detail.contains("percentage: it stands under `not`"), "{}", refused.detail);
    }

    #[test]
    fn g16_g24_conditions_are_widened_where_they_stand() {
        let conditions = Conditions { networks: vec!["wifi".into()], ..Conditions::default() };
        let with = |admits: &str| {
            let standard = policy(conditions::POLICY, conditions.config());
            let policies = [standard].into_iter().chain(composed().policies).collect();
            Terms { admits: admits.parse().ok(), conditions: conditions.clone(), policies, ..composed() }
        };
        let narrows = |admits: &str, edit: Value| {
            let edited = terms_edited(&with(admits), State::Delivering, edit);
            edited.err().map(|error| error.code == Code::GrayNarrows).unwrap_or_default()
        };
        let [more, other] = [json!({"networks": ["wifi", "5g"]}), json!({"networks": ["5g"]})];
        for besides in ["percentage or tablets", "conditions or percentage or tablets"] {
            assert!(!narrows(besides, more.clone()) && narrows(besides, other.clone()), "{besides}");
        }
        let without = "(percentage or tablets) and not conditions";
        assert!(
            narrows(without, more) && narrows(without, other.clone()) && !narrows(without, json!({"platforms": []}))
        );
        let first =
            json!({"networks": ["5g"], "admits": {"any": ["conditions", {"all": ["percentage", {"not": "tablets"}]}]}});
        let added = |edit: Value| terms_edited(&composed(), State::Delivering, edit).is_ok();
        assert!(added(first), "conditions come in as an alternative");
        assert!(!added(other), "conditions that must hold besides narrow");
    }

    proptest! {
        #[test]
        fn g16_a_cap_of_a_running_task_never_falls(old in prop::option::of(1u64..50), new in prop::option::of(1u64..50)) {
            let terms = Terms { max_users: old, ..terms() };
            let room = |cap: Option<u64>| cap.unwrap_or(u64::MAX);
            let allowed = terms_edited(&terms, State::Delivering, json!({ "max_users": new })).is_ok();
            prop_assert_eq!(allowed, room(new) >= room(old));
        }
    }
}
