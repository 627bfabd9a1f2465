//! Every operation of the API, tried by everybody who may not do it (I9, F80). A new route that has no row in the table
//! fails the test.

use std::collections::{BTreeMap, BTreeSet};

use berth_tests::{
    Api, Host,
    merchant::Merchant,
    on_both,
    scene::{Scene, person, text},
    wechat::Wechat,
};
use serde_json::{Value, json};

/// Who may do an operation.
#[derive(Clone, Copy)]
enum May {
    /// Everybody with a valid token that has the scope.
    Anybody,
    /// Members of the MiniApp's team with one of these roles.
    Team(&'static [&'static str]),
    /// Members of the host app with one of these roles.
    HostApp(&'static [&'static str]),
    /// Members of the team and of the host app.
    Both,
    /// Admins of the team and of the host app.
    EitherAdmin,
    /// Members of the merchant with one of these roles.
    Merchant(&'static [&'static str]),
    /// Who is admin of the workspace and may read the MiniApp, too.
    WorkspaceAndTeam,
    /// Accounts with one of these roles in the workspace.
    Workspace(&'static [&'static str]),
    /// Admins of the platform, and its viewers where the operation only reads.
    Platform,
    /// The order system and admins of the platform.
    Fulfiller,
    /// The same, members of the merchant that is named, and viewers of the platform.
    MessageReader,
    /// Devices, by the key of a host app. A token does not help.
    Devices,
    /// Everybody who has the link, whose address holds the secret. A token does not help.
    Link,
    /// WeChat and WeCom, by the signature in the address. A token does not help: all others are answered by this status.
    Signer(u16),
    /// The server of a MiniApp, by its AppSecret in the body or by a server token. An API token does not help.
    Server,
    /// Browsers of users and servers of MiniApps, by what OAuth has for it. All others are answered by this status, whatever
    /// token of this host they have.
    Relying(u16),
    /// The account that the thing belongs to. From all others the thing is hidden.
    Owner,
}

const READ: May = May::Team(&["viewer", "developer", "operator", "admin"]);
const DEVELOP: May = May::Team(&["developer", "operator", "admin"]);
const RELEASE: May = May::Team(&["operator", "admin"]);
const TEAM_ADMIN: May = May::Team(&["admin"]);
const HOST_READ: May = May::HostApp(&["auditor", "admin"]);
const HOST_ADMIN: May = May::HostApp(&["admin"]);
const HOST_VOUCH: May = May::HostApp(&["server", "admin"]);
const MERCHANT_READ: May = May::Merchant(&["viewer", "operator", "admin"]);
const MERCHANT_OPERATE: May = May::Merchant(&["operator", "admin"]);
const WORKSPACE_READ: May = May::Workspace(&["viewer", "admin"]);
const WORKSPACE_ADMIN: May = May::Workspace(&["admin"]);
const WORKSPACE_VOUCH: May = May::Workspace(&["server", "admin"]);
const PROVISION: May = May::Workspace(&["provisioner", "admin"]);
/// There is no platform here; who signs wrongly where there is one gets 401: see f101_forged_pushes_and_links_change_nothing.
const NO_PLATFORM: May = May::Signer(409);
const MERCHANT_ADMIN: May = May::Merchant(&["admin"]);

