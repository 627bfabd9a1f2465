//! Sessions: how a person is let in. A session is a token of a kind of its own (P1): whoever has its secret acts for the
//! account, until it ends by itself, by hand, or with what it came from.

use berth_base::{
    clock::{Millis, Random},
    error::{Error, Result},
    ids::{TokenId, UserId},
    secret::{self, Secret},
    text::{is_invisible, text_enum},
};
use serde::{Deserialize, Serialize};

/// For how many seconds at the least a session that is used is not noted as used again.
pub const SEEN_EVERY: i64 = 60;
/// How many sessions an account has at a time; a further one ends the oldest.
pub const MOST_SESSIONS: usize = 100;
/// How many characters of what a browser says of itself are kept.
const LONGEST_AGENT: usize = 256;

/// Signs in by name and password, and by a code where the account has a second factor. With an API token in the head of the
/// request, and nothing here, a session of that token is started.
// The sign-in page of a workspace has the name SignIn in the document of the API already.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[schema(as = PasswordSignIn)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The sign-in name, in upper or lower case.
    #[serde(default)]
    pub sign_in_name: Option<String>,
    /// The password.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub password: Option<Secret>,
    /// The code of the second factor: six digits of the app, or a recovery code. Needed where the account has one.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub code: Option<Secret>,
    /// The `ticket` of the refusal `second-factor-required`, in place of name and password.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub ticket: Option<Secret>,
}

/// By what somebody signs in.
#[derive(Debug)]
pub enum Credentials {
    /// By name and password, and maybe a code.
    Password {
        /// The sign-in name.
        name: String,
        /// The password.
        password: Secret,
        /// The code of the second factor.
        code: Option<Secret>,
    },
    /// By the code alone, after a right password.
    Ticket {
        /// What says that the password was right.
        ticket: Secret,
        /// The code of the second factor.
        code: Secret,
    },
}

impl SignIn {
    /// By what somebody signs in, when they say anything.
    ///
    /// # Errors
    /// `invalid-field` when a part is missing, or one too many is told.
    pub fn credentials(self) -> Result<Option<Credentials>> {
        let missing = |field: &str| Err(Error::field(field, "is needed to sign in."));
        match (self.sign_in_name, self.password, self.ticket, self.code) {
            (Some(name), Some(password), None, code) => Ok(Some(Credentials::Password { name, password, code })),
            (None, None, Some(ticket), Some(code)) => Ok(Some(Credentials::Ticket { ticket, code })),
            (None, None, None, None) => Ok(None),
            (None, None, Some(_), None) => missing("code"),
            (_, _, Some(_), _) => Err(Error::field("ticket", "stands in place of name and password. Leave them out.")),
            (Some(_), None, None, _) => missing("password"),
            (None, _, None, _) => missing("sign_in_name"),
        }
    }
}

/// A session, without its secret.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Session {
    /// Its id.
    pub id: TokenId,
    /// Whose it is.
    pub account: UserId,
    /// How it was started.
    pub by: SessionBy,
    /// When it was started.
    pub created_at: Millis,
    /// When it was last used, to the minute.
    pub seen_at: Millis,
    /// When it ends by itself, however much it is used; it ends earlier when nobody uses it.
    pub expires_at: Millis,
    /// The address that it was started from; absent when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the browser said of itself when it was started; absent when it said nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// A new session with its secret, which is shown only now.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct StartedSession {
    /// The session.
    pub session: Session,
    /// The secret: `berth_session_` and 32 characters, to be sent like that of a token. It is not stored and cannot be shown
    /// again.
    pub secret: String,
}

/// Whose sessions to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SessionQuery {
    /// Those of this account, for admins of the platform; the caller's own when absent.
    #[serde(default)]
    pub account: Option<UserId>,
}

/// A fresh secret of a session.
pub fn new_session_secret(random: &dyn Random) -> String {
    secret::generate("berth_session_", random)
}

