//! Official accounts at WeChat: shared ones are the platform's and serve all merchants, private ones are a merchant's own;
//! a merchant may use both (S1). Wherever a visitor is identified, the account's app id stands beside them.

mod entry;
mod fan;
mod message;
mod moving;
mod open_id;
mod template;

pub use entry::{
    EntryPage, ExchangeVisit, PutEntryPage, VISIT_CODE, VISIT_SECONDS, Visitor, address, passed_on, return_address,
};
pub use fan::{BindFan, EditFan, Fan, FanOf, FanQuery, FanTold};
pub use message::{
    Candidate, SendTemplateMessage, TemplateMessage, TemplateMessageQuery, TemplateMessageState, TriedAccount,
    falls_back, in_order,
};
pub use moving::{AccountMove, MoveCounts, MoveOfficialAccount, MoveQuery, MoveReport, MovingMember};
pub use open_id::AccountOpenId;
pub use template::{AccountTemplate, PutAccountTemplate};

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{MerchantId, WechatAppId},
    page::paged,
    secret::Secret,
    text,
    text::text_enum,
};
use serde::{Deserialize, Serialize};

text_enum! {
    /// How this host acts for an official account.
    ActsThrough {
        /// By the account's own secret, which is kept sealed.
        Secret = "secret",
        /// By WeChat's third-party platform, to which the merchant has authorised the account as a channel.
        Platform = "platform",
    }
}

text_enum! {
    /// Whether an official account is in use.
    OfficialAccountState {
        /// Visitors enter by it, and messages go out by it.
        Active = "active",
        /// Nobody enters by it, and no message goes out. The bindings of its fans stay.
        Retired = "retired",
    }
}

/// An official account at WeChat.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct OfficialAccount {
    /// Its app id at WeChat: `wx` and 16 lower-case letters or digits.
    pub app_id: WechatAppId,
    /// The name that people read.
    pub name: String,
    /// The merchant whose private account it is; absent for a shared one, which is the platform's.
    #[cfg_attr(feature = "sql", sqlx(rename = "merchant_id"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    /// How this host acts for it.
    pub through: ActsThrough,
    /// Whether it is in use.
    pub state: OfficialAccountState,
    /// Who added it.
    pub created_by: String,
    /// When it was added.
    pub created_at: Millis,
}

impl OfficialAccount {
    /// Whether the platform shares it with all merchants.
    pub fn is_shared(&self) -> bool {
        self.merchant.is_none()
    }

    /// Whether a merchant may use it: it is shared, or private to that merchant.
    pub fn serves(&self, merchant: &MerchantId) -> bool {
        self.merchant.as_ref().is_none_or(|own| own == merchant)
    }

    /// Whether it is in use.
    pub fn is_active(&self) -> bool {
        self.state == OfficialAccountState::Active
    }
}

/// An official account to add.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOfficialAccount {
    /// Its app id at WeChat.
    pub app_id: WechatAppId,
    /// The name that people read, 1 to 64 characters.
    pub name: String,
    /// The merchant whose private account it is; absent for a shared one, which only admins of the platform add.
    #[serde(default)]
    pub merchant: Option<MerchantId>,
    /// The account's secret at WeChat (AppSecret), of which WeChat is asked whether it is right. Absent when the merchant has
    /// authorised the account to this host's third-party platform as a channel.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub secret: Option<Secret>,
}

impl NewOfficialAccount {
    /// The account, in use from now on.
    ///
    /// # Errors
    /// `invalid-field` for the name, and for a shared account without a secret.
    pub fn check(&self, by: &str, now: Millis) -> Result<OfficialAccount> {
        let through = if self.secret.is_some() { ActsThrough::Secret } else { ActsThrough::Platform };
        if through == ActsThrough::Platform && self.merchant.is_none() {
            return Err(Error::field("secret", "a shared account needs its secret at WeChat."));
        }
        Ok(OfficialAccount {
            app_id: self.app_id.clone(),
            name: text::name("name", &self.name, 64)?,
            merchant: self.merchant.clone(),
            through,
            state: OfficialAccountState::Active,
            created_by: by.to_owned(),
            created_at: now,
        })
    }
}

/// What may be edited of an official account. Absent members stay as they are.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditOfficialAccount {
    /// The new name, 1 to 64 characters.
    #[serde(default)]
    pub name: Option<String>,
    /// The account's new secret at WeChat, of which WeChat is asked whether it is right. An account of the third-party
    /// platform acts by its secret from then on.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub secret: Option<Secret>,
    /// Whether it is in use.
    #[serde(default)]
    pub state: Option<OfficialAccountState>,
}

impl EditOfficialAccount {
    /// The account with the changes.
    ///
    /// # Errors
    /// `invalid-field` for the name.
    pub fn apply(&self, mut to: OfficialAccount) -> Result<OfficialAccount> {
        if let Some(name) = &self.name {
            to.name = text::name("name", name, 64)?;
        }
        if self.secret.is_some() {
            to.through = ActsThrough::Secret;
        }
        to.state = self.state.unwrap_or(to.state);
        Ok(to)
    }
}

/// Which official accounts to list. The conditions are ANDed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfficialAccountQuery {
    /// Those that this merchant may use: its private ones, and all shared ones.
    #[serde(default)]
    pub merchant: Option<MerchantId>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

paged!(OfficialAccountQuery);

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn new(merchant: Option<&str>, secret: Option<&str>) -> Result<OfficialAccount> {
        let new = NewOfficialAccount {
            app_id: "wxaaaaaaaaaaaaaaaa".parse().unwrap(),
            name: "Shop".into(),
            merchant: merchant.map(|id| id.parse().unwrap()),
            secret: secret.map(|secret| secret.parse().unwrap()),
        };
        new.check("usr_1", Millis(1))
    }

    #[test]
    fn s1_a_shared_account_serves_every_merchant_and_a_private_one_its_own() {
        let (own, other): (MerchantId, MerchantId) = ("bos-1".parse().unwrap(), "bos-2".parse().unwrap());
        let shared = new(None, Some("s")).unwrap();
        assert!(shared.is_shared() && shared.serves(&own) && shared.serves(&other));
        let private = new(Some("bos-1"), None).unwrap();
        assert!(!private.is_shared() && private.serves(&own) && !private.serves(&other));
        assert_eq!((shared.through, private.through), (ActsThrough::Secret, ActsThrough::Platform));
        assert_eq!(new(None, None).unwrap_err().fields["pointer"], "/secret");
    }
}
