//! `berth policy bind`, `edit`, `bindings` and `unbind`: the bindings of policies.

use clap::Args;
use serde_json::{Value, json};

use berth_base::ids::PolicyBindingId;
use berth_model::policy::{
    LimitOverrides,
    registry::{Mode, NewPolicyBinding, OnError, PolicyBinding, PolicyBindingPatch, PolicyScope, ScopedPolicyBinding},
};

use crate::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    handle::{binding_id, require_policy},
    paint::Paint,
    parse::{ConfigSource, one_of, place, scope},
    session::Session,
    table::{Card, Cell},
};

/// The arguments of `berth policy bind`.
#[derive(Args, Debug)]
pub struct Bind {
    /// The policy: its name (for the newest version), NAME@VERSION or digest
    pub policy: String,
    /// The scope: platform, host-app:ID or app:ID
    #[arg(long, value_parser = scope)]
    pub scope: PolicyScope,
    #[command(flatten)]
    pub terms: Terms,
}

/// The arguments of `berth policy edit`.
#[derive(Args, Debug)]
pub struct Edit {
    /// The binding: its id, or the name of its policy if that is bound at one place
    pub binding: String,
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
    #[arg(long, value_parser = one_of!(Mode))]
    pub mode: Option<Mode>,
    /// What happens when the policy fails: closed refuses, open lets pass
    #[arg(long, value_parser = one_of!(OnError))]
    pub on_error: Option<OnError>,
    /// Limits in place of the default ones: a JSON file, or JSON text such as {"deadline_ms": 50}
    #[arg(long, value_name = "LIMITS")]
    pub limits: Option<ConfigSource>,
}

impl Terms {
    /// The terms as changes to a binding.
    fn patch(self) -> Result<PolicyBindingPatch, Failure> {
        let Self { config, mode, on_error, limits } = self;
        Ok(PolicyBindingPatch {
            policy: None,
            config: config.map(|config| config.load()).transpose()?,
            mode,
            on_error,
            limits: limits.map(|limits| overrides(&limits.load()?)).transpose()?,
        })
    }
}

/// The limits that were given.
pub fn overrides(limits: &Value) -> Result<LimitOverrides, Failure> {
    serde_path_to_error::deserialize(limits).map_err(|error| Failure::usage(format!("--limits: {error}.")))
}

/// The limits that differ from the default ones; `None` when there are none.
fn limits(limits: &LimitOverrides) -> Option<String> {
    let Ok(Value::Object(set)) = serde_json::to_value(limits) else { return None };
    let words: Vec<_> = set.iter().map(|(name, limit)| format!("{name} {limit}")).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Runs `berth policy bind`.
pub async fn bind(args: Bind, session: &mut Session) -> Done {
    let PolicyBindingPatch { config, mode, on_error, limits, .. } = args.terms.patch()?;
    let (config, limits) = (config.unwrap_or_else(|| json!({})), limits.unwrap_or_default());
    let (mode, on_error) = (mode.unwrap_or_default(), on_error.unwrap_or_default());
    let binding = NewPolicyBinding { policy: args.policy, config, mode, on_error, limits, watch: None, name: None };
    let new = ScopedPolicyBinding { scope: args.scope, binding };
    let answer = session.client()?.value(Call::create("/v1/policy-bindings").json(&new)).await;
    session.out.show(&answer.map_err(Failure::with_binding)?, view)
}

/// Runs `berth policy edit`.
pub async fn edit(args: Edit, session: &mut Session) -> Done {
    let patch = args.terms.patch()?;
    if patch.only_moves() {
        return Err(Failure::usage("Nothing to change. Give --mode, --config, --on-error or --limits."));
    }
    let client = session.client()?;
    let binding = binding_id(&client, &args.binding).await?;
    let answer = client.value(Call::put(path(&binding)).json(&patch)).await?;
    session.out.show(&answer, view)
}

/// Runs `berth policy bindings`.
pub async fn list(scope: Option<PolicyScope>, policy: Option<String>, session: &mut Session) -> Done {
    // The policies of a place come in the order in which they are asked.
    let by_name = scope.is_none();
    let (kind, id) = scope.map_or((None, None), |scope| (Some(scope.kind), Some(scope.id)));
    let id = id.filter(|id| !id.is_empty());
    let call = Call::get("/v1/policy-bindings")
        .query("scope_kind", kind)
        .query("scope_id", id)
        .query("policy", policy.as_deref());
    let head = ["ID", "POLICY", "VERSION", "SCOPE", "OWNER", "MODE", "ON ERROR", "CONFIG"];
    let client = session.client()?;
    let mut items = client.items(call).await?;
    if by_name {
        items.sort_by(|one, other| one["policy"].as_str().cmp(&other["policy"].as_str()));
    }
    if let Some(policy) = policy.filter(|_| items.is_empty()) {
        require_policy(&client, &policy).await?;
    }
    session.out.list(items, head, "No bindings.", row)
}

/// A binding that the caller may know of.
pub async fn find(client: &Client, id: &PolicyBindingId) -> Result<PolicyBinding, Failure> {
    read(&client.value(Call::get(path(id))).await?)
}

/// Runs `berth policy unbind`.
pub async fn unbind(binding: &str, session: &mut Session) -> Done {
    let client = session.client()?;
    let binding = &binding_id(&client, binding).await?;
    session.confirm(&format!("Take the binding {binding} away? The policy judges there no more."))?;
    client.value(Call::delete(path(binding))).await?;
    session.out.done(&json!({"id": binding, "bound": false}), format!("{binding} is taken away."))
}

fn path(binding: &PolicyBindingId) -> String {
    format!("/v1/policy-bindings/{binding}")
}

fn row(binding: PolicyBinding, _: &Paint) -> [Cell; 8] {
    [
        Cell::strong(&binding.id),
        Cell::of(&binding.policy),
        Cell::of(&binding.policy_version),
        place(&binding.scope).into(),
        Cell::of(binding.level),
        Cell::of(binding.mode),
        Cell::of(binding.on_error),
        Cell::of(binding.config),
    ]
}

fn view(binding: PolicyBinding, paint: &Paint) -> String {
    Card::default()
        .field("id", Cell::strong(&binding.id))
        .field("policy", format!("{} {}", binding.policy, binding.policy_version))
        .field("scope", place(&binding.scope))
        .field("owner", binding.level.as_str())
        .field("mode", binding.mode.as_str())
        .field("on error", binding.on_error.as_str())
        .field("config", Cell::of(binding.config))
        .maybe("limits", limits(&binding.limits))
        .render(paint)
}
