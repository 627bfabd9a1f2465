//! Permits: what a MiniApp may do in one host app and not in others. Its team applies with a reason, people of the host
//! app approve, refuse or revoke, and a permit may end by time (D2, D3). Both kinds of permits take the same way.

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{HostAppId, MiniAppId, PermitId},
    page::paged,
    text::{self, text_enum},
};
use serde::{Deserialize, Serialize};

use super::ApiName;
use crate::access::Action;

text_enum! {
    /// What a permit allows.
    PermitKind {
        /// The host app does not verify the domains with which the MiniApp communicates.
        SkipDomains = "skip_domains",
        /// The MiniApp may call one API that the host app has marked as sensitive.
        SensitiveApi = "sensitive_api",
    }
}

text_enum! {
    /// The state of a permit. Only an approved one has an effect.
    PermitState {
        /// The team has applied, and the host app is to decide.
        Waiting = "waiting",
        /// The host app has approved. It is in force until its end.
        Approved = "approved",
        /// The host app has refused.
        Refused = "refused",
        /// The host app had approved and took it back.
        Revoked = "revoked",
        /// The team has withdrawn its application, or given the permit up.
        Withdrawn = "withdrawn",
        /// The time for which it was approved is over.
        Expired = "expired",
    }
}

text_enum! {
    /// A step that a permit takes.
    PermitStep {
        /// The team applies.
        Apply = "apply",
        /// The host app approves, or approves again for another time.
        Approve = "approve",
        /// The host app refuses.
        Refuse = "refuse",
        /// The host app takes back what it approved.
        Revoke = "revoke",
        /// The team withdraws.
        Withdraw = "withdraw",
        /// The time is over.
        Expire = "expire",
    }
}

impl PermitKind {
    /// What somebody in the host app must be allowed in order to decide on such a permit: letting a MiniApp talk to
    /// anybody is for admins, sensitive APIs are for auditors as well.
    pub fn decided_by(self) -> Action {
        match self {
            Self::SkipDomains => Action::Configure,
            Self::SensitiveApi => Action::Decide,
        }
    }
}

impl PermitState {
    /// Whether something can still happen to it. There is one such permit at most for the same MiniApp, host app and
    /// purpose.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Waiting | Self::Approved)
    }

    /// The state after a step; `None` when the step is not possible.
    pub fn after(self, step: PermitStep) -> Option<Self> {
        use PermitStep::{Apply, Approve, Expire, Refuse, Revoke, Withdraw};
        match (self, step) {
            (Self::Waiting | Self::Approved, Approve) => Some(Self::Approved),
            (Self::Waiting, Refuse) => Some(Self::Refused),
            (Self::Approved, Revoke) => Some(Self::Revoked),
            (Self::Waiting | Self::Approved, Withdraw) => Some(Self::Withdrawn),
            (Self::Approved, Expire) => Some(Self::Expired),
            (_, Apply | Approve | Refuse | Revoke | Withdraw | Expire) => None,
        }
    }
}

/// A permit of a MiniApp in one host app, or the application for it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct Permit {
    /// Id of the permit.
    pub id: PermitId,
    /// Id of the MiniApp that has it or applies for it.
    #[cfg_attr(feature = "sql", sqlx(rename = "mini_app_id"))]
    pub mini_app: MiniAppId,
    /// Id of the host app in which it holds.
    #[cfg_attr(feature = "sql", sqlx(rename = "host_app_id"))]
    pub host_app: HostAppId,
    /// What it allows.
    pub kind: PermitKind,
    /// The API that may be called; absent for other kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiName>,
    /// How far it is.
    pub state: PermitState,
    /// Why the team applies.
    pub reason: String,
    /// When it ends, or until when the team applies; absent for without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// Id of the account that applied.
    pub applied_by: String,
    /// When it applied.
    pub applied_at: Millis,
    /// What was said with the last step; empty for nothing.
    pub note: String,
    /// Who took the last step: the id of an account, or `berth` for the clock.
    pub changed_by: String,
    /// When the last step was taken.
    pub changed_at: Millis,
}

/// A permit with everything that happened to it, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PermitDetail {
    /// The permit as it is now.
    #[serde(flatten)]
    pub permit: Permit,
    /// The steps that led there.
    pub moves: Vec<PermitMove>,
}

