//! What WeChat pushes, and what follows from it.

use super::{pushed, revoked_at};
use crate::{
    endpoint::authorisation::Channels,
    error::Result,
    wechat::{
        Envelope, Platform, accounts,
        push::{Push, read},
    },
};

/// Reads a push and does what it tells.
///
/// # Errors
/// `wechat-push` with WeChat's own error code when it is not one of WeChat's; failures of this host, so that WeChat sends
/// it again.
#[tracing::instrument(name = "authorisation.push", skip_all)]
pub async fn receive(channels: &Channels, platform: &Platform, envelope: &Envelope, body: &str) -> Result<()> {
    match read(platform, envelope, body, channels.db.now())? {
        Push::Ticket { ticket, at } => accounts::keep_ticket(&channels.db, platform, &ticket, at).await,
        Push::Authorised(code) => pushed(channels, &code).await,
        Push::Unauthorised { account, at } => revoked_at(&channels.db, &account, at).await,
        Push::Other => Ok(()),
    }
}