/// All operations of the API, each with who may do it.
const TABLE: &[(&str, &str, May)] = &[
    ("GET", "/v1/me", May::Anybody),
    ("GET", "/v1/waiting", May::Anybody),
    ("GET", "/v1/search", May::Anybody),
    ("GET", "/v1/accounts", May::Platform),
    ("POST", "/v1/accounts", May::Platform),
    ("GET", "/v1/accounts/{id}", May::Platform),
    ("POST", "/v1/accounts/{id}/disable", May::Platform),
    ("POST", "/v1/accounts/{id}/enable", May::Platform),
    ("GET", "/v1/account-names", May::Anybody),
    ("GET", "/v1/sessions", May::Anybody),
    ("POST", "/v1/sessions", May::Anybody),
    ("DELETE", "/v1/sessions/{id}", May::Owner),
    ("PUT", "/v1/me/password", May::Anybody),
    ("GET", "/v1/me/second-factor", May::Anybody),
    ("POST", "/v1/me/second-factor", May::Anybody),
    ("POST", "/v1/me/second-factor/confirm", May::Anybody),
    ("POST", "/v1/me/second-factor/remove", May::Anybody),
    ("DELETE", "/v1/accounts/{id}/second-factor", May::Platform),
    ("GET", "/v1/sign-in-provider", May::Link),
    ("POST", "/v1/sign-in-provider/visits", May::Link),
    ("POST", "/v1/sign-in-provider/sessions", May::Link),
    ("POST", "/v1/me/provider-link/visits", May::Anybody),
    ("GET", "/v1/me/provider-link", May::Anybody),
    ("PUT", "/v1/me/provider-link", May::Anybody),
    ("POST", "/v1/me/provider-link/remove", May::Anybody),
    ("DELETE", "/v1/accounts/{id}/provider-link", May::Platform),
    ("GET", "/v1/invitations", May::Anybody),
    ("POST", "/v1/invitations", TEAM_ADMIN),
    ("DELETE", "/v1/invitations/{id}", TEAM_ADMIN),
    ("POST", "/v1/invitations/seen", May::Link),
    ("POST", "/v1/invitations/accept", May::Link),
    ("GET", "/v1/teams", May::Anybody),
    ("POST", "/v1/teams", May::Anybody),
    ("PATCH", "/v1/teams/{id}", TEAM_ADMIN),
    ("GET", "/v1/teams/{id}/members", READ),
    ("PUT", "/v1/teams/{id}/members/{account}", TEAM_ADMIN),
    ("DELETE", "/v1/teams/{id}/members/{account}", TEAM_ADMIN),
    ("POST", "/v1/merchants", May::Platform),
    ("GET", "/v1/merchants", May::Anybody),
    ("GET", "/v1/merchants/{id}", MERCHANT_READ),
    ("PATCH", "/v1/merchants/{id}", MERCHANT_ADMIN),
    ("GET", "/v1/merchants/{id}/endpoint-matrix", MERCHANT_READ),
    ("GET", "/v1/merchants/{id}/members", MERCHANT_READ),
    ("PUT", "/v1/merchants/{id}/members/{account}", MERCHANT_ADMIN),
    ("DELETE", "/v1/merchants/{id}/members/{account}", MERCHANT_ADMIN),
    ("POST", "/v1/fulfilments", May::Fulfiller),
    ("GET", "/v1/fulfilments", May::MessageReader),
    ("GET", "/v1/fulfilments/{id}", May::MessageReader),
    ("POST", "/v1/fulfilments/{id}/discard", May::Fulfiller),
    ("POST", "/v1/fulfilments/{id}/replay", May::Fulfiller),
    ("POST", "/v1/fulfilments/replay", May::Fulfiller),
    ("GET", "/v1/product-instances", May::Anybody),
    ("GET", "/v1/product-instances/{id}", MERCHANT_READ),
    ("GET", "/v1/endpoint-apps", May::Anybody),
    ("POST", "/v1/endpoint-apps", MERCHANT_OPERATE),
    ("GET", "/v1/endpoint-apps/{cid}", MERCHANT_READ),
    ("PATCH", "/v1/endpoint-apps/{cid}", MERCHANT_OPERATE),
    ("DELETE", "/v1/endpoint-apps/{cid}", MERCHANT_OPERATE),
    ("PUT", "/v1/endpoint-apps/{cid}/products/{instance}", MERCHANT_OPERATE),
    ("DELETE", "/v1/endpoint-apps/{cid}/products/{instance}", MERCHANT_OPERATE),
    ("GET", "/v1/channels", May::Anybody),
    ("POST", "/v1/channels", MERCHANT_OPERATE),
    ("GET", "/v1/channels/{id}", MERCHANT_READ),
    ("PATCH", "/v1/channels/{id}", MERCHANT_OPERATE),
    ("DELETE", "/v1/channels/{id}", MERCHANT_OPERATE),
    ("PUT", "/v1/channels/{id}/endpoint-app", MERCHANT_OPERATE),
    ("DELETE", "/v1/channels/{id}/endpoint-app", MERCHANT_OPERATE),
    ("GET", "/v1/org-nodes", May::Anybody),
    ("POST", "/v1/org-nodes", MERCHANT_OPERATE),
    ("GET", "/v1/org-nodes/{vid}", MERCHANT_READ),
    ("PATCH", "/v1/org-nodes/{vid}", MERCHANT_OPERATE),
    ("DELETE", "/v1/org-nodes/{vid}", MERCHANT_OPERATE),
    ("PUT", "/v1/org-nodes/{vid}/products/{instance}", MERCHANT_OPERATE),
    ("DELETE", "/v1/org-nodes/{vid}/products/{instance}", MERCHANT_OPERATE),
    ("GET", "/v1/endpoint-apps/{cid}/org-nodes", MERCHANT_READ),
    ("PUT", "/v1/endpoint-apps/{cid}/org-nodes/{vid}", MERCHANT_OPERATE),
    ("DELETE", "/v1/endpoint-apps/{cid}/org-nodes/{vid}", MERCHANT_OPERATE),
    ("GET", "/v1/endpoint-apps/{cid}/runtime", MERCHANT_READ),
    ("GET", "/v1/channel-authorisations", May::Anybody),
    ("POST", "/v1/channel-authorisations", MERCHANT_OPERATE),
    ("GET", "/v1/channel-authorisations/{id}", MERCHANT_READ),
    ("POST", "/v1/channel-authorisations/{id}/endpoint-app", MERCHANT_OPERATE),
    ("POST", "/v1/channel-authorisations/{id}/restart", MERCHANT_OPERATE),
    ("POST", "/v1/channel-authorisations/{id}/abandon", MERCHANT_OPERATE),
    ("GET", "/v1/wechat/authorise", May::Link),
    ("GET", "/v1/wechat/callback", May::Link),
    ("POST", "/v1/wechat/push", NO_PLATFORM),
    ("POST", "/v1/wechat/messages/{app_id}", NO_PLATFORM),
    ("GET", "/v1/official-accounts", May::Anybody),
    ("POST", "/v1/official-accounts", MERCHANT_ADMIN),
    ("GET", "/v1/official-accounts/{app_id}", MERCHANT_READ),
    ("PATCH", "/v1/official-accounts/{app_id}", MERCHANT_ADMIN),
    ("DELETE", "/v1/official-accounts/{app_id}", MERCHANT_ADMIN),
    ("GET", "/v1/official-accounts/{app_id}/templates", MERCHANT_READ),
    ("PUT", "/v1/official-accounts/{app_id}/templates/{template}", MERCHANT_ADMIN),
    ("DELETE", "/v1/official-accounts/{app_id}/templates/{template}", MERCHANT_ADMIN),
    ("POST", "/v1/merchants/{id}/official-accounts/move", MERCHANT_ADMIN),
    ("GET", "/v1/merchants/{id}/official-accounts/move", MERCHANT_READ),
    ("GET", "/v1/merchants/{id}/entry-pages", MERCHANT_READ),
    ("PUT", "/v1/merchants/{id}/entry-pages/{page}", MERCHANT_OPERATE),
    ("DELETE", "/v1/merchants/{id}/entry-pages/{page}", MERCHANT_OPERATE),
    ("GET", "/w/{app_id}/{pt_id}/{page}", May::Link),
    ("GET", "/w/{app_id}/{pt_id}/{page}/back", May::Link),
    ("POST", "/v1/merchants/{id}/visitors", MERCHANT_OPERATE),
    ("GET", "/v1/merchants/{id}/fans", MERCHANT_OPERATE),
    ("GET", "/v1/merchants/{id}/fans/{member_id}/{app_id}", MERCHANT_OPERATE),
    ("PUT", "/v1/merchants/{id}/fans/{member_id}/{app_id}", MERCHANT_OPERATE),
    ("PATCH", "/v1/merchants/{id}/fans/{member_id}/{app_id}", MERCHANT_OPERATE),
    ("DELETE", "/v1/merchants/{id}/fans/{member_id}/{app_id}", MERCHANT_OPERATE),
    ("POST", "/v1/merchants/{id}/template-messages", MERCHANT_OPERATE),
    ("GET", "/v1/merchants/{id}/template-messages", MERCHANT_READ),
    ("GET", "/v1/merchants/{id}/template-messages/{message}", MERCHANT_READ),
    ("GET", "/v1/platform/members", May::Platform),
    ("PUT", "/v1/platform/members/{account}", May::Platform),
    ("DELETE", "/v1/platform/members/{account}", May::Platform),
    ("GET", "/v1/tokens", May::Anybody),
    ("POST", "/v1/tokens", May::Anybody),
    ("DELETE", "/v1/tokens/{id}", May::Owner),
    ("GET", "/v1/mini-apps", May::Anybody),
    ("POST", "/v1/mini-apps", DEVELOP),
    ("GET", "/v1/mini-apps/{id}", May::Both),
    ("PATCH", "/v1/mini-apps/{id}", DEVELOP),
    ("GET", "/v1/mini-apps/{id}/secret", TEAM_ADMIN),
    ("POST", "/v1/mini-apps/{id}/secret", TEAM_ADMIN),
    ("POST", "/v1/mini-apps/{id}/secret/reset", TEAM_ADMIN),
    ("POST", "/v1/mini-apps/{id}/secret/freeze", TEAM_ADMIN),
    ("POST", "/v1/mini-apps/{id}/secret/unfreeze", TEAM_ADMIN),
    ("GET", "/v1/mini-apps/{id}/oidc-client", READ),
    ("PUT", "/v1/mini-apps/{id}/oidc-client", TEAM_ADMIN),
    ("GET", "/v1/mini-apps/{id}/union-ids", READ),
    ("PUT", "/v1/mini-apps/{id}/union-ids", TEAM_ADMIN),
    ("POST", "/v1/host-apps/{id}/sign-ons/end", HOST_VOUCH),
    ("GET", "/.well-known/openid-configuration", May::Relying(200)),
    ("GET", "/oidc/jwks", May::Relying(200)),
    // A browser that has to be told that the redirect_uri is wrong, and one that has nothing to be logged out of.
    ("GET", "/oidc/authorize", May::Relying(400)),
    ("POST", "/oidc/authorize", May::Relying(400)),
    ("GET", "/oidc/end-session", May::Relying(200)),
    ("POST", "/oidc/end-session", May::Relying(400)),
    ("POST", "/oidc/token", May::Relying(400)),
    ("GET", "/oidc/userinfo", May::Relying(401)),
    ("POST", "/oidc/userinfo", May::Relying(401)),
    ("POST", "/v1/server-tokens", May::Server),
    ("POST", "/v1/session", May::Server),
    ("POST", "/v1/session/check", May::Server),
    ("POST", "/v1/session/end", May::Server),
    ("POST", "/v1/host-apps/{id}/login-codes", HOST_VOUCH),
    ("GET", "/v1/mini-apps/{id}/partners", READ),
    ("PUT", "/v1/mini-apps/{id}/partners/{partner}", TEAM_ADMIN),
    ("DELETE", "/v1/mini-apps/{id}/partners/{partner}", TEAM_ADMIN),
    ("GET", "/v1/mini-apps/{id}/login-entries", READ),
    ("PUT", "/v1/mini-apps/{id}/login-entries/{entry}", TEAM_ADMIN),
    ("DELETE", "/v1/mini-apps/{id}/login-entries/{entry}", TEAM_ADMIN),
    ("POST", "/v1/recognitions", May::Server),
    ("POST", "/v1/recognitions/end", May::Server),
    ("POST", "/v1/authorised-logins", May::Server),
    ("POST", "/v1/authorised-logins/finish", May::Server),
    ("POST", "/v1/login-bindings", May::Server),
    ("POST", "/v1/login-bindings/end", May::Server),
    ("GET", "/v1/host-apps/{id}/login-bindings", HOST_VOUCH),
    ("POST", "/v1/host-apps/{id}/login-bindings/end", HOST_VOUCH),
    ("GET", "/l/{ticket}", May::Link),
    ("GET", "/l/back/{mini_app_id}/{entry}", May::Link),
    ("GET", "/v1/host-apps/{id}/links", HOST_VOUCH),
    ("POST", "/v1/host-apps/{id}/links", HOST_VOUCH),
    ("POST", "/v1/host-apps/{id}/links/end", HOST_VOUCH),
    ("POST", "/v1/swap", May::Server),
    ("GET", "/v1/message-library", May::Anybody),
    ("GET", "/v1/mini-apps/{id}/message-templates", READ),
    ("POST", "/v1/mini-apps/{id}/message-templates", DEVELOP),
    ("DELETE", "/v1/mini-apps/{id}/message-templates/{template}", DEVELOP),
    ("POST", "/v1/host-apps/{id}/subscription-requests", HOST_VOUCH),
    ("POST", "/v1/host-apps/{id}/subscriptions", HOST_VOUCH),
    ("GET", "/v1/host-apps/{id}/subscriptions", HOST_VOUCH),
    ("POST", "/v1/host-apps/{id}/subscriptions/withdraw", HOST_VOUCH),
    ("POST", "/v1/host-apps/{id}/messages/{message}", HOST_VOUCH),
    ("POST", "/v1/messages", May::Server),
    ("GET", "/v1/messages/{id}", May::Server),
    ("GET", "/v1/mini-apps/{id}/messages", READ),
    ("GET", "/v1/privacy-kinds", May::Anybody),
    ("GET", "/v1/mini-apps/{id}/privacy/draft", READ),
    ("PUT", "/v1/mini-apps/{id}/privacy/draft", DEVELOP),
    ("GET", "/v1/mini-apps/{id}/privacy/draft/text", READ),
    ("GET", "/v1/mini-apps/{id}/privacy/versions", READ),
    ("POST", "/v1/mini-apps/{id}/privacy/versions", RELEASE),
    ("GET", "/v1/mini-apps/{id}/privacy/versions/{number}", READ),
    ("GET", "/v1/mini-apps/{id}/privacy/changes", READ),
    ("GET", "/v1/mini-apps/{id}/privacy/text", May::Both),
    ("GET", "/v1/host-apps/{id}/privacy-consents", HOST_VOUCH),
    ("POST", "/v1/host-apps/{id}/privacy-consents", HOST_VOUCH),
    ("POST", "/v1/host-apps/{id}/privacy-consents/withdraw", HOST_VOUCH),
    ("POST", "/v1/privacy-consents/check", May::Server),
    ("POST", "/v1/host-apps/{id}/users/export", HOST_VOUCH),
    ("POST", "/v1/host-apps/{id}/users/erase", HOST_VOUCH),
    ("GET", "/v1/mini-apps/{id}/overview", May::Both),
    ("GET", "/v1/mini-apps/{id}/bindings", READ),
    ("POST", "/v1/mini-apps/{id}/shelf", RELEASE),
    ("PUT", "/v1/mini-apps/{id}/min-version", RELEASE),
    ("GET", "/v1/mini-apps/{id}/domains", May::Both),
    ("PUT", "/v1/mini-apps/{id}/domains", DEVELOP),
    ("GET", "/v1/mini-apps/{id}/permits", READ),
    ("POST", "/v1/mini-apps/{id}/permits", DEVELOP),
    ("GET", "/v1/mini-apps/{id}/sensitive-apis", READ),
    ("GET", "/v1/host-apps/{id}/permits", HOST_READ),
    ("GET", "/v1/host-apps/{id}/sensitive-apis", HOST_READ),
    ("PUT", "/v1/host-apps/{id}/sensitive-apis", HOST_ADMIN),
    ("GET", "/v1/sensitive-api-presets", May::Anybody),
    ("GET", "/v1/permits/{id}", May::Both),
    ("POST", "/v1/permits/{id}/approve", HOST_READ),
    ("POST", "/v1/permits/{id}/refuse", HOST_READ),
    ("POST", "/v1/permits/{id}/revoke", HOST_READ),
    ("POST", "/v1/permits/{id}/withdraw", DEVELOP),
    ("GET", "/v1/mini-apps/{id}/versions", May::Both),
    ("GET", "/v1/mini-apps/{id}/versions/{version}", May::Both),
    ("DELETE", "/v1/mini-apps/{id}/versions/{version}", DEVELOP),
    ("GET", "/v1/mini-apps/{id}/versions/{version}/findings", May::Both),
    ("GET", "/v1/mini-apps/{id}/versions/{version}/files", May::Both),
    ("GET", "/v1/mini-apps/{id}/versions/{version}/files/{path}", May::Both),
    ("GET", "/v1/mini-apps/{id}/compare", May::Both),
    ("GET", "/v1/mini-apps/{id}/versions/{version}/audits", May::Both),
    ("POST", "/v1/mini-apps/{id}/versions/{version}/submit", DEVELOP),
    ("POST", "/v1/mini-apps/{id}/versions/{version}/withdraw", DEVELOP),
    ("POST", "/v1/mini-apps/{id}/versions/{version}/publish", RELEASE),
    ("POST", "/v1/mini-apps/{id}/rollback", RELEASE),
    ("GET", "/v1/mini-apps/{id}/releases", May::Both),
    ("GET", "/v1/mini-apps/{id}/trial", READ),
    ("PUT", "/v1/mini-apps/{id}/trial", DEVELOP),
    ("DELETE", "/v1/mini-apps/{id}/trial", DEVELOP),
    ("PUT", "/v1/packages/{name}", DEVELOP),
    ("GET", "/v1/packages/{name}", May::Both),
    ("GET", "/v1/mini-apps/{id}/offline", May::Both),
    ("POST", "/v1/bundles", HOST_READ),
    ("GET", "/v1/host-apps", May::Anybody),
    ("POST", "/v1/host-apps", May::Platform),
    ("GET", "/v1/host-apps/{id}", HOST_READ),
    ("POST", "/v1/host-apps/{id}/rotate-key", HOST_ADMIN),
    ("PUT", "/v1/host-apps/{id}/former-keys/{public_key}", HOST_ADMIN),
    ("GET", "/v1/host-apps/{id}/bindings", HOST_READ),
    ("PUT", "/v1/host-apps/{id}/bindings/{mini_app_id}", May::EitherAdmin),
    ("DELETE", "/v1/host-apps/{id}/bindings/{mini_app_id}", May::EitherAdmin),
    ("GET", "/v1/host-apps/{id}/audits", HOST_READ),
    ("GET", "/v1/host-apps/{id}/members", HOST_READ),
    ("PUT", "/v1/host-apps/{id}/members/{account}", HOST_ADMIN),
    ("DELETE", "/v1/host-apps/{id}/members/{account}", HOST_ADMIN),
    ("GET", "/v1/audits/{id}", May::Both),
    ("POST", "/v1/audits/{id}/decisions", HOST_READ),
    ("GET", "/v1/policies", May::Anybody),
    ("POST", "/v1/policies", May::Platform),
    ("GET", "/v1/policies/{policy}", May::Anybody),
    ("GET", "/v1/policies/{policy}/figures", May::Anybody),
    ("GET", "/v1/policies/{policy}/wasm", May::Platform),
    ("POST", "/v1/policy-pulls", May::Platform),
    ("GET", "/v1/policy-keys", READ),
    ("POST", "/v1/policy-keys", TEAM_ADMIN),
    ("DELETE", "/v1/policy-keys/{id}", TEAM_ADMIN),
    ("GET", "/v1/policy-signing", READ),
    ("PUT", "/v1/policy-signing", TEAM_ADMIN),
    ("DELETE", "/v1/policies/{policy}", May::Platform),
    ("GET", "/v1/policy-bindings", READ),
    ("POST", "/v1/policy-bindings", TEAM_ADMIN),
    // That of the platform, by whose auditors everybody is judged.
    ("GET", "/v1/policy-bindings/{id}", May::Anybody),
    ("PUT", "/v1/policy-bindings/{id}", May::Platform),
    ("DELETE", "/v1/policy-bindings/{id}", May::Platform),
    ("GET", "/v1/policy-bindings/{id}/summary", May::Platform),
    ("POST", "/v1/policy-replays", TEAM_ADMIN),
    ("GET", "/v1/gray-tasks", May::Anybody),
    ("GET", "/v1/mini-apps/{id}/gray-tasks", READ),
    ("POST", "/v1/mini-apps/{id}/gray-tasks", RELEASE),
    ("GET", "/v1/gray-tasks/{id}", READ),
    ("PATCH", "/v1/gray-tasks/{id}", RELEASE),
    ("POST", "/v1/gray-tasks/{id}/suspend", RELEASE),
    ("POST", "/v1/gray-tasks/{id}/resume", RELEASE),
    ("POST", "/v1/gray-tasks/{id}/end", RELEASE),
    ("GET", "/v1/gray-tasks/{id}/progress", READ),
    ("GET", "/v1/mini-apps/{id}/cohorts", READ),
    ("POST", "/v1/mini-apps/{id}/cohorts", RELEASE),
    ("GET", "/v1/mini-apps/{id}/check-record", READ),
    ("PUT", "/v1/mini-apps/{id}/check-record", TEAM_ADMIN),
    ("DELETE", "/v1/mini-apps/{id}/check-record", TEAM_ADMIN),
    ("POST", "/v1/check", May::Both),
    ("POST", "/v1/check/explain", May::Both),
    ("POST", "/v1/reports", May::Devices),
    ("POST", "/v1/logs", May::Devices),
    ("GET", "/v1/logs", READ),
    ("GET", "/v1/logs/stream", READ),
    ("GET", "/v1/log-masks", May::Platform),
    ("PUT", "/v1/log-masks", May::Platform),
    ("GET", "/v1/mini-apps/{id}/log-masks", READ),
    ("PUT", "/v1/mini-apps/{id}/log-masks", TEAM_ADMIN),
    ("GET", "/v1/event-types", May::Anybody),
    ("GET", "/v1/event-types/{kind}", May::Anybody),
    ("GET", "/v1/acts", TEAM_ADMIN),
    ("GET", "/v1/acts/{id}", TEAM_ADMIN),
    ("GET", "/v1/events", READ),
    ("GET", "/v1/events/stream", READ),
    ("GET", "/v1/webhooks", May::Anybody),
    ("POST", "/v1/webhooks", MERCHANT_ADMIN),
    ("GET", "/v1/webhooks/{id}", MERCHANT_READ),
    ("PATCH", "/v1/webhooks/{id}", MERCHANT_ADMIN),
    ("DELETE", "/v1/webhooks/{id}", MERCHANT_ADMIN),
    ("POST", "/v1/webhooks/{id}/rotate-secret", MERCHANT_ADMIN),
    ("POST", "/v1/webhooks/{id}/test", MERCHANT_ADMIN),
    ("GET", "/v1/webhooks/{id}/deliveries", MERCHANT_READ),
    ("GET", "/v1/webhooks/{id}/attempts", MERCHANT_READ),
    ("POST", "/v1/webhooks/{id}/deliveries/{seq}/replay", MERCHANT_ADMIN),
    ("POST", "/v1/webhooks/{id}/replay", MERCHANT_ADMIN),
    ("GET", "/v1/workspaces", May::Anybody),
    ("POST", "/v1/workspaces", May::Platform),
    ("GET", "/v1/workspaces/{id}", WORKSPACE_READ),
    ("PATCH", "/v1/workspaces/{id}", WORKSPACE_ADMIN),
    ("GET", "/v1/workspaces/{id}/accounts", WORKSPACE_READ),
    ("PUT", "/v1/workspaces/{id}/accounts/{account}", WORKSPACE_ADMIN),
    ("DELETE", "/v1/workspaces/{id}/accounts/{account}", WORKSPACE_ADMIN),
    ("GET", "/v1/workspaces/{id}/members", WORKSPACE_READ),
    ("GET", "/v1/workspaces/{id}/groups", WORKSPACE_READ),
    ("GET", "/v1/workspaces/{id}/contacts", WORKSPACE_READ),
    ("POST", "/v1/workspaces/{id}/contacts", WORKSPACE_ADMIN),
    ("DELETE", "/v1/workspaces/{id}/contacts/{contact}", WORKSPACE_ADMIN),
    ("GET", "/v1/workspaces/{id}/applications", WORKSPACE_READ),
    ("POST", "/v1/workspaces/{id}/applications", WORKSPACE_ADMIN),
    ("GET", "/v1/workspaces/{id}/applications/{application}", WORKSPACE_READ),
    ("PATCH", "/v1/workspaces/{id}/applications/{application}", WORKSPACE_ADMIN),
    ("DELETE", "/v1/workspaces/{id}/applications/{application}", WORKSPACE_ADMIN),
    ("GET", "/v1/workspaces/{id}/applications/{application}/access", WORKSPACE_READ),
    ("PUT", "/v1/workspaces/{id}/applications/{application}/access", WORKSPACE_ADMIN),
    ("GET", "/v1/workspaces/{id}/mini-apps", WORKSPACE_READ),
    ("PUT", "/v1/workspaces/{id}/mini-apps/{mini_app_id}", May::WorkspaceAndTeam),
    ("DELETE", "/v1/workspaces/{id}/mini-apps/{mini_app_id}", WORKSPACE_ADMIN),
    ("GET", "/v1/workspaces/{id}/mini-apps/{mini_app_id}/access", WORKSPACE_READ),
    ("PUT", "/v1/workspaces/{id}/mini-apps/{mini_app_id}/access", WORKSPACE_ADMIN),
    ("GET", "/v1/workspaces/{id}/portal", May::Workspace(&["viewer", "server", "admin"])),
    ("GET", "/v1/workspaces/{id}/directory", WORKSPACE_READ),
    ("PUT", "/v1/workspaces/{id}/directory", WORKSPACE_ADMIN),
    ("DELETE", "/v1/workspaces/{id}/directory", WORKSPACE_ADMIN),
    ("POST", "/v1/workspaces/{id}/directory/sync", WORKSPACE_ADMIN),
    ("GET", "/v1/wecom/directory/{workspace}", May::Signer(401)),
    ("POST", "/v1/wecom/directory/{workspace}", May::Signer(401)),
    ("GET", "/v1/workspaces/{id}/sign-in", WORKSPACE_READ),
    ("PUT", "/v1/workspaces/{id}/sign-in", WORKSPACE_ADMIN),
    ("GET", "/v1/workspaces/{id}/sign-in-provider", WORKSPACE_READ),
    ("PUT", "/v1/workspaces/{id}/sign-in-provider", WORKSPACE_ADMIN),
    ("DELETE", "/v1/workspaces/{id}/sign-in-provider", WORKSPACE_ADMIN),
    ("DELETE", "/v1/workspaces/{id}/members/{member}/provider-subject", WORKSPACE_ADMIN),
    ("GET", "/v1/workspaces/{id}/portal/door", May::Link),
    ("POST", "/v1/workspaces/{id}/portal/visits", May::Link),
    ("POST", "/v1/workspaces/{id}/portal/sign-ons", May::Link),
    // Browsers of members, by the secret of a sign-on.
    ("GET", "/v1/workspaces/{id}/portal/own", May::Relying(401)),
    ("POST", "/v1/workspaces/{id}/portal/sign-out", May::Relying(401)),
    ("GET", "/v1/workspaces/{id}/applications/{application}/oidc-client", WORKSPACE_READ),
    ("PUT", "/v1/workspaces/{id}/applications/{application}/oidc-client", WORKSPACE_ADMIN),
    ("POST", "/v1/workspaces/{id}/applications/{application}/secret", WORKSPACE_ADMIN),
    ("POST", "/v1/workspaces/{id}/login-codes", WORKSPACE_VOUCH),
    ("POST", "/v1/workspaces/{id}/sign-ons/end", WORKSPACE_VOUCH),
    ("GET", "/scim/v2/{workspace}/ServiceProviderConfig", PROVISION),
    ("GET", "/scim/v2/{workspace}/ResourceTypes", PROVISION),
    ("GET", "/scim/v2/{workspace}/ResourceTypes/{name}", PROVISION),
    ("GET", "/scim/v2/{workspace}/Schemas", PROVISION),
    ("GET", "/scim/v2/{workspace}/Schemas/{urn}", PROVISION),
    ("GET", "/scim/v2/{workspace}/Users", PROVISION),
    ("POST", "/scim/v2/{workspace}/Users", PROVISION),
    ("POST", "/scim/v2/{workspace}/Users/.search", PROVISION),
    ("GET", "/scim/v2/{workspace}/Users/{resource}", PROVISION),
    ("PUT", "/scim/v2/{workspace}/Users/{resource}", PROVISION),
    ("PATCH", "/scim/v2/{workspace}/Users/{resource}", PROVISION),
    ("DELETE", "/scim/v2/{workspace}/Users/{resource}", PROVISION),
    ("GET", "/scim/v2/{workspace}/Groups", PROVISION),
    ("POST", "/scim/v2/{workspace}/Groups", PROVISION),
    ("POST", "/scim/v2/{workspace}/Groups/.search", PROVISION),
    ("GET", "/scim/v2/{workspace}/Groups/{resource}", PROVISION),
    ("PUT", "/scim/v2/{workspace}/Groups/{resource}", PROVISION),
    ("PATCH", "/scim/v2/{workspace}/Groups/{resource}", PROVISION),
    ("DELETE", "/scim/v2/{workspace}/Groups/{resource}", PROVISION),
    ("POST", "/scim/v2/{workspace}/.search", PROVISION),
    ("POST", "/scim/v2/{workspace}/Bulk", PROVISION),
];

