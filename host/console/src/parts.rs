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
    texts::{Language, Texts},
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
    /// Whether an auditor has nothing against a version.
    pub fn verdict(t: &Texts, passes: bool) -> Self {
        if passes { badge(Tone::Ok, "✓", t.verdict_passes()) } else { badge(Tone::Bad, "✕", t.verdict_rejects()) }
    }

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

/// What stands against a field, in the language in which it is said.
pub struct Wrong {
    pub text: String,
    language: Language,
}

impl Wrong {
    /// The tag of its language.
    pub fn lang(&self) -> &'static str {
        self.language.tag()
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

    /// Whether something was typed into a field whose name begins so.
    pub fn has_any(&self, beginning: &str) -> bool {
        self.values.iter().any(|(name, value)| name.starts_with(beginning) && !value.trim().is_empty())
    }

    /// Whether the API refused it for this reason.
    pub fn is_refused_by(&self, code: &str) -> bool {
        self.refusal.as_ref().is_some_and(|refusal| refusal.code() == code)
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

    /// The choices that were made.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
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
    pub fn explained_at(&self) -> String {
        self.refusal.as_ref().map(Refusal::explained_at).unwrap_or_default()
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

    /// What stands against the place in what was sent that has this name, such as `contact.email`, or against a place in it.
    pub fn wrong(&self, place: &str) -> Option<Wrong> {
        let refusal = self.refusal.as_ref()?;
        let field = refusal.field()?.trim_start_matches('/').replace(['/', '['], ".");
        let rest = match refusal.code() {
            "policy-config" if !refusal.more.contains_key("field") => {
                field.strip_prefix(self.member(refusal, place)?)?
            }
            _ => field.strip_prefix(place)?,
        };
        let is_meant = rest.is_empty() || rest.starts_with('.');
        is_meant.then(|| Wrong { text: refusal.detail.clone(), language: refusal.language })
    }

    /// Which member of the refused config a field is for; `None` for a field of another policy.
    fn member<'a>(&self, refusal: &Refusal, place: &'a str) -> Option<&'a str> {
        let within = place.strip_prefix(self.config())?;
        let (of, member) = within.rsplit_once('.').unwrap_or(("", within));
        (of.is_empty() || refusal.policy().is_none_or(|policy| policy == of)).then_some(member)
    }

    /// Whether the config of the policy with this name was refused.
    pub fn is_config_refused(&self, policy: &str) -> bool {
        self.refusal.as_ref().is_some_and(|refusal| refusal.policy() == Some(policy))
    }

    /// How the names of the fields begin for the config that was refused. Where two revisions of a policy are compared, the API tells
    /// which of them it means.
    fn config(&self) -> &'static str {
        let revision = self.refusal.as_ref().and_then(|refusal| refusal.more.get("revision")?.as_str());
        if revision == Some("against") { "against_config." } else { "config." }
    }

    /// As [`Filled::wrong`], for a field whose name is another one than that of its place.
    pub fn wrong_at(&self, name: &str, place: &str) -> Option<Wrong> {
        self.wrong(place).or_else(|| self.wrong(name))
    }

    /// The ids of what describes a field: what stands against it, what is there now, and its hint.
    pub fn described_by(&self, name: &str, hint: &str, place: &str, there: &str, now: &str) -> String {
        let parts = [
            ("wrong", self.wrong_at(name, place).is_some()),
            ("now", !there.is_empty() && self.differs(name, now)),
            ("hint", !hint.is_empty()),
        ];
        let ids = parts.into_iter().filter(|(_, is_there)| *is_there).map(|(part, _)| format!("{name}-{part}"));
        ids.collect::<Vec<_>>().join(" ")
    }

    /// Whether the refusal is about this field.
    pub fn is_wrong(&self, name: &str) -> bool {
        self.wrong(name).is_some()
    }

    /// Whether somebody else was faster: what the form was made of is not there any more.
    pub fn is_overtaken(&self) -> bool {
        self.refusal.as_ref().is_some_and(|refusal| refusal.code() == "precondition-failed")
    }

    /// What the form sends of what it was made of: it stays the same through refusals, until the form has shown what is there
    /// now beside what was typed.
    pub fn made_of<'a>(&'a self, name: &str, now: &'a str) -> &'a str {
        if self.is_overtaken() { now } else { self.or(name, now) }
    }

    /// The tag of what the form was made of.
    pub fn tag<'a>(&'a self, now: &'a str) -> &'a str {
        self.made_of("tag", now)
    }

    /// Whether a field must show what is there now: somebody else has changed it, or what was typed does. How lines end is no
    /// difference: browsers send them in their own way.
    pub fn differs(&self, name: &str, now: &str) -> bool {
        self.is_overtaken() && !self.or(name, now).trim().lines().eq(now.trim().lines())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refused::invalid;

    fn filled(field: &str) -> Filled {
        let typed = [("tag", "old"), ("email", "x"), ("uris", "a\r\nb")];
        let typed = typed.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Filled::with(typed).refused(invalid(Texts(Language::English), field, "is wrong.")).unwrap_or_default()
    }

    #[test]
    fn a_refusal_stands_beside_the_field_that_it_means() {
        let at = |field: &str, place: &str| filled(field).wrong(place).is_some();
        assert!(at("/contact/email", "contact.email") && at("contact.email", "contact") && at("rules[0]", "rules"));
        assert!(!at("contacts", "contact") && !at("contact", "contact.email"));
        assert!(filled("contact.email").wrong_at("email", "contact.email").is_some());
    }

    #[test]
    fn a_form_keeps_the_tag_that_it_was_made_of_until_it_has_shown_what_is_there_now() {
        let refused = filled("email");
        assert_eq!((refused.tag("new"), refused.differs("email", "y")), ("old", false));
        let overtaken = Filled {
            refusal: refused.refusal.map(|it| Refusal { kind: "/problems/precondition-failed".into(), ..it }),
            ..refused
        };
        assert_eq!((overtaken.tag("new"), overtaken.differs("email", "y")), ("new", true));
        assert!(
            !overtaken.differs("email", "x ") && !overtaken.differs("uris", "a\nb") && overtaken.differs("uris", "a")
        );
    }
}
