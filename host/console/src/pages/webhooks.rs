//! Webhooks: where events are sent, what became of each, and sending again.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::{get, post},
};
use berth_base::page::Page as ListPage;
use berth_model::{
    access::{Action, Scope},
    event::webhook::{
        Attempt, Delivery, DeliveryState, EditWebhook, NewWebhook, Ping, Replay, RotateSecret, Webhook, WebhookDetail,
        WebhookScope, WebhookWithSecret,
    },
};
use serde::Deserialize;

use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::{Badge, Filled, Shown, Tone},
    path::{Cursor, at, at_cursor, with_query},
    refused::{Refused, invalid, read},
    show::quoted,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

/// The place of these pages in the menu.
const PLACE: &str = "/ui/webhooks";

pub fn routes() -> Router<Console> {
    Router::new()
        .route(PLACE, get(list).post(create))
        .route("/ui/webhooks/{id}", get(one))
        .route("/ui/webhooks/{id}/test", post(test))
        .route("/ui/webhooks/{id}/edit", get(edit).post(save))
        .route("/ui/webhooks/{id}/enable", post(enable))
        .route("/ui/webhooks/{id}/rotate", get(confirm_rotate).post(rotate))
        .route("/ui/webhooks/{id}/replay", get(confirm_replay).post(replay))
        .route("/ui/webhooks/{id}/delete", get(confirm_delete).post(delete))
        .route("/ui/webhooks/{id}/attempts", get(attempts))
        .route("/ui/webhooks/{id}/again", post(again))
}

impl Shown for DeliveryState {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark, word) = match self {
            Self::Waiting => (Tone::Warn, "◷", t.delivery_waiting()),
            Self::Dead => (Tone::Bad, "✕", t.delivery_dead()),
        };
        Badge { tone, mark, word }
    }
}

impl Shown for Attempt {
    fn badge(&self, t: &Texts) -> Badge {
        match self.delivered {
            true => Badge { tone: Tone::Ok, mark: "✓", word: t.attempt_delivered() },
            false => Badge { tone: Tone::Bad, mark: "✕", word: t.attempt_failed() },
        }
    }
}

#[derive(askama::Template)]
#[template(path = "webhooks/list.html")]
struct List<'a> {
    t: Texts,
    webhooks: &'a [Webhook],
    next: Option<String>,
    scopes: Vec<(String, String)>,
    command: String,
    made: Option<&'a WebhookWithSecret>,
    filled: &'a Filled,
}

async fn list(visit: Visit, Query(Cursor { cursor }): Query<Cursor>) -> Answer {
    show(&visit, &cursor, None, &Filled::default()).await
}

async fn show(visit: &Visit, cursor: &str, made: Option<&WebhookWithSecret>, filled: &Filled) -> Answer {
    let page: ListPage<Webhook> = visit.api.page(&at_cursor("/v1/webhooks", cursor)).await.or_show(visit)?;
    let next = page.next.map(|next| at_cursor(PLACE, &next));
    let scopes = scopes(visit);
    let command = command(&scopes, filled);
    let body = List { t: visit.t, webhooks: &page.items, next, scopes, command, made, filled };
    visit.page(Head { title: visit.t.webhooks(), place: PLACE, ..Head::default() }, &body)
}

/// The commands that list webhooks, and make one as the form says.
fn command(scopes: &[(String, String)], filled: &Filled) -> String {
    let chosen = filled.or("scope", scopes.first().map_or("", |(value, _)| value));
    let place = match chosen.split_once('/').unwrap_or_default() {
        ("platform", _) => " --platform".to_owned(),
        ("", _) => return "berth webhook list".into(),
        (kind, id) => format!(" --{} {id}", kind.replace('_', "-")),
    };
    let url = quoted(filled.or("url", "https://example.com/hook"));
    format!("berth webhook list\nberth webhook create {url}{place}")
}