const NO_MESSAGE: &str = "msg_00000000000000000000000000";
const NO_TEMPLATE_MESSAGE: &str = "tmsg_00000000000000000000000000";

/// A private official account of the merchant.
const OFFICIAL: &str = "wxaaaaaaaaaaaaaaaa";
/// Another one, which callers add.
const OTHER_OFFICIAL: &str = "wxbbbbbbbbbbbbbbbb";

/// An account for each role, by name, with its token.
struct Cast {
    /// The stand-in that says which secrets of official accounts are right.
    _wechat: Wechat,
    scene: Scene,
    tokens: BTreeMap<&'static str, String>,
    places: BTreeMap<&'static str, String>,
}

const TEAM_ROLES: [(&str, &str); 4] = [
    ("team viewer", "viewer"),
    ("team developer", "developer"),
    ("team operator", "operator"),
    ("team admin", "admin"),
];
const HOST_ROLES: [(&str, &str); 3] = [("host auditor", "auditor"), ("host server", "server"), ("host admin", "admin")];
const MERCHANT_ROLES: [(&str, &str); 3] =
    [("merchant viewer", "viewer"), ("merchant operator", "operator"), ("merchant admin", "admin")];
const WORKSPACE_ROLES: [(&str, &str); 4] = [
    ("workspace viewer", "viewer"),
    ("workspace server", "server"),
    ("workspace provisioner", "provisioner"),
    ("workspace admin", "admin"),
];
const PLATFORM_ROLES: [(&str, &str); 2] = [("platform viewer", "viewer"), ("fulfiller", "fulfiller")];

