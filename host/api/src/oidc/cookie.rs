//! The cookies by which a browser keeps sign-ons, one of a user and one of a member, and is known again after a sign-in page.
//!
//! `__Host-` has browsers take them from this very host by TLS only, so that no neighbour can slip another one in. Without TLS,
//! which is for machines of developers, browsers would not take them, and they go by other names.

use axum::http::{HeaderMap, HeaderValue, header::InvalidHeaderValue};
use berth_model::oidc::{SIGN_IN_SECONDS, SIGN_ON_SECONDS, member_cookie};
use berth_work::oidc::{Browser, Issuer};
use headers::{Cookie, HeaderMapExt};

/// What a cookie keeps.
#[derive(Clone, Copy)]
pub(super) enum Of {
    /// The sign-on of a user of a host app.
    User,
    /// The sign-on of a member of a workspace.
    Member,
    /// What is known again after the sign-in page of a workspace.
    SignIn,
}

fn name(issuer: &Issuer, of: Of) -> &'static str {
    match (of, issuer.is_secure()) {
        (Of::User, true) => "__Host-berth-sign-on",
        (Of::User, false) => "berth-sign-on",
        (Of::Member, is_secure) => member_cookie(is_secure),
        (Of::SignIn, true) => "__Host-berth-sign-in",
        (Of::SignIn, false) => "berth-sign-in",
    }
}

/// What a browser has sent.
pub(super) fn read(headers: &HeaderMap, issuer: &Issuer) -> Browser {
    let Some(cookies) = headers.typed_get::<Cookie>() else { return Browser::default() };
    let held = |of| cookies.get(name(issuer, of)).map(str::to_owned);
    Browser { user: held(Of::User), member: held(Of::Member), sign_in: held(Of::SignIn), login_code: None }
}

/// Has the browser keep a secret.
pub(super) fn keep(issuer: &Issuer, of: Of, secret: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let seconds = match of {
        Of::User | Of::Member => SIGN_ON_SECONDS,
        Of::SignIn => SIGN_IN_SECONDS,
    };
    set(issuer, of, secret, seconds)
}

/// Has the browser forget what it keeps.
pub(super) fn forget(issuer: &Issuer, of: Of) -> Result<HeaderValue, InvalidHeaderValue> {
    set(issuer, of, "", 0)
}

/// `Lax`, as browsers come here from the pages of clients.
fn set(issuer: &Issuer, of: Of, value: &str, seconds: i64) -> Result<HeaderValue, InvalidHeaderValue> {
    let secure = if issuer.is_secure() { "; Secure" } else { "" };
    let name = name(issuer, of);
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
        let kept = keep(&safe, Of::User, "s").unwrap();
        assert_eq!(kept, "__Host-berth-sign-on=s; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(forget(&local, Of::User).unwrap(), "berth-sign-on=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
        assert_eq!(
            forget(&local, Of::Member).unwrap(),
            "berth-member-sign-on=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
        let known = keep(&safe, Of::SignIn, "s").unwrap();
        assert_eq!(known, "__Host-berth-sign-in=s; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure");
        let mut headers = HeaderMap::new();
        headers.insert(
            "cookie",
            HeaderValue::from_static("a=b; __Host-berth-sign-on=s1; berth-sign-on=s2; berth-member-sign-on=s3"),
        );
        let held = |issuer: &Issuer| read(&headers, issuer);
        assert_eq!((held(&safe).user.unwrap(), held(&safe).member), ("s1".into(), None));
        assert_eq!((held(&local).user.unwrap(), held(&local).member.unwrap()), ("s2".into(), "s3".into()));
        assert_eq!(read(&HeaderMap::new(), &safe).user, None);
    }
}
