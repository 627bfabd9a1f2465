//! Merchants: the list, a new one, and what one merchant has bought and built of it.

mod channels;
mod connect;
mod endpoint_apps;
mod fulfilments;
mod nodes;

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use serde::Deserialize;

use berth_base::page::Page as ListPage;
use berth_model::{
    access::{Action, Scope},
    endpoint::{
        Channel, EndpointApp, InstanceState, Merchant, OrgNode, ProductInstance,
        channel::ChannelState,
        fulfilment::Fulfilment,
        merchant::{EditMerchant, NewMerchant},
    },
};

use super::mini_apps::Tab;
use crate::{
    Console,
    act::Sent,
    frame::{Head, done},
    parts::{Badge, Filled, Shown, Tone},
    path::{at, with_query},
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

/// The place of these pages in the menu.
pub const PLACE: &str = "/ui/merchants";

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/merchants", get(list))
        .route("/ui/merchants/new", get(new).post(create))
        .route("/ui/merchants/{id}", get(one))
        .route("/ui/merchants/{id}/edit", get(edit_form).post(edit))
        .merge(channels::routes())
        .merge(connect::routes())
        .merge(endpoint_apps::routes())
        .merge(fulfilments::routes())
        .merge(nodes::routes())
}

impl Shown for InstanceState {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark, word) = match self {
            Self::Active => (Tone::Ok, "●", t.product_active()),
            Self::Expired => (Tone::Warn, "◷", t.product_expired()),
            Self::Unsubscribed => (Tone::Neutral, "–", t.product_unsubscribed()),
        };
        Badge { tone, mark, word }
    }
}

impl Shown for ChannelState {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark, word) = match self {
            Self::Authorised => (Tone::Ok, "✓", t.channel_authorised()),
            Self::Unauthorised => (Tone::Bad, "!", t.channel_unauthorised()),
        };
        Badge { tone, mark, word }
    }
}

/// What the visitor may do is decided by roles in this scope.
pub fn scope(merchant: &Merchant) -> Scope {
    Scope::Merchant(merchant.id.clone())
}

/// A merchant by its id.
pub async fn merchant(visit: &Visit, id: &str) -> Result<Merchant, crate::visit::Shown> {
    visit.api.get(&at!("/v1/merchants/{}", id)).await.or_show(visit)
}

/// The head of a page of a merchant; without one, of a page beside the list.
pub fn head<'a>(visit: &Visit, title: &'a str, merchant: Option<&Merchant>) -> Head<'a> {
    let mut above = vec![(visit.t.merchants().to_owned(), PLACE.to_owned())];
    above.extend(merchant.map(|merchant| (merchant.name.clone(), at!("/ui/merchants/{}", merchant.id))));
    Head { title, above, place: PLACE, live: None }
}

/// The pages of a merchant, of which one is open.
pub fn tabs(t: Texts, id: &str, here: &str) -> Vec<Tab> {
    let pages = [
        (t.overview(), ""),
        (t.channels(), "/channels"),
        (t.official_accounts(), "/official-accounts"),
        (t.org_nodes(), "/nodes"),
        (t.members(), "/members"),
    ];
    let tab = |(name, path)| Tab { name, address: at!("/ui/merchants/{}", id) + path, is_here: path == here };
    let mut tabs: Vec<_> = pages.into_iter().map(tab).collect();
    tabs.push(Tab { name: t.fulfilments(), address: at!("/ui/fulfilments?merchant={}", id), is_here: false });
    tabs
}

/// Up to 200 of what a merchant has, of one kind; lists of more have pages of their own.
pub async fn of_merchant<T: serde::de::DeserializeOwned>(
    visit: &Visit,
    what: &str,
    id: impl std::fmt::Display,
) -> Result<ListPage<T>, crate::visit::Shown> {
    visit.api.page(&(format!("/v1/{what}") + &at!("?merchant={}&limit=200", id))).await.or_show(visit)
}

/// The endpoint application that a channel is bound to.
fn app_of<'a>(apps: &'a [EndpointApp], channel: &Channel) -> Option<&'a EndpointApp> {
    channel.endpoint_app.as_ref().and_then(|cid| apps.iter().find(|app| app.id == *cid))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    cursor: String,
}

#[derive(askama::Template)]
#[template(path = "merchants/list.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    merchants: &'a [Merchant],
    next: Option<String>,
    may_create: bool,
    may_fulfil: bool,
}

