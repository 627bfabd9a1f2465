//! The life of a version as a state machine: each step leads from some states to one other, and is refused in all
//! others.

use std::fmt;

use berth_base::{
    error::{Code, Error, Result},
    text::text_enum,
};

text_enum! {
    /// The state of a version.
    #[schema(as = VersionState)]
    State {
        /// Uploaded. The package may be replaced as long as the version was never submitted.
        Development = "development",
        /// Submitted: the package is frozen, and the audit judges it.
        Auditing = "auditing",
        /// Every host app of the audit has approved it. It may be published or released in grayscale.
        Approved = "approved",
        /// A policy or a host app rejected it. The same bytes may be submitted again; a mended package needs a greater
        /// number.
        Rejected = "rejected",
        /// It is the version that everyone gets.
        Online = "online",
        /// It was online, and another version has taken its place.
        Historical = "historical",
        /// It was deleted. Its number cannot be used again.
        Deleted = "deleted",
    }
}

/// A transition in the life of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The team submits it for audit (V4).
    Submit,
    /// The team takes it back from the audit (V4).
    Withdraw,
    /// The audit ended with an approval (V5).
    Approve,
    /// The audit ended with a rejection (V5).
    Reject,
    /// It goes online by a publish: for the first time, or once more after a rollback has led below it (V7, V9).
    Publish,
    /// Another version takes its place online.
    Retire,
    /// It goes online again by a rollback (V9).
    RollBackTo,
    /// The team deletes it.
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
    /// The state that `step` leads to.
    ///
    /// # Errors
    /// `version-state`, naming the state and the step, when this state does not allow the step.
    pub fn after(self, step: Step) -> Result<Self> {
        match (self, step) {
            (Self::Development | Self::Rejected, Step::Submit) => Ok(Self::Auditing),
            (Self::Auditing, Step::Withdraw) => Ok(Self::Development),
            (Self::Auditing, Step::Approve) => Ok(Self::Approved),
            (Self::Auditing, Step::Reject) => Ok(Self::Rejected),
            (Self::Approved | Self::Historical, Step::Publish) => Ok(Self::Online),
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
            (Self::Online, Step::Publish) => " Everyone gets it already.",
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
    fn v9_what_was_online_comes_back_by_a_publish_or_by_a_rollback() {
        let ways = [Step::Publish, Step::RollBackTo].map(|step| State::Historical.after(step).ok());
        assert_eq!(ways, [Some(State::Online); 2]);
    }

    #[test]
    fn nothing_leaves_deleted() {
        assert!(STEPS.iter().all(|step| State::Deleted.after(*step).is_err()));
    }
}
