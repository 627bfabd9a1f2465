//! The world `auditor`: judges a version before people do.

use crate::{
    Exported, Exports, Policy,
    bindings::{berth::policy::contents, exports::berth::policy::audit},
    package::Package,
};
pub use audit::{Finding, Place, Severity};

/// Judges a version before people do.
pub trait Auditor: Policy {
    /// What is to be said of the package; an empty list when nothing is. An error is the policy's own failure ("I
    /// could not judge"), never a judgement.
    fn audit(&self, package: &dyn Package) -> Result<Vec<Finding>, String>;
}

impl<P: Exported + Auditor> audit::Guest for Exports<P> {
    fn audit(subject: &contents::Archive) -> Result<Vec<Finding>, String> {
        P::configured()?.audit(subject)
    }
}

impl Finding {
    /// For the reader's information. `rule` is stable, kebab-case and unique in the policy.
    pub fn note(rule: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, rule, message)
    }

    /// People should look before they approve.
    pub fn warning(rule: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, rule, message)
    }

    /// In mode `enforce` this rejects the version.
    pub fn error(rule: &str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, rule, message)
    }

    /// A finding of any severity.
    pub fn new(severity: Severity, rule: &str, message: impl Into<String>) -> Self {
        Self { rule: rule.into(), severity, message: message.into(), place: None, fix: None }
    }

    /// Where it was found.
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// What to do about it.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

impl Place {
    /// The beginning of a file: what concerns the whole of it.
    pub fn file(path: &str) -> Self {
        Self { path: path.into(), line: 1, column: 1 }
    }
}
