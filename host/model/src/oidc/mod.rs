//! Unified authentication: this host is the OpenID provider of the MiniApps, so that who has logged in to one of them in a
//! host app is logged in to all that the host app runs (U2, U10–U18).
//!
//! A MiniApp is a client: its id is the `client_id`, its AppSecret the client secret, and the `sub` of a user is the OpenID
//! that the user has in it. A **sign-on** is what the browser of a user has with this host meanwhile.
//!
//! Internal tools of workspaces are clients as well, for members of the workspace, with ids, secrets and sign-ons of their own:
//! [`tool`].

mod authorize;
mod client;
mod code;
mod discovery;
mod exchange;
mod key;
mod logout;
mod parameters;
mod redirect;
mod refusal;
mod sign_on;
mod token;
mod tool;

pub use authorize::{Asked, Target};
pub use client::{OidcClient, OidcClientChanged, SetOidcClient};
pub use code::{IssuedCode, Verdict, challenge_of};
pub use discovery::{OpenIdConfiguration, SCOPE};
pub use exchange::{ClientProof, Exchange, Granted};
pub use key::{Jwk, Jwks, OidcKeyRotated};
pub use logout::AskLogout;
pub use parameters::Parameters;
pub use redirect::{back, is_redirect};
pub use refusal::{Refusal, Word};
pub use sign_on::{EndSignOns, SignOn, SignOnHeld, SignOnsEnded};
pub use token::{IdToken, TokenAnswer, UserInfo};
pub use tool::{
    AskMemberCode, ClientId, EndMemberSignOns, IssuedToolSecret, MemberClaims, MemberCode, MemberDepartment,
    MemberIdToken, MemberSignOn, Scopes, SetSignIn, SignIn, TokenKind, ToolClient, ToolClientChanged, ToolCode,
    ToolSecretIssued, ToolToken,
};

/// The first characters of an authorisation code.
pub const AUTHORISATION_CODE: &str = "berth_authz_";
/// The first characters of an access token.
pub const ACCESS_TOKEN: &str = "berth_access_";
/// The first characters of what a browser keeps of a sign-on.
pub const SIGN_ON: &str = "berth_sign_on_";
/// The first characters of the client secret of an internal tool.
pub const TOOL_SECRET: &str = "berth_tool_";
/// The first characters of what a browser keeps of the sign-on of a member.
pub const MEMBER_SIGN_ON: &str = "berth_member_sign_on_";
/// The cookie by which a browser keeps the sign-on of a member. `__Host-` has browsers take it from this very host by TLS only.
pub fn member_cookie(is_secure: bool) -> &'static str {
    if is_secure { "__Host-berth-member-sign-on" } else { "berth-member-sign-on" }
}
/// The first characters of what a browser keeps that is sent to the sign-in page of a workspace.
pub const SIGN_IN: &str = "berth_sign_in_";
/// The parameter by which the request that a browser brings to the sign-in page says which browser it is: the SHA-256 of what it
/// keeps.
pub const BROWSER: &str = "browser";
/// For how many seconds a browser may be at the sign-in page.
pub const SIGN_IN_SECONDS: i64 = 3600;
/// The first characters of an access token for a member.
pub const MEMBER_ACCESS_TOKEN: &str = "berth_member_access_";
/// The first characters of a refresh token for a member.
pub const MEMBER_REFRESH_TOKEN: &str = "berth_member_refresh_";
/// For how many seconds a refresh token is good, each of which is used once.
pub const REFRESH_SECONDS: i64 = 14 * 24 * 3600;
/// For how many seconds an authorisation code can be exchanged.
pub const CODE_SECONDS: i64 = 60;
/// How many authorisation codes of a sign-on wait to be exchanged, at most. A further one ends the oldest.
pub const MOST_CODES: i64 = 20;
/// For how many seconds an access token and an ID token are good.
pub const TOKEN_SECONDS: i64 = 3600;
/// For how many seconds a sign-on is good. A former key is served as long: an ID token is a hint at a logout until the
/// sign-on that it came from has ended.
pub const SIGN_ON_SECONDS: i64 = 12 * 3600;
