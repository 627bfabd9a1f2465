//! Privacy agreements of MiniApps, consents of users to them, and what a user leaves behind (D5, D9–D14).
//!
//! The text that users read is made when a version is published and kept with it: whatever becomes of the template, what
//! somebody has agreed to stays as it was.
//!
//! Consents are no events, like logins: the host app has them from the user, and the MiniApp's server asks for them.

mod agreement;
mod consent;
mod person;
mod text;

pub use agreement::{changes, draft, kinds, publish, set_draft, version, versions};
pub use berth_model::privacy::{
    AgreeToPrivacy, CheckPrivacyConsent, KindOfInfo, NamedUser, NewPrivacyVersion, PrivacyAgreement, PrivacyChanges,
    PrivacyChangesQuery, PrivacyChecked, PrivacyConsentQuery, PrivacyConsents, PrivacyDraft, PrivacyDraftTextQuery,
    PrivacyHead, PrivacyTextQuery, PrivacyVersion, TextFormat, UserErased, UserExport, WithdrawPrivacy,
};
pub use consent::{agree, check, consents, withdraw};
pub use person::{erase, export};
pub use text::{draft_text, text};
