//! What was refused, and the page that says so.

use std::str::FromStr;

use axum::{
    Extension,
    extract::multipart::MultipartError,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use berth_base::error::{Code, Error};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    path::with_query,
    texts::{Language, Texts},
    visitor::Taste,
};

/// A refusal of the API (RFC 9457).
#[derive(Clone, Debug, Deserialize)]
pub struct Refusal {
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    #[serde(default)]
    pub request_id: String,
    /// The language of its detail: the API speaks English, the console itself the language of the page.
    #[serde(skip)]
    pub language: Language,
    /// What else it says, such as the field that breaks its rule.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A field that cannot be what was typed, said by the console in the language of the page.
pub fn invalid(t: Texts, field: &str, detail: &str) -> Refused {
    invalid_in(t.0, field, detail)
}

fn invalid_in(language: Language, field: &str, detail: &str) -> Refused {
    let more = Map::from_iter([("field".to_owned(), Value::from(field))]);
    let (kind, title) = ("/problems/invalid-field".into(), "A field breaks its rule".into());
    Refused::ByApi(Box::new(Refusal {
        kind,
        title,
        status: 422,
        detail: detail.into(),
        request_id: String::new(),
        language,
        more,
    }))
}

/// What was typed into a field as JSON.
///
/// # Errors
/// Where it is no JSON, or not of this form.
pub fn json<T: DeserializeOwned>(t: Texts, field: &str, typed: &str) -> Result<T, Refused> {
    serde_json::from_str(typed).map_err(|error| invalid(t, field, &t.no_json(error)))
}

/// What was typed into a field, read as what it should be.
///
/// # Errors
/// What it should be, as the API says it.
pub fn read<T: FromStr<Err = Error>>(field: &str, text: &str) -> Result<T, Refused> {
    text.parse().map_err(|error: Error| invalid_in(Language::English, field, &error.detail))
}

/// That there is nothing at an address, said as the API says it.
pub fn not_found() -> Refused {
    let (kind, title) = ("/problems/not-found".into(), "There is no such thing".into());
    Refused::ByApi(Box::new(Refusal {
        kind,
        title,
        status: 404,
        detail: String::new(),
        request_id: String::new(),
        language: Language::English,
        more: Map::new(),
    }))
}

/// Why a page cannot be shown, or an act was not done.
#[derive(Debug)]
pub enum Refused {
    /// The API refused.
    ByApi(Box<Refusal>),
    /// The visitor is not signed in; they come back to this address once they are.
    NotSignedIn(String),
    /// The page is for those who may do something that the visitor may not.
    Forbidden,
    /// The request was none that a page of the console sends.
    Misread(String),
    /// A defect.
    Broken(String),
}

/// What an answer carries that asks somebody to sign in.
#[derive(Clone)]
pub struct SignedOut;

impl From<MultipartError> for Refused {
    /// A form with a file that cannot be read to its end.
    fn from(error: MultipartError) -> Self {
        Self::Misread(error.body_text())
    }
}

/// A refusal as the address book of a workspace has it (RFC 7644, §3.12).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScimRefusal {
    scim_type: Option<String>,
    detail: String,
}

/// The code that is meant by a word of SCIM, or by a status where SCIM has no word.
fn scim_code(status: StatusCode, word: Option<&str>) -> Code {
    match (word, status) {
        (Some("uniqueness"), _) => Code::ScimUniqueness,
        (Some("mutability"), _) => Code::ScimMutability,
        (Some("invalidFilter"), _) => Code::ScimFilter,
        (Some("noTarget"), _) => Code::ScimNoTarget,
        (_, StatusCode::UNAUTHORIZED) => Code::InvalidToken,
        (_, StatusCode::FORBIDDEN) => Code::MissingGrant,
        (_, StatusCode::NOT_FOUND) => Code::NotFound,
        (_, StatusCode::CONFLICT) => Code::AddressBookKept,
        (_, StatusCode::PRECONDITION_FAILED) => Code::PreconditionFailed,
        _ => Code::ScimValue,
    }
}

impl Refusal {
    /// A refusal in SCIM's form, which pages show as any other one.
    pub fn of_scim(status: StatusCode, body: &[u8]) -> Option<Self> {
        let ScimRefusal { scim_type, detail } = serde_json::from_slice(body).ok()?;
        let code = scim_code(status, scim_type.as_deref());
        Some(Self {
            kind: format!("/problems/{}", code.slug()),
            title: code.title().into(),
            status: status.as_u16(),
            detail,
            request_id: String::new(),
            language: Language::English,
            more: Map::new(),
        })
    }

    /// Its name, without the address of its page.
    pub fn code(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }

    /// The address of the page that explains it.
    pub fn explained_at(&self) -> String {
        format!("/ui/problems/{}", self.code())
    }

    /// The policy whose config was refused, by the name that it has at its place; `None` of any other refusal.
    pub fn policy(&self) -> Option<&str> {
        self.more.get("policy").filter(|_| self.code() == "policy-config").and_then(Value::as_str)
    }

