//! The cookie by which a browser keeps a sign-on.
//!
//! `__Host-` has browsers take it from this very host by TLS only, so that no neighbour can slip another one in. Without TLS,
//! which is for machines of developers, browsers would not take it, and it goes by another name.

use axum::http::{HeaderMap, HeaderValue, header::InvalidHeaderValue};
use berth_model::oidc::SIGN_ON_SECONDS;
use berth_work::oidc::Issuer;
use headers::{Cookie, HeaderMapExt};

fn name(issuer: &Issuer) -> &'static str {
    if issuer.is_secure() { "__Host-berth-sign-on" } else { "berth-sign-on" }
}

/// The secret that a browser has sent, if it has.
pub(super) fn read(headers: &HeaderMap, issuer: &Issuer) -> Option<String> {
    headers.typed_get::<Cookie>()?.get(name(issuer)).map(str::to_owned)
}

/// Has the browser keep a secret.
pub(super) fn keep(issuer: &Issuer, secret: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    set(issuer, secret, SIGN_ON_SECONDS)
}

/// Has the browser forget what it keeps.
pub(super) fn forget(issuer: &Issuer) -> Result<HeaderValue, InvalidHeaderValue> {
    set(issuer, "", 0)
}

/// `Lax`, as browsers come here from the pages of MiniApps.
fn set(issuer: &Issuer, value: &str, seconds: i64) -> Result<HeaderValue, InvalidHeaderValue> {
    let secure = if issuer.is_secure() { "; Secure" } else { "" };
    let name = name(issuer);
    HeaderValue::try_from(format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn u13_the_cookie_is_for_this_host_alone_and_for_no_script() {
        let issuer = |url| Issuer::of(Some(url)).unwrap();
        let (safe, local) = (issuer("https://berth.example"), issuer("http://127.0.0.1:1"));
        let kept = keep(&safe, "s").unwrap();
        assert_eq!(kept, "__Host-berth-sign-on=s; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(forget(&local).unwrap(), "berth-sign-on=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
        let mut headers = HeaderMap::new();
        headers.insert("cookie", HeaderValue::from_static("a=b; __Host-berth-sign-on=s1; berth-sign-on=s2"));
        assert_eq!((read(&headers, &safe).unwrap(), read(&headers, &local).unwrap()), ("s1".into(), "s2".into()));
        assert_eq!(read(&HeaderMap::new(), &safe), None);
    }
}
