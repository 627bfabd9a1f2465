//! The life of a version. Steps consume a state and give the next one, or say why not.

use std::fmt;

use crate::{
    error::{Code, Error, Result},
    text::text_enum,
};

text_enum! {
    /// Where a version is in its life.
    #[schema(as = VersionState)]
    State {
        /// Uploaded, may be replaced until it is first submitted.
        Development = "development",
        /// Frozen, being judged.
        Auditing = "auditing",
        /// All host apps approved; may be published or released in grayscale.
        Approved = "approved",
        /// A policy or a host app rejected it. Its bytes may be submitted again; mended ones need a greater number.
        Rejected = "rejected",
        /// What host apps run.
        Online = "online",
        /// Was online.
        Historical = "historical",
        /// Deleted; its number never comes back with other bytes.
        Deleted = "deleted",
    }
}

/// What may happen to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its team asks for the audit (V4).
    Submit,
    /// Its team takes it back (V4).
    Withdraw,
    /// The audit ended well (V5).
    Approve,
    /// The audit ended badly (V5).
    Reject,
    /// It goes online (V7).
    Publish,
    /// Another one went online.
    Retire,
    /// It goes online again (V9).
    RollBackTo,
    /// Its team deletes it.
    Delete,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Submit => "submitted",
            Self::Withdraw => "withdrawn",
            Self::Approve => "approved",
            Self::Reject => "rejected",
            Self::Publish => "published",
            Self::Retire => "retired",
            Self::RollBackTo => "rolled back to",
            Self::Delete => "deleted",
        })
    }
}

impl State {
    /// The state after `step`.
    ///
    /// # Errors
    /// `version-state`, naming the state and the step.
    pub fn after(self, step: Step) -> Result<Self> {
        match (self, step) {
            (Self::Development | Self::Rejected, Step::Submit) => Ok(Self::Auditing),
            (Self::Auditing, Step::Withdraw) => Ok(Self::Development),
            (Self::Auditing, Step::Approve) => Ok(Self::Approved),
            (Self::Auditing, Step::Reject) => Ok(Self::Rejected),
            (Self::Approved, Step::Publish) => Ok(Self::Online),
            (Self::Online, Step::Retire) => Ok(Self::Historical),
            (Self::Historical, Step::RollBackTo) => Ok(Self::Online),
            (Self::Development, Step::Delete) => Ok(Self::Deleted),
            (state, step) => Err(state.refuse(step)),
        }
    }

    fn refuse(self, step: Step) -> Error {
        let hint = match (self, step) {
            (Self::Development, Step::Publish) => " Submit it first.",
            (Self::Auditing, Step::Publish) => " Wait for the audit to end.",
            (Self::Rejected, Step::Publish) => " Read its findings, mend it and upload a new version.",
            (Self::Historical, Step::Publish) => " Use rollback to bring back a version that was online.",
            (Self::Auditing, Step::Delete) => " Withdraw it first.",
            (Self::Rejected, Step::Delete) => {
                " It stays as the record of its audit; raise the version and upload anew."
            }
            _ => "",
        };
        Error::new(Code::VersionState, format!("A version in state {self} cannot be {step}.{hint}")).with("state", self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Step; 8] = [
        Step::Submit,
        Step::Withdraw,
        Step::Approve,
        Step::Reject,
        Step::Publish,
        Step::Retire,
        Step::RollBackTo,
        Step::Delete,
    ];

    #[test]
    fn i4_only_what_was_approved_comes_online() {
        for state in State::ALL {
            for step in STEPS {
                if state.after(step).ok() == Some(State::Online) {
                    assert!(matches!(state, State::Approved | State::Historical), "{state} {step}");
                }
            }
        }
    }

    #[test]
    fn v4_withdraw_returns_to_development() {
        assert_eq!(State::Auditing.after(Step::Withdraw).ok(), Some(State::Development));
    }

    #[test]
    fn nothing_leaves_deleted() {
        assert!(STEPS.iter().all(|step| State::Deleted.after(*step).is_err()));
    }
}
