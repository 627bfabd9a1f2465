//! The world `auditor`: judges a version before people do.

use crate::{
    Exported, Exports, Policy,
    bindings::{berth::policy::contents, exports::berth::policy::audit},
    package::Package,
};
pub use audit::{Finding, Place, Severity};

/// An auditor judges a version before people do.
pub trait Auditor: Policy {
    /// Judges a package, and returns the findings; there are none when all is well. An error means that the policy
    /// could not judge, and is never a judgement.
    fn audit(&self, package: &dyn Package) -> Result<Vec<Finding>, String>;
}

impl<P: Exported + Auditor> audit::Guest for Exports<P> {
    fn audit(subject: &contents::Archive) -> Result<Vec<Finding>, String> {
        P::configured()?.audit(subject)
    }
}

impl Finding {
    /// A finding for the reader's information. `rule` must be stable, kebab-case and unique in the policy.
    pub fn note(rule: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, rule, message)
    }

    /// A finding at which people should look before they approve the version. `rule` is as for [`Finding::note`].
    pub fn warning(rule: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, rule, message)
    }

    /// A finding that rejects the version when the policy is bound in mode `enforce`. `rule` is as for
    /// [`Finding::note`].
    pub fn error(rule: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, rule, message)
    }

    /// A finding with this severity, without a place and a fix.
    pub fn new(severity: Severity, rule: &str, message: impl Into<String>) -> Self {
        Self { rule: rule.into(), severity, message: message.into(), place: None, fix: None }
    }

    /// Sets where it was found.
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Sets what to do about it, in words.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

impl Place {
    /// The beginning of a file, for findings that concern the whole of it.
    pub fn file(path: &str) -> Self {
        Self { path: path.into(), line: 1, column: 1 }
    }
}