/// The scopes for which the visitor may make webhooks, each with its name.
fn scopes(visit: &Visit) -> Vec<(String, String)> {
    let t = visit.t;
    let value = |scope: &Scope| format!("{}/{}", scope.kind().as_str(), scope.id());
    let mut scopes = Vec::new();
    if visit.can(Action::Configure, &Scope::Platform) {
        scopes.push((value(&Scope::Platform), t.scope_platform().to_owned()));
    }
    let own = visit.caller.grants.iter().map(|(scope, _)| scope).filter(|scope| **scope != Scope::Platform);
    let own = own.filter(|scope| visit.can(Action::Configure, scope));
    scopes.extend(own.map(|scope| (value(scope), format!("{} {}", t.scope_name(scope.kind()), scope.id()))));
    scopes
}

async fn create(visit: Visit, sent: Sent) -> Answer {
    match created(&visit, &sent).await {
        Ok(made) => show(&visit, "", Some(&made), &Filled::default()).await,
        Err(refused) => show(&visit, "", None, &sent.again(&visit, refused)?).await,
    }
}

async fn created(visit: &Visit, sent: &Sent) -> Result<WebhookWithSecret, Refused> {
    let (kind, id) = sent.get("scope").split_once('/').unwrap_or_default();
    let kind = read("scope", kind)?;
    let types = types(sent);
    let scope = WebhookScope { kind, id: id.into() };
    let new = NewWebhook { url: sent.get("url").into(), scope, types, description: String::new() };
    visit.api.tell(Method::POST, "/v1/webhooks", &new).await
}

/// The kinds of events that were typed, with commas between them.
fn types(sent: &Sent) -> Vec<String> {
    sent.get("types").split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DeliveriesQuery {
    state: String,
    cursor: String,
}

#[derive(askama::Template)]
#[template(path = "webhooks/one.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a WebhookDetail,
    deliveries: &'a ListPage<Delivery>,
    /// The last attempts.
    attempts: Vec<Attempt>,
    query: &'a DeliveriesQuery,
    older: Option<String>,
    /// Its new secret, right after it was replaced.
    secret: Option<&'a str>,
    may_change: bool,
}

impl One<'_> {
    /// What a delivery waits for.
    fn next(&self, delivery: &Delivery) -> String {
        match (delivery.behind, &delivery.next_at) {
            (Some(earlier), _) => self.t.delivery_behind(earlier),
            (None, Some(at)) => self.t.delivery_next(self.visit.when(at).shown),
            (None, None) => String::new(),
        }
    }

    /// The commands that show what the page shows, and send again.
    fn commands(&self) -> String {
        let id = &self.it.webhook.id;
        let dead = self.deliveries.items.iter().find(|delivery| delivery.state == DeliveryState::Dead);
        let again = dead.map(|dead| format!("berth webhook replay {id} --delivery {}", dead.seq));
        let show = [format!("berth webhook deliveries {id}"), format!("berth webhook attempts {id}")];
        let test = self.may_change.then(|| format!("berth webhook test {id}"));
        show.into_iter().chain(test).chain(again).collect::<Vec<_>>().join("\n")
    }

    /// What may be done with it on pages of their own.
    fn acts(&self) -> [(&'static str, &'static str); 4] {
        let t = self.t;
        [
            ("edit", t.edit_webhook()),
            ("replay", t.replay_events()),
            ("rotate", t.rotate_secret()),
            ("delete", t.delete_webhook()),
        ]
    }
}

async fn one(visit: Visit, Path(id): Path<String>, Query(query): Query<DeliveriesQuery>) -> Answer {
    show_one(&visit, &id, &query, None).await
}

