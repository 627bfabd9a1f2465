//! The names of users: OpenIDs in MiniApps (K6), and union ids in several of one team (K10).

use std::{fmt, str::FromStr};

use berth_base::{
    error::{Code, Error, Result},
    ids::Digest,
    secret::{is_letters, letters},
};
use serde::{Deserialize, Serialize};

/// How many bytes of a MAC a name shows, with five bits of each.
const SHOWN: usize = 27;

/// A name that is the MAC of whom it names: a letter and 27 characters, which are 135 bits, so nobody finds one by trying.
macro_rules! named_by_mac {
    ($(#[$doc:meta])* $name:ident, $letter:literal, $is_none:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Deserialize, Serialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The one that shows this MAC.
            pub fn of_mac(mac: &[u8; 32]) -> Self {
                Self(format!("{}{}", $letter, letters(&mac[..SHOWN])))
            }

            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                let shown = text.strip_prefix($letter).filter(|shown| shown.len() == SHOWN && is_letters(shown));
                match shown {
                    Some(_) => Ok(Self(text.into())),
                    None => Err(Error::new(Code::InvalidId, $is_none)),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(text: String) -> Result<Self> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        /// Names of users are personal data and have no place in logs.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

named_by_mac! {
    /// The name of one user in one MiniApp: `o` and 27 characters. The same user has another one in every other MiniApp, and
    /// nobody without the host's key can tell that they belong together.
    OpenId, 'o', "This is no OpenID: expected `o` and 27 characters."
}

named_by_mac! {
    /// The name of one user of a host app in all MiniApps of one team that ask for it: `u` and 27 characters.
    UnionId, 'u', "This is no union id: expected `u` and 27 characters."
}

impl OpenId {
    /// What the database has in its place, so that whoever reads the database learns of no OpenID.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
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
        let union = UnionId::of_mac(&[7; 32]);
        assert!(union.as_str().starts_with('u') && union.as_str().parse::<UnionId>().is_ok());
        assert!(union.as_str().parse::<OpenId>().is_err() && id.as_str().parse::<UnionId>().is_err());
        for wrong in ["", "o", "guess", &id.as_str()[1..], &format!("{}0", id.as_str()), &id.as_str().replace('7', "U")]
        {
            let refused = wrong.parse::<OpenId>().unwrap_err();
            assert!(wrong.is_empty() || !refused.detail.contains(wrong) || wrong.len() < 28, "{refused}");
        }
    }
}
