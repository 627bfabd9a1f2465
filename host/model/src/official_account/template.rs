//! Names of templates. Each official account has its own id for what is the same message; a name is the same at all.

use berth_base::{
    error::{Error, Result},
    ids::{AccountTemplateName, WechatAppId},
};
use serde::{Deserialize, Serialize};

/// A template of an official account, under the name by which merchants send it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct AccountTemplate {
    /// The official account.
    pub app_id: WechatAppId,
    /// The name, which should be the same at all accounts that have the template.
    pub name: AccountTemplateName,
    /// Its id at WeChat, for this account only.
    pub template_id: String,
}

/// The template that a name is to stand for.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutAccountTemplate {
    /// Its id at WeChat, as the account's console shows it: at most 64 letters, digits, `_` and `-`.
    pub template_id: String,
}

impl PutAccountTemplate {
    /// The id, when WeChat may have one like it.
    ///
    /// # Errors
    /// `invalid-field`.
    pub fn check(self) -> Result<String> {
        let id = self.template_id.trim();
        let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if (1..=64).contains(&id.len()) && is_plain {
            return Ok(id.to_owned());
        }
        Err(Error::field("template_id", "must have 1 to 64 letters, digits, '_' and '-', as WeChat shows it."))
    }
}
