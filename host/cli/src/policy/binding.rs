//! `berth policy bind`, `edit`, `bindings` and `unbind`: the bindings of policies.

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Mode, OnError, word};
use berth_base::ids::{GrayTaskId, HostAppId, MiniAppId, PolicyBindingId};

use crate::{
    call::Call,
    failure::{Done, Failure},
    paint::Paint,
    parse::ConfigSource,
    session::Session,
    table::{Card, Cell},
};

/// The arguments of `berth policy bind`.
#[derive(Args, Debug)]
pub struct Bind {
    /// The policy: its name (for the newest version), NAME@VERSION or digest
    pub policy: String,
    /// The scope: platform, host-app:ID or app:ID
    #[arg(long)]
    pub scope: Scope,
    #[command(flatten)]
    pub terms: Terms,
}

/// The arguments of `berth policy edit`.
#[derive(Args, Debug)]
pub struct Edit {
    /// The binding, as `berth policy bindings` lists it
    pub binding: PolicyBindingId,
    #[command(flatten)]
    pub terms: Terms,
}

/// The settings of a binding. Absent ones get the host's default, or stay as they are.
#[derive(Args, Debug)]
pub struct Terms {
    /// Its config: a JSON file, or JSON text
    #[arg(long, value_name = "CONFIG")]
    pub config: Option<ConfigSource>,
    /// Whether its verdict decides (enforce), or is only recorded (shadow)
    #[arg(long)]
    pub mode: Option<Mode>,
    /// What happens when the policy fails: closed refuses, open lets pass
    #[arg(long)]
    pub on_error: Option<OnError>,
    /// Limits in place of the default ones: a JSON file, or JSON text such as {"deadline_ms": 50}
    #[arg(long, value_name = "LIMITS")]
    pub limits: Option<ConfigSource>,
}

impl Terms {
    fn members(self) -> Result<Map<String, Value>, Failure> {
        let mut members = Map::new();
        let mut set = |name: &str, value: Option<Value>| members.extend(value.map(|value| (name.to_owned(), value)));
        set("config", self.config.map(|config| config.load()).transpose()?);
        set("mode", self.mode.map(|mode| word(mode).into()));
        set("on_error", self.on_error.map(|on_error| word(on_error).into()));
        set("limits", self.limits.map(|limits| limits.load()).transpose()?);
        Ok(members)
    }
}

/// The scope of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    kind: &'static str,
    id: Option<String>,
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let id = |parsed: Result<String, berth_base::error::Error>| parsed.map(Some).map_err(|error| error.detail);
        let (kind, id) = match text.split_once(':') {
            None if text == "platform" => ("platform", None),
            Some(("host-app", of)) => ("host_app", id(of.parse().map(|id: HostAppId| id.to_string()))?),
            Some(("app", of)) => ("mini_app", id(of.parse().map(|id: MiniAppId| id.to_string()))?),
            Some(("gray-task", of)) => ("gray_task", id(of.parse().map(|id: GrayTaskId| id.to_string()))?),
            _ => {
                return Err(format!(
                    "{text:?} is not a scope: expected platform, host-app:ID or app:ID (and gray-task:ID, to list)"
                ));
            }
        };
        Ok(Self { kind, id })
    }
}

/// A binding of a policy.
#[derive(Deserialize)]
pub struct Binding {
    pub id: String,
    #[serde(default)]
    policy: String,
    /// The version of the policy that judges there.
    #[serde(default)]
    pub policy_version: String,
    /// The SHA-256 of that version.
    #[serde(default)]
    pub digest: String,
    #[serde(default)]
    pub scope: Value,
    #[serde(default)]
    config: Value,
    /// The level that it belongs to.
    #[serde(default)]
    level: Option<String>,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    on_error: Option<String>,
    #[serde(default)]
    limits: Map<String, Value>,
}

impl Binding {
    /// The limits that differ from the default ones; `None` when there are none.
    fn limits(&self) -> Option<String> {
        let set = self.limits.iter().filter(|(_, limit)| !limit.is_null());
        let words: Vec<_> = set.map(|(name, limit)| format!("{name} {limit}")).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// The scope as `--scope` takes it.
    pub fn place(&self) -> String {
        let kind = match self.scope.get("kind").and_then(Value::as_str).unwrap_or("-") {
            "mini_app" => "app".to_owned(),
            kind => kind.replace('_', "-"),
        };
        match self.scope.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()) {
            Some(id) => format!("{kind}:{id}"),
            None => kind,
        }
    }
}

/// Runs `berth policy bind`.
pub async fn bind(args: Bind, session: &mut Session) -> Done {
    let mut new = args.terms.members()?;
    let mut scope = json!({"kind": args.scope.kind});
    if let Some(id) = args.scope.id {
        scope["id"] = id.into();
    }
    new.insert("policy".into(), args.policy.into());
    new.insert("scope".into(), scope);
    let answer = session.client()?.value(Call::create("/v1/policy-bindings").json(&new)).await;
    session.out.show(&answer.map_err(Failure::with_binding)?, view)
}

/// Runs `berth policy edit`.
pub async fn edit(args: Edit, session: &mut Session) -> Done {
    let patch = args.terms.members()?;
    if patch.is_empty() {
        return Err(Failure::usage("Nothing to change. Give --mode, --config, --on-error or --limits."));
    }
    let answer = session.client()?.value(Call::put(path(&args.binding)).json(&patch)).await?;
    session.out.show(&answer, view)
}

/// Runs `berth policy bindings`.
pub async fn list(scope: Option<Scope>, policy: Option<String>, session: &mut Session) -> Done {
    let (kind, id) = scope.map_or((None, None), |scope| (Some(scope.kind), scope.id));
    let call = Call::get("/v1/policy-bindings").query("scope_kind", kind).query("scope_id", id).query("policy", policy);
    let head = ["ID", "POLICY", "VERSION", "SCOPE", "OWNER", "MODE", "ON ERROR", "CONFIG"];
    session.out.list(session.client()?.items(call).await?, head, "No bindings.", row)
}

/// Runs `berth policy unbind`.
pub async fn unbind(binding: &PolicyBindingId, session: &mut Session) -> Done {
    session.client()?.value(Call::delete(path(binding))).await?;
    session.out.done(&json!({"id": binding, "bound": false}), format!("{binding} is taken away."))
}

fn path(binding: &PolicyBindingId) -> String {
    format!("/v1/policy-bindings/{binding}")
}

fn row(binding: Binding, _: &Paint) -> [Cell; 8] {
    [
        Cell::strong(&binding.id),
        Cell::of(&binding.policy),
        Cell::of(&binding.policy_version),
        binding.place().into(),
        Cell::any(binding.level),
        Cell::any(binding.mode),
        Cell::any(binding.on_error),
        Cell::of(binding.config),
    ]
}

fn view(binding: Binding, paint: &Paint) -> String {
    let (limits, place) = (binding.limits(), binding.place());
    Card::default()
        .field("id", Cell::strong(&binding.id))
        .field("policy", format!("{} {}", binding.policy, binding.policy_version))
        .field("scope", place)
        .maybe("owner", binding.level)
        .maybe("mode", binding.mode)
        .maybe("on error", binding.on_error)
        .field("config", Cell::of(binding.config))
        .maybe("limits", limits)
        .render(paint)
}
