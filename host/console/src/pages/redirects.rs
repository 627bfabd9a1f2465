//! The addresses of an OpenID client, a MiniApp or an internal tool: where browsers come back to after a login, and where they
//! may go after a logout.

use berth_model::oidc::SetOidcClient;

use crate::{act::Sent, parts::Filled, show::quoted, texts::Texts};

/// The addresses as a form, or as facts for whoever may not set them.
#[derive(askama::Template)]
#[template(path = "redirects.html")]
pub struct Redirects<'a> {
    t: Texts,
    /// Where the form is sent.
    action: String,
    hint: &'static str,
    set: &'a SetOidcClient,
    /// The tag of what the form was made of.
    tag: &'a str,
    may_set: bool,
    filled: &'a Filled,
}

impl<'a> Redirects<'a> {
    /// The form that is sent to this address, with what is registered and its tag. It sends the tag as `client_tag`.
    pub fn new(
        t: Texts,
        action: String,
        hint: &'static str,
        set: &'a SetOidcClient,
        tag: &'a str,
        may_set: bool,
        filled: &'a Filled,
    ) -> Self {
        Self { t, action, hint, set, tag: filled.made_of("client_tag", tag), may_set, filled }
    }
}

/// What a form says: an address a line.
pub fn sent_of(sent: &Sent) -> SetOidcClient {
    let lines = |name: &str| sent.lines(name).map(str::to_owned).collect();
    SetOidcClient {
        redirect_uris: lines("redirect_uris"),
        post_logout_redirect_uris: lines("post_logout_redirect_uris"),
    }
}

/// The command that registers what is registered; one to be filled in where nothing is.
pub fn command(command: &str, set: &SetOidcClient) -> String {
    if set.redirect_uris.is_empty() {
        return format!("{command} --set https://…/callback");
    }
    let with = |command: String, (option, uri): (&str, &String)| format!("{command} {option} {}", quoted(uri));
    let logins = set.redirect_uris.iter().map(|uri| ("--set", uri));
    let logouts = set.post_logout_redirect_uris.iter().map(|uri| ("--after-logout", uri));
    logins.chain(logouts).fold(command.to_owned(), with)
}
