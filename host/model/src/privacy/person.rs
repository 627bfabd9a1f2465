//! A user as this host knows them: exported and erased on their word, which the host app's server brings (D13).

use std::collections::BTreeSet;

use berth_base::{
    clock::Millis,
    ids::{HostAppId, MessageTemplateId, MiniAppId},
};
use serde::{Deserialize, Serialize};

use super::PrivacyConsentRecord;
use crate::{
    identity::{RecognitionHeld, UserLink},
    log::LogEntry,
    login_entry::UserLoginBinding,
    message::{BothLanguages, MessageToShow, UserMessage},
    oidc::SignOnHeld,
};

/// The user who is to be exported or erased.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedUser {
    /// The account that is logged in to the host app.
    pub account: String,
    /// Id of the MiniApp; all MiniApps that the user has used in the host app when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mini_app: Option<MiniAppId>,
}

/// Everything that is held about a user of a host app.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct UserExport {
    /// Id of the host app.
    pub host_app: HostAppId,
    /// The account there.
    pub account: String,
    /// When it was exported.
    pub exported_at: Millis,
    /// The MiniApps of which the user is known, by id. OpenIDs are not held, only hashes of them.
    pub mini_apps: Vec<UserOfMiniApp>,
    /// What the user has agreed to be told to partners of MiniApps, those that ended too, oldest first.
    pub links: Vec<UserLink>,
    /// At which official accounts the user is recognised, oldest first.
    #[serde(default)]
    pub recognitions: Vec<RecognitionHeld>,
    /// Who the user is at login entries of MiniApps, those that ended too, oldest first.
    #[serde(default)]
    pub login_bindings: Vec<UserLoginBinding>,
    /// What browsers of the user have with this host by unified authentication, the oldest first.
    #[serde(default)]
    pub sign_ons: Vec<SignOnHeld>,
    /// The messages to the user whose text is still in the event log, oldest first.
    pub messages: Vec<MessageToShow>,
    /// The newest entries of real-time logs that name the account, at most 1,000.
    pub log_entries: Vec<LogEntry>,
    /// Whether there are more entries.
    pub more_log_entries: bool,
}

/// What is held about a user of one MiniApp.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct UserOfMiniApp {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Since when the user is known.
    pub known_since: Millis,
    /// When the user has last logged in; absent when never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logged_in_at: Option<Millis>,
    /// Whether there is a session key.
    pub has_session: bool,
    /// Whether the MiniApp is told which user this is in other MiniApps of its team. Union ids are not held.
    #[serde(default)]
    pub has_union_id: bool,
    /// What the user has said to privacy agreements, oldest first.
    pub privacy_consents: Vec<PrivacyConsentRecord>,
    /// The subscription messages that the user has been asked about.
    pub subscriptions: Vec<SubscriptionHeld>,
    /// The messages of the last 90 days, oldest first.
    pub messages: Vec<UserMessage>,
}

/// What is held about a user's consent to subscription messages.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct SubscriptionHeld {
    /// Id of the template.
    pub template: MessageTemplateId,
    /// The title of its messages.
    pub title: BothLanguages,
    /// How many messages the user allows.
    pub allowed: i64,
    /// Minutes by which the user's clock is ahead of UTC.
    pub utc_offset: i64,
    /// When it changed last.
    pub updated_at: Millis,
}

/// A user of a host app was erased in a MiniApp. Who it was is not said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct UserErasedIn {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Id of the host app.
    pub host_app: HostAppId,
}

/// How much was erased of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct UserErased {
    /// The MiniApps in which something was, by id.
    pub mini_apps: BTreeSet<MiniAppId>,
    /// Login codes that were not exchanged yet.
    pub login_codes: u64,
    /// Sign-ons of browsers, and authorisation codes and access tokens that came from them.
    #[serde(default)]
    pub sign_ons: u64,
    /// Session keys.
    pub session_keys: u64,
    /// Records of consents to privacy agreements.
    pub privacy_consents: u64,
    /// Consents to subscription messages.
    pub subscriptions: u64,
    /// Links between MiniApps, those that had ended too.
    pub links: u64,
    /// Recognitions at official accounts.
    #[serde(default)]
    pub recognitions: u64,
    /// Bindings at login entries, those that had ended too.
    #[serde(default)]
    pub login_bindings: u64,
    /// Messages.
    pub messages: u64,
    /// Events that named the user, and are without the name and what was said now.
    pub events: u64,
    /// Entries of real-time logs.
    pub log_entries: u64,
}

impl UserErased {
    /// Adds what was erased besides. Returns `false` when that was nothing.
    pub fn add(&mut self, more: Self) -> bool {
        let Self {
            mini_apps,
            login_codes,
            sign_ons,
            session_keys,
            privacy_consents,
            subscriptions,
            links,
            recognitions,
            login_bindings,
            messages,
            events,
            log_entries,
        } = more;
        let was_any = !mini_apps.is_empty();
        self.mini_apps.extend(mini_apps);
        for (sum, count) in [
            (&mut self.login_codes, login_codes),
            (&mut self.sign_ons, sign_ons),
            (&mut self.session_keys, session_keys),
            (&mut self.privacy_consents, privacy_consents),
            (&mut self.subscriptions, subscriptions),
            (&mut self.links, links),
            (&mut self.recognitions, recognitions),
            (&mut self.login_bindings, login_bindings),
            (&mut self.messages, messages),
            (&mut self.events, events),
            (&mut self.log_entries, log_entries),
        ] {
            *sum += count;
        }
        was_any
    }
}
