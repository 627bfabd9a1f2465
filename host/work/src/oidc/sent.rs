//! Where a browser is sent that a client has sent here.

use berth_model::oidc::{Refusal, Target, back};

use super::{Browser, Issuer};

/// Where a browser is sent.
#[derive(Debug, Default)]
pub struct Sent {
    /// The address: one that the client has registered, or the sign-in page of a workspace.
    pub to: String,
    /// The secrets of sign-ons that have begun, and of being known again, for the browser to keep.
    pub begun: Browser,
    /// Why the user was not logged in, which the address tells the client.
    pub refused: Option<Refusal>,
    /// Whether the member is shown the refusal, and whom to ask, before the browser goes on.
    pub shown: Option<Shown>,
}

/// What a member who may not open a tool is shown.
#[derive(Debug)]
pub struct Shown {
    /// The name of the tool.
    pub tool: String,
    /// Whom to ask, in the words of the workspace; empty when it has said none.
    pub help: String,
}

/// The address of the client with the answer to what it asked.
pub(super) fn answer(issuer: &Issuer, target: &Target, done: Result<&str, &Refusal>) -> String {
    let mut told = Vec::new();
    let description = done.err().map(Refusal::description).unwrap_or_default();
    match done {
        Ok(code) => told.push(("code", code)),
        Err(refusal) => told.extend([("error", refusal.word.as_str()), ("error_description", &description)]),
    }
    told.extend(target.state.as_deref().map(|state| ("state", state)));
    // Says whose answer it is (RFC 9207).
    told.push(("iss", issuer.as_str()));
    back(&target.redirect_uri, &told)
}
