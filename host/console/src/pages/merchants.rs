//! Merchants: the list, a new one, and what one merchant has bought and built of it.

mod channels;
mod connect;
mod endpoint_apps;
mod fulfilments;
mod matrix;
mod nodes;
mod purchase;

use std::collections::BTreeSet;

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use berth_base::page::Page as ListPage;
use berth_model::{
    access::{Action, Scope},
    endpoint::{
        Channel, EndpointApp, InstanceState, Merchant, ProductInstance,
        app::EndpointAppView,
        channel::ChannelState,
        matrix::COLUMNS,
        merchant::{EditMerchant, NewMerchant},
    },
};

use super::mini_apps::Tab;
use crate::{
    Console,
    act::Sent,
    frame::{Head, done},
    parts::{Badge, Filled, Shown as _, Tone},
    path::{at, with_query},
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
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
        .merge(purchase::routes())
}

impl crate::parts::Shown for InstanceState {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark, word) = match self {
            Self::Active => (Tone::Ok, "●", t.product_active()),
            Self::Expired => (Tone::Warn, "◷", t.product_expired()),
            Self::Unsubscribed => (Tone::Neutral, "–", t.product_unsubscribed()),
        };
        Badge { tone, mark, word }
    }
}

impl crate::parts::Shown for ChannelState {
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

/// The page of an endpoint application.
fn page_of_endpoint(id: &str, cid: &str) -> String {
    at!("/ui/merchants/{}/endpoint-apps/{}", id, cid)
}

/// A merchant by its id.
pub async fn merchant(visit: &Visit, id: &str) -> Result<Merchant, Shown> {
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

/// What a merchant has of one kind, for the choices of a field.
async fn of_merchant<T: DeserializeOwned>(visit: &Visit, what: &str, id: &str) -> Result<Vec<T>, Shown> {
    let all = visit.api.first(&format!("/v1/{what}"), Some(("merchant", id))).await.or_show(visit)?;
    Ok(all.0)
}

/// A page of what a merchant has of one kind.
async fn page_of_merchant<T: DeserializeOwned>(
    visit: &Visit,
    what: &str,
    id: &str,
    cursor: &str,
) -> Result<ListPage<T>, Shown> {
    let members = [("merchant", Some(id)), ("cursor", Some(cursor))];
    visit.api.page(&with_query(&format!("/v1/{what}"), members)).await.or_show(visit)
}

/// The endpoint applications that channels are bound to.
struct Bound(Vec<EndpointApp>);

impl Bound {
    /// Asks for each once. A page is better without one of them than not at all.
    async fn of<'a>(visit: &Visit, channels: impl IntoIterator<Item = &'a Channel>) -> Self {
        let cids: BTreeSet<_> = channels.into_iter().filter_map(|channel| channel.endpoint_app.as_ref()).collect();
        let mut apps = Vec::new();
        for cid in cids {
            let found: Result<EndpointAppView, _> = visit.api.get(&at!("/v1/endpoint-apps/{}", cid)).await;
            apps.extend(found.ok().map(|view| view.app));
        }
        Self(apps)
    }

    /// The one that a channel is bound to.
    fn to(&self, channel: &Channel) -> Option<&EndpointApp> {
        channel.endpoint_app.as_ref().and_then(|cid| self.0.iter().find(|app| app.id == *cid))
    }
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

/// Which parts of its lists the page of a merchant shows.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Parts {
    products: String,
    apps: String,
    columns: String,
}

impl Parts {
    /// The page with another part of one list, and the others as they are.
    fn with(&self, id: &str, list: &str, next: Option<&str>) -> Option<String> {
        let next = next?;
        let part = |name: &'static str, now: &str| (name, if name == list { next } else { now }.to_owned());
        let parts = [part("products", &self.products), part("apps", &self.apps), part("columns", &self.columns)];
        let parts = parts.iter().map(|(name, cursor)| (*name, Some(cursor.as_str())));
        Some(with_query(&at!("/ui/merchants/{}", id), parts))
    }
}

/// What a merchant has, as far as its page shows it. The further channels and nodes are on pages of their own.
struct Holdings {
    products: ListPage<ProductInstance>,
    more_products: Option<String>,
    matrix: matrix::Shown,
    channels: ListPage<Channel>,
    bound: Bound,
    nodes: String,
    parked: String,
}

/// How many things are counted at most: a page of a list.
const MOST_COUNTED: usize = 200;

/// How many of something a merchant has, as far as the first page of a list says; empty for none.
async fn count(visit: &Visit, path: &str, id: &str, state: Option<&str>) -> Result<String, Refused> {
    let limit = MOST_COUNTED.to_string();
    let members = [("merchant", Some(id)), ("state", state), ("limit", Some(limit.as_str()))];
    let page: ListPage<IgnoredAny> = visit.api.page(&with_query(path, members)).await?;
    Ok(match (page.items.len(), page.next) {
        (0, _) => String::new(),
        (count, None) => count.to_string(),
        (count, Some(_)) => format!("{count}+"),
    })
}

impl Holdings {
    async fn of(visit: &Visit, merchant: &Merchant, parts: &Parts, may_operate: bool) -> Result<Self, Shown> {
        let id = merchant.id.as_str();
        let products: ListPage<_> = page_of_merchant(visit, "product-instances", id, &parts.products).await?;
        let channels: ListPage<Channel> = page_of_merchant(visit, "channels", id, "").await?;
        Ok(Self {
            more_products: parts.with(id, "products", products.next.as_deref()),
            products,
            matrix: matrix::Shown::of(visit, id, parts, may_operate).await.or_show(visit)?,
            bound: Bound::of(visit, &channels.items).await,
            channels,
            nodes: count(visit, "/v1/org-nodes", id, None).await.or_show(visit)?,
            parked: count(visit, "/v1/fulfilments", id, Some("parked")).await.unwrap_or_default(),
        })
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
    may_record: bool,
    /// How the order system says that something was bought.
    purchase: String,
}

async fn one(visit: Visit, Path(id): Path<String>, Query(parts): Query<Parts>) -> Answer {
    let merchant = merchant(&visit, &id).await?;
    let scope = scope(&merchant);
    let may_operate = visit.can(Action::Operate, &scope);
    let has = Holdings::of(&visit, &merchant, &parts, may_operate).await?;
    let page = One {
        t: visit.t,
        visit: &visit,
        merchant: &merchant,
        tabs: tabs(visit.t, &id, ""),
        has: &has,
        may_edit: visit.can(Action::Configure, &scope),
        may_operate,
        may_record: purchase::may_record(&visit),
        purchase: purchase::command(&visit, &merchant),
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
