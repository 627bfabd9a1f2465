//! One run of a user who logs in at a login entry (U20).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{Digest, LoginEntryName},
    secret::Secret,
    text::text_enum,
};
use serde::{Deserialize, Serialize};

use crate::user::OpenId;

/// The first characters of what opens a login in a browser.
pub const LOGIN_TICKET: &str = "berth_ticket_";
/// The first characters of the code with which the MiniApp's server finishes a login.
pub const ARRIVAL_CODE: &str = "berth_arrival_";
/// For how many seconds a login waits for the browser to open it, and for the server to finish it.
pub const TICKET_SECONDS: i64 = 300;
/// For how many seconds a login waits for the user at the provider, who may have to look for a password.
pub const BACK_SECONDS: i64 = 900;
/// How long the MiniApp's own state is at most.
const LONGEST_STATE: usize = 512;

text_enum! {
    /// How far a login has come. Each step is taken by a secret of its own, once.
    LoginStep {
        /// The server has begun it; the browser opens it by its ticket.
        Begun = "begun",
        /// The browser is at the provider, and comes back with its state and its cookie.
        Sent = "sent",
        /// The browser is back, and this host asks the provider who it is.
        Asking = "asking",
        /// It is known who it is; the server finishes it by its code.
        Arrived = "arrived",
    }
}

/// Begins a login of a user, in the name of the MiniApp's server.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginLogin {
    /// The login entry.
    pub entry: LoginEntryName,
    /// The user in the MiniApp.
    pub open_id: OpenId,
    /// Comes back unchanged to the return address, at most 512 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

impl BeginLogin {
    /// Refuses a state that is too long.
    ///
    /// # Errors
    /// `invalid-field`.
    pub fn check(&self) -> Result<()> {
        if self.state.as_ref().is_some_and(|state| state.len() > LONGEST_STATE) {
            return Err(Error::field("state", format!("must have at most {LONGEST_STATE} bytes.")));
        }
        Ok(())
    }
}

/// A login that has begun.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct AuthorisedLogin {
    /// The login entry.
    pub entry: LoginEntryName,
    /// What the MiniApp opens in a web-view, once.
    pub address: String,
    /// Until when it can be opened.
    pub expires_at: Millis,
}

/// Finishes a login, in the name of the MiniApp's server.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishLogin {
    /// The code with which the browser came back to the MiniApp.
    #[schema(value_type = String)]
    pub code: Secret,
    /// The user in whose session the browser came back. A login that was begun for another user is refused, so that nobody
    /// can be made to finish the login of somebody else.
    pub open_id: OpenId,
}

/// What follows from the secret that a browser keeps during a login: the verifier (RFC 7636) and the nonce. So the database, which
/// has only its hash, cannot go on with the login, and whoever reads the provider's code on its way cannot exchange it.
pub fn of_browser(cookie: &Secret, what: &str) -> String {
    URL_SAFE_NO_PAD.encode(Digest::of(format!("{what}\0{}", cookie.expose()).as_bytes()).to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u20_what_follows_from_a_browsers_secret_is_one_for_each_use_and_browser() {
        let (one, other): (Secret, Secret) = ("c1".to_owned().into(), "c2".to_owned().into());
        let all = [of_browser(&one, "verifier"), of_browser(&one, "nonce"), of_browser(&other, "verifier")];
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
        assert!(all.iter().all(|text| text.len() == 43), "as RFC 7636 has a verifier");
    }
}
