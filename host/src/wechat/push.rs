//! What WeChat pushes: its ticket every ten minutes, and what merchants did.

use super::{Envelope, Platform, crypt::CryptError, xml::Fields};
use crate::{
    clock::Millis,
    error::{Code, Error, Result},
    seal::Secret,
};

/// What WeChat wants to hear; anything else makes it send again.
pub const HEARD: &str = "success";

/// Something that WeChat pushed.
#[derive(Debug)]
pub enum Push {
    /// The newest ticket.
    Ticket {
        /// With which the platform's own token is had.
        ticket: Secret,
        /// When WeChat wrote it.
        at: Millis,
    },
    /// A merchant authorised us.
    Authorised(PushedCode),
    /// A merchant took the authorisation back.
    Unauthorised {
        /// Of this account.
        account: String,
        /// When.
        at: Millis,
    },
    /// What this host does not use.
    Other,
}

/// A code that WeChat pushed.
#[derive(Debug)]
pub struct PushedCode {
    /// The account.
    pub account: String,
    /// The code.
    pub code: Secret,
    /// Which link it belongs to.
    pub pre_auth: Option<Secret>,
}

/// Reads a push.
///
/// # Errors
/// `wechat-push` with WeChat's own error code when it is not one of WeChat's.
pub fn read(platform: &Platform, envelope: &Envelope, body: &str, now: Millis) -> Result<Push> {
    let fields = platform.crypt.read(envelope, body, now).map_err(refused)?;
    let text = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    Ok(match text("InfoType") {
        "component_verify_ticket" => {
            Push::Ticket { ticket: required(&fields, "ComponentVerifyTicket")?.into(), at: created(&fields)? }
        }
        "authorized" | "updateauthorized" => Push::Authorised(PushedCode {
            account: required(&fields, "AuthorizerAppid")?,
            code: required(&fields, "AuthorizationCode")?.into(),
            pre_auth: Some(text("PreAuthCode")).filter(|code| !code.is_empty()).map(|code| code.to_owned().into()),
        }),
        "unauthorized" => Push::Unauthorised { account: required(&fields, "AuthorizerAppid")?, at: created(&fields)? },
        other => {
            tracing::debug!(kind = other, "a WeChat push that this host does not use");
            Push::Other
        }
    })
}

/// When WeChat wrote it.
fn created(fields: &Fields) -> Result<Millis> {
    let seconds: i64 = required(fields, "CreateTime")?.parse().map_err(|_| refused(CryptError::Xml))?;
    Ok(Millis(seconds.saturating_mul(1000)))
}

fn required(fields: &Fields, name: &str) -> Result<String> {
    let value = fields.get(name).filter(|value| !value.is_empty()).cloned();
    value.ok_or_else(|| refused(CryptError::Xml).with("field", name))
}

/// Logged as well: a wrong token or key shows here first.
fn refused(error: CryptError) -> Error {
    tracing::warn!(%error, "a WeChat push was refused");
    Error::new(Code::WechatPush, format!("The push is refused. {error}.")).with("errcode", error.code())
}
