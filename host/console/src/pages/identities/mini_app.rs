//! What a MiniApp learns of its users: union ids, partners, logins elsewhere, and unified authentication.

use axum::{
    Router,
    extract::Path,
    http::Method,
    routing::{get, post},
};
use berth_base::clock::Millis;
use berth_model::{
    access::Action,
    identity::{Partner, PartnerState},
    login_entry::{LoginEntryShown, LoginProvider},
    mini_app::MiniApp,
    oidc::{OidcClient, SetOidcClient},
    user::{SetUnion, Union},
};

use super::super::{
    mini_apps::{self, Tab, mini_app, tabs},
    redirects::{self, Redirects},
};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::{Filled, Names, Shown},
    path::at,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/identity", get(show).post(set_client))
        .route("/ui/mini-apps/{id}/identity/union", get(confirm_union).post(set_union))
        .route("/ui/mini-apps/{id}/identity/partners", post(super::partners::ask))
}

/// The address of the page of a MiniApp.
pub fn here(id: &str) -> String {
    at!("/ui/mini-apps/{}/identity", id)
}

/// The head of a page below the one of a MiniApp.
pub fn below<'a>(visit: &Visit, title: &'a str, app: &MiniApp) -> Head<'a> {
    let mut head = mini_apps::head(visit, title, Some(app));
    head.above.push((visit.t.identities().to_owned(), here(app.id.as_str())));
    head
}

#[derive(askama::Template)]
#[template(path = "identities/mini_app.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    union: Union,
    partners: Vec<Partner>,
    entries: Vec<LoginEntryShown>,
    redirects: Redirects<'a>,
    /// Who has changed the addresses, and when.
    changed: Option<(&'a str, Millis)>,
    names: &'a Names,
    may_set: bool,
    command: String,
    filled: &'a Filled,
}

impl Page<'_> {
    /// Whether this MiniApp is the one that a partner is told of; it may also be the partner of another one.
    fn is_told_of(&self, partner: &Partner) -> bool {
        partner.mini_app == self.app.id
    }

    /// Whether it is for the team of this MiniApp to agree.
    fn waits_for_us(&self, partner: &Partner) -> bool {
        let ours = if self.is_told_of(partner) { PartnerState::WaitsForMiniApp } else { PartnerState::WaitsForPartner };
        partner.state == ours
    }

    /// Where a provider is.
    fn at<'s>(&self, provider: &'s LoginProvider) -> &'s str {
        match provider {
            LoginProvider::Oidc { issuer } => issuer,
            LoginProvider::Oauth2 { authorization_endpoint, .. } => authorization_endpoint,
        }
    }
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    show_with(&visit, &id, &Filled::default()).await
}

/// The page, at first or again after a refusal of one of its forms.
pub async fn show_with(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let (client, tag): (OidcClient, String) =
        visit.api.tagged(&at!("/v1/mini-apps/{}/oidc-client", id)).await.or_show(visit)?;
    let names = Names::of(&visit.api, client.changed_by.as_deref()).await;
    let set = SetOidcClient {
        redirect_uris: client.redirect_uris,
        post_logout_redirect_uris: client.post_logout_redirect_uris,
    };
    let may_set = visit.can(Action::Configure, &app.scope());
    let page = Page {
        t: visit.t,
        visit,
        tabs: tabs(visit, &app, "/identity"),
        union: visit.api.get(&at!("/v1/mini-apps/{}/union-ids", id)).await.or_show(visit)?,
        partners: visit.api.list(&at!("/v1/mini-apps/{}/partners", id)).await.or_show(visit)?,
        entries: visit.api.list(&at!("/v1/mini-apps/{}/login-entries", id)).await.or_show(visit)?,
        names: &names,
        may_set,
        redirects: Redirects::new(visit.t, here(id), visit.t.oidc_redirects_hint(), &set, &tag, may_set, filled),
        command: redirects::command(&format!("berth oidc redirects {id}"), &set),
        changed: client.changed_by.as_deref().zip(client.changed_at),
        app: &app,
        filled,
    };
    visit.page(mini_apps::head(visit, visit.t.identities(), Some(&app)), &page)
}

async fn set_client(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let (set, api) = (redirects::sent_of(&sent), visit.api.only_if(sent.get("client_tag")));
    match api.act(Method::PUT, &at!("/v1/mini-apps/{}/oidc-client", id), &set).await {
        Ok(()) => done(&here(&id), visit.t.oidc_saved()),
        Err(refused) => show_with(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_union(visit: Visit, Path(id): Path<String>) -> Answer {
    show_union(&visit, &id, &Filled::default()).await
}

async fn show_union(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let t = visit.t;
    let Union { on, .. } = visit.api.get(&at!("/v1/mini-apps/{}/union-ids", id)).await.or_show(visit)?;
    let (act, effect) =
        if on { (t.union_stop(), t.union_stop_effect()) } else { (t.union_tell(), t.union_tell_effect()) };
    let confirm = Confirm {
        act: act.into(),
        effects: vec![effect.into()],
        is_dangerous: on,
        hidden: if on { Vec::new() } else { vec![("on".into(), "on".into())] },
        command: format!("berth app union-ids {id} {}", if on { "off" } else { "on" }),
        back: here(id),
        ..Confirm::default()
    };
    confirm.show(visit, below(visit, act, &app), filled)
}

async fn set_union(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let on = sent.is_on("on");
    match visit.api.act(Method::PUT, &at!("/v1/mini-apps/{}/union-ids", id), &SetUnion { on }).await {
        Ok(()) => done(&here(&id), if on { visit.t.union_told() } else { visit.t.union_stopped() }),
        Err(refused) => show_union(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}
