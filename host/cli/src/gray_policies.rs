//! The policies of a grayscale task, as options name and change them.

use std::str::FromStr;

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    call::{Call, escape},
    client::Client,
    failure::Failure,
    parse::{self, ConfigSource, PolicyChoice},
};
use berth_model::{
    policy::{
        LimitOverrides,
        registry::{Mode, NewPolicyBinding, OnError, Watch},
    },
    rollout::{EditTaskPolicy, GrayTask, TaskPolicy, share},
};

const HOUR: i64 = 3600;

/// Options about the policies of a task.
#[derive(Args, Debug, Default)]
pub struct Policies {
    /// Only this share of the devices, sticky (the policy `percentage`)
    #[arg(long, value_name = "PERCENT", value_parser = parse::percent)]
    pub percent: Option<f64>,
    /// Shares that rise by the time since the start, such as 10,50@24h,100@72h (the policy `percentage`)
    #[arg(long, value_name = "PERCENT[@AFTER],…", conflicts_with = "percent")]
    pub stages: Option<Stages>,
    /// What `percentage` chooses devices by, instead of the task: tasks with the same key choose the same devices
    #[arg(long, value_name = "KEY")]
    pub bucket_key: Option<String>,
    /// Only devices that this policy admits; may be repeated. With a name of its own in the task: AS:NAME
    #[arg(long = "policy", value_name = "[AS:]NAME[=CONFIG.json]")]
    pub policies: Vec<PolicyChoice>,
    /// Let this guard watch the release, such as error-rate, and suspend or end it; may be repeated
    #[arg(long = "guard", value_name = "NAME[=CONFIG.json]")]
    pub guards: Vec<PolicyChoice>,
    /// How a guard watches, such as error-rate='{"window_minutes": 10, "min_devices": 200}'; may be repeated
    #[arg(long = "watch", value_name = "NAME=WATCH.json")]
    pub watches: Vec<Of<ConfigSource>>,
    /// Whether the verdict of a policy decides (enforce) or is only recorded (shadow); may be repeated
    #[arg(long = "mode", value_name = "NAME=MODE")]
    pub modes: Vec<Of<Mode>>,
    /// What happens when a policy fails: closed refuses the device, or suspends the task if it is a guard; open lets pass; may
    /// be repeated
    #[arg(long = "on-error", value_name = "NAME=closed|open")]
    pub on_errors: Vec<Of<OnError>>,
    /// Limits of a policy in place of the default ones, such as percentage='{"deadline_ms": 50}'; may be repeated
    #[arg(long = "limits", value_name = "NAME=LIMITS.json")]
    pub limits: Vec<Of<ConfigSource>>,
}

/// Something that is said of one policy: `NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Of<T> {
    /// The policy, by its name in the task, its digest, or the id of its binding.
    pub policy: String,
    /// What is said of it.
    pub value: T,
}

impl<T: FromStr<Err: ToString>> FromStr for Of<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (policy, value) = text.split_once('=').filter(|(policy, _)| !policy.is_empty()).ok_or_else(|| {
            format!("{text:?}: expected the name of the policy, then = and the value, such as percentage=shadow")
        })?;
        let value = value.parse().map_err(|error: T::Err| error.to_string())?;
        Ok(Self { policy: policy.into(), value })
    }
}

/// Shares with the hours since the start from which they hold: `10,50@24h,100@3d`.
#[derive(Clone, Debug, PartialEq)]
pub struct Stages(Vec<(f64, i64)>);

impl FromStr for Stages {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let stage = |text: &str| {
            let (percent, after) = text.split_once('@').unwrap_or((text, ""));
            let seconds = if after.is_empty() { 0 } else { parse::duration(after)? };
            if seconds % HOUR != 0 {
                return Err(format!("{after:?}: a stage begins at a full hour, such as 24h or 3d"));
            }
            Ok((parse::percent(percent)?, seconds / HOUR))
        };
        text.split(',').map(stage).collect::<Result<_, String>>().map(Self)
    }
}

impl Policies {
    /// Whether nothing is said of any policy.
    pub fn is_empty(&self) -> bool {
        self.share().is_none()
            && self.bucket_key.is_none()
            && self.policies.is_empty()
            && self.guards.is_empty()
            && self.watches.is_empty()
            && self.modes.is_empty()
            && self.on_errors.is_empty()
            && self.limits.is_empty()
    }

