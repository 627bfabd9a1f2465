//! The types of events: what each means, and the JSON Schema of its `data`.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::{
    data::{
        AuditChecked, AuditClosed, AuditDecided, AuditWaits, GrayEdited, GrayFellBack, GrayMoved, MemberGranted,
        MemberRemoved, OfVersion, PolicyReplaced, Submitted, TrialCleared, Unbound,
    },
    webhook::{Webhook, WebhookPing, WebhookReplayed},
};
use berth_base::error::{Error, Result};

use crate::{
    access::{
        Account, Caller, Invitation, PasswordChanged, ProviderLinkTold, RecoveryCodeUsed, SecondFactorChanged,
        SessionEnded, SessionStarted, Team, Token, TokenScope,
    },
    app_secret::AppSecret,
    binding::Binding,
    check::CheckRecord,
    endpoint::{
        Channel, EndpointApp, Merchant, OrgNode, ProductInstance,
        authorisation::{AuthorisationView, Unclaimed},
        channel::ChannelUnbound,
        fulfilment::Fulfilment,
        membership::ProductMoved,
        org::{NodeOfEndpoint, ProductOfNode},
    },
    host_app::HostApp,
    identity::Partner,
    log::LogMasks,
    login_entry::{LoginBindingTold, LoginEntry},
    member_portal::MemberProvider,
    message::{MessageTemplate, MessageToShow, UserMessage},
    mini_app::MiniApp,
    official_account::{AccountMove, AccountTemplate, EntryPage, FanTold, OfficialAccount, TemplateMessage},
    oidc::{OidcClientChanged, OidcKeyRotated, SignIn, ToolClientChanged, ToolSecretIssued},
    policy::registry::{InstalledPolicy, PolicyBinding, SetSigningRule, TrustedKey},
    privacy::{PrivacyDraftChanged, PrivacyPublished, UserErasedIn},
    rollout::{Cohort, GrayTask},
    settings::{DomainsChanged, Permit, SensitiveApisChanged},
    user::Union,
    version::{Release, Trial, Version},
    workspace::{
        AccessChanged, Application, ContactTold, GroupTold, LinkedMiniApp, MemberTold, Workspace,
        directory::{DirectorySettings, DirectoryStuck, DirectorySynced},
    },
};

/// A type of event, as the host knows it.
pub struct EventType {
    /// The name of the type, such as `version.published`.
    pub kind: &'static str,
    /// What happened, in a sentence.
    pub says: &'static str,
    data: fn() -> Value,
}

/// The name of an event type together with the type of its data: an event of this kind cannot be told with other data.
pub struct Kind<T> {
    name: &'static str,
    data: PhantomData<fn(&T)>,
}

impl<T> Clone for Kind<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Kind<T> {}

impl<T> Kind<T> {
    const fn new(name: &'static str) -> Self {
        Self { name, data: PhantomData }
    }

    /// The name of the type, such as `version.published`.
    pub const fn name(self) -> &'static str {
        self.name
    }
}

