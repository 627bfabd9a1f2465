//! What a provider says of a user, and whether it is good (U20, F90).

use berth_base::clock::Millis;
use serde::Deserialize;
use serde_json::{Map, Value};

/// How many seconds the clocks of a provider and of this host may differ.
const SKEW: i64 = 60;
/// How many bytes a subject has at most (OpenID Connect Core, §2).
const LONGEST: usize = 255;

/// The claims of an ID token, whose signature was verified.
#[derive(Clone, Debug, Deserialize)]
pub struct IdClaims {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: i64,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    auth_time: Option<i64>,
    /// What else it says.
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Who has logged in at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who it is, for good.
    pub subject: String,
    /// What the provider calls them, today.
    pub name: Option<String>,
    /// When they have shown the provider who they are, in seconds since 1970; absent when it has not said so.
    pub auth_time: Option<i64>,
    /// What the provider says of them besides.
    pub claims: Map<String, Value>,
}

impl Person {
    /// Who the provider says that they are, in one of its claims: a text, or a whole number. An address of e-mail that the provider
    /// does not stand for names nobody: anybody may have entered it there.
    ///
    /// # Errors
    /// What is wrong, as a sentence.
    pub fn named_by(&self, claim: &str) -> Result<String, String> {
        if claim == "sub" {
            return Ok(self.subject.clone());
        }
        if claim == EMAIL && self.is_email_denied() {
            return Err("It says that the address of e-mail is not verified.".into());
        }
        let said = self.claims.get(claim).and_then(text_of).map(|text| text.trim().to_owned());
        said.filter(|text| !text.is_empty()).ok_or_else(|| {
            format!("It says no {claim} of who has signed in, neither in the ID token nor in the user info.")
        })
    }
}

/// The claim that has an address of e-mail.
const EMAIL: &str = "email";
/// The claim that says whether the provider stands for it.
const EMAIL_VERIFIED: &str = "email_verified";

impl Person {
    /// Whether a claim is said as far as it will be. An address of e-mail is not, as long as nothing says whether it is verified.
    pub fn says(&self, claim: &str) -> bool {
        let is_there = |claim: &str| self.claims.contains_key(claim);
        claim == "sub" || is_there(claim) && (claim != EMAIL || is_there(EMAIL_VERIFIED))
    }

    /// Adds what the user info says. An address that is not verified by either of the two stays so.
    pub fn learn(&mut self, user_info: Map<String, Value>) {
        let was_denied = self.is_email_denied();
        self.claims.extend(user_info);
        if was_denied {
            self.claims.insert(EMAIL_VERIFIED.into(), Value::Bool(false));
        }
    }

    fn is_email_denied(&self) -> bool {
        let is_denied = |said: &Value| matches!(said, Value::Bool(false)) || said == "false";
        self.claims.get(EMAIL_VERIFIED).is_some_and(is_denied)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What the ID token of a login has to say.
pub struct Expected<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// The client.
    pub client_id: &'a str,
    /// What the browser was sent with.
    pub nonce: &'a str,
    /// The present time.
    pub now: Millis,
}

impl IdClaims {
    /// Who has logged in, when the token is for this login (OpenID Connect Core, §3.1.3.7).
    ///
    /// # Errors
    /// What is wrong with the token, as a sentence.
    pub fn person(self, expected: &Expected<'_>) -> Result<Person, &'static str> {
        let now = expected.now.0 / 1000;
        let audience = match &self.aud {
            Audience::One(one) => std::slice::from_ref(one),
            Audience::Many(many) => many,
        };
        let is_ours = |id: &String| id == expected.client_id;
        if self.iss != expected.issuer {
            return Err("Its ID token names another issuer.");
        }
        if !audience.iter().any(is_ours) || !self.azp.as_ref().is_none_or(is_ours) {
            return Err("Its ID token is for another client.");
        }
        if audience.len() > 1 && self.azp.is_none() {
            return Err("Its ID token is for several clients, and does not say for which it was issued.");
        }
        if self.exp <= now - SKEW {
            return Err("Its ID token has expired.");
        }
        if self.iat.is_some_and(|iat| iat > now + SKEW) {
            return Err("Its ID token was issued in the future: one of the two clocks is wrong.");
        }
        if self.nonce.as_deref() != Some(expected.nonce) {
            return Err("Its ID token repeats another nonce, so it is of another login.");
        }
        let subject = is_subject(self.sub).ok_or("Its ID token names nobody.")?;
        let text = |claim: &str| self.others.get(claim).and_then(Value::as_str);
        let name = text("name").or(text("preferred_username")).map(str::to_owned);
        Ok(Person { subject, name, auth_time: self.auth_time, claims: self.others })
    }
}

fn is_subject(text: String) -> Option<String> {
    Some(text).filter(|text| (1..=LONGEST).contains(&text.len()) && !text.chars().any(char::is_control))
}

/// The subject that user info has at a pointer: a text, or a whole number.
pub fn subject_at(user_info: &Value, pointer: &str) -> Option<String> {
    text_of(user_info.pointer(pointer)?)
}

/// What names somebody: a text, or a whole number.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => is_subject(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(changes: Value) -> Result<String, &'static str> {
        let mut claims =
            json!({"iss": "https://a.example", "sub": "s1", "aud": "berth", "exp": 1600, "iat": 1000, "nonce": "n1"});
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let claims: IdClaims = serde_json::from_value(claims).unwrap();
        let expected =
            Expected { issuer: "https://a.example", client_id: "berth", nonce: "n1", now: Millis(1_000_000) };
        claims.person(&expected).map(|person| person.subject)
    }

