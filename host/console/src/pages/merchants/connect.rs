//! Connecting a channel: one run from its kind to an endpoint application. Each step has an address, as the host keeps it.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::{get, post},
};
use serde::Deserialize;

use berth_base::{error::Code, ids::EndpointAppId, page::Page as ListPage};
use berth_model::{
    access::Action,
    endpoint::{
        Channel, EndpointApp, Merchant, ProductInstance,
        authorisation::{AuthorisationView, NewAuthorisation, NewTarget, Restart, Target, Vouched},
        channel::ChannelKind,
    },
};

use super::{endpoint_apps::choices, head, merchant, of_merchant, scope};
use crate::{
    Console,
    act::Sent,
    frame::{Head, done},
    parts::{Filled, Shown},
    path::{at, with_query},
    refused::{Refused, invalid, read},
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/merchants/{id}/channels/connect", get(form).post(start))
        .route("/ui/merchants/{id}/connect/{run}", get(one).post(choose))
        .route("/ui/merchants/{id}/connect/{run}/restart", post(restart))
        .route("/ui/merchants/{id}/connect/{run}/move", post(take))
        .route("/ui/merchants/{id}/connect/{run}/abandon", post(abandon))
        .route("/ui/merchants/{id}/connect/{run}/dismiss", post(dismiss))
}

/// The merchant and the run of an address.
type Of = Path<(String, String)>;

fn page_of(id: &str, run: &str) -> String {
    at!("/ui/merchants/{}/connect/{}", id, run)
}

fn head_of<'a>(visit: &Visit, merchant: &Merchant) -> Head<'a> {
    let mut head = head(visit, visit.t.connect_channel(), Some(merchant));
    head.above.push((visit.t.channels().to_owned(), at!("/ui/merchants/{}/channels", merchant.id)));
    head
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Chosen {
    endpoint_app: String,
}

#[derive(askama::Template)]
#[template(path = "merchants/connect.html")]
struct Form<'a> {
    t: Texts,
    merchant: &'a Merchant,
    apps: &'a [EndpointApp],
    products: &'a [ProductInstance],
    chosen: &'a str,
    filled: &'a Filled,
}

async fn form(visit: Visit, Path(id): Path<String>, Query(Chosen { endpoint_app }): Query<Chosen>) -> Answer {
    show_form(&visit, &id, &endpoint_app, &Filled::default()).await
}

async fn show_form(visit: &Visit, id: &str, chosen: &str, filled: &Filled) -> Answer {
    let merchant = merchant(visit, id).await?;
    let apps = of_merchant(visit, "endpoint-apps", id).await?;
    let products = choices(visit, id).await?;
    let page = Form { t: visit.t, merchant: &merchant, apps: &apps, products: &products, chosen, filled };
    visit.page(head_of(visit, &merchant), &page)
}

async fn start(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match start_of(&visit, &id, &sent).await {
        Ok(run) => done(&page_of(&id, run.id.as_str()), visit.t.run_started()),
        Err(refused) => show_form(&visit, &id, "", &sent.again(&visit, refused)?).await,
    }
}

async fn start_of(visit: &Visit, id: &str, sent: &Sent) -> Result<AuthorisationView, Refused> {
    if sent.get("kind").is_empty() {
        return Err(invalid(visit.t, "kind", visit.t.choose_kind()));
    }
    let kind: ChannelKind = sent.read("kind")?;
    let vouched = Vouched { app_id: sent.get("app_id").into(), name: sent.get("channel_name").into() };
    // WeChat tells id and name of its accounts itself, unless the merchant's word is to count.
    let vouched = Some(vouched).filter(|vouched| !kind.is_wechat() || !vouched.app_id.is_empty());
    let new = NewAuthorisation { merchant: read("merchant", id)?, kind, endpoint_app: target(sent)?, vouched };
    let started = visit.api.tell(Method::POST, "/v1/channel-authorisations", &new).await;
    started.map_err(|refused| match refused {
        // What the API says is for who runs the host.
        Refused::ByApi(refusal) if refusal.code() == Code::WechatNotSetUp.slug() => {
            invalid(visit.t, "app_id", visit.t.no_wechat_platform())
        }
        refused => refused,
    })
}

/// The endpoint application that was chosen, or a new one; nothing when it is to be chosen later.
fn target(sent: &Sent) -> Result<Option<Target>, Refused> {
    Ok(match sent.get("endpoint_app") {
        "" => None,
        "new" => {
            let products = sent.all("products").map(|product| read("products", product));
            let products = products.collect::<Result<_, _>>()?;
            Some(Target::New(NewTarget { name: sent.get("app_name").into(), products }))
        }
        cid => Some(Target::Id(read("endpoint_app", cid)?)),
    })
}

#[derive(askama::Template)]
#[template(path = "merchants/run.html")]
struct Run<'a> {
    t: Texts,
    visit: &'a Visit,
    merchant: &'a Merchant,
    it: &'a AuthorisationView,
    apps: &'a [EndpointApp],
    products: &'a [ProductInstance],
    chosen: &'a str,
    /// The channel that it is about, where that is bound to another endpoint application.
    elsewhere: Option<Channel>,
    may_operate: bool,
    filled: &'a Filled,
}

