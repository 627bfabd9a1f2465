//! What WeChat pushes to this host, and what this host does about it.

use super::{pushed, revoked_at};
use berth_base::error::Result;

use crate::{
    endpoint::authorisation::Channels,
    wechat::{
        Envelope, Platform, accounts,
        push::{Push, read},
    },
};

/// Reads a push and acts on it: stores a ticket, takes an authorisation code, or ends a grant. All other pushes are
/// ignored.
///
/// # Errors
/// `wechat-push`, with WeChat's own error code, when the push is not from WeChat. Failures of this host; WeChat then
/// sends the push again.
#[tracing::instrument(name = "authorisation.push", skip_all)]
pub async fn receive(channels: &Channels, platform: &Platform, envelope: &Envelope, body: &str) -> Result<()> {
    match read(platform, envelope, body, channels.db.now())? {
        Push::Ticket { ticket, at } => accounts::keep_ticket(&channels.db, platform, &ticket, at).await,
        Push::Authorised(code) => pushed(channels, &code).await,
        Push::Unauthorised { account, at } => revoked_at(&channels.db, &account, at).await,
        Push::Other => Ok(()),
    }
}
