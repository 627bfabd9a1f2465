//! Pages for people who come by a browser without an account of this host: merchants from WeChat, users of MiniApps.

use axum::{
    http::{HeaderName, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

/// Whether browsers of people come to this path, who are answered by pages and have no token: entries of official accounts,
/// logins at providers.
pub(crate) fn is_for_browsers(path: &str) -> bool {
    path.starts_with("/w/") || path.starts_with("/l/")
}

/// A page that loads nothing and is not cached. It shows where its links lead only its origin as referrer. `more` is HTML.
pub(crate) fn html(status: StatusCode, title: &str, text: &str, more: &str) -> Response {
    let page = include_str!("page.html").replace("{title}", &escape(title)).replace("{text}", &escape(text));
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "origin"),
    ];
    (status, headers, Html(page.replace("{more}", more))).into_response()
}

/// Escapes text for HTML. For one page with three places to fill in, the crate askama with its four dependencies would
/// be too much.
pub(crate) fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    // The brace, too: the page is filled in where it has one.
    text.replace('"', "&quot;").replace('\'', "&#39;").replace('{', "&#123;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_elsewhere_stays_text() {
        assert_eq!(escape("<b a='1'>&\"{more}"), "&lt;b a=&#39;1&#39;&gt;&amp;&quot;&#123;more}");
    }
}
