//! What is asked, as the form says it, for the API and as a command.

use berth_model::{
    policy::{
        LimitOverrides, PolicyKind,
        registry::{InstalledPolicy, PolicyBinding, PolicyScope, ScopeKind},
    },
    replay::{NewReplay, ReplayOver, Revision},
};
use serde_json::Value;

use super::super::bindings::scope;
use crate::{act::Sent, refused::Refused, schema, show::quoted, texts::Texts};

/// The names of the form's fields.
pub const SCOPE: &str = "scope";
pub const AGAINST: &str = "against";
pub const CONFIG: &str = "config";
pub const AGAINST_CONFIG: &str = "against_config";

/// A question to the API.
pub struct Question {
    pub asked: NewReplay,
    /// With which binding it is compared.
    bound: Option<String>,
}

impl Question {
    /// What the form asks; `None` where nobody has asked yet.
    ///
    /// # Errors
    /// What is wrong with a field.
    pub fn read(
        t: Texts,
        it: &InstalledPolicy,
        bindings: &[PolicyBinding],
        sent: &Sent,
    ) -> Result<Option<Self>, Refused> {
        if sent.get(SCOPE).is_empty() {
            return Ok(None);
        }
        let bound = bindings.iter().find(|binding| binding.id.as_str() == sent.get(AGAINST));
        let limits = bound.map(|bound| bound.limits.clone()).unwrap_or_default();
        let new = revision(it.digest.to_string(), config(t, it, sent, CONFIG)?, &limits);
        let asked = NewReplay {
            against: against(t, it, bound, sent, &new)?,
            new,
            scope: scope(sent)?,
            versions: sent.read_some("versions")?.unwrap_or_default(),
            limit: None,
            cursor: sent.some("cursor"),
        };
        Ok(Some(Self { asked, bound: bound.map(|bound| bound.id.to_string()) }))
    }

    /// The same question as a command.
    pub fn command(&self, it: &InstalledPolicy) -> String {
        let mut words = vec!["berth policy replay".to_owned(), format!("{}@{}", it.name, it.version)];
        let mut option = |name: &str, value: String| words.push(format!("{name} {}", quoted(&value)));
        let NewReplay { new, against, scope, versions, .. } = &self.asked;
        if against.is_some() || !is_empty(&new.config) {
            option("--config", new.config.to_string());
        }
        if let Some(other) = against {
            option("--against", self.bound.clone().unwrap_or_else(|| other.policy.clone()));
            if other.config != new.config {
                option("--against-config", other.config.to_string());
            }
        }
        option("--scope", place(scope));
        if it.kind == PolicyKind::Auditor && *versions != ReplayOver::default() {
            option("--versions", versions.to_string());
        }
        words.join(" ")
    }
}

fn config(t: Texts, it: &InstalledPolicy, sent: &Sent, under: &str) -> Result<Value, Refused> {
    schema::config(t, it.config_schema.as_ref(), &Value::Null, sent, under)
}

fn is_empty(config: &Value) -> bool {
    config.as_object().is_some_and(serde_json::Map::is_empty)
}

fn revision(policy: String, config: Value, limits: &LimitOverrides) -> Revision {
    Revision { policy, config, limits: limits.clone() }
}

/// What it is compared with. A config that is left empty is that of the binding, for another version the one that is tried, and for
/// this version what it does by default.
fn against(
    t: Texts,
    it: &InstalledPolicy,
    bound: Option<&PolicyBinding>,
    sent: &Sent,
    new: &Revision,
) -> Result<Option<Revision>, Refused> {
    let Some(other) = sent.some(AGAINST) else { return Ok(None) };
    let typed = config(t, it, sent, AGAINST_CONFIG)?;
    let or = |config: &Value| if is_empty(&typed) { config.clone() } else { typed.clone() };
    Ok(Some(match bound {
        Some(bound) => revision(bound.digest.to_string(), or(&bound.config), &bound.limits),
        None if other == new.policy => revision(other, typed.clone(), &new.limits),
        None => revision(other, or(&new.config), &new.limits),
    }))
}

/// A place as commands name it.
fn place(scope: &PolicyScope) -> String {
    match scope.kind {
        ScopeKind::Platform => "platform".into(),
        ScopeKind::HostApp => format!("host-app:{}", scope.id),
        ScopeKind::MiniApp => format!("app:{}", scope.id),
        ScopeKind::GrayTask => format!("gray-task:{}", scope.id),
    }
}