    /// The shares that are asked for, as members of the config of `percentage`.
    fn share(&self) -> Option<(&'static str, Value)> {
        let stage = |(percent, hours): &(f64, i64)| json!({"percent": number(*percent), "after_hours": hours});
        let stages = self.stages.as_ref().map(|stages| ("stages", stages.0.iter().map(stage).collect()));
        self.percent.map(|percent| ("percent", number(percent))).or(stages)
    }

    /// The policies and the guards that are named, with the option that names each.
    fn choices(&self) -> impl Iterator<Item = (&'static str, &PolicyChoice)> {
        let policies = self.policies.iter().map(|one| ("policy", one));
        policies.chain(self.guards.iter().map(|one| ("guard", one)))
    }

    /// The policies of a new task.
    ///
    /// # Errors
    /// Wrong use: files that cannot be read, and what is said of policies that the task does not have.
    pub fn create(&self) -> Result<Vec<NewPolicyBinding>, Failure> {
        let mut new = Vec::new();
        match (self.share(), &self.bucket_key) {
            (Some(share), key) => new.push(binding(share::POLICY, shared(&json!({}), Some(share), key.as_deref()))),
            (None, Some(_)) => return Err(Failure::usage("--bucket-key needs --percent or --stages.")),
            (None, None) => {}
        }
        for (_, choice) in self.choices() {
            let config = choice.config.as_ref().map(ConfigSource::load).transpose()?;
            let binding = binding(&choice.policy, config.unwrap_or_else(|| json!({})));
            new.push(NewPolicyBinding { name: choice.name.clone(), ..binding });
        }
        let names: Vec<_> = new.iter().map(|one| one.name.as_ref().unwrap_or(&one.policy).clone()).collect();
        let at = |name: &str| {
            find(&names, |known| known == name || without_version(known) == name).map_err(|found| {
                Failure::usage(match found {
                    0 if names.is_empty() => {
                        format!("{name} is no policy of this task, which has none. Add --policy or --guard {name}.")
                    }
                    0 => format!(
                        "{name} is no policy of this task, which has {}. Add --policy or --guard {name}.",
                        names.join(", ")
                    ),
                    _ => format!("This task has {name} more than once. Name them apart: --policy NAME:{name}."),
                })
            })
        };
        for Of { policy, value } in &self.modes {
            new[at(policy)?].mode = *value;
        }
        for Of { policy, value } in &self.on_errors {
            new[at(policy)?].on_error = *value;
        }
        for Of { policy, value } in &self.limits {
            new[at(policy)?].limits = limits(value.load()?)?;
        }
        for Of { policy, value } in &self.watches {
            new[at(policy)?].watch = Some(watch(value.load()?)?);
        }
        Ok(new)
    }

