//! Parts that pages have in common. How they look is in `templates/parts.html`.

use std::collections::BTreeMap;

use berth_model::{
    access::AccountName,
    audit::{AuditState, Decision, OutcomeKind},
    binding::BindingState,
    policy::{Severity, registry::Mode},
    rollout::State as GrayState,
    version::State,
};
use serde_json::Value;

use crate::{
    api::Api,
    path::escape,
    refused::{Refusal, Refused, Says},
    texts::Texts,
};

/// The colour of a part; a word and a mark say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Ok,
    Warn,
    Bad,
    Info,
    Neutral,
    Gray,
}

impl Tone {
    /// The class in the stylesheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Info => "info",
            Self::Neutral => "neutral",
            Self::Gray => "gray",
        }
    }
}

/// A state as a mark, a word and a colour.
#[derive(Clone, Copy, Debug)]
pub struct Badge {
    pub tone: Tone,
    pub mark: &'static str,
    pub word: &'static str,
}

const fn badge(tone: Tone, mark: &'static str, word: &'static str) -> Badge {
    Badge { tone, mark, word }
}

/// What has a state that is shown as a badge.
pub trait Shown {
    fn badge(&self, t: &Texts) -> Badge;
}

impl Shown for State {
    fn badge(&self, t: &Texts) -> Badge {
        match self {
            Self::Development => badge(Tone::Neutral, "○", t.state_development()),
            Self::Auditing => badge(Tone::Info, "◔", t.state_auditing()),
            Self::Approved => badge(Tone::Info, "✓", t.state_approved()),
            Self::Rejected => badge(Tone::Bad, "✕", t.state_rejected()),
            Self::Online => badge(Tone::Ok, "●", t.state_online()),
            Self::Historical => badge(Tone::Neutral, "–", t.state_historical()),
            Self::Deleted => badge(Tone::Neutral, "⌫", t.state_deleted()),
        }
    }
}

impl Shown for AuditState {
    fn badge(&self, t: &Texts) -> Badge {
        match self {
            Self::Checking => badge(Tone::Info, "◔", t.audit_checking()),
            Self::Deciding => badge(Tone::Warn, "◑", t.audit_deciding()),
            Self::Approved => badge(Tone::Ok, "✓", t.state_approved()),
            Self::Rejected => badge(Tone::Bad, "✕", t.state_rejected()),
            Self::Withdrawn => badge(Tone::Neutral, "↩", t.audit_withdrawn()),
        }
    }
}

impl Shown for Option<Decision> {
    fn badge(&self, t: &Texts) -> Badge {
        match self {
            None => badge(Tone::Warn, "◷", t.decision_waits()),
            Some(Decision::Approved) => badge(Tone::Ok, "✓", t.state_approved()),
            Some(Decision::Rejected) => badge(Tone::Bad, "✕", t.state_rejected()),
        }
    }
}

impl Shown for GrayState {
    fn badge(&self, t: &Texts) -> Badge {
        match self {
            Self::Pending => badge(Tone::Neutral, "◷", t.gray_pending()),
            Self::Delivering => badge(Tone::Gray, "▶", t.gray_delivering()),
            Self::Suspended => badge(Tone::Warn, "‖", t.gray_suspended()),
            Self::Ended => badge(Tone::Neutral, "■", t.gray_ended()),
        }
    }
}

impl Shown for BindingState {
    fn badge(&self, t: &Texts) -> Badge {
        match self {
            Self::Active => badge(Tone::Ok, "●", t.binding_active()),
            Self::WaitsForTeam => badge(Tone::Warn, "◷", t.binding_waits_for_team()),
            Self::WaitsForHostApp => badge(Tone::Warn, "◷", t.binding_waits_for_host_app()),
        }
    }
}

impl Shown for OutcomeKind {
    fn badge(&self, t: &Texts) -> Badge {
        match self {
            Self::Verdict => badge(Tone::Ok, "✓", t.outcome_verdict()),
            Self::Failed => badge(Tone::Bad, "!", t.outcome_failed()),
            Self::Trapped => badge(Tone::Bad, "!", t.outcome_trapped()),
            Self::Limited => badge(Tone::Bad, "!", t.outcome_limited()),
        }
    }
}

impl Shown for Severity {
    fn badge(&self, t: &Texts) -> Badge {
        match self {
            Self::Error => badge(Tone::Bad, "✕", t.severity_error()),
            Self::Warning => badge(Tone::Warn, "!", t.severity_warning()),
            Self::Note => badge(Tone::Info, "i", t.severity_note()),
        }
    }
}

impl Shown for Mode {
    fn badge(&self, t: &Texts) -> Badge {
        match self {
            Self::Enforce => badge(Tone::Ok, "●", t.mode_enforce()),
            Self::Shadow => badge(Tone::Neutral, "◌", t.mode_shadow()),
        }
    }
}