/// Operations other than GET that only read, and are therefore open to the platform's viewers.
const READING_POSTS: [&str; 3] = ["/v1/check", "/v1/check/explain", "/v1/bundles"];

/// An agreement that lacks nothing.
fn complete_agreement() -> Value {
    json!({"developer": {"en": "Coffee"}, "contact": {"email": "privacy@example.com"}})
}

/// Address books by SCIM are for the directory alone; what the platform reads of them is `/v1/workspaces`.
fn is_for_viewers(path: &str) -> bool {
    !path.starts_with("/scim/") && !NOT_FOR_VIEWERS.contains(&path)
}

/// What the platform's viewers, who read everything else, do not: what is known of AppSecrets, what users allow, and who the
/// fans of merchants are.
const NOT_FOR_VIEWERS: [&str; 7] = [
    "/v1/mini-apps/{id}/secret",
    "/v1/host-apps/{id}/subscriptions",
    "/v1/host-apps/{id}/privacy-consents",
    "/v1/host-apps/{id}/links",
    "/v1/host-apps/{id}/login-bindings",
    "/v1/merchants/{id}/fans",
    "/v1/merchants/{id}/fans/{member_id}/{app_id}",
];

/// Public keys of nobody.
const KEYS: [&str; 2] = [
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA7vmgDoUkSrbPPBy4OAGqrTpYKEozUeWA2AOPl1ePSPo=\n-----END PUBLIC KEY-----",
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAQzBB5IisMxwrQh0RRKgZ9PzThrXduIZaOq+DnEqZP+A=\n-----END PUBLIC KEY-----",
];