    #[test]
    fn p18_a_person_is_called_by_the_name_or_else_by_the_user_name() {
        let name = |names: Value| {
            let mut claims =
                json!({"iss": "https://a.example", "sub": "s1", "aud": "berth", "exp": 1600, "nonce": "n1"});
            claims.as_object_mut().unwrap().extend(names.as_object().unwrap().clone());
            let claims: IdClaims = serde_json::from_value(claims).unwrap();
            let expected =
                Expected { issuer: "https://a.example", client_id: "berth", nonce: "n1", now: Millis(1_000_000) };
            claims.person(&expected).unwrap().name
        };
        assert_eq!(name(json!({"name": "Ann Lee", "preferred_username": "ann"})).as_deref(), Some("Ann Lee"));
        assert_eq!(name(json!({"name": 7, "preferred_username": "ann"})).as_deref(), Some("ann"));
        assert_eq!(name(json!({})), None);
    }

    #[test]
    fn u20_f90_an_id_token_is_good_for_its_own_login_only() {
        assert_eq!(judged(json!({})).as_deref(), Ok("s1"));
        assert_eq!(judged(json!({"aud": ["berth"]})).as_deref(), Ok("s1"));
        assert_eq!(judged(json!({"aud": ["x", "berth"], "azp": "berth"})).as_deref(), Ok("s1"));
        assert_eq!(judged(json!({"exp": 941})).as_deref(), Ok("s1"), "clocks differ a little");
        for (wrong, why) in [
            (json!({"iss": "https://a.example/"}), "issuer"),
            (json!({"aud": "other"}), "another client"),
            (json!({"aud": []}), "another client"),
            (json!({"azp": "other"}), "another client"),
            (json!({"aud": ["berth", "other"]}), "several"),
            (json!({"exp": 940}), "expired"),
            (json!({"iat": 1061}), "future"),
            (json!({"nonce": "n2"}), "nonce"),
            (json!({"nonce": null}), "nonce"),
            (json!({"sub": ""}), "nobody"),
            (json!({"sub": "a\u{0}b"}), "nobody"),
            (json!({"sub": "s".repeat(256)}), "nobody"),
        ] {
            let said = judged(wrong.clone()).unwrap_err();
            assert!(said.contains(why), "{wrong}: {said}");
        }
    }

    #[test]
    fn w14_an_address_is_verified_where_neither_token_nor_user_info_denies_it() {
        let person = |said: Value| {
            let claims = said.as_object().unwrap().clone();
            Person { subject: "s1".into(), name: None, auth_time: None, claims }
        };
        assert!(person(json!({})).says("sub") && !person(json!({})).says("email"));
        assert!(!person(json!({"email": "a@a.example"})).says("email") && person(json!({"upn": "a"})).says("upn"));
        assert!(person(json!({"email": "a@a.example", "email_verified": true})).says("email"));
        for (token, user_info, is_good) in [
            (json!({"email": "a@a.example"}), json!({"email_verified": true}), true),
            (json!({"email": "a@a.example"}), json!({"email_verified": false}), false),
            (json!({"email_verified": "false"}), json!({"email": "a@a.example", "email_verified": true}), false),
            (json!({}), json!({"email": "a@a.example"}), true),
        ] {
            let mut person = person(token);
            person.learn(user_info.as_object().unwrap().clone());
            assert_eq!(person.named_by("email").is_ok(), is_good, "{person:?}");
        }
    }

    #[test]
    fn w14_a_claim_names_a_member_and_an_address_that_is_not_verified_names_nobody() {
        let said = json!({"email": "ann@a.example", "n": 17, "half": 0.5, "empty": " ", "list": ["a"]});
        let mut person =
            Person { subject: "s1".into(), name: None, auth_time: None, claims: said.as_object().unwrap().clone() };
        assert_eq!(person.named_by("sub").as_deref(), Ok("s1"));
        assert_eq!(person.named_by("email").as_deref(), Ok("ann@a.example"), "some providers never say whether");
        assert_eq!(person.named_by("n").as_deref(), Ok("17"));
        for none in ["half", "empty", "list", "upn"] {
            assert!(person.named_by(none).unwrap_err().contains(none), "{none}");
        }
        for denied in [json!(false), json!("false")] {
            person.claims.insert("email_verified".into(), denied);
            assert!(person.named_by("email").unwrap_err().contains("not verified"));
        }
        person.claims.insert("email_verified".into(), json!(true));
        assert_eq!(person.named_by("email").as_deref(), Ok("ann@a.example"));
    }

    #[test]
    fn u20_user_info_names_a_user_by_a_text_or_a_whole_number() {
        let info = json!({"data": {"id": 42, "name": "ann", "half": 0.5, "none": null, "empty": ""}});
        let at = |pointer| subject_at(&info, pointer);
        assert_eq!((at("/data/id").as_deref(), at("/data/name").as_deref()), (Some("42"), Some("ann")));
        for none in ["/data/half", "/data/none", "/data/empty", "/data", "/id"] {
            assert_eq!(at(none), None, "{none}");
        }
    }
}
