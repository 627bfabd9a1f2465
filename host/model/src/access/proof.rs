//! How somebody who is signed in proves that they are the person of the account (P15, P19). A session alone is not enough for what
//! changes the ways in: somebody may have found it open.

use berth_base::{
    error::{Error, Result},
    secret::Secret,
};
use serde::Deserialize;

/// Proves that the caller is the person of the account, by the password or by a code of the second factor.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnProof {
    /// The password of the account.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub password: Option<Secret>,
    /// The six digits that the app shows, or a recovery code.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub code: Option<Secret>,
}

/// By what somebody proves it.
#[derive(Debug)]
pub enum ProvedBy {
    /// The password of the account.
    Password(Secret),
    /// A code.
    Code(Secret),
}

impl OwnProof {
    /// By what it is proved.
    ///
    /// # Errors
    /// `invalid-field` when nothing is told, or both are.
    pub fn by(self) -> Result<ProvedBy> {
        match (self.password, self.code) {
            (Some(password), None) => Ok(ProvedBy::Password(password)),
            (None, Some(code)) => Ok(ProvedBy::Code(code)),
            _ => Err(Error::field("code", "say either a code or the password.")),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn p15_p19_a_person_proves_who_they_are_by_one_thing() {
        let by = |password: Option<&str>, code: Option<&str>| {
            let secret = |text: &str| Secret::from(text.to_owned());
            OwnProof { password: password.map(secret), code: code.map(secret) }.by()
        };
        assert!(matches!(by(Some("p"), None).unwrap(), ProvedBy::Password(_)));
        assert!(matches!(by(None, Some("c")).unwrap(), ProvedBy::Code(_)));
        assert!(by(None, None).is_err() && by(Some("p"), Some("c")).is_err());
    }
}