impl Cast {
    async fn gather(host: Host) -> Self {
        let wechat = Wechat::start().await;
        wechat.official(OFFICIAL, "right");
        wechat.official(OTHER_OFFICIAL, "right");
        let host = host.again(|config| {
            config.public_url = Some("https://berth.example".into());
            config.wechat.wechat_base_url.clone_from(&wechat.url);
        });
        let scene = Scene::set(host.await).await;
        let admin = scene.admin.clone();
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        scene.push("1.2.0", "1.2.0").await.good();
        let task = text(&scene.gray("1.1.0", json!({})).await.good()["id"]);
        scene.push("1.0.0", "1.3.0").await.good();
        let audit = text(&scene.submit("1.3.0").await["id"]);
        let buyer = Merchant::new(&admin, "bos-1").await;
        buyer.buys("pi-1", "mall").await;
        buyer.buys("pi-2", "crm").await;
        buyer.node("vid-1", None, &["pi-1"]).await;
        let merchant = buyer.id.clone();
        let parked =
            json!({"id": "m-pi-3", "merchant": merchant, "instance": "pi-3", "product": "mall", "kind": "steal"});
        admin.post("/v1/fulfilments", parked).await.good();
        let new = json!({"merchant": merchant, "name": "E", "products": ["pi-1", "pi-2"]});
        let cid = text(&admin.post("/v1/endpoint-apps", new).await.good()["id"]);
        let new = json!({"merchant": merchant, "kind": "douyin", "app_id": "tt1", "name": "Videos"});
        let channel = text(&admin.post("/v1/channels", new).await.good()["id"]);
        let vouched = json!({"app_id": "tt3", "name": "Clips"});
        let new = json!({"merchant": merchant, "kind": "douyin", "vouched": vouched});
        let authorisation = text(&admin.post("/v1/channel-authorisations", new).await.good()["id"]);
        let new = json!({"app_id": OFFICIAL, "name": "Own", "merchant": merchant, "secret": "right"});
        admin.post("/v1/official-accounts", new).await.good();
        let hook = json!({"url": "http://127.0.0.1:9/", "scope": {"kind": "merchant", "id": merchant}});
        let webhook = text(&admin.post("/v1/webhooks", hook).await.good()["id"]);
        let new = json!({"template": "order-paid", "keywords": [1]});
        let template = text(&admin.post("/v1/mini-apps/coffee/message-templates", new).await.good()["id"]);
        let tea = text(&admin.post("/v1/teams", json!({"name": "Tea team"})).await.good()["id"]);
        admin.post("/v1/mini-apps", json!({"name": "Tea", "id": "tea", "team": tea})).await.good();
        let marked = json!({"apis": [{"api": "getLocation"}, {"api": "scanCode"}]});
        admin.put("/v1/host-apps/super-app/sensitive-apis", marked).await.good();
        let new = json!({"host_app": "super-app", "kind": "sensitive_api", "api": "getLocation", "reason": "maps"});
        let permit = text(&admin.post("/v1/mini-apps/coffee/permits", new).await.good()["id"]);
        admin.put("/v1/mini-apps/coffee/privacy/draft", complete_agreement()).await.good();
        admin.post("/v1/mini-apps/coffee/privacy/versions", json!({})).await.good();
        admin.post("/v1/workspaces", json!({"name": "Acme", "id": "acme"})).await.good();
        let new = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "alice"});
        let colleague = text(&admin.post("/scim/v2/acme/Users", new).await.good()["id"]);
        let new = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Sales"});
        let department = text(&admin.post("/scim/v2/acme/Groups", new).await.good()["id"]);
        let contact = text(&admin.post("/v1/workspaces/acme/contacts", json!({"name": "Carol"})).await.good()["id"]);
        let new = json!({"kind": "internal_tool", "name": "Wiki", "url": "https://wiki.example.com/"});
        let application = text(&admin.post("/v1/workspaces/acme/applications", new).await.good()["id"]);
        let client = json!({"redirect_uris": ["https://wiki.example.com/back"]});
        admin.put(&format!("/v1/workspaces/acme/applications/{application}/oidc-client"), client).await.good();
        admin.put("/v1/workspaces/acme/mini-apps/coffee", json!(null)).await.good();
        let mut tokens = BTreeMap::new();
        let team = scene.team.clone();
        for (name, role) in TEAM_ROLES {
            let (account, token) = person(&admin, name, json!({})).await;
            admin.put(&format!("/v1/teams/{team}/members/{account}"), json!({"role": role})).await.good();
            tokens.insert(name, token);
        }
        // Whom the rows about members give and take roles: nobody who acts.
        let (bystander, _) = person(&admin, "bystander", json!({})).await;
        for (name, role) in HOST_ROLES {
            let (account, token) = person(&admin, name, json!({})).await;
            admin.put(&format!("/v1/host-apps/super-app/members/{account}"), json!({"role": role})).await.good();
            tokens.insert(name, token);
        }
        for (name, role) in MERCHANT_ROLES {
            let (account, token) = person(&admin, name, json!({})).await;
            admin.put(&format!("/v1/merchants/{merchant}/members/{account}"), json!({"role": role})).await.good();
            tokens.insert(name, token);
        }
        for (name, role) in WORKSPACE_ROLES {
            let (account, token) = person(&admin, name, json!({})).await;
            admin.put(&format!("/v1/workspaces/acme/accounts/{account}"), json!({"role": role})).await.good();
            tokens.insert(name, token);
        }
        for (name, role) in PLATFORM_ROLES {
            let (account, token) = person(&admin, name, json!({})).await;
            admin.put(&format!("/v1/platform/members/{account}"), json!({"role": role})).await.good();
            tokens.insert(name, token);
        }
        // An admin of another team and of another host app.
        let (account, token) = person(&admin, "stranger", json!({})).await;
        let other = text(&admin.post("/v1/teams", json!({"name": "Other"})).await.good()["id"]);
        admin.put(&format!("/v1/teams/{other}/members/{account}"), json!({"role": "admin"})).await.good();
        admin.post("/v1/host-apps", json!({"name": "Other", "id": "other-app"})).await.good();
        admin.put(&format!("/v1/host-apps/other-app/members/{account}"), json!({"role": "admin"})).await.good();
        tokens.insert("stranger", token);
        let (revoked, token) = person(&admin, "revoked", json!({})).await;
        admin.put(&format!("/v1/platform/members/{revoked}"), json!({"role": "admin"})).await.good();
        let theirs = scene.host.with_token(&token).get("/v1/tokens").await.good();
        admin.delete(&format!("/v1/tokens/{}", text(&theirs["items"][0]["id"]))).await.good();
        tokens.insert("revoked", token);
        let soon = scene.host.app.db.now().plus_seconds(1);
        let (expired, token) = person(&admin, "expired", json!({"expires_at": soon})).await;
        admin.put(&format!("/v1/platform/members/{expired}"), json!({"role": "admin"})).await.good();
        tokens.insert("expired", token);
        tokens.insert("garbage", "berth_00000000000000000000000000000000".into());
        tokens.insert("admin", scene.host.admin_token.clone());
        let own = admin.get("/v1/tokens").await.good();
        let session = text(&admin.post("/v1/sessions", json!({})).await.good()["session"]["id"]);
        let grant = json!({"scope": "team", "id": team, "role": "viewer"});
        let invited = admin.post("/v1/invitations", json!({"name": "Invited", "grant": grant})).await.good();
        let bindings = admin.get("/v1/policy-bindings?scope_kind=platform").await.good();
        let trusted = json!({"scope": {"level": "team", "id": team}, "name": "old", "key": KEYS[0]});
        let trusted = text(&admin.post("/v1/policy-keys", trusted).await.good()["id"]);
        let act =
            text(&admin.get("/v1/acts?mini_app=coffee&operation=mini-apps.create").await.good()["items"][0]["id"]);
        let places = BTreeMap::from([
            ("audit", audit),
            ("task", task),
            ("permit", permit),
            ("merchant", merchant),
            ("webhook", webhook),
            ("act", act),
            ("channel", channel),
            ("template", template),
            ("cid", cid),
            ("authorisation", authorisation),
            ("account", bystander),
            ("session", session),
            ("invitation", text(&invited["invitation"]["id"])),
            ("colleague", colleague),
            ("department", department),
            ("contact", contact),
            ("application", application),
            ("token", text(&own["items"][0]["id"])),
            ("trusted", trusted),
            ("binding", text(&bindings["items"][0]["id"])),
            ("digest", text(&bindings["items"][0]["digest"])),
        ]);
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await; // the token expires
        Self { _wechat: wechat, scene, tokens, places }
    }

    /// Puts real ids into the path of an operation.
    fn path(&self, path: &str) -> String {
        let id = match path.split('/').nth(2).unwrap() {
            "teams" => self.scene.team.as_str(),
            "merchants" => &self.places["merchant"],
            "webhooks" => &self.places["webhook"],
            "acts" => &self.places["act"],
            "channels" => &self.places["channel"],
            "product-instances" => "pi-1",
            "fulfilments" => "m-pi-3",
            "channel-authorisations" => &self.places["authorisation"],
            "messages" => "msg_00000000000000000000000000",
            "host-apps" => "super-app",
            "audits" => &self.places["audit"],
            "gray-tasks" => &self.places["task"],
            "permits" => &self.places["permit"],
            "tokens" => &self.places["token"],
            "accounts" => &self.places["account"],
            "sessions" => &self.places["session"],
            "invitations" => &self.places["invitation"],
            "workspaces" => "acme",
            "policy-bindings" => &self.places["binding"],
            "policy-keys" => &self.places["trusted"],
            _ => "coffee",
        };
        let filled = path
            .replace("{id}", id)
            .replace("{account}", &self.places["account"])
            .replace("{app_id}", OFFICIAL)
            .replace("{pt_id}", "bos-1")
            .replace("{page}", "guess")
            .replace("{member_id}", "m1")
            .replace("{cid}", &self.places["cid"])
            .replace("{instance}", "pi-2")
            .replace("{mini_app_id}", "coffee")
            .replace("{partner}", "tea")
            .replace("{entry}", "shop")
            .replace("{ticket}", "guess")
            .replace("{vid}", "vid-1")
            .replace("{version}", "1.3.0")
            .replace("{path}", "app.json")
            .replace("{name}", "coffee_1.3.0.apkg")
            .replace("{seq}", "1")
            .replace("{number}", "1")
            .replace("{template}", &self.places["template"])
            .replace("{public_key}", "pk_00000000000000000000000000000000")
            .replace("{message}", if id == self.places["merchant"] { NO_TEMPLATE_MESSAGE } else { NO_MESSAGE })
            .replace("{kind}", "version.published")
            .replace("{workspace}", "acme")
            .replace("{urn}", "urn:ietf:params:scim:schemas:core:2.0:User")
            .replace("{contact}", &self.places["contact"])
            .replace("{member}", &self.places["colleague"])
            .replace("{application}", &self.places["application"])
            .replace("{resource}", &self.places[if path.contains("/Groups/") { "department" } else { "colleague" }])
            .replace("{policy}", &self.places["digest"]);
        match path {
            "/v1/workspaces/{id}/portal" => format!("{filled}?member={}", self.places["colleague"]),
            "/scim/v2/{workspace}/ResourceTypes/{name}" => "/scim/v2/acme/ResourceTypes/User".into(),
            "/v1/mini-apps/{id}/cohorts" => format!("{filled}?name=list"),
            "/v1/policy-keys" | "/v1/policy-signing" => format!("{filled}?level=team&id={}", self.scene.team),
            "/v1/policy-bindings" => format!("{filled}?scope_kind=mini_app&scope_id=coffee"),
            "/v1/fulfilments" => format!("{filled}?merchant={}", self.places["merchant"]),
            "/v1/search" => format!("{filled}?q=coffee"),
            "/v1/mini-apps/{id}/compare" => format!("{filled}?from=1.3.0&to=1.3.0"),
            "/v1/account-names" => format!("{filled}?ids={}", self.places["account"]),
            "/v1/host-apps/{id}/subscriptions" | "/v1/host-apps/{id}/privacy-consents" => {
                format!("{filled}?mini_app=coffee&account=alice")
            }
            "/v1/host-apps/{id}/links" | "/v1/host-apps/{id}/login-bindings" => format!("{filled}?account=alice"),
            "/v1/acts" | "/v1/events" | "/v1/events/stream" | "/v1/logs" | "/v1/logs/stream" => {
                format!("{filled}?mini_app=coffee")
            }
            "/v1/wechat/authorise" | "/v1/wechat/callback" => format!("{filled}?state=guess"),
            "/v1/wechat/push" | "/v1/wechat/messages/{app_id}" => {
                format!("{filled}?timestamp=1&nonce=2&msg_signature=3")
            }
            "/v1/wecom/directory/{workspace}" => format!("{filled}?timestamp=1&nonce=2&msg_signature=3&echostr=4"),
            _ => filled,
        }
    }

    fn body(&self, method: &str, path: &str) -> Option<Value> {
        let now = self.scene.host.app.db.now();
        let device = json!({"host_app": "super-app", "guid": "d", "apps": [{"mini_app": "coffee"}]});
        Some(match (method, path) {
            ("POST", "/v1/accounts" | "/v1/teams" | "/v1/merchants" | "/v1/tokens") => json!({"name": "new"}),
            ("PUT", "/v1/me/password") => json!({"new": "correct pony pile", "sign_in_name": "new"}),
            ("POST", "/v1/me/second-factor") => json!({"password": "guess"}),
            (
                "POST",
                "/v1/me/second-factor/confirm"
                | "/v1/me/second-factor/remove"
                | "/v1/me/provider-link/visits"
                | "/v1/me/provider-link/remove",
            ) => json!({"code": "guess"}),
            ("POST", "/v1/sign-in-provider/visits") => json!({}),
            ("POST", "/v1/sign-in-provider/sessions") | ("PUT", "/v1/me/provider-link") => {
                json!({"state": "guess", "cookie": "guess", "code": "guess"})
            }
            ("POST", "/v1/invitations") => {
                json!({"name": "new", "grant": {"scope": "team", "id": self.scene.team, "role": "viewer"}})
            }
            ("POST", "/v1/invitations/seen" | "/v1/invitations/accept") => json!({"code": "guess"}),
            ("POST", "/v1/host-apps") => json!({"name": "new"}),
            ("POST", "/v1/mini-apps") => json!({"name": "new", "team": self.scene.team}),
            ("PATCH", "/v1/mini-apps/{id}") => json!({"description": "new"}),
            ("PATCH", "/v1/teams/{id}" | "/v1/merchants/{id}" | "/v1/channels/{id}") => json!({"name": "new"}),
            ("POST", "/v1/endpoint-apps") => {
                json!({"merchant": self.places["merchant"], "name": "new", "products": ["pi-1"]})
            }
            ("PATCH", "/v1/endpoint-apps/{cid}") => json!({"name": "new"}),
            ("POST", "/v1/fulfilments") => json!({"id": "m-new"}),
            ("POST", "/v1/fulfilments/{id}/discard") => json!({"note": "new"}),
            ("POST", "/v1/channels") => {
                json!({"merchant": self.places["merchant"], "kind": "douyin", "app_id": "tt2", "name": "new"})
            }
            ("PUT", "/v1/channels/{id}/endpoint-app") => json!({"endpoint_app": self.places["cid"]}),
            ("POST", "/v1/org-nodes") => json!({"merchant": self.places["merchant"], "name": "new"}),
            ("PATCH", "/v1/org-nodes/{vid}") => json!({"name": "new"}),
            ("POST", "/v1/channel-authorisations") => {
                let vouched = json!({"app_id": "tt4", "name": "new"});
                json!({"merchant": self.places["merchant"], "kind": "douyin", "vouched": vouched})
            }
            ("POST", "/v1/channel-authorisations/{id}/endpoint-app") => json!({"id": self.places["cid"]}),
            ("POST", "/v1/webhooks") => {
                let scope = json!({"kind": "merchant", "id": self.places["merchant"]});
                json!({"url": "http://127.0.0.1:9/", "scope": scope, "types": ["webhook.ping"]})
            }
            ("PATCH", "/v1/webhooks/{id}") => json!({"description": "new"}),
            ("POST", "/v1/webhooks/{id}/rotate-secret" | "/v1/mini-apps/{id}/secret/freeze") => json!({}),
            ("POST", "/v1/server-tokens") => json!({"mini_app": "coffee", "secret": "guess"}),
            ("POST", "/v1/session") => json!({"mini_app": "coffee", "secret": "guess", "code": "guess"}),
            ("POST", "/v1/session/check") => json!({"open_id": format!("o{}", "0".repeat(27)), "signature": "00"}),
            ("POST", "/v1/session/end") => json!({"open_id": format!("o{}", "0".repeat(27))}),
            ("POST", "/v1/host-apps/{id}/links" | "/v1/host-apps/{id}/links/end") => {
                json!({"account": "alice", "mini_app": "coffee", "partner": "tea"})
            }
            ("PUT", "/v1/mini-apps/{id}/login-entries/{entry}") => {
                let provider = json!({
                    "kind": "oauth2",
                    "authorization_endpoint": "https://login.example.com/authorize",
                    "token_endpoint": "https://login.example.com/token",
                    "user_info_endpoint": "https://login.example.com/me",
                });
                json!({"provider": provider, "client_id": "berth", "return_url": "https://shop.example.com/"})
            }
            ("POST", "/v1/authorised-logins" | "/v1/login-bindings/end") => {
                json!({"entry": "shop", "open_id": format!("o{}", "0".repeat(27))})
            }
            ("POST", "/v1/authorised-logins/finish" | "/v1/recognitions") => {
                json!({"code": "guess", "open_id": format!("o{}", "0".repeat(27))})
            }
            ("POST", "/v1/recognitions/end") => json!({"app_id": OFFICIAL, "open_id": format!("o{}", "0".repeat(27))}),
            ("POST", "/v1/login-bindings") => json!({"open_id": format!("o{}", "0".repeat(27))}),
            ("POST", "/v1/host-apps/{id}/login-bindings/end") => {
                json!({"account": "alice", "mini_app": "coffee", "entry": "shop"})
            }
            ("POST", "/v1/swap") => json!({"to": "tea", "open_ids": [format!("o{}", "0".repeat(27))]}),
            ("POST", "/v1/mini-apps/{id}/message-templates") => json!({"template": "order-paid", "keywords": [2]}),
            ("POST", "/v1/host-apps/{id}/subscription-requests") => {
                json!({"mini_app": "coffee", "account": "alice", "templates": [self.places["template"]]})
            }
            ("POST", "/v1/host-apps/{id}/subscriptions") => {
                let answers = json!([{"template": self.places["template"], "accept": true}]);
                json!({"mini_app": "coffee", "account": "alice", "utc_offset": 0, "answers": answers})
            }
            ("POST", "/v1/host-apps/{id}/subscriptions/withdraw") => json!({"mini_app": "coffee", "account": "alice"}),
            ("POST", "/v1/host-apps/{id}/messages/{message}") => json!({"state": "shown"}),
            ("POST", "/v1/messages") => {
                json!({"open_id": format!("o{}", "0".repeat(27)), "template": self.places["template"], "data": {}})
            }
            ("PUT", "/v1/mini-apps/{id}/privacy/draft") => complete_agreement(),
            ("POST", "/v1/mini-apps/{id}/privacy/versions") => json!({"renew": true}),
            ("POST", "/v1/host-apps/{id}/privacy-consents") => {
                json!({"mini_app": "coffee", "account": "alice", "version": 1})
            }
            ("POST", "/v1/host-apps/{id}/privacy-consents/withdraw") => {
                json!({"mini_app": "coffee", "account": "alice"})
            }
            ("POST", "/v1/privacy-consents/check") => json!({"open_id": format!("o{}", "0".repeat(27))}),
            ("POST", "/v1/host-apps/{id}/users/export" | "/v1/host-apps/{id}/users/erase") => {
                json!({"account": "nobody"})
            }
            ("POST", "/v1/host-apps/{id}/login-codes") => json!({"mini_app": "coffee", "account": "alice"}),
            ("POST", "/v1/official-accounts") => {
                let merchant = &self.places["merchant"];
                json!({"app_id": OTHER_OFFICIAL, "name": "new", "merchant": merchant, "secret": "right"})
            }
            ("PATCH", "/v1/official-accounts/{app_id}") => json!({"name": "new"}),
            ("PUT", "/v1/official-accounts/{app_id}/templates/{template}") => json!({"template_id": "t"}),
            ("POST", "/v1/merchants/{id}/official-accounts/move") => json!({"from": OTHER_OFFICIAL, "to": OFFICIAL}),
            ("PUT", "/v1/merchants/{id}/entry-pages/{page}") => json!({"url": "https://shop.example.com/"}),
            ("POST", "/v1/merchants/{id}/visitors") => json!({"code": "guess"}),
            ("PUT", "/v1/merchants/{id}/fans/{member_id}/{app_id}") => {
                json!({"open_id": format!("o{}", "0".repeat(27))})
            }
            ("PATCH", "/v1/merchants/{id}/fans/{member_id}/{app_id}") => json!({"preferred": true}),
            ("POST", "/v1/merchants/{id}/template-messages") => {
                json!({"member_id": "m1", "template": "paid", "data": {}})
            }
            ("POST", "/v1/webhooks/{id}/replay") => json!({"after": 0}),
            ("PUT", "/v1/mini-apps/{id}/union-ids") => json!({"on": true}),
            ("PUT", "/v1/mini-apps/{id}/oidc-client") => json!({"redirect_uris": ["https://shop.example.com/"]}),
            ("POST", "/v1/host-apps/{id}/sign-ons/end") => json!({"account": "nobody"}),
            ("PUT", "/v1/mini-apps/{id}/domains") => json!({"request": ["https://api.example.com"]}),
            ("POST", "/v1/mini-apps/{id}/permits") => {
                json!({"host_app": "super-app", "kind": "sensitive_api", "api": "scanCode", "reason": "tickets"})
            }
            ("PUT", "/v1/host-apps/{id}/sensitive-apis") => {
                json!({"apis": [{"api": "getLocation"}, {"api": "scanCode"}]})
            }
            ("POST", "/v1/permits/{id}/refuse" | "/v1/permits/{id}/revoke") => json!({"note": "no"}),
            ("POST", "/v1/mini-apps/{id}/shelf") => json!({"on": true}),
            ("PUT", "/v1/mini-apps/{id}/min-version") => json!({"version": null}),
            ("POST", "/v1/mini-apps/{id}/rollback") => json!({"to": "1.0.0"}),
            ("PUT", "/v1/mini-apps/{id}/trial") => {
                json!({"version": "1.2.0", "entry_path": "pages/index/index", "accounts": ["a"]})
            }
            ("POST", "/v1/bundles") => json!({"host_app": "super-app"}),
            ("POST", "/v1/audits/{id}/decisions") => json!({"host_app": "super-app", "approve": true}),
            ("POST", "/v1/policy-bindings") => {
                json!({"policy": "size-limits", "scope": {"kind": "mini_app", "id": "coffee"}})
            }
            ("POST", "/v1/policy-pulls") => json!({"reference": "nowhere"}),
            ("POST", "/v1/policy-keys") => {
                json!({"scope": {"level": "team", "id": self.scene.team}, "name": "new", "key": KEYS[1]})
            }
            ("PUT", "/v1/policy-signing") => {
                json!({"scope": {"level": "team", "id": self.scene.team}, "required": false})
            }
            ("PUT", "/v1/policy-bindings/{id}") => json!({"mode": "enforce"}),
            ("POST", "/v1/policy-replays") => {
                json!({"new": {"policy": "size-limits"}, "scope": {"kind": "mini_app", "id": "coffee"}})
            }
            ("POST", "/v1/mini-apps/{id}/gray-tasks") => {
                json!({"name": "g", "version": "1.1.0", "start": now, "end": now.plus_seconds(60)})
            }
            ("PATCH", "/v1/gray-tasks/{id}") => json!({"name": "new"}),
            ("POST", "/v1/check" | "/v1/check/explain") => device,
            ("POST", "/v1/reports") => {
                json!({"host_app": "super-app", "guid": "d", "mini_app": "coffee", "version": "1.1.0", "kind": "running"})
            }
            ("POST", "/v1/logs") => {
                let entry = json!({"mini_app": "coffee", "at": now, "level": "info", "message": "a"});
                json!({"host_app": "super-app", "guid": "d", "entries": [entry]})
            }
            ("POST", "/v1/workspaces") | ("PATCH", "/v1/workspaces/{id}") => json!({"name": "new"}),
            ("POST", "/v1/workspaces/{id}/contacts") => json!({"name": "new"}),
            ("POST", "/v1/workspaces/{id}/applications") => {
                json!({"kind": "link", "name": "new", "url": "https://new.example.com/"})
            }
            ("PATCH", "/v1/workspaces/{id}/applications/{application}") => json!({"name": "new"}),
            ("PUT", "/v1/workspaces/{id}/directory") => {
                json!({"kind": "wecom", "corp_id": "ww1", "secret": "s", "base_url": "http://127.0.0.1:9"})
            }
            ("POST", "/v1/workspaces/{id}/directory/sync") => json!({}),
            ("PUT", "/v1/workspaces/{id}/sign-in") => json!({"url": "https://portal.example.com/", "help": "IT"}),
            ("PUT", "/v1/workspaces/{id}/sign-in-provider") => {
                json!({"issuer": "http://10.0.0.1", "client_id": "berth", "client_secret": "s"})
            }
            ("POST", "/v1/workspaces/{id}/portal/visits") => json!({}),
            ("POST", "/v1/workspaces/{id}/portal/sign-ons") => {
                json!({"state": "guess", "cookie": "guess", "code": "guess"})
            }
            ("PUT", "/v1/workspaces/{id}/applications/{application}/oidc-client") => {
                json!({"redirect_uris": ["https://wiki.example.com/back"]})
            }
            ("POST", "/v1/workspaces/{id}/login-codes") => {
                json!({"application": self.places["application"], "member": self.places["colleague"], "request": "a=b"})
            }
            ("POST", "/v1/workspaces/{id}/sign-ons/end") => json!({"member": self.places["colleague"]}),
            ("PUT", path) if path.ends_with("/access") => json!({"everyone": true}),
            ("PUT", "/v1/workspaces/{id}/accounts/{account}") => json!({"role": "admin"}),
            ("POST" | "PUT", path) if path.starts_with("/scim/") => {
                let kind = if path.contains("/Groups") { "Group" } else { "User" };
                let schema = format!("urn:ietf:params:scim:schemas:core:2.0:{kind}");
                json!({"schemas": [schema], "userName": method, "displayName": "new", "Operations": []})
            }
            ("PATCH", path) if path.starts_with("/scim/") => {
                json!({"Operations": [{"op": "add", "path": "displayName", "value": "new"}]})
            }
            ("PUT", path) if path.ends_with("/check-record") => json!({"ends_at": now.plus_seconds(60)}),
            ("PUT", path) if path.ends_with("/log-masks") => json!({"rules": [{"kind": "phone"}]}),
            ("PUT", path) if path.contains("/members/") => {
                let role = if path.starts_with("/v1/teams") { "viewer" } else { "admin" };
                json!({"role": role})
            }
            _ => return None,
        })
    }

    async fn ask(&self, who: &Api, method: &str, path: &str) -> berth_tests::Answer {
        who.send(method, &self.path(path), self.body(method, path).as_ref()).await
    }

    /// The names of the accounts that may do an operation.
    fn allowed(method: &str, path: &str, may: May) -> BTreeSet<&'static str> {
        let of = |cast: &[(&'static str, &str)], roles: &[&str]| {
            cast.iter().filter(|(_, role)| roles.contains(role)).map(|(name, _)| *name).collect::<BTreeSet<_>>()
        };
        let cast =
            [&TEAM_ROLES[..], &HOST_ROLES, &MERCHANT_ROLES, &WORKSPACE_ROLES, &PLATFORM_ROLES, &[("stranger", "")]]
                .concat();
        let mut names = match may {
            May::Anybody => cast.iter().map(|(name, _)| *name).collect(),
            May::Team(roles) => of(&TEAM_ROLES, roles),
            May::HostApp(roles) => of(&HOST_ROLES, roles),
            May::Both => of(&TEAM_ROLES, &["viewer", "developer", "operator", "admin"])
                .union(&of(&HOST_ROLES, &["auditor", "admin"]))
                .copied()
                .collect(),
            May::EitherAdmin => ["team admin", "host admin"].into(),
            May::Merchant(roles) => of(&MERCHANT_ROLES, roles),
            May::Workspace(roles) => of(&WORKSPACE_ROLES, roles),
            May::WorkspaceAndTeam => BTreeSet::new(),
            May::Fulfiller => ["fulfiller"].into(),
            May::MessageReader => MERCHANT_ROLES.iter().map(|(name, _)| *name).chain(["fulfiller"]).collect(),
            May::Platform | May::Owner | May::Devices | May::Link | May::Signer(_) | May::Server | May::Relying(_) => {
                BTreeSet::new()
            }
        };
        let reads = method == "GET" || READING_POSTS.contains(&path);
        let by_token = !matches!(may, May::Devices | May::Link | May::Signer(_) | May::Server | May::Relying(_));
        if reads && by_token && !matches!(may, May::Owner | May::Fulfiller) && is_for_viewers(path) {
            names.insert("platform viewer");
        }
        if by_token {
            names.insert("admin");
        }
        names
    }
}

