//! The registry of policies: which are installed, and where they are binding.

mod binding;
mod install;
mod scope;
mod trust;
mod watch;

pub use binding::{NewPolicyBinding, PolicyBinding, PolicyBindingPatch, PolicyBindingQuery, ScopedPolicyBinding};
pub use install::{InstalledPolicy, PolicyQuery};
pub use scope::{Level, PolicyScope, ScopeKind};
pub use trust::{
    Algorithm, Identity, NewTrustedKey, PolicyOrigin, PolicyPull, PolicyUpload, RemovedKey, SetSigningRule, SignedWhat,
    Signer, SigningRule, TrustScope, TrustedKey,
};
pub use watch::Watch;

use berth_base::text::text_enum;

text_enum! {
    /// Whether the judgement of a policy decides.
    #[derive(Default)]
    Mode {
        /// The judgement decides.
        #[default]
        Enforce = "enforce",
        /// The judgement is recorded, and decides nothing.
        Shadow = "shadow",
    }
}

text_enum! {
    /// What it means that a policy gave no verdict. It never means "pass" unless somebody has chosen `open`.
    #[derive(Default)]
    OnError {
        /// The policy counts as having objected.
        #[default]
        Closed = "closed",
        /// The policy counts as not having been asked.
        Open = "open",
    }
}
