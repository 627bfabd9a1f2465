//! OpenIDs: the names of users in MiniApps (K6).

use std::{fmt, str::FromStr};

use berth_base::{
    error::{Code, Error, Result},
    ids::Digest,
    secret::{is_letters, letters},
};
use serde::{Deserialize, Serialize};

/// The name of one user in one MiniApp: `o` and 27 characters. The same user has another one in every other MiniApp, and
/// nobody without the host's key can tell that they belong together.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
pub struct OpenId(String);

/// How many bytes of a MAC an OpenID shows, with five bits of each.
const SHOWN: usize = 27;

impl OpenId {
    /// The OpenID that shows this MAC.
    pub fn of_mac(mac: &[u8; 32]) -> Self {
        Self(format!("o{}", letters(&mac[..SHOWN])))
    }

    /// The OpenID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the database has in its place, so that whoever reads the database learns of no OpenID. An OpenID has 135 bits,
    /// so nobody finds it by trying.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl FromStr for OpenId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let shown = text.strip_prefix('o').filter(|shown| shown.len() == SHOWN && is_letters(shown));
        match shown {
            Some(_) => Ok(Self(text.into())),
            None => Err(Error::new(Code::InvalidId, "This is no OpenID: expected `o` and 27 characters.")),
        }
    }
}

impl TryFrom<String> for OpenId {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<OpenId> for String {
    fn from(id: OpenId) -> String {
        id.0
    }
}

/// OpenIDs are personal data and have no place in logs.
impl fmt::Debug for OpenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenId(…)")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn k6_an_open_id_is_read_as_it_is_written_and_does_not_show() {
        let id = OpenId::of_mac(&[7; 32]);
        assert_eq!((id.as_str().len(), id.as_str().parse::<OpenId>().unwrap() == id), (28, true));
        assert_ne!(id, OpenId::of_mac(&[8; 32]));
        assert!(!format!("{id:?}").contains(id.as_str()));
        for wrong in ["", "o", "guess", &id.as_str()[1..], &format!("{}0", id.as_str()), &id.as_str().replace('7', "U")]
        {
            let refused = wrong.parse::<OpenId>().unwrap_err();
            assert!(wrong.is_empty() || !refused.detail.contains(wrong) || wrong.len() < 28, "{refused}");
        }
    }
}
