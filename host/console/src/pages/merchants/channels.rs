//! Channels of a merchant, and to which endpoint application each is bound.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::{get, post},
};

use berth_base::page::Page as ListPage;
use berth_model::{
    access::Action,
    endpoint::{
        Channel, EndpointApp, Merchant,
        authorisation::AuthorisationView,
        channel::{EditChannel, Proof},
    },
};

use super::{
    Bound, ListQuery, Tab,
    endpoint_apps::{asks_to_move, bind_to, show_move},
    head, merchant, of_merchant, page_of_merchant, scope, tabs,
};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    parts::{Filled, Names, Shown},
    path::{at, with_query},
    refused::Refused,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/merchants/{id}/channels", get(list))
        .route("/ui/merchants/{id}/channels/{channel}", get(one).post(rename))
        .route("/ui/merchants/{id}/channels/{channel}/bind", post(bind))
        .route("/ui/merchants/{id}/channels/{channel}/unbind", get(confirm_unbind).post(unbind))
        .route("/ui/merchants/{id}/channels/{channel}/delete", get(confirm_delete).post(delete))
}

/// The merchant and the channel of an address.
type Of = Path<(String, String)>;

fn page_of(id: &str, channel: &str) -> String {
    at!("/ui/merchants/{}/channels/{}", id, channel)
}

#[derive(askama::Template)]
#[template(path = "merchants/channels.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    merchant: &'a Merchant,
    tabs: Vec<Tab>,
    channels: &'a [Channel],
    bound: Bound,
    next: Option<String>,
    runs: &'a [AuthorisationView],
    may_operate: bool,
}

async fn list(visit: Visit, Path(id): Path<String>, Query(ListQuery { cursor }): Query<ListQuery>) -> Answer {
    let merchant = merchant(&visit, &id).await?;
    let channels: ListPage<Channel> = page_of_merchant(&visit, "channels", &id, &cursor).await?;
    let here = at!("/ui/merchants/{}/channels", id);
    let mut runs: Vec<AuthorisationView> = of_merchant(&visit, "channel-authorisations", &id).await?;
    runs.retain(|run| run.state != "bound" && run.state != "abandoned");
    let page = List {
        t: visit.t,
        visit: &visit,
        merchant: &merchant,
        tabs: tabs(visit.t, &id, "/channels"),
        bound: Bound::of(&visit, &channels.items).await,
        next: channels.next.as_deref().map(|next| with_query(&here, [("cursor", Some(next))])),
        channels: &channels.items,
        runs: &runs,
        may_operate: visit.can(Action::Operate, &scope(&merchant)),
    };
    visit.page(head(&visit, visit.t.channels(), Some(&merchant)), &page)
}

#[derive(askama::Template)]
#[template(path = "merchants/channel.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    merchant: &'a Merchant,
    it: &'a Channel,
    apps: &'a [EndpointApp],
    names: &'a Names,
    may_operate: bool,
    filled: &'a Filled,
}

impl One<'_> {
    /// The endpoint application that it is bound to.
    fn app(&self) -> Option<&EndpointApp> {
        self.apps.iter().find(|app| self.it.endpoint_app.as_ref() == Some(&app.id))
    }

    /// The commands that show the channel, and bind it to the first endpoint application that it could be bound to.
    fn commands(&self) -> String {
        let (id, bound) = (&self.it.id, &self.it.endpoint_app);
        let take = if bound.is_some() { " --move" } else { "" };
        let other = self.apps.iter().find(|app| bound.as_ref() != Some(&app.id));
        let bind = other.map(|app| format!("berth channel bind {id} {}{take}", app.id));
        [format!("berth channel show {id}")].into_iter().chain(bind).collect::<Vec<_>>().join("\n")
    }
}

async fn channel(visit: &Visit, id: &str) -> Result<Channel, crate::visit::Shown> {
    visit.api.get(&at!("/v1/channels/{}", id)).await.or_show(visit)
}

