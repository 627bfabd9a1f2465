//! What WeChat pushes: its ticket every ten minutes, and what merchants did.

use super::{Envelope, Platform, accounts::seal_grant, crypt::CryptError, xml::Fields};
use crate::{
    app::App,
    clock::Millis,
    endpoint::authorisation::{self, PushedCode},
    error::{Code, Error, Result},
};

/// What WeChat wants to hear; anything else makes it send again.
pub const HEARD: &str = "success";

/// Reads a push and does what it tells.
///
/// # Errors
/// `wechat-push` with WeChat's own error code when it is not one of WeChat's; failures of this host, so that WeChat sends
/// it again.
pub async fn receive(app: &App, platform: &Platform, envelope: &Envelope, body: &str) -> Result<()> {
    let fields = platform.crypt.read(envelope, body, app.clock.now()).map_err(refused)?;
    let text = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    match text("InfoType") {
        "component_verify_ticket" => ticket(app, platform, &fields).await,
        "authorized" | "updateauthorized" => {
            let pre_auth = Some(text("PreAuthCode")).filter(|code| !code.is_empty());
            let pushed = PushedCode {
                account: required(&fields, "AuthorizerAppid")?.to_owned(),
                code: required(&fields, "AuthorizationCode")?.to_owned().into(),
                pre_auth: pre_auth.map(|code| code.to_owned().into()),
            };
            authorisation::pushed(app, &pushed).await
        }
        "unauthorized" => {
            authorisation::revoked_at(app, required(&fields, "AuthorizerAppid")?, created(&fields)?).await
        }
        other => {
            tracing::debug!(kind = other, "a WeChat push that this host does not use");
            Ok(())
        }
    }
}

/// Keeps the newest ticket.
async fn ticket(app: &App, platform: &Platform, fields: &Fields) -> Result<()> {
    let ticket = required(fields, "ComponentVerifyTicket")?.to_owned().into();
    let grant = seal_grant(app, &platform.app_id, &ticket, created(fields)?)?;
    let mut tx = app.db.begin().await?;
    tx.grant_wechat_account(&grant).await?;
    tx.commit().await
}

/// When WeChat wrote it.
fn created(fields: &Fields) -> Result<Millis> {
    let seconds: i64 = required(fields, "CreateTime")?.parse().map_err(|_| refused(CryptError::Xml))?;
    Ok(Millis(seconds.saturating_mul(1000)))
}

fn required<'f>(fields: &'f Fields, name: &str) -> Result<&'f str> {
    let value = fields.get(name).map(String::as_str).filter(|value| !value.is_empty());
    value.ok_or_else(|| refused(CryptError::Xml).with("field", name))
}

/// Logged as well: a wrong token or key shows here first.
fn refused(error: CryptError) -> Error {
    tracing::warn!(%error, "a WeChat push was refused");
    Error::new(Code::WechatPush, format!("The push is refused. {error}.")).with("errcode", error.code())
}