on_both! {
    async fn f80_i9_every_operation_refuses_whoever_lacks_the_grant(host) {
        let cast = Cast::gather(host).await;
        for (method, path, may) in TABLE {
            let allowed = Cast::allowed(method, path, *may);
            let nobody = cast.ask(&cast.scene.host.anonymous(), method, path).await;
            let unknown = match may {
                May::Link => 404,
                May::Relying(status) | May::Signer(status) => *status,
                _ => 401,
            };
            assert_eq!(nobody.status, unknown, "anonymous {method} {path}: {}", nobody.kind());
            for (name, token) in &cast.tokens {
                if allowed.contains(name) {
                    continue;
                }
                let answer = cast.ask(&cast.scene.host.with_token(token), method, path).await;
                let expected: &[u16] = match *name {
                    _ if matches!(may, May::Link | May::Signer(_) | May::Relying(_)) => &[unknown],
                    "garbage" | "revoked" | "expired" => &[401],
                    _ if matches!(may, May::Devices | May::Server) => &[401],
                    _ => &[403, 404],
                };
                assert!(expected.contains(&answer.status), "{name} {method} {path}: {} {}", answer.status, answer.kind());
            }
        }
    }

    async fn f80_whoever_has_the_grant_is_not_refused(host) {
        let cast = Cast::gather(host).await;
        // What reads first, what ends things last.
        let rank = |method: &str| ["GET", "POST", "PATCH", "PUT", "DELETE"].iter().position(|one| *one == method);
        let mut rows: Vec<_> = TABLE.iter().collect();
        rows.sort_by_key(|(method, ..)| rank(method));
        for (method, path, may) in rows {
            for name in Cast::allowed(method, path, *may) {
                let answer = cast.ask(&cast.scene.host.with_token(&cast.tokens[name]), method, path).await;
                assert!(answer.status < 500 && ![401, 403].contains(&answer.status), "{name} {method} {path}: {} {}", answer.status, answer.kind());
                if *path == "/v1/tokens/{id}" {
                    return; // the admin's own token is gone
                }
            }
        }
    }

    async fn f80_a_host_app_gets_a_mini_app_when_its_team_agrees(host) {
        let scene = Scene::set(host).await;
        scene.push("1.0.0", "1.0.0").await.good();
        let (account, greedy) = scene.host.somebody("greedy").await;
        scene.admin.post("/v1/host-apps", json!({"name": "Greedy", "id": "greedy"})).await.good();
        scene.admin.put(&format!("/v1/host-apps/greedy/members/{account}"), json!({"role": "admin"})).await.good();
        let (binding, package) = ("/v1/host-apps/greedy/bindings/coffee", "/v1/packages/coffee_1.0.0.apkg");
        assert_eq!(greedy.put(binding, json!(null)).await.good()["state"], "waits_for_team");
        greedy.get(package).await.refused("not-found");
        let audit = scene.submit("1.0.0").await;
        assert_eq!(audit["items"].as_array().unwrap().len(), 1, "only super-app is asked");
        let told = scene.admin.get("/v1/mini-apps/coffee/bindings").await.good();
        assert_eq!(told["items"][0]["state"], "waits_for_team");
        assert_eq!(scene.admin.put(binding, json!(null)).await.good()["state"], "active");
        greedy.get(package).await.refused("not-found");
        scene.decide(&audit, true, "").await.good();
        scene.publish("1.0.0").await.good();
        assert_eq!(greedy.get(package).await.status, 200, "what is published is for every host app");
        scene.push("1.1.0", "1.1.0").await.good();
        greedy.get("/v1/packages/coffee_1.1.0.apkg").await.refused("not-found");
        scene.submit("1.1.0").await;
        assert_eq!(greedy.get("/v1/packages/coffee_1.1.0.apkg").await.status, 200, "they see what they decide on");
        scene.admin.delete(binding).await.good();
        greedy.get(package).await.refused("not-found");
    }

    async fn e13_f80_members_of_a_merchant_read_the_messages_that_name_it_and_no_others(host) {
        let admin = host.admin();
        for id in ["bos-1", "bos-2"] {
            Merchant::new(&admin, id).await.buys(&format!("pi-{id}"), "mall").await;
            admin.post("/v1/fulfilments", json!({"id": format!("odd-{id}"), "merchant": id})).await.good();
        }
        admin.post("/v1/fulfilments", json!({"id": "nobodys", "merchant": "bos-9"})).await.good();
        let nameless = text(&admin.post("/v1/fulfilments", json!([7])).await.good()["results"][0]["id"]);
        let (account, viewer) = host.somebody("viewer").await;
        admin.put(&format!("/v1/merchants/bos-1/members/{account}"), json!({"role": "viewer"})).await.good();
        let listed = viewer.get("/v1/fulfilments?merchant=bos-1").await.good();
        let merchants: Vec<_> = listed["items"].as_array().unwrap().iter().map(|one| text(&one["merchant"])).collect();
        assert_eq!(merchants, ["bos-1", "bos-1"]);
        let waiting = viewer.get("/v1/fulfilments?merchant=bos-1&state=parked").await.good();
        assert_eq!(waiting["items"][0]["id"], "odd-bos-1");
        assert_eq!(viewer.get("/v1/fulfilments/odd-bos-1").await.good()["reason"], "malformed");
        for id in ["odd-bos-2", "nobodys", nameless.as_str(), "not-there"] {
            viewer.get(&format!("/v1/fulfilments/{id}")).await.refused("missing-grant");
        }
        for merchant in ["bos-2", "bos-9"] {
            viewer.get(&format!("/v1/fulfilments?merchant={merchant}")).await.refused("missing-grant");
        }
        let refused = viewer.get("/v1/fulfilments").await.refused("missing-grant");
        assert!(text(&refused["detail"]).contains("merchant=BOS_ID"), "{refused}");
        assert_eq!(refused["next"], "berth fulfilment list --merchant bos-1");
        admin.put(&format!("/v1/merchants/bos-1/members/{account}"), json!({"role": "admin"})).await.good();
        viewer.post("/v1/fulfilments/odd-bos-1/discard", json!({"note": "n"})).await.refused("missing-grant");
        viewer.post("/v1/fulfilments/odd-bos-1/replay", json!({})).await.refused("missing-grant");
        let (account, watcher) = host.somebody("watcher").await;
        admin.put(&format!("/v1/platform/members/{account}"), json!({"role": "viewer"})).await.good();
        assert_eq!(watcher.get("/v1/fulfilments?state=parked").await.good()["items"].as_array().unwrap().len(), 4);
        watcher.get(&format!("/v1/fulfilments/{nameless}")).await.good();
        // A token that may not read helps no member.
        let token = viewer.post("/v1/tokens", json!({"name": "t", "scopes": ["operate"]})).await.good();
        let blind = host.with_token(&text(&token["secret"]));
        blind.get("/v1/fulfilments?merchant=bos-1").await.refused("missing-grant");
    }

    async fn v5_f80_an_auditor_of_a_host_app_sees_what_it_decides_on_and_nothing_else(host) {
        let scene = Scene::set(host).await;
        let (account, auditor) = scene.host.somebody("auditor").await;
        scene.admin.put(&format!("/v1/host-apps/super-app/members/{account}"), json!({"role": "auditor"})).await.good();
        scene.push("1.0.0", "1.0.0").await.good();
        let version = "/v1/mini-apps/coffee/versions/1.0.0";
        let parts = ["", "/findings", "/files", "/audits"].map(|part| format!("{version}{part}"));
        for part in &parts {
            auditor.get(part).await.refused("not-found");
        }
        let audit = scene.submit("1.0.0").await;
        for part in &parts {
            auditor.get(part).await.good();
        }
        let shown = auditor.get(version).await.good();
        assert_eq!((&shown["version"], &shown["audit"]["id"]), (&json!("1.0.0"), &audit["id"]));
        let files = auditor.get(&parts[2]).await.good();
        let first = &files["items"][0];
        assert!(files["items"].as_array().unwrap().iter().any(|one| one["path"] == "app.json"), "{files}");
        assert!(first["size"].is_u64() && text(&first["sha256"]).len() == 64, "{first}");
        assert_eq!(auditor.get("/v1/packages/coffee_1.0.0.apkg").await.status, 200);
        scene.push("1.0.0", "1.1.0").await.good();
        auditor.get("/v1/mini-apps/coffee/versions/1.1.0").await.refused("not-found");
        auditor.send("POST", &format!("{version}/withdraw"), None).await.refused("missing-grant");
        let decision = json!({"host_app": "super-app", "approve": true});
        let decided = auditor.post(&format!("/v1/audits/{}/decisions", text(&audit["id"])), decision).await.good();
        assert_eq!((&decided["state"], &decided["items"][0]["decided_by"]), (&json!("approved"), &json!(account)));
        let kept = auditor.get(&format!("/v1/audits/{}", text(&audit["id"]))).await.good();
        assert_eq!(kept, decided, "what is answered is what is stored");
    }

    async fn a5_f80_members_of_a_bound_host_app_see_the_mini_app_without_what_is_the_teams_own(host) {
        let scene = Scene::set(host).await;
        let edit = json!({"description": "Beans"});
        scene.admin.send("PATCH", "/v1/mini-apps/coffee", Some(&edit)).await.good();
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let task = text(&scene.gray("1.1.0", json!({})).await.good()["id"]);
        let bound = json!({"policy": "secrets", "scope": {"kind": "mini_app", "id": "coffee"}, "mode": "shadow"});
        let binding = text(&scene.admin.post("/v1/policy-bindings", bound).await.good()["id"]);
        scene.push("1.2.0", "1.2.0").await.good();
        let trial = json!({"version": "1.2.0", "entry_path": "pages/index/index", "accounts": ["alice"]});
        scene.admin.put("/v1/mini-apps/coffee/trial", trial).await.good();
        // Bound after all that: it was asked about none of these versions.
        scene.admin.post("/v1/host-apps", json!({"name": "Late", "id": "late-app"})).await.good();
        let mut people = Vec::new();
        for (host_app, role) in [("super-app", "auditor"), ("late-app", "admin"), ("super-app", "server")] {
            let (account, person) = scene.host.somebody(role).await;
            scene.admin.put(&format!("/v1/host-apps/{host_app}/members/{account}"), json!({"role": role})).await.good();
            people.push(person);
        }
        let [auditor, late, server] = &people[..] else { panic!("three people") };
        let page = "/v1/mini-apps/coffee";
        late.get(page).await.refused("not-found");
        scene.admin.put("/v1/host-apps/late-app/bindings/coffee", json!(null)).await.good();

        for (person, approved, versions) in [(auditor, vec!["1.1.0"], vec!["1.1.0", "1.0.0"]), (late, vec![], vec!["1.0.0"])] {
            let shown = person.get(page).await.good();
            assert_eq!((&shown["name"], &shown["description"]), (&json!("Coffee"), &json!("Beans")));
            let mut listed = person.get("/v1/mini-apps").await.good()["items"][0].clone();
            assert_eq!((&listed["online"], listed["approved"].as_str()), (&json!("1.0.0"), approved.first().copied()));
            ["online", "approved"].iter().for_each(|member| drop(listed.as_object_mut().unwrap().remove(*member)));
            assert_eq!(listed, shown, "and nothing of what is the team's own");
            let look = person.get(&format!("{page}/overview")).await.good();
            assert_eq!((&look["through_host_app"], &look["online"]["version"]), (&json!(true), &json!("1.0.0")));
            let numbers = |list: &Value| list.as_array().unwrap().iter().map(|one| text(&one["version"])).collect::<Vec<_>>();
            assert_eq!(numbers(&look["approved"]), approved);
            assert_eq!((&look["trial"], &look["development"], &look["gray_tasks"]), (&json!(null), &json!([]), &json!([])));
            assert_eq!(numbers(&person.get(&format!("{page}/versions")).await.good()["items"]), versions);
            assert_eq!(person.get(&format!("{page}/releases")).await.good()["items"][0]["version"], "1.0.0");
            // They know of the MiniApp, so they are told that it takes a role in its team; of a version that is the team's own,
            // of a task and of a binding there they do not learn that it exists.
            for own in ["gray-tasks", "trial", "bindings", "permits", "cohorts?name=a"] {
                person.get(&format!("{page}/{own}")).await.refused("missing-grant");
            }
            assert_eq!(person.get("/v1/gray-tasks").await.good()["items"], json!([]));
            for (method, act, body) in [
                ("PATCH", page.to_owned(), edit.clone()),
                ("POST", format!("{page}/versions/1.1.0/publish"), json!({})),
                ("POST", format!("{page}/shelf"), json!({"on": false})),
                ("POST", "/v1/policy-bindings".into(), json!({"policy": "size-limits", "scope": {"kind": "mini_app", "id": "coffee"}})),
            ] {
                let refused = person.send(method, &act, Some(&body)).await.refused("missing-grant");
                assert!(text(&refused["detail"]).contains("team"), "{refused}");
            }
            let theirs = [
                format!("{page}/versions/1.2.0"),
                format!("{page}/versions/9.9.9"),
                format!("/v1/gray-tasks/{task}"),
                format!("/v1/policy-bindings?scope_kind=gray_task&scope_id={task}"),
            ];
            for hidden in &theirs {
                person.get(hidden).await.refused("not-found");
            }
            person.send("DELETE", &format!("/v1/policy-bindings/{binding}"), None).await.refused("not-found");
        }
        let whole = scene.admin.get(&format!("{page}/overview")).await.good();
        assert_eq!((&whole["through_host_app"], whole["gray_tasks"].as_array().unwrap().len()), (&json!(false), 1));
        // It runs the online version, although it was not asked about it; that audit is others'.
        let seen = late.get(&format!("{page}/versions/1.0.0")).await.good();
        assert_eq!((&seen["state"], &seen["audit"]), (&json!("online"), &json!(null)));
        late.get(&format!("{page}/versions/1.1.0")).await.refused("not-found");
        for path in [page.to_owned(), format!("{page}/overview"), format!("{page}/versions")] {
            server.get(&path).await.refused("not-found");
        }
        assert_eq!(server.get("/v1/mini-apps").await.good()["items"], json!([]));
        let bound = json!({"policy": "size-limits", "scope": {"kind": "host_app", "id": "super-app"}});
        scene.admin.post("/v1/policy-bindings", bound).await.good();
        for (person, told) in [(server, 0), (auditor, 1)] {
            let listed = person.get("/v1/policy-bindings").await.good();
            let of_host_app = listed["items"].as_array().unwrap().iter().filter(|one| one["scope"]["kind"] == "host_app");
            assert_eq!(of_host_app.count(), told, "{listed}");
        }
        scene.admin.delete("/v1/host-apps/late-app/bindings/coffee").await.good();
        late.get(page).await.refused("not-found");
        assert_eq!(late.get("/v1/mini-apps").await.good()["items"], json!([]));
    }

    async fn f80_names_of_accounts_are_told_to_whoever_has_their_ids(host) {
        let (ada, anybody) = host.somebody("Ada").await;
        let (bob, _) = host.somebody("Bob").await;
        let nobody = format!("usr_{}", "0".repeat(26));
        let names = anybody.get(&format!("/v1/account-names?ids={bob},{nobody},{ada}")).await.good();
        let mut expected = [json!({"id": ada, "name": "Ada"}), json!({"id": bob, "name": "Bob"})];
        expected.sort_by_key(|one| text(&one["id"]));
        assert_eq!(names["items"], json!(expected));
        assert_eq!(anybody.get("/v1/account-names?ids=").await.good()["items"], json!([]));
        for wrong in ["admin".to_owned(), format!("{bob},x")] {
            anybody.get(&format!("/v1/account-names?ids={wrong}")).await.refused("invalid-field");
        }
        anybody.get("/v1/account-names").await.refused("bad-request");
        let many: Vec<_> = (0..101).map(|number| format!("usr_{number:026}")).collect();
        anybody.get(&format!("/v1/account-names?ids={}", many.join(","))).await.refused("invalid-field");
        host.anonymous().get(&format!("/v1/account-names?ids={ada}")).await.refused("missing-token");
    }

    async fn v5_what_the_platform_binds_no_team_removes_or_weakens(host) {
        let scene = Scene::set(host).await;
        let (account, maker) = scene.host.somebody("maker").await;
        scene.admin.put(&format!("/v1/teams/{}/members/{account}", scene.team), json!({"role": "admin"})).await.good();
        let place = json!({"kind": "mini_app", "id": "coffee"});
        let bound = json!({"policy": "size-limits", "scope": place, "config": {"main_bytes": 1_000_000}});
        let binding = scene.admin.post("/v1/policy-bindings", bound).await.good();
        assert_eq!(binding["level"], "platform");
        let at = format!("/v1/policy-bindings/{}", text(&binding["id"]));
        let changes = [
            json!({"mode": "shadow"}),
            json!({"on_error": "open"}),
            json!({"config": {}}),
            json!({"limits": {"deadline_ms": 1}}),
            json!({"policy": "size-limits"}),
        ];
        for change in &changes {
            let refusal = maker.put(&at, change.clone()).await.refused("missing-grant");
            assert!(text(&refusal["detail"]).contains("belongs to the platform"), "{refusal}");
        }
        maker.delete(&at).await.refused("missing-grant");
        let listed = maker.get("/v1/policy-bindings?scope_kind=mini_app&scope_id=coffee").await.good();
        assert_eq!(listed["items"], json!([binding]), "the team sees what judges its versions");
        maker.post("/v1/policy-bindings", json!({"policy": "size-limits", "scope": place, "mode": "shadow"})).await.refused("policy-bound");
        // What the team binds is the team's, until the platform takes it over.
        let own = maker.post("/v1/policy-bindings", json!({"policy": "secrets", "scope": place})).await.good();
        assert_eq!(own["level"], "team");
        let own = format!("/v1/policy-bindings/{}", text(&own["id"]));
        assert_eq!(maker.put(&own, json!({"mode": "shadow"})).await.good()["level"], "team");
        assert_eq!(scene.admin.put(&own, json!({"policy": "secrets"})).await.good()["level"], "team");
        assert_eq!(scene.admin.put(&own, json!({"mode": "enforce"})).await.good()["level"], "platform");
        maker.put(&own, json!({"mode": "shadow"})).await.refused("missing-grant");
        scene.admin.delete(&at).await.good();
    }

    async fn f80_a_team_may_ask_for_a_host_app_and_either_side_may_end_it(host) {
        let scene = Scene::set(host).await;
        let (account, maker) = scene.host.somebody("maker").await;
        scene.admin.put(&format!("/v1/teams/{}/members/{account}", scene.team), json!({"role": "admin"})).await.good();
        scene.admin.post("/v1/host-apps", json!({"name": "Big", "id": "big-app"})).await.good();
        let binding = "/v1/host-apps/big-app/bindings/coffee";
        assert_eq!(maker.put(binding, json!(null)).await.good()["state"], "waits_for_host_app");
        assert_eq!(maker.put(binding, json!(null)).await.good()["state"], "waits_for_host_app");
        assert_eq!(scene.admin.put(binding, json!(null)).await.good()["state"], "active");
        maker.delete(binding).await.good();
        maker.delete(binding).await.refused("not-found");
        maker.put("/v1/host-apps/no-app/bindings/coffee", json!(null)).await.refused("not-found");
    }

    async fn f80_a_token_without_the_scope_is_refused_whatever_its_roles(host) {
        let scene = Scene::set(host).await;
        let token = scene.admin.post("/v1/tokens", json!({"name": "reader", "scopes": ["read"]})).await.good();
        let reader = scene.host.with_token(&text(&token["secret"]));
        reader.get("/v1/mini-apps/coffee").await.good();
        reader.post("/v1/mini-apps/coffee/shelf", json!({"on": false})).await.refused("missing-grant");
        reader.post("/v1/tokens", json!({"name": "more"})).await.refused("missing-grant");
        reader.push("coffee_1.0.0.apkg", vec![]).await.refused("missing-grant");
    }

    async fn f83_a_token_gives_no_scope_that_it_lacks_and_the_last_admin_stays(host) {
        let scene = Scene::set(host).await;
        let token = scene.admin.post("/v1/tokens", json!({"name": "m", "scopes": ["read", "manage"]})).await.good();
        let manager = scene.host.with_token(&text(&token["secret"]));
        manager.post("/v1/tokens", json!({"name": "more", "scopes": ["release"]})).await.refused("missing-grant");
        let me = text(&scene.admin.get("/v1/me").await.good()["account"]["id"]);
        scene.admin.delete(&format!("/v1/teams/{}/members/{me}", scene.team)).await.refused("last-admin");
        scene.admin.put(&format!("/v1/teams/{}/members/{me}", scene.team), json!({"role": "viewer"})).await.refused("last-admin");
    }

    async fn f84_a_revoked_token_is_refused_at_once_on_every_host(host) {
        let scene = Scene::set(host).await;
        let other = scene.host.beside().await;
        let token = scene.admin.post("/v1/tokens", json!({"name": "t"})).await.good();
        other.with_token(&text(&token["secret"])).get("/v1/me").await.good();
        scene.admin.delete(&format!("/v1/tokens/{}", text(&token["id"]))).await.good();
        other.with_token(&text(&token["secret"])).get("/v1/me").await.refused("invalid-token");
    }

    async fn f87_an_unknown_and_a_revoked_token_look_alike(host) {
        let scene = Scene::set(host).await;
        let token = scene.admin.post("/v1/tokens", json!({"name": "t"})).await.good();
        scene.admin.delete(&format!("/v1/tokens/{}", text(&token["id"]))).await.good();
        let mut revoked = scene.host.with_token(&text(&token["secret"])).get("/v1/me").await.refused("invalid-token");
        let mut unknown = scene.host.with_token("berth_nobody").get("/v1/me").await.refused("invalid-token");
        for problem in [&mut revoked, &mut unknown] {
            problem.as_object_mut().unwrap().remove("request_id");
        }
        assert_eq!(revoked, unknown);
    }

    async fn i8_f85_no_secret_is_stored_in_plain_text(host) {
        let scene = Scene::set(host).await;
        let secret = text(&scene.admin.post("/v1/tokens", json!({"name": "canary"})).await.good()["secret"]);
        scene.host.with_token(&secret).get("/v1/me").await.good();
        let events = scene.admin.get("/v1/events?limit=1000").await.good().to_string();
        assert!(!events.contains(&secret));
        for file in ["berth.db", "berth.db-wal"] {
            let bytes = std::fs::read(scene.host.folder().join(file)).unwrap_or_default();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{file} holds the secret");
        }
    }
}