/// One step of a permit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct PermitMove {
    /// What was done.
    pub step: PermitStep,
    /// The state that followed.
    pub state: PermitState,
    /// The end of the permit from then on; absent for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// Who did it: the id of an account, or `berth` for the clock.
    pub actor: String,
    /// What was said with it.
    pub note: String,
    /// When it was done.
    pub at: Millis,
}

/// When an approved permit ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PermitEnd {
    /// When it was to end before, or when the team applied for.
    #[default]
    AsBefore,
    /// At this time.
    At(Millis),
    /// Never.
    Never,
}

impl PermitEnd {
    /// The end of a permit that ended so before.
    fn after(self, before: Option<Millis>) -> Option<Millis> {
        match self {
            Self::AsBefore => before,
            Self::At(until) => Some(until),
            Self::Never => None,
        }
    }
}

/// A step with what is said with it.
#[derive(Clone, Copy, Debug)]
pub struct PermitAt<'a> {
    /// The step.
    pub step: PermitStep,
    /// Who takes it.
    pub actor: &'a str,
    /// What is said with it; may be empty.
    pub note: &'a str,
    /// The end of an approved permit.
    pub end: PermitEnd,
    /// The moment of the step.
    pub now: Millis,
}

impl Permit {
    /// Whether its time is over and the clock has still to say so.
    pub fn is_due(&self, now: Millis) -> bool {
        self.state == PermitState::Approved && self.until.is_some_and(|until| until <= now)
    }

    /// Takes a step, and returns it as a move.
    ///
    /// # Errors
    /// `permit-state` when the step is not possible; `note-required` for refusing and revoking without a note;
    /// `invalid-field` when an approved permit would have ended already.
    pub fn take(&mut self, at: &PermitAt<'_>) -> Result<PermitMove> {
        let state = self.state.after(at.step).ok_or_else(|| self.impossible(at.step))?;
        if matches!(at.step, PermitStep::Refuse | PermitStep::Revoke) && at.note.trim().is_empty() {
            let text = "Say why, so that the team knows what to change: the member `note`.";
            return Err(Error::new(Code::NoteRequired, text).with("field", "note").with("pointer", "/note"));
        }
        if at.step == PermitStep::Approve {
            self.until = at.end.after(self.until);
            check_until(self.until, at.now)?;
        }
        self.state = state;
        self.note = text::prose("note", at.note, 500)?;
        (self.changed_by, self.changed_at) = (at.actor.to_owned(), at.now);
        Ok(self.last_move(at.step))
    }

    /// The last step as a move.
    pub fn last_move(&self, step: PermitStep) -> PermitMove {
        PermitMove {
            step,
            state: self.state,
            until: self.until,
            actor: self.changed_by.clone(),
            note: self.note.clone(),
            at: self.changed_at,
        }
    }

    /// What it is for, in words: `skipping the verification of domains`, `calling getLocation`.
    pub fn purpose(&self) -> String {
        match &self.api {
            Some(api) => format!("calling {api}"),
            None => "skipping the verification of domains".into(),
        }
    }

    fn impossible(&self, step: PermitStep) -> Error {
        let Self { id, state, mini_app, host_app, .. } = self;
        let text = format!("{id} is {state}, and there is nothing to {step} any more.");
        let error = Error::new(Code::PermitState, text).with("state", state);
        match (step, state) {
            (PermitStep::Refuse, PermitState::Approved) => Error {
                detail: format!("{id} is approved already. Revoke it: `berth permit revoke {id} --note …`."),
                ..error
            },
            (PermitStep::Revoke, PermitState::Waiting) => Error {
                detail: format!("{id} was never approved. Refuse it: `berth permit refuse {id} --note …`."),
                ..error
            },
            _ => error.next(format!("berth permit list --app {mini_app} --host-app {host_app}")),
        }
    }
}

/// Refuses an end that has passed.
///
/// # Errors
/// `invalid-field` for `until`.
pub fn check_until(until: Option<Millis>, now: Millis) -> Result<()> {
    match until.filter(|until| *until <= now) {
        Some(until) => {
            Err(Error::field("until", format!("{until} has passed. Name a later time, or none for no end.")))
        }
        None => Ok(()),
    }
}