    /// The field that broke a rule, as the API names it: a place in the config of a policy is a field as well.
    pub fn field(&self) -> Option<&str> {
        let in_config = || self.more.get("errors")?.get(0)?.get("pointer");
        let field = self.more.get("field").or_else(|| self.more.get("parameter")).or_else(in_config);
        field.and_then(Value::as_str).or_else(|| self.can_only_mean())
    }

    /// The field that a refusal can only mean, where it names none.
    fn can_only_mean(&self) -> Option<&'static str> {
        match self.code() {
            "gray-period" => Some("end"),
            "version-state" | "version-order" | "gray-first-release" => Some("version"),
            _ => None,
        }
    }

    /// What it says in a language. Where its sentence is in another one, its code speaks first.
    pub fn says(&self, t: Texts) -> Says {
        let heading = match t.0 {
            Language::English => self.title.clone(),
            Language::Chinese => {
                Code::of(self.code()).map_or(t.refused_heading(), |code| t.problem(code).heading).into()
            }
        };
        match self.language == t.0 {
            true => Says { heading, text: self.detail.clone(), original: None },
            false => Says { heading, text: String::new(), original: Some(self.detail.clone()) },
        }
    }
}

/// A refusal as a page says it.
pub struct Says {
    pub heading: String,
    pub text: String,
    /// The sentence of the API where the page speaks another language.
    pub original: Option<String>,
}

/// The body of the page.
#[derive(askama::Template)]
#[template(path = "refused.html")]
pub struct Body<'a> {
    t: Texts,
    says: Says,
    problem: Option<String>,
    request_id: &'a str,
}

impl Refused {
    /// What it says in a sentence, for a page that is about something else.
    pub fn in_short(&self, t: Texts) -> String {
        match self {
            Self::ByApi(refusal) => {
                let Says { heading, text, .. } = refusal.says(t);
                if text.is_empty() { heading } else { text }
            }
            Self::Misread(text) => text.clone(),
            Self::NotSignedIn(_) | Self::Forbidden | Self::Broken(_) => t.refused_heading().into(),
        }
    }

    /// A page that says it, for a visitor of whom nothing but the taste is known.
    pub fn show(&self, taste: &Taste) -> Response {
        self.show_in(taste, |status, title, body| crate::frame::alone(taste, status, title, body))
    }

    /// A page that says it, in a frame.
    pub fn show_in(&self, taste: &Taste, frame: impl FnOnce(StatusCode, &str, &Body<'_>) -> Response) -> Response {
        let t = taste.t;
        let plain = |heading: &str, text: &str| Says { heading: heading.into(), text: text.into(), original: None };
        let (status, says, problem, request_id) = match self {
            Self::NotSignedIn(back) => {
                let sign_in = Redirect::to(&with_query("/ui/sign-in", [("back", Some(back.as_str()))]));
                return (Extension(SignedOut), sign_in).into_response();
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, plain(t.forbidden_heading(), t.forbidden_text()), None, ""),
            Self::Misread(text) => (StatusCode::BAD_REQUEST, plain(t.refused_heading(), text), None, ""),
            Self::Broken(cause) => {
                tracing::error!(cause, "the console could not make a page");
                let says = plain(t.broken_heading(), t.broken_text());
                (StatusCode::INTERNAL_SERVER_ERROR, says, None, "")
            }
            Self::ByApi(refusal) => {
                let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
                let says = match refusal.status {
                    404 => plain(t.not_found_heading(), t.not_found_text()),
                    _ => refusal.says(t),
                };
                (status, says, Some(refusal.explained_at()), refusal.request_id.as_str())
            }
        };
        let title = says.heading.clone();
        let body = Body { t, says, problem, request_id };
        frame(status, &title, &body)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_marked_as_english_where_the_api_said_it_and_not_where_the_console_did() {
        let t = Texts(Language::Chinese);
        let says = |refused| match refused {
            Refused::ByApi(refusal) => Some((refusal.says(t).text, refusal.says(t).original)),
            _ => None,
        };
        assert_eq!(says(invalid(t, "percent", t.no_number())), Some((t.no_number().to_owned(), None)));
        let english = invalid_in(Language::English, "id", "is taken.");
        assert_eq!(says(english), Some((String::new(), Some("is taken.".into()))));
    }

    #[test]
    fn a_refusal_of_the_address_book_is_shown_as_any_other_one() {
        let body = br#"{"schemas": [], "status": "409", "scimType": "uniqueness", "detail": "It is taken."}"#;
        let refusal = Refusal::of_scim(StatusCode::CONFLICT, body).unwrap();
        assert_eq!((refusal.code(), refusal.status, refusal.detail.as_str()), ("scim-uniqueness", 409, "It is taken."));
        assert!(Refusal::of_scim(StatusCode::CONFLICT, b"<html>").is_none());
    }
}