async fn show_one(visit: &Visit, id: &str, query: &DeliveriesQuery, secret: Option<&str>) -> Answer {
    let it: WebhookDetail = visit.api.get(&at!("/v1/webhooks/{}", id)).await.or_show(visit)?;
    let members = [("state", Some(query.state.as_str())), ("cursor", Some(query.cursor.as_str()))];
    let path = with_query(&at!("/v1/webhooks/{}/deliveries", id), members);
    let deliveries: ListPage<Delivery> = visit.api.page(&path).await.or_show(visit)?;
    let last = at!("/v1/webhooks/{}/attempts?limit=10", id);
    let attempts = visit.api.page(&last).await.or_show(visit)?.items;
    let here = at!("/ui/webhooks/{}", id);
    let older = deliveries
        .next
        .as_deref()
        .map(|next| with_query(&here, [("state", Some(query.state.as_str())), ("cursor", Some(next))]));
    let scope = Scope::parse(it.webhook.scope.kind, &it.webhook.scope.id);
    let may_change = scope.is_ok_and(|scope| visit.can(Action::Configure, &scope));
    let page = One { t: visit.t, visit, it: &it, deliveries: &deliveries, attempts, query, older, secret, may_change };
    let above = vec![(visit.t.webhooks().to_owned(), PLACE.to_owned())];
    visit.page(Head { title: &it.webhook.url, above, place: PLACE, live: visit.live_everywhere("/ui/live") }, &page)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AttemptsQuery {
    event: String,
    delivered: String,
    cursor: String,
}

#[derive(askama::Template)]
#[template(path = "webhooks/attempts.html")]
struct Attempts<'a> {
    t: Texts,
    visit: &'a Visit,
    hook: &'a Webhook,
    attempts: Vec<Attempt>,
    query: &'a AttemptsQuery,
    older: Option<String>,
    filled: &'a Filled,
}

impl Attempts<'_> {
    /// The command that lists the same.
    fn command(&self) -> String {
        let event =
            if self.query.event.is_empty() { String::new() } else { format!(" --event {}", quoted(&self.query.event)) };
        let failed = if self.query.delivered == "false" { " --failed" } else { "" };
        format!("berth webhook attempts {}{event}{failed}", self.hook.id)
    }
}

/// What the receiver answered, to all or to one event.
async fn attempts(visit: Visit, Path(id): Path<String>, Query(query): Query<AttemptsQuery>) -> Answer {
    let (hook, mut head) = below(&visit, &id, visit.t.delivery_attempts()).await?;
    let members = [
        ("event", Some(query.event.as_str())),
        ("delivered", Some(query.delivered.as_str())),
        ("cursor", Some(query.cursor.as_str())),
    ];
    let asked: Result<ListPage<Attempt>, Refused> =
        visit.api.page(&with_query(&at!("/v1/webhooks/{}/attempts", id), members)).await;
    let typed =
        Filled::with(vec![("event".into(), query.event.clone()), ("delivered".into(), query.delivered.clone())]);
    let (page, filled) = match asked {
        Ok(page) => (page, typed),
        Err(refused) => (ListPage { items: Vec::new(), next: None }, typed.refused(refused).or_show(&visit)?),
    };
    let older = page.next.as_deref().map(|next| {
        with_query(&at!("/ui/webhooks/{}/attempts", id), members[..2].iter().copied().chain([("cursor", Some(next))]))
    });
    head.live = visit.live_everywhere("/ui/live");
    let body = Attempts {
        t: visit.t,
        visit: &visit,
        hook: &hook,
        attempts: page.items,
        query: &query,
        older,
        filled: &filled,
    };
    visit.page(head, &body)
}

async fn test(visit: Visit, Path(id): Path<String>) -> Answer {
    let t = visit.t;
    let ping: Ping = visit.api.tell(Method::POST, &at!("/v1/webhooks/{}/test", id), &()).await.or_show(&visit)?;
    let said = match ping.status {
        Some(status) if ping.delivered => t.test_went_well(status),
        Some(status) => t.test_went_wrong(format!("{status} {}", ping.error)),
        None => t.test_went_wrong(&ping.error),
    };
    done(&at!("/ui/webhooks/{}", id), &said)
}

async fn again(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let seq = sent.get("event");
    visit.api.just(Method::POST, &at!("/v1/webhooks/{}/deliveries/{}/replay", id, seq)).await.or_show(&visit)?;
    done(&at!("/ui/webhooks/{}", id), &visit.t.sent_again(seq))
}

#[derive(askama::Template)]
#[template(path = "webhooks/edit.html")]
struct Edit<'a> {
    t: Texts,
    hook: &'a Webhook,
    filled: &'a Filled,
}

/// A webhook, and the head of one of its pages.
async fn below<'a>(visit: &Visit, id: &str, title: &'a str) -> Result<(Webhook, Head<'a>), crate::visit::Shown> {
    let it: WebhookDetail = visit.api.get(&at!("/v1/webhooks/{}", id)).await.or_show(visit)?;
    let above =
        vec![(visit.t.webhooks().to_owned(), PLACE.to_owned()), (it.webhook.url.clone(), at!("/ui/webhooks/{}", id))];
    Ok((it.webhook, Head { title, above, place: PLACE, live: None }))
}

