//! The OpenIDs of visitors of official accounts, as a merchant knows them (S5).

use std::{fmt, str::FromStr};

use berth_base::{
    error::{Code, Error, Result},
    ids::Digest,
};
use serde::{Deserialize, Serialize};

use crate::user::OpenId;

/// An OpenID of a visitor of an official account. WeChat's have 28 characters; there is no promise of that.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
pub struct AccountOpenId(String);

impl AccountOpenId {
    /// The OpenID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the database has in its place. WeChat's OpenIDs have more than 120 random bits, so nobody finds one by trying.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl From<OpenId> for AccountOpenId {
    fn from(id: OpenId) -> Self {
        Self(id.into())
    }
}

impl FromStr for AccountOpenId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if (16..=64).contains(&text.len()) && is_plain {
            return Ok(Self(text.into()));
        }
        Err(Error::new(Code::InvalidId, "This is no OpenID: expected 16 to 64 letters, digits, '_' and '-'."))
    }
}

impl TryFrom<String> for AccountOpenId {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<AccountOpenId> for String {
    fn from(id: AccountOpenId) -> String {
        id.0
    }
}

/// OpenIDs are personal data and have no place in logs.
impl fmt::Debug for AccountOpenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountOpenId(…)")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn s5_an_open_id_is_read_as_it_is_written_and_does_not_show() {
        let text = "oLVPpjqs9BhvzwPj5A-vTYAX3GLc";
        let id: AccountOpenId = text.parse().unwrap();
        assert_eq!(id.as_str(), text);
        assert!(!format!("{id:?}").contains(text));
        for wrong in ["", "short", "with space in the middle", "oLVPpjqs9BhvzwPj5A/vTYAX3GLc", &"o".repeat(65)] {
            let refused = wrong.parse::<AccountOpenId>().unwrap_err();
            assert!(wrong.len() < 16 || !refused.detail.contains(wrong), "{refused}");
        }
    }
}