#[tokio::test]
async fn f80_every_operation_of_the_openapi_document_has_a_row() {
    let document = serde_json::to_value(berth_api::router::openapi()).unwrap();
    let methods = ["get", "put", "post", "delete", "patch"];
    let documented: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let used = methods.iter().filter(|method| item.get(**method).is_some());
            used.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        })
        .collect();
    let tried: BTreeSet<_> = TABLE.iter().map(|(method, path, _)| (method.to_string(), path.to_string())).collect();
    let missing: Vec<_> = documented.symmetric_difference(&tried).collect();
    assert!(missing.is_empty(), "in the document or in the table, not in both: {missing:?}");
}

/// The members of the JSON body of an operation, with their schemas; empty for other bodies.
fn members(api: &Value, method: &str, path: &str) -> BTreeMap<String, Value> {
    fn collect(api: &Value, schema: &Value, members: &mut BTreeMap<String, Value>) {
        if let Some(name) = schema["$ref"].as_str() {
            return collect(api, api.pointer(name.trim_start_matches('#')).unwrap(), members);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            collect(api, part, members);
        }
        let properties = schema["properties"].as_object().into_iter().flatten();
        members.extend(properties.map(|(name, member)| (name.clone(), member.clone())));
    }
    let body = &api["paths"][path][method.to_lowercase()]["requestBody"]["content"]["application/json"]["schema"];
    let mut members = BTreeMap::new();
    collect(api, body, &mut members);
    members
}