impl Badge {
    /// That something is off the shelf.
    pub fn off_shelf(t: &Texts) -> Self {
        badge(Tone::Bad, "⊘", t.off_shelf())
    }
}

/// The names of the accounts that a page speaks of.
#[derive(Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Looks the names of these accounts up, by one request. Pages are better without names than not at all.
    pub async fn of<'a>(api: &Api, accounts: impl IntoIterator<Item = &'a str>) -> Self {
        let ids: std::collections::BTreeSet<&str> = accounts.into_iter().filter(|id| id.starts_with("usr_")).collect();
        if ids.is_empty() {
            return Self::default();
        }
        let ids: Vec<&str> = ids.into_iter().take(100).collect();
        let path = format!("/v1/account-names?ids={}", escape(ids.join(",")));
        let found: Result<Vec<AccountName>, Refused> = api.list(&path).await;
        Self(found.unwrap_or_default().into_iter().map(|one| (one.id.to_string(), one.name)).collect())
    }

    /// The name of an account, or of whatever else acted.
    pub fn get<'a>(&'a self, t: &Texts, id: &'a str) -> &'a str {
        if id == berth_model::access::BERTH { t.the_host() } else { self.0.get(id).map_or(id, String::as_str) }
    }
}

/// What a form says when it is shown again after a refusal: the refusal, and what was typed.
#[derive(Default)]
pub struct Filled {
    values: Vec<(String, String)>,
    refusal: Option<Refusal>,
}

impl Filled {
    /// What was typed.
    pub fn with(values: Vec<(String, String)>) -> Self {
        Self { values, refusal: None }
    }

    /// The same with what the API refused.
    pub fn said(self, refusal: Refusal) -> Self {
        Self { refusal: Some(refusal), ..self }
    }

    /// The same after a refusal.
    ///
    /// # Errors
    /// What no form can mend: the visitor must sign in, or the console is broken. A wrong password is typed once more.
    pub fn refused(self, refused: Refused) -> Result<Self, Refused> {
        match refused {
            Refused::ByApi(refusal) if refusal.status != 401 || refusal.code() == "wrong-credentials" => {
                Ok(self.said(*refusal))
            }
            other => Err(other),
        }
    }

    /// What was typed into a field; empty when nothing was.
    pub fn get(&self, name: &str) -> &str {
        self.values.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    /// What was typed into a field, or what stands there at first.
    pub fn or<'a>(&'a self, name: &str, first: &'a str) -> &'a str {
        self.values.iter().find(|(found, _)| found == name).map_or(first, |(_, value)| value)
    }

    /// Whether a box is ticked.
    pub fn is_on(&self, name: &str) -> bool {
        self.values.iter().any(|(found, _)| found == name)
    }

    /// Whether a choice with this value was made.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.values.iter().any(|(found, chosen)| found == name && chosen == value)
    }

    /// Whether the form is shown for the first time.
    pub fn is_new(&self) -> bool {
        self.values.is_empty()
    }

    /// The refusal in the language of the page.
    pub fn says(&self, t: &Texts) -> Option<Says> {
        self.refusal.as_ref().map(|refusal| refusal.says(*t))
    }

    /// The address of the page that explains the refusal.
    pub fn problem(&self) -> &str {
        self.refusal.as_ref().map_or("", |refusal| &refusal.kind)
    }

    /// What the API said against a field: each place in it with the rule that it breaks, in the words of the API.
    pub fn faults<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let more = self.refusal.as_ref().map(|refusal| &refusal.more);
        let errors = more.and_then(|more| more.get("errors")).and_then(Value::as_array).into_iter().flatten();
        errors.filter_map(move |error| {
            let place = error.get("pointer")?.as_str()?.strip_prefix('/')?.strip_prefix(name)?;
            let place = if place.is_empty() { place } else { place.strip_prefix('/')? };
            Some((place, error.get("rule")?.as_str()?))
        })
    }

    /// What the API said against the place in what was sent that has this name: `contact.email`. Of a config it tells the place
    /// within: that of `config.stages` is `/stages/0/percent`, too, whatever policy it is for.
    pub fn wrong_at(&self, t: &Texts, place: &str) -> Option<String> {
        let refusal = self.refusal.as_ref()?;
        let field = refusal.field()?.trim_start_matches('/').replace('/', ".");
        let is_meant = match refusal.code() {
            "policy-config" => {
                place.starts_with("config.") && field.split('.').next() == place.rsplit('.').next() && !field.is_empty()
            }
            _ => field == place,
        };
        let says = self.says(t).filter(|_| is_meant)?;
        Some(says.original.unwrap_or(says.text))
    }

    /// Whether the refusal is about this field.
    pub fn is_wrong(&self, name: &str) -> bool {
        let field = self.refusal.as_ref().and_then(Refusal::field).unwrap_or_default();
        field.trim_start_matches('/').split(['/', '.', '[']).next() == Some(name)
    }
}