/// Defines the constants in [`kind`], with which events are told, and the list [`ALL`], from which readers learn of
/// them.
macro_rules! catalogue {
    ($($name:ident = $kind:literal $data:ty, $says:literal;)*) => {
        /// The kinds of events, one constant for each. Each carries the type of its data.
        pub mod kind {
            use super::*;
            $(#[doc = $says] pub const $name: Kind<$data> = Kind::new($kind);)*
        }

        /// Every type of event.
        pub const ALL: &[EventType] = &[$(EventType { kind: $kind, says: $says, data: schema_of::<$data> },)*];

        #[cfg(test)]
        const NAMES: &[(&str, &str)] = &[$((stringify!($name), $kind),)*];
    };
}

catalogue! {
    ACCOUNT_CREATED = "account.created" Account, "An account was created.";
    ACCOUNT_DISABLED = "account.disabled" Account, "An account was disabled: its sessions ended, and its tokens are of no use.";
    ACCOUNT_ENABLED = "account.enabled" Account, "An account that was disabled can be used again.";
    SESSION_STARTED = "session.started" SessionStarted, "A person has signed in, or a session was started by a token.";
    SESSION_ENDED = "session.ended" SessionEnded, "A session was ended; `cause` says by what. That one ends by its time is not told.";
    PASSWORD_CHANGED = "password.changed" PasswordChanged, "The password of an account was set.";
    SECOND_FACTOR_SET_UP = "second_factor.set_up" SecondFactorChanged, "An account has a second factor from now on.";
    SECOND_FACTOR_REMOVED = "second_factor.removed" SecondFactorChanged, "The second factor of an account was removed, by its person or by an admin of the platform.";
    RECOVERY_CODE_USED = "recovery_code.used" RecoveryCodeUsed, "A recovery code took the place of the second factor.";
    PROVIDER_LINK_MADE = "provider_link.made" ProviderLinkTold, "An account was linked to a person at the identity provider, who may sign in by it.";
    PROVIDER_LINK_REMOVED = "provider_link.removed" ProviderLinkTold, "An account is not linked to a person at the identity provider any more.";
    INVITATION_ISSUED = "invitation.issued" Invitation, "Somebody was invited to an account.";
    INVITATION_ACCEPTED = "invitation.accepted" Invitation, "An invitation was accepted.";
    INVITATION_WITHDRAWN = "invitation.withdrawn" Invitation, "An invitation was withdrawn; `data` is how it was before.";
    MEMBER_GRANTED = "member.granted" MemberGranted, "An account got a role.";
    MEMBER_REMOVED = "member.removed" MemberRemoved, "An account lost its role.";
    TOKEN_ISSUED = "token.issued" Token, "A token was issued.";
    TOKEN_REVOKED = "token.revoked" Token, "A token was revoked; `data` is how it was before.";
    TEAM_CREATED = "team.created" Team, "A team was created.";
    TEAM_EDITED = "team.edited" Team, "The name of a team changed.";

    MINI_APP_CREATED = "mini_app.created" MiniApp, "A MiniApp was created.";
    MINI_APP_EDITED = "mini_app.edited" MiniApp, "The name or the description of a MiniApp changed.";
    MINI_APP_ON_SHELF = "mini_app.on_shelf" MiniApp, "A MiniApp is on the shelf: devices are served.";
    MINI_APP_OFF_SHELF = "mini_app.off_shelf" MiniApp, "A MiniApp is off the shelf: no device is served any more.";
    MINI_APP_MIN_VERSION = "mini_app.min_version" MiniApp, "The smallest version that may run changed.";
    APP_SECRET_GENERATED = "app_secret.generated" AppSecret, "The AppSecret of a MiniApp was generated.";
    APP_SECRET_RESET = "app_secret.reset" AppSecret, "The AppSecret of a MiniApp was replaced; the old one stopped at once.";
    APP_SECRET_FROZEN = "app_secret.frozen" AppSecret, "The AppSecret of a MiniApp was frozen; nothing works with it any more.";
    APP_SECRET_UNFROZEN = "app_secret.unfrozen" AppSecret, "The AppSecret of a MiniApp works again.";
    UNION_ID_SET = "union_id.set" Union, "Whether a MiniApp is told the union ids of its users has changed.";
    OIDC_CLIENT_CHANGED = "oidc.client_changed" OidcClientChanged, "The addresses to which browsers come back to a MiniApp after a login or a logout changed.";
    OIDC_KEY_ROTATED = "oidc.key_rotated" OidcKeyRotated, "Another key signs ID tokens; the former one is served until its tokens have ended.";
    LOGIN_ENTRY_SET = "login_entry.set" LoginEntry, "A provider at which users of a MiniApp log in was registered or changed.";
    LOGIN_ENTRY_REMOVED = "login_entry.removed" LoginEntry, "A login entry was removed, and with it the bindings of its users; `data` is how it was before.";
    LOGIN_BINDING_MADE = "login_binding.made" LoginBindingTold, "A user of a MiniApp has logged in at a login entry and is bound to who they are there. Who it is, is not said.";
    LOGIN_BINDING_ENDED = "login_binding.ended" LoginBindingTold, "A user of a MiniApp is not bound at a login entry any more.";
    HOST_APP_CREATED = "host_app.created" HostApp, "A host app was created.";
    HOST_APP_KEY_ROTATED = "host_app.key_rotated" HostApp, "A host app has another public key; `former_keys` says until when the old one works.";
    HOST_APP_KEY_ENDS = "host_app.key_ends" HostApp, "When a former key of a host app ends was changed; `former_keys` says to when.";
    BINDING_ASKED = "binding.asked" Binding, "One side asked that a MiniApp be bound to a host app; the other has to agree.";
    BINDING_CREATED = "binding.created" Binding, "A MiniApp was bound to a host app.";
    BINDING_REMOVED = "binding.removed" Unbound, "A MiniApp is no longer bound to a host app.";
    BINDING_AUDIT_WAITS = "binding.audit_waits" AuditWaits, "A version of a bound MiniApp waits for the decision of the host app.";
    BINDING_ONLINE = "binding.online" Release, "Another version of a bound MiniApp is online, by a publish or a rollback.";
    BINDING_OFF_SHELF = "binding.off_shelf" MiniApp, "A bound MiniApp was taken off the shelf, `shelf_note` says why: it must not run.";
    PARTNER_ASKED = "partner.asked" Partner, "One team asked that a MiniApp be the partner of another one; the other team has to agree.";
    PARTNER_AGREED = "partner.agreed" Partner, "A MiniApp is the partner of another one: its server may swap the OpenIDs of users who agree.";
    PARTNER_ENDED = "partner.ended" Partner, "A MiniApp is no partner of another one any more; `data` is how it was before.";
    BINDING_ON_SHELF = "binding.on_shelf" MiniApp, "A bound MiniApp is on the shelf again.";

    MESSAGE_TEMPLATE_ADDED = "message_template.added" MessageTemplate, "A MiniApp has a template more for subscription messages.";
    MESSAGE_TEMPLATE_REMOVED = "message_template.removed" MessageTemplate, "A MiniApp does not have a template any more; nobody gets messages of it.";
    MESSAGE_SENT = "message.sent" MessageToShow, "A MiniApp sends a message to a user of the host app, who is to be shown it. The host app alone is told.";
    MESSAGE_SHOWN = "message.shown" UserMessage, "The host app has shown a message to the user.";
    MESSAGE_OPENED = "message.opened" UserMessage, "The user has opened a message.";
    MESSAGE_REFUSED = "message.refused" UserMessage, "The host app could not or would not show a message; `reason` may say why.";

    DOMAINS_CHANGED = "domains.changed" DomainsChanged, "The domains with which a MiniApp may communicate changed; `changes` says how.";
    SENSITIVE_APIS_CHANGED = "sensitive_apis.changed" SensitiveApisChanged, "A host app changed which APIs are sensitive.";
    PERMIT_APPLIED = "permit.applied" Permit, "A MiniApp applied for a permit in a host app, which is to decide.";
    PERMIT_APPROVED = "permit.approved" Permit, "A host app approved a permit, or approved it again for another time.";
    PERMIT_REFUSED = "permit.refused" Permit, "A host app refused a permit; `note` says why.";
    PERMIT_REVOKED = "permit.revoked" Permit, "A permit was taken back; `note` says why.";
    PERMIT_WITHDRAWN = "permit.withdrawn" Permit, "A team withdrew its application, or gave a permit up.";
    PERMIT_EXPIRED = "permit.expired" Permit, "The time of a permit is over.";

    PRIVACY_DRAFT_CHANGED = "privacy.draft_changed" PrivacyDraftChanged, "The draft of a MiniApp's privacy agreement changed; `changes` says how.";
    PRIVACY_PUBLISHED = "privacy.published" PrivacyPublished, "A version of a MiniApp's privacy agreement was published; `renews` says whether users are asked again.";
    USER_ERASED = "user.erased" UserErasedIn, "A user of a host app was erased in a MiniApp: what named them is gone. Who it was is not said.";

    VERSION_UPLOADED = "version.uploaded" Version, "A development version was uploaded.";
    VERSION_REPLACED = "version.replaced" Version, "A development version was uploaded again with other bytes.";
    VERSION_DELETED = "version.deleted" OfVersion, "A development version was deleted.";
    VERSION_SUBMITTED = "version.submitted" Submitted, "A version was submitted, and its audit began.";
    VERSION_WITHDRAWN = "version.withdrawn" OfVersion, "A version was withdrawn from its audit.";
    VERSION_APPROVED = "version.approved" AuditClosed, "A version was approved by all host apps.";
    VERSION_REJECTED = "version.rejected" AuditClosed, "A version was rejected, by a policy or by a person.";
    VERSION_PUBLISHED = "version.published" Release, "A version went online, for the first time or again.";
    VERSION_ROLLED_BACK = "version.rolled_back" Release, "A version that was online before is online again.";
    TRIAL_SET = "trial.set" Trial, "A version is on trial for some accounts.";
    TRIAL_CLEARED = "trial.cleared" TrialCleared, "The trial ended; `cause` says by what.";
    AUDIT_CHECKED = "audit.checked" AuditChecked, "The policies have judged; people decide now.";
    AUDIT_DECIDED = "audit.decided" AuditDecided, "A host app decided on a version.";

    GRAY_TASK_CREATED = "gray_task.created" GrayTask, "A grayscale task was created.";
    GRAY_TASK_EDITED = "gray_task.edited" GrayEdited, "A grayscale task was edited; `changes` says how.";
    GRAY_TASK_STARTED = "gray_task.started" GrayMoved, "A grayscale task began to deliver.";
    GRAY_TASK_SUSPENDED = "gray_task.suspended" GrayMoved, "A grayscale task admits nobody for now.";
    GRAY_TASK_RESUMED = "gray_task.resumed" GrayMoved, "A suspended grayscale task delivers again, or waits for its start again; `to` says which.";
    GRAY_TASK_ENDED = "gray_task.ended" GrayMoved, "A grayscale task ended; `cause` says by what.";
    GRAY_TASK_RECALLED = "gray_task.recalled" GrayMoved, "The version was taken back from those who kept it after the cap was reached.";
    GRAY_TASK_FELL_BACK = "gray_task.fell_back" GrayFellBack, "The version of a grayscale task failed so often on devices that it is not offered to them any more; told of the first such device, the 10th, the 100th and so on.";
    COHORT_CREATED = "cohort.created" Cohort, "A list of devices or accounts was uploaded.";

    POLICY_INSTALLED = "policy.installed" InstalledPolicy, "A policy was installed.";
    POLICY_REPLACED = "policy.replaced" PolicyReplaced, "A newer build of a first-party policy took the place of the older one.";
    POLICY_REMOVED = "policy.removed" InstalledPolicy, "A policy was removed.";
    POLICY_SHIPPED = "policy.shipped" InstalledPolicy, "A policy that is installed came once more, from another place or with a further signature.";
    POLICY_KEY_TRUSTED = "policy.key_trusted" TrustedKey, "A key whose signatures of policies are trusted was added.";
    POLICY_KEY_REMOVED = "policy.key_removed" TrustedKey, "A key is not trusted any more.";
    POLICY_SIGNING_SET = "policy.signing_set" SetSigningRule, "Signatures of policies are required, or not any more.";
    POLICY_BOUND = "policy.bound" PolicyBinding, "A policy was bound.";
    POLICY_REBOUND = "policy.rebound" PolicyBinding, "A binding of a policy changed.";
    POLICY_UNBOUND = "policy.unbound" PolicyBinding, "A binding of a policy was taken away.";

    MERCHANT_CREATED = "merchant.created" Merchant, "A merchant was created.";
    MERCHANT_EDITED = "merchant.edited" Merchant, "The name or a setting of a merchant changed.";

    CHANNEL_AUTHORISATION_STARTED = "channel_authorisation.started" AuthorisationView, "The authorisation of a channel began, or began again.";
    CHANNEL_AUTHORISATION_AUTHORISED = "channel_authorisation.authorised" AuthorisationView, "The merchant agreed on the channel's platform.";
    CHANNEL_AUTHORISATION_GRANTED = "channel_authorisation.granted" AuthorisationView, "What the merchant granted is recorded.";
    CHANNEL_AUTHORISATION_CHOOSING = "channel_authorisation.choosing" AuthorisationView, "Somebody must say which endpoint application the channel is for.";
    CHANNEL_AUTHORISATION_TARGET_CHOSEN = "channel_authorisation.target_chosen" AuthorisationView, "Somebody said which endpoint application the channel is for; the run goes on.";
    CHANNEL_AUTHORISATION_BOUND = "channel_authorisation.bound" AuthorisationView, "The channel is authorised and bound to its endpoint application.";
    CHANNEL_AUTHORISATION_ABANDONED = "channel_authorisation.abandoned" AuthorisationView, "The authorisation of a channel was given up, by hand or by time.";
    CHANNEL_AUTHORISATION_FAILED = "channel_authorisation.failed" AuthorisationView, "The authorisation of a channel failed; `reason` says why.";
    WECHAT_ACCOUNT_UNCLAIMED = "wechat_account.unclaimed" Unclaimed, "A WeChat account that no merchant here has authorised us on WeChat's own pages.";
    PRODUCT_INSTANCE_CREATED = "product_instance.created" ProductInstance, "The first message about a product instance was applied.";
    PRODUCT_INSTANCE_CHANGED = "product_instance.changed" ProductInstance, "A message changed a product instance: its state, its time or its name.";
    PRODUCT_INSTANCE_EXPIRED = "product_instance.expired" ProductInstance, "The time of a product instance is over; a renewal brings it back.";
    FULFILMENT_PARKED = "fulfilment.parked" Fulfilment, "A fulfilment message cannot be applied, and waits.";
    FULFILMENT_APPLIED = "fulfilment.applied" Fulfilment, "A fulfilment message that waited was applied.";
    FULFILMENT_CORRECTED = "fulfilment.corrected" Fulfilment, "A fulfilment message that waited was replayed with a correction that has another id.";
    FULFILMENT_DISCARDED = "fulfilment.discarded" Fulfilment, "Somebody decided that a fulfilment message that waited is not to be applied; `note` says why.";
    ENDPOINT_CREATED = "endpoint.created" EndpointApp, "An endpoint application was created; what it holds is told by events of its own.";
    ENDPOINT_EDITED = "endpoint.edited" EndpointApp, "The name of an endpoint application changed.";
    ENDPOINT_DELETED = "endpoint.deleted" EndpointApp, "An endpoint application was deleted; that its assignments ended is told by events of their own.";
    ENDPOINT_PRODUCT_ADDED = "endpoint.product_added" ProductMoved, "An endpoint application holds one more product instance.";
    ENDPOINT_PRODUCT_REMOVED = "endpoint.product_removed" ProductMoved, "An endpoint application does not hold a product instance any more.";
    ENDPOINT_ORG_NODE_REMOVED = "endpoint.org_node_removed" NodeOfEndpoint, "An endpoint application is not assigned to an organisation node any more.";
    ORG_NODE_PRODUCT_CLOSED = "org_node.product_closed" ProductOfNode, "A product instance is not open on an organisation node any more.";

    CHANNEL_AUTHORISED = "channel.authorised" Channel, "A merchant authorised a channel, for the first time or again.";
    CHANNEL_EDITED = "channel.edited" Channel, "The name of a channel changed.";
    CHANNEL_UNAUTHORISED = "channel.unauthorised" Channel, "The authorisation of a channel was taken back where the channel is.";
    CHANNEL_BOUND = "channel.bound" Channel, "A channel reaches an endpoint application.";
    CHANNEL_UNBOUND = "channel.unbound" ChannelUnbound, "A channel does not reach an endpoint application any more; `from` says which.";
    CHANNEL_DELETED = "channel.deleted" Channel, "A merchant gave a channel up.";

    OFFICIAL_ACCOUNT_ADDED = "official_account.added" OfficialAccount, "An official account was added, to be shared or for one merchant.";
    OFFICIAL_ACCOUNT_EDITED = "official_account.edited" OfficialAccount, "The name or the state of an official account changed, or how this host acts for it.";
    OFFICIAL_ACCOUNT_SECRET_CHANGED = "official_account.secret_changed" OfficialAccount, "This host acts for an official account by another secret.";
    OFFICIAL_ACCOUNT_REMOVED = "official_account.removed" OfficialAccount, "An official account was removed, with the bindings that it may have had.";
    OFFICIAL_ACCOUNT_TEMPLATE_SET = "official_account.template_set" AccountTemplate, "A name stands for a template of an official account.";
    OFFICIAL_ACCOUNT_TEMPLATE_REMOVED = "official_account.template_removed" AccountTemplate, "A name does not stand for a template of an official account any more.";
    OFFICIAL_ACCOUNT_MOVED = "official_account.moved" AccountMove, "A merchant moves from one official account to another, which it prefers from now on.";
    ENTRY_PAGE_SET = "entry_page.set" EntryPage, "Entry links of a merchant lead to a page.";
    ENTRY_PAGE_REMOVED = "entry_page.removed" EntryPage, "Entry links of a merchant do not lead to a page any more.";
    FAN_BOUND = "fan.bound" FanTold, "A member of a merchant is bound at an official account. The OpenID is not told.";
    FAN_UNBOUND = "fan.unbound" FanTold, "A member of a merchant is not bound at an official account any more.";
    TEMPLATE_MESSAGE_SENT = "template_message.sent" TemplateMessage, "WeChat has taken a template message; `app_id` says by which account.";
    TEMPLATE_MESSAGE_REFUSED = "template_message.refused" TemplateMessage, "WeChat refused a template message by every account that was tried; `tried` says why.";
    TEMPLATE_MESSAGE_UNKNOWN = "template_message.unknown" TemplateMessage, "No answer came about a template message: WeChat may have taken it or not.";

    ORG_NODE_CREATED = "org_node.created" OrgNode, "An organisation node was created.";
    ORG_NODE_EDITED = "org_node.edited" OrgNode, "An organisation node was renamed, moved or limited.";
    ORG_NODE_DELETED = "org_node.deleted" OrgNode, "An organisation node was deleted.";
    ORG_NODE_PRODUCT_OPENED = "org_node.product_opened" ProductOfNode, "A product instance was opened on an organisation node.";
    ENDPOINT_ORG_NODE_ADDED = "endpoint.org_node_added" NodeOfEndpoint, "An endpoint application was assigned to an organisation node.";

    WORKSPACE_CREATED = "workspace.created" Workspace, "A workspace was created.";
    WORKSPACE_EDITED = "workspace.edited" Workspace, "The name of a workspace changed.";
    WORKSPACE_MEMBER_CREATED = "workspace.member_created" MemberTold, "A member came into the address book of a workspace.";
    WORKSPACE_MEMBER_CHANGED = "workspace.member_changed" MemberTold, "What the address book has of a member changed.";
    WORKSPACE_MEMBER_DELETED = "workspace.member_deleted" MemberTold, "A member left the address book of a workspace.";
    WORKSPACE_GROUP_CREATED = "workspace.group_created" GroupTold, "A department or a tag came into the address book of a workspace.";
    WORKSPACE_GROUP_CHANGED = "workspace.group_changed" GroupTold, "A department or a tag changed, or who is in it.";
    WORKSPACE_GROUP_DELETED = "workspace.group_deleted" GroupTold, "A department or a tag left the address book of a workspace.";
    WORKSPACE_CONTACT_ADDED = "workspace.contact_added" ContactTold, "A workspace has an external contact more.";
    WORKSPACE_CONTACT_REMOVED = "workspace.contact_removed" ContactTold, "A workspace does not have an external contact any more.";
    WORKSPACE_APPLICATION_ADDED = "workspace.application_added" Application, "A workspace has an application more.";
    WORKSPACE_APPLICATION_EDITED = "workspace.application_edited" Application, "An application of a workspace was edited.";
    WORKSPACE_APPLICATION_REMOVED = "workspace.application_removed" Application, "A workspace does not have an application any more.";
    WORKSPACE_MINI_APP_LINKED = "workspace.mini_app_linked" LinkedMiniApp, "A workspace has linked a MiniApp.";
    WORKSPACE_MINI_APP_UNLINKED = "workspace.mini_app_unlinked" LinkedMiniApp, "A workspace does not link a MiniApp any more.";
    WORKSPACE_SIGN_IN_SET = "workspace.sign_in_set" SignIn, "A workspace has said where its members sign on, and whom they ask.";
    WORKSPACE_PROVIDER_SET = "workspace.provider_set" MemberProvider, "A workspace has said at which identity provider its members sign in.";
    WORKSPACE_PROVIDER_REMOVED = "workspace.provider_removed" MemberProvider, "The members of a workspace do not sign in at an identity provider any more.";
    WORKSPACE_MEMBER_FORGOTTEN = "workspace.member_forgotten" MemberTold, "Who a member is at the identity provider was forgotten; the next one whom it names so is the member.";
    WORKSPACE_TOOL_CLIENT_CHANGED = "workspace.tool_client_changed" ToolClientChanged, "What an internal tool has registered as an OpenID client changed.";
    WORKSPACE_TOOL_SECRET_ISSUED = "workspace.tool_secret_issued" ToolSecretIssued, "An internal tool has a new client secret; with `reset` in place of another one, whose tokens ended.";
    WORKSPACE_DIRECTORY_SET = "workspace.directory_set" DirectorySettings, "It was set from where the address book of a workspace is pulled.";
    WORKSPACE_DIRECTORY_REMOVED = "workspace.directory_removed" DirectorySettings, "The address book of a workspace is not pulled any more; it stays as it is.";
    WORKSPACE_DIRECTORY_SYNCED = "workspace.directory_synced" DirectorySynced, "A sync changed the address book of a workspace.";
    WORKSPACE_DIRECTORY_STUCK = "workspace.directory_stuck" DirectoryStuck, "A sync was refused or failed, for another reason than the one before, and changed nothing.";
    WORKSPACE_ACCESS_SET = "workspace.access_set" AccessChanged, "An application or a linked MiniApp was given to others, or taken from them.";

    CHECK_RECORD_STARTED = "check_record.started" CheckRecord, "The devices that ask for a MiniApp are recorded, in place of what was recorded before; they are not named.";
    CHECK_RECORD_DELETED = "check_record.deleted" CheckRecord, "The record of the devices that asked for a MiniApp was ended, and all of it deleted.";

    LOG_MASKS_SET = "log_masks.set" LogMasks, "What is masked in real-time logs changed, on the whole host or for one MiniApp.";

    WEBHOOK_CREATED = "webhook.created" Webhook, "A webhook was created.";
    WEBHOOK_EDITED = "webhook.edited" Webhook, "A webhook was edited, enabled or disabled.";
    WEBHOOK_DISABLED = "webhook.disabled" Webhook, "Berth disabled a webhook: its receiver says that it is gone.";
    WEBHOOK_DELETED = "webhook.deleted" Webhook, "A webhook was deleted.";
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated" Webhook, "A webhook got another secret.";
    WEBHOOK_REPLAYED = "webhook.replayed" WebhookReplayed, "Events are delivered to a webhook again.";
    WEBHOOK_PING = "webhook.ping" WebhookPing, "A message that tries a webhook; it is sent to that one only and is not in the log.";
}

/// A type of event, as the API lists it.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct EventTypeView {
    /// The name, such as `version.published`. CloudEvents carry it as `dev.berth.version.published`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, in a sentence.
    pub summary: String,
    /// The path of the JSON Schema of `data` on this host.
    pub schema: String,
}