/// An application for a permit.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPermit {
    /// Id of the host app in which it is to hold. The MiniApp must be bound to it.
    pub host_app: HostAppId,
    /// What it is to allow.
    pub kind: PermitKind,
    /// The API to call, which the host app has marked as sensitive; only for `sensitive_api`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiName>,
    /// Why the MiniApp needs it, 1 to 500 characters. People of the host app decide by it.
    pub reason: String,
    /// Until when it is needed; without end when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
}

/// Who applies, and when.
#[derive(Clone, Debug)]
pub struct Apply {
    /// Id of the new permit.
    pub id: PermitId,
    /// The MiniApp that applies.
    pub mini_app: MiniAppId,
    /// The account that applies.
    pub actor: String,
    /// The moment of the application.
    pub now: Millis,
}

impl NewPermit {
    /// The permit that waits for a decision.
    ///
    /// # Errors
    /// `invalid-field` for a reason that is missing or too long, an API that is missing or too much, or an end that has
    /// passed.
    pub fn waiting(self, by: Apply) -> Result<Permit> {
        match (self.kind, &self.api) {
            (PermitKind::SensitiveApi, None) => {
                return Err(Error::field("api", "name the API that the MiniApp is to call, such as getLocation."));
            }
            (PermitKind::SkipDomains, Some(_)) => {
                return Err(Error::field(
                    "api",
                    "a permit to skip the verification of domains is for no API; leave it out.",
                ));
            }
            _ => {}
        }
        let reason = text::prose("reason", self.reason.trim(), 500)?;
        if reason.is_empty() {
            return Err(Error::field("reason", "say why the MiniApp needs it; people of the host app decide by it."));
        }
        check_until(self.until, by.now)?;
        Ok(Permit {
            id: by.id,
            mini_app: by.mini_app,
            host_app: self.host_app,
            kind: self.kind,
            api: self.api,
            state: PermitState::Waiting,
            reason,
            until: self.until,
            applied_by: by.actor.clone(),
            applied_at: by.now,
            note: String::new(),
            changed_by: by.actor,
            changed_at: by.now,
        })
    }
}

/// Why a step is taken.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StepReason)]
pub struct Reason {
    /// What is to be said with it, at most 500 characters; refusing and revoking need it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// The approval of a permit.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// What is to be said with it, at most 500 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// When the permit ends; what the team applied for when absent. An approved permit may be approved again, for
    /// another time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// Whether it has no end, whatever was applied for or approved before; not together with `until`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_end: bool,
}

impl Approve {
    /// When the permit ends.
    ///
    /// # Errors
    /// `invalid-field` for an end beside `no_end`.
    pub fn end(&self) -> Result<PermitEnd> {
        match (self.no_end, self.until) {
            (true, Some(_)) => Err(Error::field("no_end", "and `until` contradict each other. Send one of them.")),
            (true, None) => Ok(PermitEnd::Never),
            (false, until) => Ok(until.map_or(PermitEnd::AsBefore, PermitEnd::At)),
        }
    }
}

/// Which permits of a MiniApp to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MiniAppPermitQuery {
    /// Only those in this host app.
    #[serde(default)]
    pub host_app: Option<HostAppId>,
    /// Only those of this kind.
    #[serde(default)]
    pub kind: Option<PermitKind>,
    /// Only those in this state.
    #[serde(default)]
    pub state: Option<PermitState>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many permits a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}
paged!(MiniAppPermitQuery);

/// Which permits in a host app to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HostAppPermitQuery {
    /// Only those of this MiniApp.
    #[serde(default)]
    pub mini_app: Option<MiniAppId>,
    /// Only those of this kind.
    #[serde(default)]
    pub kind: Option<PermitKind>,
    /// Only those in this state; `waiting` is what there is to decide.
    #[serde(default)]
    pub state: Option<PermitState>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many permits a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}