    /// Refuses a policy of devices as a guard, and a guard as a policy of devices: whoever means to watch a release must not
    /// restrict it instead. Policies that the host does not have are for the host to refuse.
    ///
    /// # Errors
    /// Wrong use, with the option that is meant.
    pub async fn check_kinds(&self, client: &Client) -> Result<(), Failure> {
        for (option, choice) in self.choices() {
            let call = Call::get(format!("/v1/policies/{}", escape(&choice.policy)));
            let Ok(Some(kind)) = client.value(call).await.map(|one| one["kind"].as_str().map(str::to_owned)) else {
                continue;
            };
            let name = &choice.policy;
            match (option, kind.as_str()) {
                ("policy", "guard") => {
                    return Err(Failure::usage(format!(
                        "{name} is a guard, which watches the release. Give it as --guard {name}."
                    )));
                }
                ("guard", "grayscale") => {
                    return Err(Failure::usage(format!(
                        "{name} is no guard: it says which devices get the version. Give it as --policy {name}, and a guard such as \
                         error-rate as --guard."
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The changes to the policies of a task.
    ///
    /// # Errors
    /// As [`Policies::create`].
    pub fn edit(&self, task: &GrayTask) -> Result<Vec<EditTaskPolicy>, Failure> {
        let nothing = |policy: &TaskPolicy| EditTaskPolicy {
            binding: policy.binding.clone(),
            config: None,
            mode: None,
            on_error: None,
            limits: None,
            watch: None,
        };
        let mut edits: Vec<_> = task.policies.iter().map(nothing).collect();
        let at = |name: &str| {
            find(&task.policies, |known| known.name == name || known.binding.as_str() == name).map_err(|found| {
                Failure::usage(match found {
                    0 => format!(
                        "The task has no policy {name}, and none is added to a task: end it and create it anew. `berth gray show \
                         {}` lists those it has.",
                        task.id
                    ),
                    _ => format!("The task has the policy {name} more than once. Name its binding, pb_…."),
                })
            })
        };
        if self.share().is_some() || self.bucket_key.is_some() {
            let place = at(share::POLICY)?;
            if let Some(stages) = self.percent.and_then(|percent| share::raised(&task.policies[place].config, percent))
            {
                return Err(Failure::usage(format!(
                    "The share of the task rises by stages, and one share for all time would take back what they give later. Raise \
                     the stages: --stages {stages}."
                )));
            }
            let config = shared(&task.policies[place].config, self.share(), self.bucket_key.as_deref());
            edits[place].config = Some(config);
        }
        for (option, choice) in self.choices() {
            let place = at(choice.name.as_ref().unwrap_or(&choice.policy))?;
            let Some(config) = &choice.config else {
                return Err(Failure::usage(format!("Give the new config: --{option} {}=CONFIG.json.", choice.policy)));
            };
            edits[place].config = Some(config.load()?);
        }
        for Of { policy, value } in &self.modes {
            edits[at(policy)?].mode = Some(*value);
        }
        for Of { policy, value } in &self.on_errors {
            edits[at(policy)?].on_error = Some(*value);
        }
        for Of { policy, value } in &self.limits {
            let place = at(policy)?;
            edits[place].limits = Some(limits(over(&task.policies[place].limits, value)?)?);
        }
        for Of { policy, value } in &self.watches {
            let place = at(policy)?;
            edits[place].watch = Some(watch(over(&task.policies[place].watch, value)?)?);
        }
        let changed = edits.into_iter().zip(&task.policies).filter(|(edit, policy)| *edit != nothing(policy));
        Ok(changed.map(|(edit, _)| edit).collect())
    }
}

/// The place of the one policy that is meant. The error is how many there are, when it is not one.
fn find<T>(policies: &[T], is: impl Fn(&T) -> bool) -> Result<usize, usize> {
    let found: Vec<_> = policies.iter().enumerate().filter(|(_, known)| is(known)).map(|(at, _)| at).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        others => Err(others.len()),
    }
}

/// The name of a policy that was given as `NAME@VERSION`.
fn without_version(policy: &str) -> &str {
    policy.split_once('@').map_or(policy, |(name, _)| name)
}

/// The config of `percentage` with other shares or another key.
fn shared(config: &Value, share: Option<(&'static str, Value)>, key: Option<&str>) -> Value {
    let mut members = config.as_object().cloned().unwrap_or_default();
    if let Some((name, value)) = share {
        members.retain(|member, _| member == "bucket_key");
        members.insert(name.into(), value);
    }
    if let Some(key) = key {
        members.insert("bucket_key".into(), key.into());
    }
    members.into()
}

fn binding(policy: &str, config: Value) -> NewPolicyBinding {
    let (mode, on_error, limits) = (Mode::default(), OnError::default(), LimitOverrides::default());
    NewPolicyBinding { policy: policy.into(), config, mode, on_error, limits, watch: None, name: None }
}

/// What is there already, with the members that are given; one that is null goes back to its default.
fn over(known: &impl Serialize, given: &ConfigSource) -> Result<Value, Failure> {
    let given = given.load()?;
    let mut members = serde_json::to_value(known).ok().and_then(|known| known.as_object().cloned()).unwrap_or_default();
    let Some(new) = given.as_object() else { return Ok(given) };
    members.extend(new.clone());
    members.retain(|_, value| !value.is_null());
    Ok(members.into())
}

fn limits(given: Value) -> Result<LimitOverrides, Failure> {
    serde_json::from_value(given)
        .map_err(|error| Failure::usage(format!("These are no limits: {error}. Such as {{\"deadline_ms\": 50}}.")))
}

fn watch(given: Value) -> Result<Watch, Failure> {
    serde_json::from_value(given).map_err(|error| {
        let such = r#"{"window_minutes": 10, "min_devices": 200}"#;
        Failure::usage(format!("This does not say how to watch: {error}. Such as {such}."))
    })
}

/// A number as JSON, without decimals if it is whole.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as u64) } else { json!(value) }
}
