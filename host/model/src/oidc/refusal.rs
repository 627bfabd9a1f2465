//! Refusals in the words of OAuth 2.0 and OpenID Connect.

use std::fmt;

use berth_base::{
    error::{Code, Error, Kind},
    text::text_enum,
};

text_enum! {
    /// The `error` of a refusal: the words of RFC 6749, RFC 6750 and OpenID Connect Core.
    Word {
        /// A parameter is missing, there twice or of the wrong form.
        InvalidRequest = "invalid_request",
        /// The server did not prove that it is the MiniApp's.
        InvalidClient = "invalid_client",
        /// The code is not good, or not for this exchange.
        InvalidGrant = "invalid_grant",
        /// The MiniApp may not do this now.
        UnauthorizedClient = "unauthorized_client",
        /// Only `authorization_code` is exchanged.
        UnsupportedGrantType = "unsupported_grant_type",
        /// Only `code` is answered.
        UnsupportedResponseType = "unsupported_response_type",
        /// The scope lacks `openid`.
        InvalidScope = "invalid_scope",
        /// The user may not be logged in to the MiniApp.
        AccessDenied = "access_denied",
        /// The user has to be vouched for by a login code.
        LoginRequired = "login_required",
        /// There is no page on which users choose an account.
        AccountSelectionRequired = "account_selection_required",
        /// There is no page on which users consent.
        ConsentRequired = "consent_required",
        /// `request` is not read.
        RequestNotSupported = "request_not_supported",
        /// `request_uri` is not read.
        RequestUriNotSupported = "request_uri_not_supported",
        /// `registration` is not read.
        RegistrationNotSupported = "registration_not_supported",
        /// The access token is not good.
        InvalidToken = "invalid_token",
        /// The host failed by a fault of its own.
        ServerError = "server_error",
        /// The host cannot do this now.
        TemporarilyUnavailable = "temporarily_unavailable",
    }
}

/// A refusal as OAuth says it: a word for programs, a sentence for people, and where there is one the error behind it.
#[derive(Debug)]
pub struct Refusal {
    /// The `error`.
    pub word: Word,
    /// The `error_description`: what is wrong, and what to do about it.
    pub detail: String,
    /// The error that it comes from, of which callers see nothing but the detail.
    pub cause: Option<Error>,
}

impl Refusal {
    /// A refusal by a rule.
    pub fn new(word: Word, detail: impl Into<String>) -> Self {
        Self { word, detail: detail.into(), cause: None }
    }

    /// A parameter that is wrong.
    pub fn request(detail: impl Into<String>) -> Self {
        Self::new(Word::InvalidRequest, detail)
    }

    /// The description with the characters that RFC 6749 has for it: quotes and backslashes become apostrophes, and whatever
    /// else is not printable ASCII a question mark.
    pub fn description(&self) -> String {
        let plain = |c: char| match c {
            '"' | '\\' => '\'',
            ' '..='~' => c,
            _ => '?',
        };
        self.detail.chars().map(plain).collect()
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let word = match (error.code, error.code.kind()) {
            (Code::InvalidAppSecret | Code::AppSecretFrozen, _) => Word::InvalidClient,
            (Code::PackageOffShelf, _) => Word::UnauthorizedClient,
            (_, Kind::TooMany | Kind::Unavailable | Kind::StorageFull | Kind::Timeout) => Word::TemporarilyUnavailable,
            (_, Kind::Malformed | Kind::TooLarge) => Word::InvalidRequest,
            _ => Word::ServerError,
        };
        Self { word, detail: error.detail.clone(), cause: Some(error) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.word, self.detail)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u10_a_description_has_only_what_the_rfc_allows() {
        let refusal = Refusal::request("The parameter \"a\\b\" is 用 \n.");
        assert_eq!(refusal.description(), "The parameter 'a'b' is ? ?.");
    }

    #[test]
    fn u10_an_error_of_the_host_has_a_word_of_oauth() {
        for (code, word) in [
            (Code::AppSecretFrozen, Word::InvalidClient),
            (Code::PackageOffShelf, Word::UnauthorizedClient),
            (Code::TooManyRequests, Word::TemporarilyUnavailable),
            (Code::BodyTooLarge, Word::InvalidRequest),
            (Code::SecretSealed, Word::TemporarilyUnavailable),
            (Code::Internal, Word::ServerError),
        ] {
            assert_eq!(Refusal::from(Error::new(code, "no")).word, word, "{code:?}");
        }
    }
}
