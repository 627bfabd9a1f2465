//! The portal that this host has for the members of a workspace, and the identity provider at which they sign in.

use axum::{Router, extract::Path, http::Method, routing::get};
use serde_json::json;

use berth_model::{
    access::Action,
    member_portal::{MemberKey, MemberProvider, MemberProviderShown},
    workspace::Workspace,
};

use super::{Tab, head, scope, tabs, workspace};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    parts::{Filled, Names},
    path::at,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/workspaces/{id}/portal", get(one).post(set))
        .route("/ui/workspaces/{id}/portal/remove", get(confirm_remove).post(remove))
}

fn page_of(id: &str) -> String {
    at!("/ui/workspaces/{}/portal", id)
}

/// Where the provider of a workspace is set.
fn path_of(id: &str) -> String {
    at!("/v1/workspaces/{}/sign-in-provider", id)
}

/// The provider of a workspace, for a visitor who may read it.
pub async fn provider(visit: &Visit, id: &str) -> Result<Option<MemberProviderShown>, crate::refused::Refused> {
    visit.api.find(&path_of(id)).await
}

#[derive(askama::Template)]
#[template(path = "workspaces/portal.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a Workspace,
    tabs: Vec<Tab>,
    here: &'a str,
    provider: Option<MemberProviderShown>,
    /// Where the portal is, for browsers of this visitor.
    portal: String,
    /// Where browsers come back to.
    redirect_uri: String,
    names: &'a Names,
    may_edit: bool,
    filled: &'a Filled,
}

impl Page<'_> {
    /// What a field of the form holds at first.
    fn first(&self, of: impl Fn(&MemberProvider) -> &str) -> String {
        self.provider.as_ref().map(|shown| of(&shown.provider).to_owned()).unwrap_or_default()
    }

    fn has_secret(&self) -> bool {
        self.provider.as_ref().is_some_and(|shown| shown.provider.has_secret)
    }

    fn issuer(&self) -> String {
        self.first(|one| &one.issuer)
    }

    fn client_id(&self) -> String {
        self.first(|one| &one.client_id)
    }

    fn name(&self) -> String {
        self.first(|one| &one.name)
    }

    fn claim(&self) -> String {
        self.first(|one| &one.claim)
    }

    fn is_chosen(&self, field: &str, value: &str, default: &str) -> bool {
        let first = self.first(|one| match field {
            "member_key" => one.member_key.as_str(),
            _ => one.client_auth.as_str(),
        });
        self.filled.or(field, if first.is_empty() { default } else { &first }) == value
    }
}

async fn one(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&visit, &id, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let it = workspace(visit, id).await?;
    let provider = provider(visit, id).await.or_show(visit)?;
    let by = provider.iter().map(|shown| shown.provider.changed_by.as_str());
    let names = Names::of(&visit.api, by).await;
    let portal = format!("{}{}", visit.origin, at!("/portal/{}", id));
    let page = Page {
        t: visit.t,
        visit,
        tabs: tabs(visit.t, id, "/portal"),
        here: &page_of(id),
        redirect_uri: format!("{portal}/back"),
        portal,
        names: &names,
        provider,
        may_edit: visit.can(Action::Configure, &scope(&it)),
        filled,
        it: &it,
    };
    visit.page(head(visit, visit.t.ws_portal_tab(), Some(&it)), &page)
}

async fn set(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let put = json!({
        "issuer": sent.get("issuer"), "client_id": sent.get("client_id"), "client_secret": sent.some("client_secret"),
        "no_client_secret": sent.is_on("no_client_secret"),
        "client_auth": sent.some("client_auth"), "name": sent.some("name"), "claim": sent.some("claim"),
        "member_key": sent.some("member_key"),
    });
    match visit.api.act(Method::PUT, &path_of(&id), &put).await {
        Ok(()) => done(&page_of(&id), visit.t.ws_provider_saved()),
        // The secret is typed anew: no page has it.
        Err(refused) => {
            let typed = sent.0.into_iter().filter(|(name, _)| name != "client_secret");
            show(&visit, &id, &Sent(typed.collect()).again(&visit, refused)?).await
        }
    }
}

async fn confirm_remove(visit: Visit, Path(id): Path<String>) -> Answer {
    show_remove(&visit, &id, &Filled::default()).await
}

async fn show_remove(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let it = workspace(visit, id).await?;
    let confirm = Confirm {
        act: t.ws_provider_remove().into(),
        effects: vec![t.ws_provider_remove_effect().into(), t.ws_provider_remove_rest().into()],
        is_dangerous: true,
        command: format!("berth workspace provider remove {id}"),
        back: page_of(id),
        ..Confirm::default()
    };
    let mut head = head(visit, t.ws_provider_remove(), Some(&it));
    head.above.push((t.ws_portal_tab().to_owned(), page_of(id)));
    confirm.show(visit, head, filled)
}

async fn remove(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &path_of(&id)).await {
        Ok(()) => done(&page_of(&id), visit.t.ws_provider_removed()),
        Err(refused) => show_remove(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}