async fn edit(visit: Visit, Path(id): Path<String>) -> Answer {
    show_edit(&visit, &id, &Filled::default()).await
}

async fn show_edit(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let (hook, head) = below(visit, id, visit.t.edit_webhook()).await?;
    visit.page(head, &Edit { t: visit.t, hook: &hook, filled })
}

async fn save(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let edit = EditWebhook {
        url: Some(sent.get("url").into()),
        types: Some(types(&sent)),
        enabled: Some(sent.is_on("enabled")),
        description: Some(sent.get("description").into()),
    };
    match visit.api.act(Method::PATCH, &at!("/v1/webhooks/{}", id), &edit).await {
        Ok(()) => done(&at!("/ui/webhooks/{}", id), visit.t.webhook_saved()),
        Err(refused) => show_edit(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn enable(visit: Visit, Path(id): Path<String>) -> Answer {
    let edit = EditWebhook { enabled: Some(true), ..EditWebhook::default() };
    visit.api.act(Method::PATCH, &at!("/v1/webhooks/{}", id), &edit).await.or_show(&visit)?;
    done(&at!("/ui/webhooks/{}", id), visit.t.webhook_enabled())
}

async fn confirm_rotate(visit: Visit, Path(id): Path<String>) -> Answer {
    show_rotate(&visit, &id, &Filled::default()).await
}

async fn show_rotate(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let (_, head) = below(visit, id, t.rotate_secret()).await?;
    let confirm = Confirm {
        act: t.rotate_secret().into(),
        effects: vec![t.rotate_secret_effect().into()],
        command: format!("berth webhook rotate {id}"),
        back: at!("/ui/webhooks/{}", id),
        ..Confirm::default()
    };
    confirm.show(visit, head, filled)
}

async fn rotate(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let rotated: Result<WebhookWithSecret, Refused> =
        visit.api.tell(Method::POST, &at!("/v1/webhooks/{}/rotate-secret", id), &RotateSecret::default()).await;
    match rotated {
        Ok(rotated) => show_one(&visit, &id, &DeliveriesQuery::default(), Some(&rotated.secret)).await,
        Err(refused) => show_rotate(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

#[derive(askama::Template)]
#[template(path = "webhooks/replay.html")]
struct ReplayPage<'a> {
    t: Texts,
    hook: &'a Webhook,
    filled: &'a Filled,
}

async fn confirm_replay(visit: Visit, Path(id): Path<String>) -> Answer {
    show_replay(&visit, &id, &Filled::default()).await
}

async fn show_replay(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let (hook, head) = below(visit, id, visit.t.replay_events()).await?;
    visit.page(head, &ReplayPage { t: visit.t, hook: &hook, filled })
}

async fn replay(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match replayed(&visit, &id, &sent).await {
        Ok(()) => done(&at!("/ui/webhooks/{}", id), visit.t.events_replayed()),
        Err(refused) => show_replay(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn replayed(visit: &Visit, id: &str, sent: &Sent) -> Result<(), Refused> {
    let after = sent.get("after").parse().map_err(|_| invalid(visit.t, "after", visit.t.no_event_number()))?;
    visit.api.act(Method::POST, &at!("/v1/webhooks/{}/replay", id), &Replay { after }).await
}

async fn confirm_delete(visit: Visit, Path(id): Path<String>) -> Answer {
    show_delete(&visit, &id, &Filled::default()).await
}

async fn show_delete(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let (_, head) = below(visit, id, t.delete_webhook()).await?;
    let confirm = Confirm {
        act: t.delete_webhook().into(),
        effects: vec![t.delete_webhook_effect().into()],
        is_dangerous: true,
        command: format!("berth webhook delete {id}"),
        back: at!("/ui/webhooks/{}", id),
        ..Confirm::default()
    };
    confirm.show(visit, head, filled)
}

async fn delete(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/webhooks/{}", id)).await {
        Ok(()) => done(PLACE, visit.t.webhook_deleted()),
        Err(refused) => show_delete(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}