impl EventType {
    /// The type with this name, if there is one.
    pub fn of(kind: &str) -> Option<&'static Self> {
        ALL.iter().find(|one| one.kind == kind)
    }

    /// The path of its schema on this host.
    pub fn path(&self) -> String {
        format!("/v1/event-types/{}", self.kind)
    }

    /// The JSON Schema (2020-12) of `data`, which refers to nothing outside itself.
    pub fn schema(&self) -> Value {
        let mut document = match (self.data)() {
            Value::Object(schema) => schema,
            other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
        };
        document.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        document.insert("$id".into(), json!(self.path()));
        document.insert("title".into(), json!(self.kind));
        document.insert("description".into(), json!(self.says));
        Value::Object(document)
    }
}

/// Every type of event. Any token that may read anything may ask.
pub fn list(caller: &Caller) -> Result<Vec<EventTypeView>> {
    caller.require_scope(TokenScope::Read)?;
    let view = |one: &EventType| EventTypeView { kind: one.kind.into(), summary: one.says.into(), schema: one.path() };
    Ok(ALL.iter().map(view).collect())
}

/// The JSON Schema of one type.
///
/// # Errors
/// `not-found` when there is no such type.
pub fn schema(caller: &Caller, kind: &str) -> Result<Value> {
    caller.require_scope(TokenScope::Read)?;
    EventType::of(kind).map(EventType::schema).ok_or_else(|| Error::not_found("event type", kind))
}

