//! `berth policy`: writing policies, and the policies of an installation and where they are bound.

mod bench;
mod build;
mod cases;
mod local;
mod new;
#[cfg(test)]
mod samples;
mod scaffold;
mod subject;
mod test;
#[cfg(test)]
mod tests;
mod trial;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    call::{Call, escape},
    failure::Done,
    output::read,
    paint::{Paint, bytes},
    parse::ConfigSource,
    push::progress,
    session::Session,
    table::{Card, Cell},
};
use crate::{
    clock::Millis,
    ids::{HostAppId, MiniAppId, PolicyBindingId},
};

/// `berth policy`
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth policy new wifi-only --kind grayscale
  berth policy build wifi-only && berth policy test wifi-only/wifi-only.wasm
  berth policy push size_limits.wasm
  berth policy inspect size-limits
  berth policy bind size-limits --scope platform --config limits.json
  berth policy bind no-eval --scope app:mp-shop --mode shadow --limits '{\"deadline_ms\": 60000}'")]
pub enum Policy {
    /// Make a folder for a new policy
    New(new::New),
    /// Build the policy of a folder
    Build(build::Build),
    /// Ask a policy the cases of a folder, here
    Test(test::Test),
    /// Measure a policy with the cases of a folder, here
    Bench(bench::Bench),
    /// Install a policy, or a new version of it
    Push {
        /// The wasm component, or a core module with its WIT section
        file: PathBuf,
    },
    /// List what is installed
    List {
        /// Only this kind
        #[arg(long)]
        kind: Option<Kind>,
    },
    /// Show a policy and the schema of its config
    Inspect {
        /// Its name or digest, or a file here: FILE.wasm
        policy: String,
    },
    /// Remove a policy that is bound nowhere
    Remove {
        /// Its name or digest
        policy: String,
    },
    /// Bind a policy to the platform, a host app or a MiniApp
    Bind(Bind),
    /// List bindings
    Bindings {
        /// Only those of this scope
        #[arg(long, value_name = "SCOPE")]
        scope: Option<Scope>,
    },
    /// Take a binding away
    Unbind {
        /// Which
        binding: PolicyBindingId,
    },
}

/// The kinds of policies.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kind {
    /// Judges versions.
    Auditor,
    /// Chooses devices.
    Grayscale,
    /// Watches grayscale releases.
    Guard,
}

/// `berth policy bind`
#[derive(Args, Debug)]
pub struct Bind {
    /// Its name (the newest version) or digest
    pub policy: String,
    /// Where: platform, host-app:ID or app:ID
    #[arg(long)]
    pub scope: Scope,
    /// Its config: a JSON file, or JSON
    #[arg(long, value_name = "CONFIG")]
    pub config: Option<ConfigSource>,
    /// Whether its verdict decides, or is only recorded
    #[arg(long, default_value = "enforce")]
    pub mode: Mode,
    /// What a failure of the policy means: closed refuses, open lets pass; the host's default when absent
    #[arg(long)]
    pub on_error: Option<OnError>,
    /// Limits other than the default ones: a JSON file, or JSON such as {"deadline_ms": 50}
    #[arg(long, value_name = "LIMITS")]
    pub limits: Option<ConfigSource>,
}

/// Whether a verdict decides.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Mode {
    /// It decides.
    Enforce,
    /// It is recorded.
    Shadow,
}

/// What a failure means.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum OnError {
    /// Refuse.
    Closed,
    /// Let pass.
    Open,
}

/// Where a policy is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    kind: &'static str,
    id: Option<String>,
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, id) = match text.split_once(':') {
            None if text == "platform" => ("platform", None),
            Some(("host-app", id)) => {
                ("host_app", Some(id.parse::<HostAppId>().map_err(|error| error.detail)?.to_string()))
            }
            Some(("app", id)) => ("mini_app", Some(id.parse::<MiniAppId>().map_err(|error| error.detail)?.to_string())),
            _ => return Err(format!("{text:?} is not a scope: expected platform, host-app:ID or app:ID")),
        };
        Ok(Self { kind, id })
    }
}

#[derive(Deserialize)]
struct Installed {
    digest: String,
    kind: String,
    name: String,
    version: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    config_schema: Option<Value>,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    installed_at: Option<Millis>,
}

#[derive(Deserialize)]
struct Binding {
    id: String,
    #[serde(default)]
    policy: Value,
    #[serde(default)]
    scope: Value,
    #[serde(default)]
    config: Value,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    on_error: Option<String>,
    #[serde(default)]
    limits: Map<String, Value>,
}