impl Run<'_> {
    /// The name of an endpoint application, which is its CID where it is not known.
    fn app<'a>(&'a self, cid: &'a EndpointAppId) -> &'a str {
        self.apps.iter().find(|app| app.id == *cid).map_or(cid.as_str(), |app| &app.name)
    }

    /// The name of the endpoint application that the channel is to lead to.
    fn target(&self) -> Option<&str> {
        self.it.target.as_ref().map(|target| match target {
            Target::Id(cid) => self.app(cid),
            Target::New(new) => &new.name,
        })
    }

    fn is(&self, state: &str) -> bool {
        self.it.state == state
    }

    fn is_open(&self) -> bool {
        !matches!(self.it.state.as_str(), "bound" | "abandoned" | "failed")
    }

    /// Whether the merchant has agreed, or nobody had to be asked.
    fn is_granted(&self) -> bool {
        self.it.app_id.is_some()
    }
}

async fn run(visit: &Visit, run: &str) -> Result<AuthorisationView, crate::visit::Shown> {
    visit.api.get(&at!("/v1/channel-authorisations/{}", run)).await.or_show(visit)
}

/// The channel of a run that failed, while it is bound to another endpoint application than that of the run.
async fn elsewhere(visit: &Visit, run: &AuthorisationView) -> Result<Option<Channel>, crate::visit::Shown> {
    let Some(app_id) = run.app_id.as_deref().filter(|_| run.reason.as_deref() == Some(Code::ChannelBound.slug()))
    else {
        return Ok(None);
    };
    let of = [("merchant", run.merchant.as_str()), ("kind", run.kind.as_str()), ("app_id", app_id)];
    let path = with_query("/v1/channels", of.map(|(name, value)| (name, Some(value))));
    let found: ListPage<Channel> = visit.api.page(&path).await.or_show(visit)?;
    let is_elsewhere = |channel: &Channel| {
        let bound = channel.endpoint_app.clone().map(Target::Id);
        bound.is_some() && bound != run.target
    };
    Ok(found.items.into_iter().find(is_elsewhere))
}

async fn one(visit: Visit, Path((id, of)): Of) -> Answer {
    show(&visit, &id, &of, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, of: &str, filled: &Filled) -> Answer {
    let merchant = merchant(visit, id).await?;
    let it = run(visit, of).await?;
    let apps = of_merchant(visit, "endpoint-apps", id).await?;
    let products = choices(visit, id).await?;
    let page = Run {
        t: visit.t,
        visit,
        merchant: &merchant,
        it: &it,
        apps: &apps,
        products: &products,
        chosen: "",
        elsewhere: elsewhere(visit, &it).await?,
        may_operate: visit.can(Action::Operate, &scope(&merchant)),
        filled,
    };
    visit.page(head_of(visit, &merchant), &page)
}

/// What comes after an act: the page of the run, which says so or shows what stands against it.
async fn after(visit: &Visit, (id, of): (&str, &str), result: Result<(), Refused>, said: &str, sent: Sent) -> Answer {
    match result {
        Ok(()) => done(&page_of(id, of), said),
        Err(refused) => show(visit, id, of, &sent.again(visit, refused)?).await,
    }
}

async fn choose(visit: Visit, Path((id, of)): Of, sent: Sent) -> Answer {
    let result = choose_for(&visit, &of, &sent).await;
    after(&visit, (&id, &of), result, visit.t.edited(), sent).await
}

async fn choose_for(visit: &Visit, of: &str, sent: &Sent) -> Result<(), Refused> {
    let target = target(sent)?.ok_or_else(|| invalid(visit.t, "endpoint_app", visit.t.choose_one()))?;
    visit.api.act(Method::POST, &at!("/v1/channel-authorisations/{}/endpoint-app", of), &target).await
}

async fn restart(visit: Visit, Path((id, of)): Of, sent: Sent) -> Answer {
    let result = visit.api.just(Method::POST, &at!("/v1/channel-authorisations/{}/restart", of)).await;
    after(&visit, (&id, &of), result, visit.t.run_restarted(), sent).await
}

async fn abandon(visit: Visit, Path((id, of)): Of, sent: Sent) -> Answer {
    let result = visit.api.just(Method::POST, &at!("/v1/channel-authorisations/{}/abandon", of)).await;
    after(&visit, (&id, &of), result, visit.t.run_abandoned(), sent).await
}

async fn take(visit: Visit, Path((id, of)): Of, sent: Sent) -> Answer {
    let restart = Restart { take: true };
    let result = visit.api.act(Method::POST, &at!("/v1/channel-authorisations/{}/restart", of), &restart).await;
    after(&visit, (&id, &of), result, visit.t.channel_moved(), sent).await
}

async fn dismiss(visit: Visit, Path((id, of)): Of, sent: Sent) -> Answer {
    match visit.api.just(Method::POST, &at!("/v1/channel-authorisations/{}/abandon", of)).await {
        Ok(()) => done(&at!("/ui/merchants/{}/channels", id), visit.t.run_dismissed()),
        Err(refused) => show(&visit, &id, &of, &sent.again(&visit, refused)?).await,
    }
}
