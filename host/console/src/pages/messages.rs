//! Subscription messages of a MiniApp: the templates that it has chosen, and what became of what it sent.

mod library;

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use berth_base::{clock::Millis, page::Page as ListPage};
use berth_model::{
    access::Action,
    message::{MessageState, MessageTemplate, UserMessage},
    mini_app::MiniApp,
};
use serde::Deserialize;

use super::mini_apps::{Tab, head, mini_app, tabs};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::{Badge, Filled, Names, Shown, Tone},
    path::{at, with_query},
    refused::not_found,
    show::quoted,
    texts::Texts,
    visit::{Answer, OrShow, Shown as Refusal, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/messages", get(list))
        .route("/ui/mini-apps/{id}/messages/templates/{template}", get(one))
        .route("/ui/mini-apps/{id}/messages/templates/{template}/remove", get(confirm_remove).post(remove))
        .merge(library::routes())
}

impl Shown for MessageState {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark, word) = match self {
            Self::Sent => (Tone::Info, "◔", t.message_sent()),
            Self::Shown => (Tone::Ok, "✓", t.message_shown()),
            Self::Opened => (Tone::Ok, "●", t.message_opened()),
            Self::Refused => (Tone::Bad, "✕", t.message_refused()),
        };
        Badge { tone, mark, word }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    cursor: String,
}

#[derive(askama::Template)]
#[template(path = "messages/list.html")]
struct List<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    templates: &'a [MessageTemplate],
    messages: &'a [UserMessage],
    older: Option<String>,
    is_first: bool,
    may_edit: bool,
}

impl List<'_> {
    /// The title of the template of a message; its id when it is there no more.
    fn title<'s>(&'s self, message: &'s UserMessage) -> &'s str {
        let template = self.templates.iter().find(|one| one.id == message.template);
        template.map_or(message.template.as_str(), |one| self.t.local(&one.title))
    }

    /// When the last became of a message.
    fn then(&self, message: &UserMessage) -> Option<Millis> {
        message.opened_at.or(message.shown_at).or(message.refused_at)
    }
}

async fn templates(visit: &Visit, id: &str) -> Result<Vec<MessageTemplate>, Refusal> {
    visit.api.list(&at!("/v1/mini-apps/{}/message-templates", id)).await.or_show(visit)
}

async fn messages(
    visit: &Visit,
    id: &str,
    members: [(&str, Option<&str>); 2],
) -> Result<ListPage<UserMessage>, Refusal> {
    visit.api.page(&with_query(&at!("/v1/mini-apps/{}/messages", id), members)).await.or_show(visit)
}

async fn list(visit: Visit, Path(id): Path<String>, Query(ListQuery { cursor }): Query<ListQuery>) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let templates = templates(&visit, &id).await?;
    let sent = messages(&visit, &id, [("cursor", Some(&cursor)), ("limit", Some("50"))]).await?;
    let here = at!("/ui/mini-apps/{}/messages", id);
    let page = List {
        t: visit.t,
        visit: &visit,
        tabs: tabs(&visit, &app, "/messages"),
        templates: &templates,
        messages: &sent.items,
        older: sent.next.as_deref().map(|next| with_query(&here, [("cursor", Some(next))])),
        is_first: cursor.is_empty(),
        may_edit: visit.can(Action::Develop, &app.scope()),
        app: &app,
    };
    let mut head = head(&visit, visit.t.messages(), Some(&app));
    head.live = visit.live_of(&app);
    visit.page(head, &page)
}

/// The head of a page below the messages of a MiniApp.
fn below<'a>(visit: &Visit, title: &'a str, app: &MiniApp) -> Head<'a> {
    let mut head = head(visit, title, Some(app));
    head.above.push((visit.t.messages().to_owned(), at!("/ui/mini-apps/{}/messages", app.id)));
    head
}

/// How many messages are looked at for what became of those of a template.
const LOOKED_AT: &str = "200";

#[derive(askama::Template)]
#[template(path = "messages/one.html")]
struct One<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    it: &'a MessageTemplate,
    /// What became of the newest messages of the template, in the order of states.
    counts: Vec<(MessageState, usize)>,
    names: &'a Names,
    may_edit: bool,
    command: String,
}

/// A template of a MiniApp. The API lists them, and has no address for a single one.
async fn template(visit: &Visit, id: &str, template: &str) -> Result<MessageTemplate, Refusal> {
    let found = templates(visit, id).await?.into_iter().find(|one| one.id.as_str() == template);
    found.ok_or_else(|| visit.refuse(not_found()))
}

/// How the MiniApp's server sends a message of a template, with the examples as values.
fn command(it: &MessageTemplate) -> String {
    let send = format!("berth --token \"$SERVER_TOKEN\" message send --to OPEN_ID --template {}", it.id);
    it.keywords.iter().fold(send, |command, keyword| {
        format!("{command} --field {}", quoted(&format!("{}={}", keyword.field, keyword.example)))
    })
}

async fn one(visit: Visit, Path((id, template_id)): Path<(String, String)>) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let it = template(&visit, &id, &template_id).await?;
    let sent = messages(&visit, &id, [("limit", Some(LOOKED_AT)), ("cursor", None)]).await?.items;
    let count = |state| sent.iter().filter(|message| message.template == it.id && message.state == state).count();
    let names = Names::of(&visit.api, [it.created_by.as_str()]).await;
    let page = One {
        t: visit.t,
        visit: &visit,
        app: &app,
        counts: MessageState::ALL.iter().map(|state| (*state, count(*state))).collect(),
        names: &names,
        may_edit: visit.can(Action::Develop, &app.scope()),
        command: command(&it),
        it: &it,
    };
    let mut head = below(&visit, visit.t.local(&it.title), &app);
    head.live = visit.live_of(&app);
    visit.page(head, &page)
}

async fn confirm_remove(visit: Visit, Path((id, template)): Path<(String, String)>) -> Answer {
    show_remove(&visit, &id, &template, &Filled::default()).await
}

async fn show_remove(visit: &Visit, id: &str, template_id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let it = template(visit, id, template_id).await?;
    let t = visit.t;
    let back = at!("/ui/mini-apps/{}/messages/templates/{}", id, template_id);
    let confirm = Confirm {
        act: t.message_remove().into(),
        effects: vec![t.message_remove_effect(t.local(&it.title)), t.message_remove_consents().into()],
        is_dangerous: true,
        command: format!("berth message remove {id} {template_id}"),
        back: back.clone(),
        ..Confirm::default()
    };
    let mut head = below(visit, t.message_remove(), &app);
    head.above.push((t.local(&it.title).to_owned(), back));
    confirm.show(visit, head, filled)
}

async fn remove(visit: Visit, Path((id, template)): Path<(String, String)>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/mini-apps/{}/message-templates/{}", id, template)).await {
        Ok(()) => done(&at!("/ui/mini-apps/{}/messages", id), visit.t.message_removed()),
        Err(refused) => show_remove(&visit, &id, &template, &sent.again(&visit, refused)?).await,
    }
}