impl Binding {
    /// Those limits that differ from the default ones; none when none do.
    fn limits(&self) -> Option<String> {
        let set = self.limits.iter().filter(|(_, limit)| !limit.is_null());
        let words: Vec<_> = set.map(|(name, limit)| format!("{name} {limit}")).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// Runs it.
pub async fn run(command: Policy, session: &mut Session) -> Done {
    match command {
        Policy::New(args) => new::run(args, session),
        Policy::Build(args) => build::run(args, session).await,
        Policy::Test(args) => test::run(args, session).await,
        Policy::Bench(args) => bench::run(args, session).await,
        Policy::Inspect { policy } if policy.ends_with(".wasm") => local::inspect(policy.as_ref(), session).await,
        command => ask(command, session).await,
    }
}

/// What a host does.
async fn ask(command: Policy, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        // Done here, without a host.
        Policy::New(_) | Policy::Build(_) | Policy::Test(_) | Policy::Bench(_) => Ok(()),
        Policy::Push { file } => {
            let bar = progress(session, &file.display().to_string());
            let answer = client.value(Call::ask("/v1/policies").file(&file, "application/wasm", bar)).await?;
            session.out.show(&answer, view)
        }
        Policy::List { kind } => {
            let items = client.items(Call::get("/v1/policies").query("kind", kind.map(word))).await?;
            let head = ["NAME", "VERSION", "KIND", "SIZE", "DIGEST", "INSTALLED"];
            session.out.list(items, head, "No policies. Install one with `berth policy push`.", row)
        }
        Policy::Inspect { policy } => {
            session.out.show(&client.value(Call::get(format!("/v1/policies/{}", escape(policy)))).await?, view)
        }
        Policy::Remove { policy } => {
            let found: Installed = read(&client.value(Call::get(format!("/v1/policies/{}", escape(policy)))).await?)?;
            client.value(Call::delete(format!("/v1/policies/{}", escape(&found.digest)))).await?;
            let sentence = format!("{} {} ({}) is removed.", found.name, found.version, found.digest);
            session.out.done(&json!({"digest": found.digest, "removed": true}), super::paint::clean(&sentence))
        }
        Policy::Bind(args) => {
            let answer = client.value(Call::create("/v1/policy-bindings").json(&new_binding(args)?)).await?;
            session.out.show(&answer, binding_view)
        }
        Policy::Bindings { scope } => {
            let (kind, id) = scope.map_or((None, None), |scope| (Some(scope.kind), scope.id));
            let call = Call::get("/v1/policy-bindings").query("scope_kind", kind).query("scope_id", id);
            let head = ["ID", "POLICY", "SCOPE", "MODE", "ON ERROR", "CONFIG"];
            session.out.list(client.items(call).await?, head, "No bindings.", binding_row)
        }
        Policy::Unbind { binding } => {
            client.value(Call::delete(format!("/v1/policy-bindings/{binding}"))).await?;
            session.out.done(&json!({"id": binding, "bound": false}), format!("{binding} is taken away."))
        }
    }
}

fn word(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn new_binding(args: Bind) -> Result<Value, super::failure::Failure> {
    let mut scope = json!({"kind": args.scope.kind});
    if let Some(id) = args.scope.id {
        scope["id"] = id.into();
    }
    let mut binding = Map::new();
    binding.insert("policy".into(), args.policy.into());
    binding.insert("scope".into(), scope);
    binding.insert("mode".into(), word(args.mode).into());
    if let Some(config) = args.config {
        binding.insert("config".into(), config.load()?);
    }
    if let Some(limits) = args.limits {
        binding.insert("limits".into(), limits.load()?);
    }
    binding.extend(args.on_error.map(|on_error| ("on_error".to_owned(), Value::from(word(on_error)))));
    Ok(binding.into())
}

fn row(policy: Installed, paint: &Paint) -> [Cell; 6] {
    [
        Cell::strong(policy.name),
        Cell::of(policy.version),
        Cell::of(policy.kind),
        bytes(policy.size).into(),
        Cell::of(policy.digest),
        paint.when_any(policy.installed_at),
    ]
}

fn view(policy: Installed, paint: &Paint) -> String {
    let card = Card::default()
        .field("name", Cell::strong(&policy.name))
        .field("version", policy.version)
        .field("kind", policy.kind)
        .field("summary", policy.summary)
        .field("digest", policy.digest)
        .field("size", bytes(policy.size))
        .maybe("installed", policy.installed_at.map(|at| paint.when(at)))
        .render(paint);
    let schema = match policy.config_schema {
        None | Some(Value::Null) => return format!("{card}\n\nIt takes no config."),
        Some(Value::String(text)) => text,
        Some(schema) => serde_json::to_string_pretty(&schema).unwrap_or_default(),
    };
    format!("{card}\n\nIts config satisfies:\n{}", super::paint::clean_lines(&schema))
}

fn scope_words(scope: &Value) -> String {
    let kind = scope.get("kind").and_then(Value::as_str).unwrap_or("-").replace('_', "-");
    match scope.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()) {
        Some(id) => format!("{kind}:{id}"),
        None => kind,
    }
}

/// A policy is named by text, or by an object with its name.
fn policy_words(policy: &Value) -> String {
    let name = policy.as_str().or_else(|| policy.get("name").and_then(Value::as_str));
    name.map_or_else(|| policy.to_string(), str::to_owned)
}

fn binding_row(binding: Binding, _: &Paint) -> [Cell; 6] {
    [
        Cell::strong(&binding.id),
        policy_words(&binding.policy).into(),
        scope_words(&binding.scope).into(),
        Cell::any(binding.mode),
        Cell::any(binding.on_error),
        Cell::of(binding.config),
    ]
}

fn binding_view(binding: Binding, paint: &Paint) -> String {
    let limits = binding.limits();
    Card::default()
        .field("id", Cell::strong(&binding.id))
        .field("policy", policy_words(&binding.policy))
        .field("scope", scope_words(&binding.scope))
        .maybe("mode", binding.mode)
        .maybe("on error", binding.on_error)
        .field("config", Cell::of(binding.config))
        .maybe("limits", limits)
        .render(paint)
}
