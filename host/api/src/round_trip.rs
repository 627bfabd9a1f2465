//! Browsers that are sent to somebody else and come back: visitors to WeChat, users to login providers. They have no token; a
//! browser is recognised by the state with which it was sent, and by a cookie that goes with it.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use berth_base::{
    error::{Error, Result},
    secret::Secret,
};

/// How many characters of a state the name of its cookie has: enough to tell the journeys of one browser apart.
const NAMED: usize = 8;

/// One kind of journey.
pub(crate) struct RoundTrip {
    /// What the names of its cookies begin with.
    pub prefix: &'static str,
    /// How long a browser may be away.
    pub seconds: i64,
}

impl RoundTrip {
    /// The name of the cookie of a state; `None` for what is no state of this host.
    pub fn cookie_name(&self, state: &Secret) -> Option<String> {
        let named = state.expose().get(..NAMED).filter(|named| named.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Some(format!("{}{named}", self.prefix))
    }

    /// The cookie that the browser was given with a state. Cookies of others that cannot be read do not hide it, as they would from
    /// `headers::Cookie`.
    pub fn cookie_of(&self, headers: &HeaderMap, state: &Secret) -> Option<Secret> {
        let name = self.cookie_name(state)?;
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned().into())
    }

    /// The cookie that lets a browser come back. It is sent back from another site, so `Lax` and not `Strict`. Its path is the root,
    /// as a proxy may serve this host below any other.
    pub fn cookie_line(&self, state: &Secret, cookie: &Secret, secure: bool) -> Option<HeaderValue> {
        let (name, value, seconds) = (self.cookie_name(state)?, cookie.expose(), self.seconds);
        let secure = if secure { "; Secure" } else { "" };
        let line = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&line).ok()
    }
}

/// The state of a browser that comes back without one.
pub(crate) fn no_state() -> Secret {
    String::new().into()
}

/// Sends a browser where it has to go. No page that it comes to learns where it has been.
///
/// # Errors
/// `internal` for an address that fits into no header.
pub(crate) fn redirect(address: &str, cookie: Option<HeaderValue>) -> Result<Response> {
    let address = HeaderValue::from_str(address).map_err(Error::internal)?;
    let headers: [(HeaderName, HeaderValue); 3] = [
        (header::LOCATION, address),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    let mut response = (StatusCode::FOUND, headers).into_response();
    response.headers_mut().extend(cookie.map(|line| (header::SET_COOKIE, line)));
    Ok(response)
}