/// The schema that the API document has for `T`, with the schemas that it refers to under `$defs`.
fn schema_of<T: PartialSchema + ToSchema>() -> Value {
    let mut named = Vec::new();
    T::schemas(&mut named);
    let mut schema = serde_json::to_value(T::schema()).unwrap_or_default();
    let definitions = named.into_iter().map(|(name, one)| (name, serde_json::to_value(one).unwrap_or_default()));
    let definitions: Map<String, Value> = definitions.collect();
    if !definitions.is_empty() {
        schema["$defs"] = Value::Object(definitions);
    }
    point_inside(&mut schema);
    schema
}

/// Turns references into the API document into references into the schema itself.
fn point_inside(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(point_inside),
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get_mut("$ref") {
                *target = target.replace("#/components/schemas/", "#/$defs/");
            }
            members.values_mut().for_each(point_inside);
        }
        _ => {}
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn i6_each_kind_is_listed_once_and_its_constant_is_named_like_it() {
        let kinds: BTreeSet<_> = ALL.iter().map(|one| one.kind).collect();
        assert_eq!(kinds.len(), ALL.len(), "a kind is listed twice");
        for (constant, kind) in NAMES {
            assert_eq!(*constant, kind.to_uppercase().replace('.', "_"));
        }
    }

    #[test]
    fn every_schema_is_complete_in_itself() {
        for one in ALL {
            let schema = one.schema();
            assert!(!schema.to_string().contains("#/components"), "{}", one.kind);
            let valid = jsonschema::options().offline().build(&schema).map(drop);
            assert!(valid.is_ok(), "{}: {:?}", one.kind, valid.err().map(|error| error.to_string()));
            assert_ne!(schema, json!({}), "{}", one.kind);
        }
    }

    #[test]
    fn a_schema_refuses_what_is_not_its_data() {
        let refuses = |kind: &str, data: Value| {
            !jsonschema::options().offline().build(&EventType::of(kind).unwrap().schema()).unwrap().is_valid(&data)
        };
        assert!(refuses("version.deleted", json!({"version": 7})));
        assert!(!refuses("version.deleted", json!({"version": "1.0.0"})));
        assert!(refuses("member.granted", json!({"account": "usr_1", "scope": "moon", "id": "", "role": "admin"})));
        assert!(refuses("trial.cleared", json!({"version": "1.0.0", "cause": "whim"})));
        assert!(!refuses("trial.cleared", json!({"version": "1.0.0", "cause": "hand"})));
    }
}
