//! Choosing a public template, and the lines that its messages have.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use berth_model::{
    access::Action,
    message::{MessageCategory, MessageKeyword, MessageTemplate, NewMessageTemplate, PublicTemplate, SubscriptionKind},
    mini_app::MiniApp,
};
use serde::Deserialize;

use super::{below, mini_app};
use crate::{
    Console,
    act::Sent,
    frame::done,
    parts::Filled,
    path::{at, with_query},
    refused::{Refused, not_found},
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/messages/new", get(list))
        .route("/ui/mini-apps/{id}/messages/new/{public}", get(choose).post(add))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LibraryQuery {
    search: String,
    kind: String,
    category: String,
}

#[derive(askama::Template)]
#[template(path = "messages/library.html")]
struct Library<'a> {
    t: Texts,
    app: &'a MiniApp,
    query: &'a LibraryQuery,
    found: &'a [PublicTemplate],
}

impl Library<'_> {
    /// The keywords of a template in one line.
    fn lines(&self, template: &PublicTemplate) -> String {
        template.keywords.iter().map(|keyword| self.t.local(&keyword.name)).collect::<Vec<_>>().join(self.t.comma())
    }
}

async fn list(visit: Visit, Path(id): Path<String>, Query(query): Query<LibraryQuery>) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let LibraryQuery { search, kind, category } = &query;
    let members = [("search", Some(search.as_str())), ("kind", Some(kind)), ("category", Some(category))];
    let found: Vec<PublicTemplate> =
        visit.api.list(&with_query("/v1/message-library", members)).await.or_show(&visit)?;
    let page = Library { t: visit.t, app: &app, query: &query, found: &found };
    visit.page(below(&visit, visit.t.message_add(), &app), &page)
}

/// How many lines a message has at most.
const MOST_LINES: usize = 5;
/// How many lines are chosen at first.
const FIRST_LINES: usize = 3;

#[derive(askama::Template)]
#[template(path = "messages/choose.html")]
struct Choose<'a> {
    t: Texts,
    app: &'a MiniApp,
    public: &'a PublicTemplate,
    may_edit: bool,
    filled: &'a Filled,
}

impl Choose<'_> {
    /// The lines of a message, each with the name of its field in the form.
    fn lines(&self) -> Vec<(usize, String)> {
        (1..=MOST_LINES.min(self.public.keywords.len())).map(|line| (line, format!("keyword{line}"))).collect()
    }

    /// Whether a keyword is chosen for a line: as typed, or at first the keywords in their order.
    fn is_chosen(&self, line: &usize, name: &str, keyword: &MessageKeyword) -> bool {
        if self.filled.is_new() {
            return *line <= FIRST_LINES && usize::from(keyword.number) == *line;
        }
        self.filled.has(name, &keyword.number.to_string())
    }
}

/// A public template by its id. The API finds them by words.
async fn public(visit: &Visit, id: &str) -> Result<PublicTemplate, Refused> {
    let found: Vec<PublicTemplate> = visit.api.list(&with_query("/v1/message-library", [("search", Some(id))])).await?;
    found.into_iter().find(|one| one.id == id).ok_or_else(not_found)
}

async fn choose(visit: Visit, Path((id, public)): Path<(String, String)>) -> Answer {
    show(&visit, &id, &public, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, public_id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let public = public(visit, public_id).await.or_show(visit)?;
    let may_edit = visit.can(Action::Develop, &app.scope());
    let page = Choose { t: visit.t, app: &app, public: &public, may_edit, filled };
    let mut head = below(visit, visit.t.local(&public.title), &app);
    head.above.push((visit.t.message_add().to_owned(), at!("/ui/mini-apps/{}/messages/new", id)));
    visit.page(head, &page)
}

async fn add(visit: Visit, Path((id, public)): Path<(String, String)>, sent: Sent) -> Answer {
    match added(&visit, &id, &public, &sent).await {
        Ok(made) => done(&at!("/ui/mini-apps/{}/messages/templates/{}", id, made.id), visit.t.message_added()),
        Err(refused) => show(&visit, &id, &public, &sent.again(&visit, refused)?).await,
    }
}

async fn added(visit: &Visit, id: &str, public: &str, sent: &Sent) -> Result<MessageTemplate, Refused> {
    let chosen = (1..=MOST_LINES).filter_map(|line| sent.some(&format!("keyword{line}")));
    let keywords = chosen.map(|number| number.parse().map_err(|_| not_found())).collect::<Result<_, Refused>>()?;
    let new = NewMessageTemplate { template: public.to_owned(), keywords };
    visit.api.tell(Method::POST, &at!("/v1/mini-apps/{}/message-templates", id), &new).await
}
