//! What the order system sent, and mending what could not be applied.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::Value;

use berth_base::page::Page as ListPage;
use berth_model::{
    access::{Action, Scope},
    endpoint::fulfilment::{Discard, Fulfilment, FulfilmentState, Receipt, ReceiptOutcome, Replay},
};

use super::{PLACE, head};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::{Badge, Filled, Names, Shown, Tone},
    path::{at, with_query},
    refused::{Refused, json},
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

/// Where the list is.
const LIST: &str = "/ui/fulfilments";

pub fn routes() -> Router<Console> {
    Router::new()
        .route(LIST, get(list))
        .route("/ui/fulfilments/{id}", get(one))
        .route("/ui/fulfilments/{id}/replay", post(replay))
        .route("/ui/fulfilments/{id}/discard", get(confirm_discard).post(discard))
}

impl Shown for FulfilmentState {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark, word) = match self {
            Self::Applied => (Tone::Ok, "✓", t.message_applied()),
            Self::Parked => (Tone::Warn, "‖", t.message_parked()),
            Self::Corrected => (Tone::Info, "✎", t.message_corrected()),
            Self::Discarded => (Tone::Neutral, "⌫", t.message_discarded()),
        };
        Badge { tone, mark, word }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    state: String,
    merchant: String,
    cursor: String,
}

#[derive(askama::Template)]
#[template(path = "merchants/fulfilments.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    query: &'a ListQuery,
    messages: &'a [Fulfilment],
    next: Option<String>,
}

impl List<'_> {
    /// The same list with messages in another state.
    fn in_state(&self, state: &str) -> String {
        with_query(LIST, [("state", Some(state)), ("merchant", Some(self.query.merchant.as_str()))])
    }
}

async fn list(visit: Visit, Query(query): Query<ListQuery>) -> Answer {
    let ListQuery { state, merchant, cursor } = &query;
    let members = |cursor| [("state", Some(state.as_str())), ("merchant", Some(merchant.as_str())), ("cursor", cursor)];
    let path = with_query("/v1/fulfilments", members(Some(cursor.as_str())));
    let page: ListPage<Fulfilment> = visit.api.page(&path).await.or_show(&visit)?;
    let next = page.next.as_deref().map(|next| with_query(LIST, members(Some(next))));
    let body = List { t: visit.t, visit: &visit, query: &query, messages: &page.items, next };
    visit.page(
        Head { above: head(&visit, "", None).above, title: visit.t.fulfilments(), place: PLACE, live: None },
        &body,
    )
}

#[derive(askama::Template)]
#[template(path = "merchants/fulfilment.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    it: &'a Fulfilment,
    message: String,
    names: &'a Names,
    may_mend: bool,
    filled: &'a Filled,
}

impl One<'_> {
    /// What to do about the reason for which it is parked.
    fn advice(&self) -> Option<&'static str> {
        self.it.reason.map(|reason| if reason.may_pass() { self.t.reason_may_pass() } else { self.t.reason_stays() })
    }
}

async fn message(visit: &Visit, id: &str) -> Result<Fulfilment, crate::visit::Shown> {
    visit.api.get(&at!("/v1/fulfilments/{}", id)).await.or_show(visit)
}

/// The head of a page about one message.
fn head_of<'a>(visit: &Visit, title: &'a str) -> Head<'a> {
    let mut head = head(visit, title, None);
    head.above.push((visit.t.fulfilments().to_owned(), format!("{LIST}?state=parked")));
    head
}

async fn one(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&visit, &id, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let it = message(visit, id).await?;
    let is_open = matches!(it.state, FulfilmentState::Parked | FulfilmentState::Discarded);
    let names = Names::of(&visit.api, it.discarded_by.as_deref()).await;
    let page = One {
        t: visit.t,
        visit,
        message: format!("{:#}", it.message),
        names: &names,
        may_mend: is_open && visit.can(Action::Fulfil, &Scope::Platform),
        filled,
        it: &it,
    };
    visit.page(head_of(visit, id), &page)
}

async fn replay(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match replay_of(&visit, &id, &sent).await {
        Ok(receipt) => done(&at!("/ui/fulfilments/{}", receipt.kept()), &told(visit.t, &receipt)),
        Err(refused) => show(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

/// Tries the message again. One that is not changed is tried as it was sent, so that it stays the same message.
async fn replay_of(visit: &Visit, id: &str, sent: &Sent) -> Result<Receipt, Refused> {
    let typed: Value = json(visit.t, "message", sent.get("message"))?;
    let before: Fulfilment = visit.api.get(&at!("/v1/fulfilments/{}", id)).await?;
    let replay = Replay { message: Some(typed).filter(|typed| *typed != before.message) };
    visit.api.tell(Method::POST, &at!("/v1/fulfilments/{}/replay", id), &replay).await
}

/// What became of a message that was sent or tried again.
pub fn told(t: Texts, receipt: &Receipt) -> String {
    match (&receipt.outcome, &receipt.detail) {
        (ReceiptOutcome::Applied | ReceiptOutcome::Repeated, _) => t.replay_applied().into(),
        (ReceiptOutcome::Parked | ReceiptOutcome::Discarded, detail) => {
            t.replay_parked(detail.as_deref().unwrap_or_default())
        }
    }
}

async fn confirm_discard(visit: Visit, Path(id): Path<String>) -> Answer {
    show_discard(&visit, &id, &Filled::default())
}

fn show_discard(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let confirm = Confirm {
        act: t.discard_message().into(),
        effects: vec![t.discard_effect().into()],
        is_dangerous: true,
        note: Some(t.discard_note()),
        is_note_needed: true,
        command: format!("berth fulfilment discard {id} --note '…'"),
        back: at!("/ui/fulfilments/{}", id),
        ..Confirm::default()
    };
    let mut head = head_of(visit, t.discard_message());
    head.above.push((id.to_owned(), at!("/ui/fulfilments/{}", id)));
    confirm.show(visit, head, filled)
}

async fn discard(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let discard = Discard { note: sent.get("note").into() };
    match visit.api.act(Method::POST, &at!("/v1/fulfilments/{}/discard", id), &discard).await {
        Ok(()) => done(&at!("/ui/fulfilments/{}", id), visit.t.discarded()),
        Err(refused) => show_discard(&visit, &id, &sent.again(&visit, refused)?),
    }
}
