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
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::Filled,
    path::at,
    refused::Refused,
    show::quoted,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

/// The page.
const HERE: &str = "/ui/me";

pub fn routes() -> Router<Console> {
    Router::new()
        .route(HERE, get(show))
        .route("/ui/me/tokens", post(issue))
        .route("/ui/me/tokens/{id}/revoke", get(confirm_revoke).post(revoke))
        .route("/ui/me/sessions/{id}/end", get(confirm_end).post(end))
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
    /// Whether a new token is to have a scope: all of them until the form was sent.
    fn is_wanted(&self, scope: &TokenScope) -> bool {
        self.filled.all("name").next().is_none() || self.filled.has("scopes", scope.as_str())
    }

    /// The commands that do what the page offers.
    fn commands(&self) -> String {
        let token = self.tokens.first().map(|token| format!("berth token revoke {}", token.id));
        let other = self.sessions.iter().find(|session| !session.current);
        let session = other.map(|session| format!("berth session end {}", session.id));
        let create = "berth token create laptop --scope read --expires +90d".to_owned();
        [Some(create), token, session].into_iter().flatten().collect::<Vec<_>>().join("\n")
    }

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
    match issued(&visit, &sent).await {
        Ok(issued) => show_with(&visit, Some(&issued), &Filled::default()).await,
        Err(refused) => again(&visit, refused, sent).await,
    }
}

async fn issued(visit: &Visit, sent: &Sent) -> Result<IssuedToken, Refused> {
    let scopes: Vec<TokenScope> = sent.all("scopes").filter_map(|scope| scope.parse().ok()).collect();
    let expires_at = sent.moment(visit, "expires_at")?;
    let new = IssueToken { account: None, name: sent.get("name").into(), scopes: Some(scopes), expires_at };
    visit.api.tell(Method::POST, "/v1/tokens", &new).await
}

async fn again(visit: &Visit, refused: Refused, sent: Sent) -> Answer {
    show_with(visit, None, &sent.again(visit, refused)?).await
}

/// Says what it means to revoke a token.
async fn confirm_revoke(visit: Visit, Path(id): Path<String>) -> Answer {
    show_revoke(&visit, &id, &Filled::default()).await
}

async fn show_revoke(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let tokens: Vec<Token> = visit.api.list("/v1/tokens").await.or_show(visit)?;
    let token = tokens.into_iter().find(|token| token.id.as_str() == id);
    let confirm = Confirm {
        act: visit.t.revoke().into(),
        effects: token.map(|token| visit.t.revoke_effect(token.name)).into_iter().collect(),
        is_dangerous: true,
        command: format!("berth token revoke {}", quoted(id)),
        back: HERE.into(),
        ..Confirm::default()
    };
    confirm.show(visit, below(visit.t, visit.t.revoke_the_token()), filled)
}

async fn revoke(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/tokens/{}", id)).await {
        Ok(()) => done(HERE, visit.t.token_revoked()),
        Err(refused) => show_revoke(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

/// Says what it means to end a session.
async fn confirm_end(visit: Visit, Path(id): Path<String>) -> Answer {
    show_end(&visit, &id, &Filled::default()).await
}

async fn show_end(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let sessions: Vec<Session> = visit.api.list("/v1/sessions").await.or_show(visit)?;
    let session = sessions.into_iter().find(|session| session.id.as_str() == id);
    let browser = session.map(|session| session.agent.unwrap_or_else(|| t.unknown().into()));
    let confirm = Confirm {
        act: t.end_session().into(),
        effects: browser.map(|browser| t.end_session_effect(browser)).into_iter().collect(),
        is_dangerous: true,
        command: format!("berth session end {}", quoted(id)),
        back: HERE.into(),
        ..Confirm::default()
    };
    confirm.show(visit, below(t, t.end_the_session()), filled)
}

async fn end(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/sessions/{}", id)).await {
        Ok(()) => done(HERE, visit.t.session_ended()),
        Err(refused) => show_end(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

/// The head of a page below the one about the visitor's access.
fn below(t: Texts, title: &'static str) -> Head<'static> {
    Head { title, above: vec![(t.my_access().to_owned(), HERE.to_owned())], ..Head::default() }
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
