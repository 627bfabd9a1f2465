//! The visitor's own access: roles, sessions, tokens, password.

mod second_factor;

use axum::{
    Router,
    extract::Path,
    http::Method,
    routing::{get, post},
};
use berth_model::access::{
    IssueToken, IssuedToken, ProviderLink, Scope, ScopeKind, Session, SignInProvider, Token, TokenScope,
};
use serde_json::json;

use super::{members, sign_in::provider::provider};
use crate::{
    Console,
    act::Sent,
    frame::{Head, done},
    parts::Filled,
    path::at,
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

/// The page.
const HERE: &str = "/ui/me";

pub fn routes() -> Router<Console> {
    Router::new()
        .route(HERE, get(show))
        .route("/ui/me/tokens", post(issue))
        .route("/ui/me/tokens/{id}/revoke", post(revoke))
        .route("/ui/me/sessions/{id}/end", post(end))
        .route("/ui/me/password", post(change_password))
        .merge(second_factor::routes())
}

#[derive(askama::Template)]
#[template(path = "people/me.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    tokens: &'a [Token],
    sessions: &'a [Session],
    issued: Option<&'a IssuedToken>,
    provider: Option<SignInProvider>,
    link: Option<ProviderLink>,
    filled: &'a Filled,
}

impl Page<'_> {
    fn scope_name(&self, kind: &ScopeKind) -> &'static str {
        self.t.scope_name(*kind)
    }

    /// Where the others are who have a role at the place of this one; `None` where the visitor may not see them.
    fn others(&self, kind: &ScopeKind, id: &str) -> Option<String> {
        members::address(self.visit, &Scope::parse(*kind, id).ok()?)
    }
}

async fn show(visit: Visit) -> Answer {
    show_with(&visit, None, &Filled::default()).await
}

pub(super) async fn show_with(visit: &Visit, issued: Option<&IssuedToken>, filled: &Filled) -> Answer {
    let sessions: Vec<Session> = visit.api.list("/v1/sessions").await.or_show(visit)?;
    let mut tokens: Vec<Token> = visit.api.list("/v1/tokens").await.or_show(visit)?;
    tokens.retain(|token| token.revoked_at.is_none());
    let provider = provider(&visit.api).await;
    let link: Option<ProviderLink> = visit.api.find("/v1/me/provider-link").await.or_show(visit)?;
    let page = Page { t: visit.t, visit, tokens: &tokens, sessions: &sessions, issued, provider, link, filled };
    visit.page(Head { title: visit.t.my_access(), ..Head::default() }, &page)
}

/// Issues a token, and shows its secret: the page cannot be asked for again.
async fn issue(visit: Visit, sent: Sent) -> Answer {
    let scopes: Vec<TokenScope> = sent.all("scopes").filter_map(|scope| scope.parse().ok()).collect();
    let new = IssueToken { account: None, name: sent.get("name").into(), scopes: Some(scopes), expires_at: None };
    match visit.api.tell::<IssuedToken>(Method::POST, "/v1/tokens", &new).await {
        Ok(issued) => show_with(&visit, Some(&issued), &Filled::default()).await,
        Err(refused) => again(&visit, refused, sent).await,
    }
}

async fn again(visit: &Visit, refused: Refused, sent: Sent) -> Answer {
    show_with(visit, None, &sent.again(visit, refused)?).await
}

async fn revoke(visit: Visit, Path(id): Path<String>) -> Answer {
    visit.api.just(Method::DELETE, &at!("/v1/tokens/{}", id)).await.or_show(&visit)?;
    done(HERE, visit.t.token_revoked())
}

async fn end(visit: Visit, Path(id): Path<String>) -> Answer {
    visit.api.just(Method::DELETE, &at!("/v1/sessions/{}", id)).await.or_show(&visit)?;
    done(HERE, visit.t.session_ended())
}

async fn change_password(visit: Visit, sent: Sent) -> Answer {
    let (current, new) = (sent.typed("current"), sent.typed("new").unwrap_or_default());
    let change = json!({ "current": current, "sign_in_name": sent.some("sign_in_name"), "new": new });
    match visit.api.act(Method::PUT, "/v1/me/password", &change).await {
        Ok(()) => done(HERE, visit.t.password_changed()),
        Err(refused) => {
            again(&visit, refused, Sent(vec![("sign_in_name".into(), sent.get("sign_in_name").into())])).await
        }
    }
}
