//! The privacy agreement of a MiniApp: what personal information is collected and why, in versions (D5, D9–D14).
//!
//! A team edits a draft and publishes it as a version, which never changes. What a version says is made into a text in both
//! languages from a template, and kept. Users consent to a version; whether they are asked again for a later one follows from
//! what has changed.

mod agreement;
mod change;
mod consent;
mod kind;
mod person;
mod runtime;
mod text;
mod version;
mod words;

pub use agreement::{Collected, PrivacyAgreement, PrivacyContact, PrivacyFault, PrivacySdk};
pub use change::{PrivacyChange, PrivacyChangeOf, PrivacyHow, changes, renews};
pub use consent::{
    AgreeToPrivacy, CheckPrivacyConsent, PrivacyChecked, PrivacyConsentQuery, PrivacyConsentRecord, PrivacyConsentStep,
    PrivacyConsents, WithdrawPrivacy, consents,
};
pub use kind::{ComponentUse, KindOfInfo, PersonalKind, kinds};
pub use person::{NamedUser, SubscriptionHeld, UserErased, UserErasedIn, UserExport, UserOfMiniApp};
pub use runtime::{DeclaredInfo, DeclaredPrivacy, PrivacyRuntime};
pub use text::{PrivacyText, PrivacyTexts, TextFormat, texts};
pub use version::{
    NewPrivacyVersion, PrivacyChanges, PrivacyChangesQuery, PrivacyDraft, PrivacyDraftChanged, PrivacyDraftTextQuery,
    PrivacyHead, PrivacyPublished, PrivacyTextQuery, PrivacyVersion,
};
pub use words::{Language, Reworded, Words};