/// Where a request comes from, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The address of the client.
    pub address: Option<String>,
    /// What the client says of itself.
    pub agent: Option<String>,
}

impl Origin {
    /// From an address and the header `User-Agent`, which may be anything: only what can be shown in a line is kept of it.
    pub fn new(address: Option<String>, agent: Option<&str>) -> Self {
        let shown = |agent: &str| {
            let shown = agent.chars().filter(|c| !c.is_control() && !is_invisible(*c)).take(LONGEST_AGENT);
            shown.collect::<String>().trim().to_owned()
        };
        Self { address, agent: agent.map(shown).filter(|agent| !agent.is_empty()) }
    }
}

/// What is stored of a session beside its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionUse {
    /// When it was last used.
    pub seen_at: Millis,
    /// For how many seconds it may rest.
    pub idle_seconds: i64,
}

impl SessionUse {
    /// Whether nobody has used it for too long (P2).
    pub fn is_idle(self, now: Millis) -> bool {
        self.seen_at.plus_seconds(self.idle_seconds) <= now
    }

    /// Whether it is to be noted that it is used now. A session that may rest for less than two minutes is noted more often,
    /// as it would end while it is used.
    pub fn is_to_be_noted(self, now: Millis) -> bool {
        self.seen_at.plus_seconds(SEEN_EVERY.min(self.idle_seconds / 2)) <= now
    }
}

text_enum! {
    /// How a session was started.
    SessionBy {
        /// By a sign-in name and a password.
        Password = "password",
        /// By an API token.
        Token = "token",
        /// By an invitation.
        Invitation = "invitation",
        /// At the identity provider of the operator.
        Provider = "provider",
    }
}

text_enum! {
    /// Why a session ended.
    SessionEnd {
        /// By itself: the person has signed out.
        SignedOut = "signed_out",
        /// By another session or token of the account, or by an admin of the platform.
        Hand = "hand",
        /// The account's password changed.
        Password = "password",
        /// The account has another second factor, which it was started without.
        SecondFactor = "second_factor",
        /// The account was disabled.
        Disabled = "disabled",
        /// The account is not linked any more to who started it at the identity provider.
        Unlinked = "unlinked",
        /// The account had too many, and this was the oldest.
        Limit = "limit",
    }
}

/// A session was started.
#[derive(Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct SessionStarted {
    pub account: UserId,
    pub by: SessionBy,
    pub expires_at: Millis,
    /// The address that it was started from, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the browser said of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// A session was ended.
#[derive(Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct SessionEnded {
    pub account: UserId,
    pub cause: SessionEnd,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(idle_seconds: i64) -> impl Fn(i64) -> (bool, bool) {
        let used = SessionUse { seen_at: Millis(0), idle_seconds };
        move |seconds| (used.is_to_be_noted(Millis(seconds * 1000)), used.is_idle(Millis(seconds * 1000)))
    }

    #[test]
    fn p2_a_session_ends_when_it_rests_and_is_noted_once_a_minute() {
        let after = used(12 * 3600);
        assert_eq!(
            [0, 59, 60, 43_199, 43_200].map(after),
            [(false, false), (false, false), (true, false), (true, false), (true, true)]
        );
    }

    #[test]
    fn p2_a_session_that_may_rest_for_a_minute_does_not_end_while_it_is_used() {
        assert_eq!([29, 30, 59, 60].map(used(60)), [(false, false), (true, false), (true, false), (true, true)]);
    }

    #[test]
    fn what_a_browser_says_of_itself_fits_a_line() {
        let agent = |said: &str| Origin::new(None, Some(said)).agent;
        assert_eq!(agent("  Firefox\u{202e}\r\n/1 ").as_deref(), Some("Firefox/1"));
        assert_eq!(agent(" \t "), None);
        assert_eq!(agent(&"灰".repeat(999)).map(|agent| agent.chars().count()), Some(256));
    }
}
