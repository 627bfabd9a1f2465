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
pub enum Transition {
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

impl fmt::Display for Transition {
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
    /// Whether everybody gets the version or has got it.
    pub fn was_published(self) -> bool {
        matches!(self, Self::Online | Self::Historical)
    }

    /// Whether it may be submitted for audit.
    pub fn may_be_submitted(self) -> bool {
        self.after(Transition::Submit).is_ok()
    }

    /// The state that `step` leads to.
    ///
    /// # Errors
    /// `version-state`, naming the state and the step, when this state does not allow the step.
    pub fn after(self, step: Transition) -> Result<Self> {
        match (self, step) {
            (Self::Development | Self::Rejected, Transition::Submit) => Ok(Self::Auditing),
            (Self::Auditing, Transition::Withdraw) => Ok(Self::Development),
            (Self::Auditing, Transition::Approve) => Ok(Self::Approved),
            (Self::Auditing, Transition::Reject) => Ok(Self::Rejected),
            (Self::Approved | Self::Historical, Transition::Publish) => Ok(Self::Online),
            (Self::Online, Transition::Retire) => Ok(Self::Historical),
            (Self::Historical, Transition::RollBackTo) => Ok(Self::Online),
            (Self::Development, Transition::Delete) => Ok(Self::Deleted),
            (state, step) => Err(state.refuse(step)),
        }
    }

    fn refuse(self, step: Transition) -> Error {
        let hint = match (self, step) {
            (Self::Development, Transition::Publish) => " Submit it first.",
            (Self::Auditing, Transition::Publish) => " Wait for the audit to end.",
            (Self::Rejected, Transition::Publish) => " Read its findings, mend it and upload a new version.",
            (Self::Online, Transition::Publish) => " Everyone gets it already.",
            (Self::Auditing, Transition::Delete) => " Withdraw it first.",
            (Self::Rejected, Transition::Delete) => {
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

    const STEPS: [Transition; 8] = [
        Transition::Submit,
        Transition::Withdraw,
        Transition::Approve,
        Transition::Reject,
        Transition::Publish,
        Transition::Retire,
        Transition::RollBackTo,
        Transition::Delete,
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
        assert_eq!(State::Auditing.after(Transition::Withdraw).ok(), Some(State::Development));
    }

    #[test]
    fn v9_what_was_online_comes_back_by_a_publish_or_by_a_rollback() {
        let ways = [Transition::Publish, Transition::RollBackTo].map(|step| State::Historical.after(step).ok());
        assert_eq!(ways, [Some(State::Online); 2]);
    }

    #[test]
    fn nothing_leaves_deleted() {
        assert!(STEPS.iter().all(|step| State::Deleted.after(*step).is_err()));
    }
}
