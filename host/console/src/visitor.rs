//! What the browser of a visitor says of them: language, theme, zone of time. All of it is in cookies, of which none is
//! secret but the one with the session.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::tz::TimeZone;

use crate::texts::{Language, Texts};

/// The colours of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system of the visitor has them.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Its name in the cookie and in the page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Its name for people.
    pub fn name(self, t: &Texts) -> &'static str {
        match self {
            Self::System => t.theme_system(),
            Self::Light => t.theme_light(),
            Self::Dark => t.theme_dark(),
        }
    }
}

/// How pages are shown to a visitor.
#[derive(Clone, Debug)]
pub struct Taste {
    pub t: Texts,
    pub theme: Theme,
    pub zone: TimeZone,
}

/// How long the browser remembers a taste, in seconds: a year.
const A_YEAR: u64 = 365 * 24 * 3600;

/// Names of the cookies. They are as short as they are plain: they go with every request.
pub const LANGUAGE: &str = "berth_language";
pub const THEME: &str = "berth_theme";
pub const ZONE: &str = "berth_zone";

impl Taste {
    /// What the headers say; what they do not say is as it is for a newcomer.
    pub fn of(headers: &HeaderMap) -> Self {
        let accepted = || headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok().and_then(Language::accepted);
        let language = cookie(headers, LANGUAGE).and_then(Language::of_tag).or_else(accepted).unwrap_or_default();
        let theme = cookie(headers, THEME).and_then(|name| Theme::ALL.into_iter().find(|one| one.as_str() == name));
        let zone =
            cookie(headers, ZONE).map(|name| name.replace("%2F", "/")).and_then(|name| TimeZone::get(&name).ok());
        Self { t: Texts(language), theme: theme.unwrap_or_default(), zone: zone.unwrap_or(TimeZone::UTC) }
    }

    /// The name of the zone of time.
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(found, value)| (found == name).then_some(value))
}

/// The header that has the browser keep a taste. The script that finds the zone of time reads and writes such a cookie, so
/// it is not hidden from scripts.
pub fn remember(name: &str, value: &str) -> [(HeaderName, HeaderValue); 1] {
    [(header::SET_COOKIE, remember_at(crate::ROOT, name, value))]
}

/// The same for the pages below another address than the console's.
pub fn remember_at(root: &str, name: &str, value: &str) -> HeaderValue {
    let text = format!("{name}={value}; Path={root}; Max-Age={A_YEAR}; SameSite=Lax");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// The cookie with the token of the session. Only over TLS may it have the prefix that binds it to this very host.
pub fn session_cookie(is_secure: bool) -> &'static str {
    if is_secure { "__Host-berth" } else { "berth_session" }
}

/// The header that has the browser keep a session, as long as the browser wants: the host knows when the session ends.
pub fn keep_session(is_secure: bool, token: &str) -> (HeaderName, HeaderValue) {
    set_session(is_secure, token, "")
}

/// The header that has the browser forget its session.
pub fn forget_session(is_secure: bool) -> (HeaderName, HeaderValue) {
    set_session(is_secure, "", "; Max-Age=0")
}

fn set_session(is_secure: bool, token: &str, age: &str) -> (HeaderName, HeaderValue) {
    let name = session_cookie(is_secure);
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
    let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    (header::SET_COOKIE, value)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn a_taste_is_read_from_cookies_before_headers() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("zh-CN"));
        assert_eq!(Taste::of(&headers).t.0, Language::Chinese);
        let cookies = "berth_language=en; berth_theme=dark; berth_zone=Asia%2FShanghai";
        headers.insert(header::COOKIE, HeaderValue::from_static(cookies));
        let taste = Taste::of(&headers);
        assert_eq!((taste.t.0, taste.theme, taste.zone_name()), (Language::English, Theme::Dark, "Asia/Shanghai"));
    }

    #[test]
    fn a_session_is_hidden_from_scripts_and_bound_to_the_host_over_tls() {
        let (_, value) = keep_session(true, "berth_session_x");
        let text = value.to_str().unwrap();
        assert!(text.starts_with("__Host-berth=berth_session_x; Path=/; HttpOnly; SameSite=Lax; Secure"), "{text}");
        assert!(!keep_session(false, "x").1.to_str().unwrap().contains("Secure"));
    }
}
