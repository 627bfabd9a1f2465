//! The exchange of a code or a refresh token for tokens, as the server of a client asks for it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;

use berth_base::secret::Secret;

use super::{ClientId, Parameters, Refusal, Word};

/// By what a server proves that it is that of a client.
#[derive(Debug)]
pub struct ClientProof {
    /// The MiniApp or the internal tool.
    pub client: ClientId,
    /// Its secret.
    pub secret: Secret,
}

/// An exchange.
#[derive(Debug)]
pub struct Exchange {
    /// The code.
    pub code: Secret,
    /// Where the browser had come back to.
    pub redirect_uri: String,
    /// What the challenge was made of (RFC 7636).
    pub code_verifier: Secret,
}

/// For what an internal tool wants tokens.
#[derive(Debug)]
pub enum Granted {
    /// For a code.
    Code(Exchange),
    /// For a refresh token.
    Refresh(Secret),
}

impl Granted {
    /// Reads what is asked for.
    ///
    /// # Errors
    /// `unsupported_grant_type`; `invalid_request`.
    pub fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        match parameters.required("grant_type")? {
            "refresh_token" => Ok(Self::Refresh(parameters.required("refresh_token")?.to_owned().into())),
            "authorization_code" => Exchange::read(parameters).map(Self::Code),
            _ => Err(Refusal::new(
                Word::UnsupportedGrantType,
                "The grant_type must be authorization_code or refresh_token.",
            )),
        }
    }
}

impl ClientProof {
    /// Reads the proof from the header `Authorization` (`client_secret_basic`) or from the body (`client_secret_post`).
    ///
    /// # Errors
    /// `invalid_client` when there is none; `invalid_request` when there are two.
    pub fn read(authorization: Option<&str>, parameters: &Parameters) -> Result<Self, Refusal> {
        let (id, secret) = match (authorization, parameters.get("client_secret")?) {
            (Some(_), Some(_)) => {
                return Err(Refusal::request("The client secret is in the header and in the body. Send it once."));
            }
            (Some(header), None) => basic(header).ok_or_else(unproved)?,
            (None, Some(secret)) => (parameters.required("client_id")?.to_owned(), secret.to_owned().into()),
            (None, None) => return Err(unproved()),
        };
        if authorization.is_some() && parameters.get("client_id")?.is_some_and(|body| body != id) {
            return Err(Refusal::request("The client_id in the body is not the one in the header."));
        }
        // What is no id is answered as an id that nobody has.
        Ok(Self { client: ClientId::read(&id).map_err(|_| unproved())?, secret })
    }
}

fn unproved() -> Refusal {
    let detail = "Send the client id and the client secret, which for a MiniApp are its id and its AppSecret, by \
                  client_secret_basic or client_secret_post.";
    Refusal::new(Word::InvalidClient, detail)
}

/// Both parts of `Basic …`, which are form-encoded before they are put together (RFC 6749, §2.3.1).
fn basic(header: &str) -> Option<(String, Secret)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decoded(id)?, decoded(secret)?.into()))
}

fn decoded(text: &str) -> Option<String> {
    Some(percent_decode_str(&text.replace('+', " ")).decode_utf8().ok()?.into_owned())
}

impl Exchange {
    /// Reads an exchange.
    ///
    /// # Errors
    /// `unsupported_grant_type`; `invalid_request`.
    pub fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        if parameters.required("grant_type")? != "authorization_code" {
            return Err(Refusal::new(Word::UnsupportedGrantType, "The grant_type must be authorization_code."));
        }
        let secret = |name| Ok::<_, Refusal>(parameters.required(name)?.to_owned().into());
        Ok(Self {
            code: secret("code")?,
            redirect_uri: parameters.required("redirect_uri")?.to_owned(),
            code_verifier: secret("code_verifier")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: Option<&str>, body: &[(&str, &str)]) -> Result<(String, String), Word> {
        let body = Parameters::of(body.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let proof = ClientProof::read(header, &body).map_err(|refusal| refusal.word)?;
        Ok((proof.client.to_string(), proof.secret.expose().to_owned()))
    }

    #[test]
    fn u15_a_server_proves_itself_once_by_the_header_or_the_body() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let good = Ok(("shop".to_owned(), "s%+é".to_owned()));
        assert_eq!(read(Some(&basic("shop:s%25%2B%C3%A9")), &[]), good);
        assert_eq!(read(Some(&basic("shop:s%25%2B%C3%A9")), &[("client_id", "shop")]), good);
        assert_eq!(read(None, &[("client_id", "shop"), ("client_secret", "s%+é")]), good);
        for (header, body, word) in [
            (None, &[][..], Word::InvalidClient),
            (None, &[("client_id", "shop")], Word::InvalidClient),
            (None, &[("client_secret", "s")], Word::InvalidRequest),
            (None, &[("client_id", "No Id"), ("client_secret", "s")], Word::InvalidClient),
            (Some("Bearer berth_x"), &[], Word::InvalidClient),
            (Some("Basic ???"), &[], Word::InvalidClient),
            (Some(&basic("shop")), &[], Word::InvalidClient),
            (Some(&basic("shop:s")), &[("client_secret", "s")], Word::InvalidRequest),
            (Some(&basic("shop:s")), &[("client_id", "tea")], Word::InvalidRequest),
        ] {
            assert_eq!(read(header, body), Err(word), "{header:?} {body:?}");
        }
    }

    #[test]
    fn u14_an_exchange_names_all_that_the_code_is_bound_to() {
        let all = [("grant_type", "authorization_code"), ("code", "c"), ("redirect_uri", "u"), ("code_verifier", "v")];
        let read = |pairs: Vec<(&str, &str)>| {
            let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
            Exchange::read(&Parameters::of(pairs)).map(drop).map_err(|refusal| refusal.word)
        };
        assert_eq!(read(all.to_vec()), Ok(()));
        for (name, _) in all {
            assert_eq!(
                read(all.into_iter().filter(|one| one.0 != name).collect()),
                Err(Word::InvalidRequest),
                "{name}"
            );
        }
        assert_eq!(read(vec![("grant_type", "refresh_token")]), Err(Word::UnsupportedGrantType));
    }
}
