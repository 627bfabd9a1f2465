//! What WeChat pushes: its ticket every ten minutes, and merchants' authorisations and revocations.

use super::{Envelope, Platform, crypt::CryptError, xml::Fields};
use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    secret::Secret,
};

/// The body with which WeChat expects a push to be answered. After any other answer it sends the push again.
pub const HEARD: &str = "success";

/// A push from WeChat.
#[derive(Debug)]
pub enum Push {
    /// WeChat sent the newest ticket.
    Ticket {
        /// The ticket, with which the platform's own access token is asked for.
        ticket: Secret,
        /// When WeChat wrote the push.
        at: Millis,
    },
    /// A merchant authorised this host.
    Authorised(PushedCode),
    /// A merchant revoked an authorisation.
    Unauthorised {
        /// The appid of the merchant's account.
        account: String,
        /// When WeChat wrote the push.
        at: Millis,
    },
    /// A push that this host has no use for.
    Other,
}

/// An authorisation code that WeChat pushed.
#[derive(Debug)]
pub struct PushedCode {
    /// The appid of the account that was authorised.
    pub account: String,
    /// The authorisation code.
    pub code: Secret,
    /// The pre-authorisation code of the link that the merchant followed; `None` when there was none.
    pub pre_auth: Option<Secret>,
}

/// Reads a push: checks its signature and decrypts it.
///
/// # Errors
/// `wechat-push`, with WeChat's own error code, when the push is not one of WeChat's or lacks a field.
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

/// Takes a message or an event of an account, which WeChat sends to the message URL: checks its signature and decrypts
/// it. Berth has no use for what is in it.
///
/// # Errors
/// `wechat-push`, with WeChat's own error code, when the message is not one of WeChat's.
pub fn hear(platform: &Platform, envelope: &Envelope, body: &str, now: Millis) -> Result<()> {
    let fields = platform.crypt.read(envelope, body, now).map_err(refused)?;
    tracing::debug!(kind = ?fields.get("MsgType"), "a message to an account was heard");
    Ok(())
}

/// When WeChat wrote the push.
fn created(fields: &Fields) -> Result<Millis> {
    let seconds: i64 = required(fields, "CreateTime")?.parse().map_err(|_| refused(CryptError::Xml))?;
    Ok(Millis(seconds.saturating_mul(1000)))
}

fn required(fields: &Fields, name: &str) -> Result<String> {
    let value = fields.get(name).filter(|value| !value.is_empty()).cloned();
    value.ok_or_else(|| refused(CryptError::Xml).with("field", name))
}

/// The error of a push that is refused. It is logged as well, as a wrong token or key shows here first.
fn refused(error: CryptError) -> Error {
    tracing::warn!(%error, "a WeChat push was refused");
    Error::new(Code::WechatPush, format!("The push is refused. {error}.")).with("errcode", error.code())
}