async fn one(visit: Visit, Path((id, channel)): Of) -> Answer {
    show(&visit, &id, &channel, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, of: &str, filled: &Filled) -> Answer {
    let merchant = merchant(visit, id).await?;
    let it = channel(visit, of).await?;
    let apps = of_merchant(visit, "endpoint-apps", id).await?;
    let names = Names::of(&visit.api, [it.authorised_by.as_str()].into_iter().chain(it.bound_by.as_deref())).await;
    let page = One {
        t: visit.t,
        visit,
        merchant: &merchant,
        apps: &apps,
        names: &names,
        may_operate: visit.can(Action::Operate, &scope(&merchant)),
        filled,
        it: &it,
    };
    let mut head = head(visit, &it.name, Some(&merchant));
    head.above.push((visit.t.channels().to_owned(), at!("/ui/merchants/{}/channels", id)));
    visit.page(head, &page)
}

/// What comes after an act: the page of the channel, which says so or shows what stands against it.
async fn after(visit: &Visit, (id, of): (&str, &str), result: Result<(), Refused>, said: &str, sent: Sent) -> Answer {
    match result {
        Ok(()) => done(&page_of(id, of), said),
        Err(refused) => show(visit, id, of, &sent.again(visit, refused)?).await,
    }
}

async fn rename(visit: Visit, Path((id, of)): Of, sent: Sent) -> Answer {
    let edit = EditChannel { name: sent.get("name").into() };
    let result = visit.api.act(Method::PATCH, &at!("/v1/channels/{}", of), &edit).await;
    after(&visit, (&id, &of), result, visit.t.edited(), sent).await
}

async fn bind(visit: Visit, Path((id, of)): Of, sent: Sent) -> Answer {
    if let Some(move_of) = asks_to_move(&visit, &of, sent.get("endpoint_app"), &sent).await? {
        return show_move(&visit, &id, move_of, page_of(&id, &of), sent).await;
    }
    let result = bind_to(&visit, &of, sent.get("endpoint_app"), sent.is_sure()).await;
    after(&visit, (&id, &of), result, visit.t.channel_bound(), sent).await
}

async fn confirm_unbind(visit: Visit, Path((id, of)): Of) -> Answer {
    show_unbind(&visit, &id, &of, &Filled::default()).await
}

async fn show_unbind(visit: &Visit, id: &str, of: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let effect = |name: &str| t.unbind_channel_effect(name);
    let command = format!("berth channel unbind {of}");
    show_act(visit, (id, of), (t.unbind_channel(), effect, command), filled).await
}

async fn unbind(visit: Visit, Path((id, of)): Of, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/channels/{}/endpoint-app", of)).await {
        Ok(()) => done(&page_of(&id, &of), visit.t.channel_unbound()),
        Err(refused) => show_unbind(&visit, &id, &of, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_delete(visit: Visit, Path((id, of)): Of) -> Answer {
    show_delete(&visit, &id, &of, &Filled::default()).await
}

async fn show_delete(visit: &Visit, id: &str, of: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let effect = |name: &str| t.delete_channel_effect(name);
    let command = format!("berth channel delete {of}");
    show_act(visit, (id, of), (t.delete_channel(), effect, command), filled).await
}

/// Says what an act takes away from a channel: its name, its effect and its command.
async fn show_act(
    visit: &Visit,
    (id, of): (&str, &str),
    (act, effect, command): (&str, impl Fn(&str) -> String, String),
    filled: &Filled,
) -> Answer {
    let merchant = merchant(visit, id).await?;
    let it = channel(visit, of).await?;
    let confirm = Confirm {
        act: act.to_owned(),
        effects: vec![effect(&it.name)],
        is_dangerous: true,
        command,
        back: page_of(id, of),
        ..Confirm::default()
    };
    let mut head = head(visit, act, Some(&merchant));
    head.above.push((it.name.clone(), page_of(id, of)));
    confirm.show(visit, head, filled)
}

async fn delete(visit: Visit, Path((id, of)): Of, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/channels/{}", of)).await {
        Ok(()) => done(&at!("/ui/merchants/{}/channels", id), visit.t.channel_deleted()),
        Err(refused) => show_delete(&visit, &id, &of, &sent.again(&visit, refused)?).await,
    }
}
