//! Internal tools of workspaces as OpenID clients, to which members are signed on (W6–W8).
//!
//! The client id is that of the application. The portal's server vouches for a member by a login code; whether the member may
//! open the tool is the decision of the portal, each time that anything is given or told.

mod claims;
mod client;
mod code;
mod scope;
mod sign_on;

pub use claims::{MemberClaims, MemberDepartment, MemberIdToken};
pub use client::{ClientId, IssuedToolSecret, ToolClient, ToolClientChanged, ToolSecretIssued};
pub use code::{TokenKind, ToolCode, ToolToken};
pub use scope::Scopes;
pub use sign_on::{AskMemberCode, EndMemberSignOns, MemberCode, MemberSignOn, SetSignIn, SignIn};