paged!(HostAppPermitQuery);

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use berth_base::clock::SystemRandom;
    use serde_json::json;

    use super::*;
    use crate::testing::DAWN;
    use PermitState::{Approved, Expired, Refused, Revoked, Waiting, Withdrawn};
    use PermitStep::{Apply as Applies, Approve as Approves, Expire, Refuse, Revoke, Withdraw};

    #[test]
    fn d6_the_table_of_states_and_steps() {
        let table = [
            (Waiting, [None, Some(Approved), Some(Refused), None, Some(Withdrawn), None]),
            (Approved, [None, Some(Approved), None, Some(Revoked), Some(Withdrawn), Some(Expired)]),
            (Refused, [None; 6]),
            (Revoked, [None; 6]),
            (Withdrawn, [None; 6]),
            (Expired, [None; 6]),
        ];
        assert_eq!(table.map(|(state, _)| state), PermitState::ALL);
        for (state, row) in table {
            let steps = [Applies, Approves, Refuse, Revoke, Withdraw, Expire];
            assert_eq!(steps.map(|step| state.after(step)), row, "{state}");
            assert_eq!(state.is_live(), row.iter().any(Option::is_some), "what can move is live: {state}");
        }
    }

    fn applies(members: serde_json::Value) -> Result<Permit> {
        let mut new = json!({"host_app": "mall", "kind": "skip_domains", "reason": "many tenants"});
        new.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let new: NewPermit = serde_json::from_value(new).unwrap();
        let id = PermitId::generate(DAWN, &SystemRandom);
        new.waiting(Apply { id, mini_app: "shop".parse().unwrap(), actor: "usr_1".into(), now: DAWN })
    }

    fn step(permit: &mut Permit, step: PermitStep, note: &str, until: Option<Millis>) -> Result<PermitMove> {
        let end = until.map_or(PermitEnd::AsBefore, PermitEnd::At);
        permit.take(&PermitAt { step, actor: "usr_2", note, end, now: DAWN })
    }

    #[test]
    fn d2_d3_an_application_says_what_for_and_why() {
        assert_eq!(applies(json!({})).unwrap().state, Waiting);
        assert_eq!(applies(json!({"reason": "  "})).unwrap_err().fields["field"], "reason");
        assert_eq!(applies(json!({"until": DAWN})).unwrap_err().fields["field"], "until");
        assert_eq!(applies(json!({"api": "getLocation"})).unwrap_err().fields["field"], "api");
        assert_eq!(applies(json!({"kind": "sensitive_api"})).unwrap_err().fields["field"], "api");
        assert!(applies(json!({"kind": "sensitive_api", "api": "getLocation"})).is_ok());
    }

    #[test]
    fn d6_refusing_and_revoking_need_a_note_and_say_which_of_them_is_meant() {
        let mut permit = applies(json!({})).unwrap();
        assert_eq!(step(&mut permit, Refuse, " ", None).unwrap_err().code, Code::NoteRequired);
        let wrong = step(&mut permit, Revoke, "no", None).unwrap_err();
        assert!(wrong.detail.contains("berth permit refuse"), "{wrong}");
        step(&mut permit, Approves, "", None).unwrap();
        let wrong = step(&mut permit, Refuse, "no", None).unwrap_err();
        assert!(wrong.detail.contains("berth permit revoke"), "{wrong}");
        let moved = step(&mut permit, Revoke, "abused", None).unwrap();
        assert_eq!((moved.state, &*moved.note, permit.state), (Revoked, "abused", Revoked));
        assert_eq!(step(&mut permit, Approves, "", None).unwrap_err().code, Code::PermitState);
    }

    #[test]
    fn d6_the_end_is_the_approvers_or_else_the_applicants() {
        let (soon, later) = (DAWN.plus_seconds(60), DAWN.plus_seconds(600));
        let mut permit = applies(json!({"until": soon})).unwrap();
        step(&mut permit, Approves, "", None).unwrap();
        assert_eq!((permit.until, permit.is_due(DAWN), permit.is_due(soon)), (Some(soon), false, true));
        step(&mut permit, Approves, "longer", Some(later)).unwrap();
        assert_eq!((permit.until, permit.is_due(soon)), (Some(later), false));
        let mut late = Permit { until: Some(DAWN), ..applies(json!({})).unwrap() };
        assert_eq!(step(&mut late, Approves, "", None).unwrap_err().fields["field"], "until");
        step(&mut late, Approves, "", Some(soon)).unwrap();
        let never = |approve: serde_json::Value| serde_json::from_value::<Approve>(approve).unwrap().end();
        let end = never(json!({"no_end": true})).unwrap();
        late.take(&PermitAt { step: Approves, actor: "usr_2", note: "", end, now: DAWN }).unwrap();
        assert_eq!((late.until, late.is_due(later)), (None, false));
        assert_eq!(never(json!({"no_end": true, "until": soon})).unwrap_err().fields["field"], "no_end");
        assert_eq!(never(json!({"until": null})).unwrap(), PermitEnd::AsBefore);
    }
}