/// A value that a member with this schema cannot take; `None` when it takes anything.
fn misfit(member: &Value) -> Option<Value> {
    let kind = &member["type"];
    let is = |name: &str| kind == name || kind.as_array().is_some_and(|kinds| kinds.contains(&name.into()));
    let refers = ["$ref", "oneOf", "allOf"].iter().any(|how| member.get(how).is_some());
    match () {
        () if is("object") && member.get("additionalProperties").is_none() => None,
        () if is("object") => Some(json!(7)),
        () if refers || !kind.is_null() => Some(json!([[true]])),
        () => None,
    }
}

on_both! {
    async fn f82_what_does_not_fit_is_named_by_its_place_and_null_is_not_told(host) {
        let cast = Cast::gather(host).await;
        let admin = &cast.scene.admin;
        let api = admin.get("/openapi.json").await.good();
        let mut tried = 0;
        for (method, path, may) in TABLE {
            if matches!(may, May::Devices | May::Relying(_)) || path.starts_with("/v1/session/") || path.starts_with("/v1/recognitions")
                || path.starts_with("/v1/authorised-logins") || path.starts_with("/v1/login-bindings") || ["/v1/messages", "/v1/privacy-consents/check", "/v1/swap"].contains(path) {
                continue; // whoever has no key of a host app or server token is refused before the body is read, and OAuth has forms
            }
            let (address, mut told) = (cast.path(path), members(&api, method, path));
            if *path == "/v1/fulfilments/{id}/replay" {
                told.remove("message"); // a message may be anything: it is parked with the reason
            }
            for (name, wrong) in told.iter().filter_map(|(name, member)| Some((name, misfit(member)?))) {
                let problem = admin.send(method, &address, Some(&json!({name: wrong}))).await.refused("invalid-field");
                let pointer = problem["pointer"].as_str().unwrap_or_default();
                assert!(pointer.starts_with(&format!("/{name}")), "{method} {path} {name}: {problem}");
                let detail = problem["detail"].as_str().unwrap();
                for word in ["invalid type", "invalid value", "expected", "struct ", "variant", "line 1"] {
                    assert!(!detail.contains(word), "{method} {path} {name}: {detail}");
                }
                tried += 1;
            }
            // The request of the first comes from a browser, and what the others name is a server: nobody here has either.
            let asks_elsewhere =
                ["/v1/workspaces/{id}/login-codes", "/v1/policy-pulls", "/v1/workspaces/{id}/sign-in-provider"];
            if asks_elsewhere.contains(path) {
                continue;
            }
            let Some(Value::Object(mut body)) = cast.body(method, path) else { continue };
            for name in told.keys() {
                body.entry(name).or_insert(Value::Null);
            }
            let answer = admin.send(method, &address, Some(&Value::Object(body))).await;
            let about = answer.json()["pointer"].as_str().unwrap_or_default().to_owned();
            assert!(about.is_empty(), "{method} {path} with nulls: {}", answer.json());
        }
        assert!(tried > 80, "{tried}");
    }
}
