//! What is set for WeCom in particular.

use berth_base::{
    error::{Error, Result},
    secret::Secret,
};
use serde::Deserialize;

/// The address of WeCom's API.
pub const WECOM_BASE_URL: &str = "https://qyapi.weixin.qq.com";
/// How many characters the id of an organisation has at most.
pub const CORP_ID_LONGEST: usize = 64;
/// How many characters WeCom takes for the token of callbacks.
const TOKEN_LONGEST: usize = 32;
/// How many characters an EncodingAESKey has.
const KEY: usize = 43;

/// By what WeCom tells that the address book has changed, as it is entered there where callbacks are set (接收事件服务器).
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutWecomCallback {
    /// The token that signs, 1 to 32 letters and digits.
    #[schema(value_type = String)]
    pub token: Secret,
    /// The EncodingAESKey, 43 letters and digits.
    #[schema(value_type = String)]
    pub aes_key: Secret,
}

impl PutWecomCallback {
    pub(super) fn check(&self) -> Result<()> {
        let token = self.token.expose();
        if !is_plain(token) || token.len() > TOKEN_LONGEST {
            return Err(Error::field("callback.token", format!("is 1 to {TOKEN_LONGEST} letters and digits.")));
        }
        let key = self.aes_key.expose();
        if !is_plain(key) || key.len() != KEY {
            return Err(Error::field("callback.aes_key", format!("is {KEY} letters and digits.")));
        }
        Ok(())
    }
}

/// Checks the id of an organisation.
pub(super) fn corp_id(text: &str) -> Result<()> {
    if text.len() > CORP_ID_LONGEST || text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let rule = "is the id of the organisation (企业ID), letters and digits such as ww0123456789abcdef.";
        return Err(Error::field("corp_id", rule));
    }
    Ok(())
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
