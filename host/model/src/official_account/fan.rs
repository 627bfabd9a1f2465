//! Fans: which member of a merchant an OpenID at an official account belongs to (S3).

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{FanId, MerchantId, ShopMemberId, WechatAppId},
    page::paged,
    secret::Secret,
};
use serde::{Deserialize, Serialize};

use super::AccountOpenId;

/// A member of a merchant who is bound to an OpenID at an official account.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Fan {
    /// Its id on this host.
    pub id: FanId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The member, by the id that the merchant has for them.
    pub member_id: ShopMemberId,
    /// The official account.
    pub app_id: WechatAppId,
    /// The OpenID: WeChat's at a private account, and one of the merchant's own at a shared account.
    pub open_id: AccountOpenId,
    /// Whether the member prefers to get messages by this account.
    pub preferred: bool,
    /// When the member was bound.
    pub bound_at: Millis,
}

/// Binds a member to an OpenID: by the code of a visit, or by an OpenID that the merchant knows.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BindFan {
    /// The code of a visit by this account, which is used up.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub code: Option<Secret>,
    /// The OpenID of a visitor. At a private account it may also be one that the merchant has from elsewhere.
    #[serde(default)]
    pub open_id: Option<AccountOpenId>,
}

/// What binds a member.
#[derive(Debug)]
pub enum FanOf {
    /// The code of a visit.
    Code(Secret),
    /// An OpenID.
    OpenId(AccountOpenId),
}

impl BindFan {
    /// The one of both that is there.
    ///
    /// # Errors
    /// `invalid-field` when there is none, or both.
    pub fn check(self) -> Result<FanOf> {
        match (self.code, self.open_id) {
            (Some(code), None) => Ok(FanOf::Code(code)),
            (None, Some(open_id)) => Ok(FanOf::OpenId(open_id)),
            (None, None) => Err(Error::field("code", "say who it is: the code of a visit, or an open_id.")),
            (Some(_), Some(_)) => Err(Error::field("open_id", "leave it out: the code says who it is.")),
        }
    }
}

/// What may be edited of a binding.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditFan {
    /// Whether the member prefers to get messages by this account, and by no other one then.
    pub preferred: bool,
}

/// Which fans of a merchant to list. The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FanQuery {
    /// Only those of this member.
    #[serde(default)]
    pub member_id: Option<ShopMemberId>,
    /// Only those of this official account.
    #[serde(default)]
    pub app_id: Option<WechatAppId>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

paged!(FanQuery);

/// The `data` of events about fans, which name no OpenID.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct FanTold {
    /// The id of the fan.
    pub id: FanId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The member.
    pub member_id: ShopMemberId,
    /// The official account.
    pub app_id: WechatAppId,
    /// Whether the member was brought along by a move of the merchant from another account.
    #[serde(default)]
    pub moved: bool,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn s3_a_member_is_bound_by_a_code_or_an_open_id_and_not_by_both() {
        let open_id: AccountOpenId = "oLVPpjqs9BhvzwPj5A-vTYAX3GLc".parse().unwrap();
        let bind = |code: Option<&str>, open_id: Option<AccountOpenId>| {
            BindFan { code: code.map(|code| code.parse().unwrap()), open_id }.check()
        };
        assert!(matches!(bind(Some("c"), None), Ok(FanOf::Code(_))));
        assert!(matches!(bind(None, Some(open_id.clone())), Ok(FanOf::OpenId(_))));
        assert_eq!(bind(None, None).unwrap_err().fields["pointer"], "/code");
        assert_eq!(bind(Some("c"), Some(open_id)).unwrap_err().fields["pointer"], "/open_id");
    }
}