async fn list(visit: Visit, Query(query): Query<ListQuery>) -> Answer {
    let path = with_query("/v1/merchants", [("cursor", Some(query.cursor.as_str()))]);
    let page: ListPage<Merchant> = visit.api.page(&path).await.or_show(&visit)?;
    let body = List {
        t: visit.t,
        visit: &visit,
        merchants: &page.items,
        next: page.next.as_deref().map(|next| with_query(PLACE, [("cursor", Some(next))])),
        may_create: visit.can(Action::Administer, &Scope::Platform),
        may_fulfil: may_look_after_messages(&visit),
    };
    visit.page(Head { title: visit.t.merchants(), place: PLACE, ..Head::default() }, &body)
}

/// Whether the visitor may see the messages about all merchants.
fn may_look_after_messages(visit: &Visit) -> bool {
    visit.can(Action::Read, &Scope::Platform) || visit.can(Action::Fulfil, &Scope::Platform)
}

#[derive(askama::Template)]
#[template(path = "merchants/new.html")]
struct New<'a> {
    t: Texts,
    filled: &'a Filled,
}

async fn new(visit: Visit) -> Answer {
    show_new(&visit, &Filled::default())
}

fn show_new(visit: &Visit, filled: &Filled) -> Answer {
    visit.page(head(visit, visit.t.new_merchant(), None), &New { t: visit.t, filled })
}

async fn create(visit: Visit, sent: Sent) -> Answer {
    match create_merchant(&visit, &sent).await {
        Ok(merchant) => done(&at!("/ui/merchants/{}", merchant.id), &visit.t.merchant_created(&merchant.name)),
        Err(refused) => show_new(&visit, &sent.again(&visit, refused)?),
    }
}

async fn create_merchant(visit: &Visit, sent: &Sent) -> Result<Merchant, Refused> {
    let id = sent.read_some("id")?;
    let new = NewMerchant { name: sent.get("name").into(), id, unify_users: sent.is_on("unify_users") };
    visit.api.tell(Method::POST, "/v1/merchants", &new).await
}

/// What a merchant has, as far as its page shows it.
struct Holdings {
    products: ListPage<ProductInstance>,
    apps: ListPage<EndpointApp>,
    channels: ListPage<Channel>,
    nodes: ListPage<OrgNode>,
    parked: usize,
}

impl Holdings {
    async fn of(visit: &Visit, merchant: &Merchant) -> Result<Self, crate::visit::Shown> {
        let id = &merchant.id;
        let parked = at!("/v1/fulfilments?merchant={}&state=parked&limit=200", id);
        let parked = visit.api.page::<Fulfilment>(&parked).await.map_or(0, |page| page.items.len());
        Ok(Self {
            products: of_merchant(visit, "product-instances", id).await?,
            apps: of_merchant(visit, "endpoint-apps", id).await?,
            channels: of_merchant(visit, "channels", id).await?,
            nodes: of_merchant(visit, "org-nodes", id).await?,
            parked,
        })
    }

    /// Whether the merchant has more than the page shows.
    fn has_more(&self) -> bool {
        self.products.next.is_some() || self.apps.next.is_some() || self.channels.next.is_some()
    }

    fn app_of(&self, channel: &Channel) -> Option<&EndpointApp> {
        app_of(&self.apps.items, channel)
    }
}

#[derive(askama::Template)]
#[template(path = "merchants/one.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    merchant: &'a Merchant,
    tabs: Vec<Tab>,
    has: &'a Holdings,
    may_edit: bool,
    may_operate: bool,
}

async fn one(visit: Visit, Path(id): Path<String>) -> Answer {
    let merchant = merchant(&visit, &id).await?;
    let has = Holdings::of(&visit, &merchant).await?;
    let scope = scope(&merchant);
    let page = One {
        t: visit.t,
        visit: &visit,
        merchant: &merchant,
        tabs: tabs(visit.t, &id, ""),
        has: &has,
        may_edit: visit.can(Action::Configure, &scope),
        may_operate: visit.can(Action::Operate, &scope),
    };
    visit.page(head(&visit, &merchant.name, None), &page)
}

#[derive(askama::Template)]
#[template(path = "merchants/edit.html")]
struct Edit<'a> {
    t: Texts,
    merchant: &'a Merchant,
    filled: &'a Filled,
}

async fn edit_form(visit: Visit, Path(id): Path<String>) -> Answer {
    show_edit(&visit, &id, &Filled::default()).await
}

async fn show_edit(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let merchant = merchant(visit, id).await?;
    visit.page(head(visit, visit.t.edit(), Some(&merchant)), &Edit { t: visit.t, merchant: &merchant, filled })
}

async fn edit(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let edit = EditMerchant { name: Some(sent.get("name").into()), unify_users: Some(sent.is_on("unify_users")) };
    match visit.api.act(Method::PATCH, &at!("/v1/merchants/{}", id), &edit).await {
        Ok(()) => done(&at!("/ui/merchants/{}", id), visit.t.edited()),
        Err(refused) => show_edit(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}
