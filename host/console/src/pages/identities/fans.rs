//! Fans: which member of a merchant is bound at which official account, and the template messages that they were sent.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::{get, post},
};
use berth_base::page::Page as ListPage;
use berth_model::{
    access::Action,
    endpoint::Merchant,
    official_account::{EditFan, Fan, TemplateMessage, TemplateMessageState},
};
use serde::Deserialize;

use super::{
    super::merchants::{merchant, scope},
    reach::below,
};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    parts::{Badge, Filled, Shown, Tone},
    path::{at, with_query},
    show::quoted,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/merchants/{id}/fans", get(list))
        .route("/ui/merchants/{id}/fans/prefer", post(prefer))
        .route("/ui/merchants/{id}/fans/{member}/{app_id}/unbind", get(confirm_unbind).post(unbind))
        .route("/ui/merchants/{id}/template-messages", get(messages))
        .route("/ui/merchants/{id}/template-messages/{message}", get(message))
}

impl Shown for TemplateMessageState {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark, word) = match self {
            Self::Sending => (Tone::Info, "◔", t.template_sending()),
            Self::Sent => (Tone::Ok, "✓", t.template_sent()),
            Self::Refused => (Tone::Bad, "✕", t.template_refused()),
            Self::Unknown => (Tone::Warn, "?", t.unknown()),
        };
        Badge { tone, mark, word }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FansQuery {
    member_id: String,
    app_id: String,
    cursor: String,
}

impl FansQuery {
    fn members<'a>(&'a self, cursor: &'a str) -> [(&'static str, Option<&'a str>); 3] {
        [("member_id", Some(&self.member_id)), ("app_id", Some(&self.app_id)), ("cursor", Some(cursor))]
    }
}

#[derive(askama::Template)]
#[template(path = "identities/fans.html")]
struct Fans<'a> {
    t: Texts,
    visit: &'a Visit,
    merchant: &'a Merchant,
    query: &'a FansQuery,
    fans: &'a [Fan],
    next: Option<String>,
}

impl Fans<'_> {
    /// Where a fan is: a member's id may hold any character.
    fn at(&self, fan: &Fan) -> String {
        at!("/ui/merchants/{}/fans/{}/{}", self.merchant.id, fan.member_id, fan.app_id)
    }
}

async fn list(visit: Visit, Path(id): Path<String>, Query(query): Query<FansQuery>) -> Answer {
    let merchant = merchant(&visit, &id).await?;
    let path = with_query(&at!("/v1/merchants/{}/fans", id), query.members(&query.cursor));
    let page: ListPage<Fan> = visit.api.page(&path).await.or_show(&visit)?;
    let here = at!("/ui/merchants/{}/fans", id);
    let next = page.next.as_deref().map(|next| with_query(&here, query.members(next)));
    let body = Fans { t: visit.t, visit: &visit, merchant: &merchant, query: &query, fans: &page.items, next };
    visit.page(below(&visit, visit.t.fans(), &merchant), &body)
}

async fn prefer(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let (member, app_id, preferred) = (sent.get("member"), sent.get("app_id"), sent.is_on("preferred"));
    let path = at!("/v1/merchants/{}/fans/{}/{}", id, member, app_id);
    visit.api.act(Method::PATCH, &path, &EditFan { preferred }).await.or_show(&visit)?;
    let said = if preferred { visit.t.fan_prefers() } else { visit.t.fan_prefers_not() };
    done(&with_query(&at!("/ui/merchants/{}/fans", id), [("member_id", Some(member))]), said)
}

async fn confirm_unbind(visit: Visit, Path(whose): Path<(String, String, String)>) -> Answer {
    show_unbind(&visit, &whose, &Filled::default()).await
}

async fn show_unbind(visit: &Visit, (id, member, app_id): &(String, String, String), filled: &Filled) -> Answer {
    let merchant = merchant(visit, id).await?;
    let t = visit.t;
    let back = at!("/ui/merchants/{}/fans", id);
    let confirm = Confirm {
        act: t.fan_unbind().into(),
        effects: vec![t.fan_unbind_effect(member, app_id)],
        is_dangerous: true,
        command: format!("berth fan unbind {id} {} {}", quoted(member), quoted(app_id)),
        back: back.clone(),
        ..Confirm::default()
    };
    let mut head = below(visit, t.fan_unbind(), &merchant);
    head.above.push((t.fans().to_owned(), back));
    confirm.show(visit, head, filled)
}

async fn unbind(visit: Visit, Path(whose): Path<(String, String, String)>, sent: Sent) -> Answer {
    let (id, member, app_id) = &whose;
    match visit.api.just(Method::DELETE, &at!("/v1/merchants/{}/fans/{}/{}", id, member, app_id)).await {
        Ok(()) => done(&at!("/ui/merchants/{}/fans", id), visit.t.fan_unbound()),
        Err(refused) => show_unbind(&visit, &whose, &sent.again(&visit, refused)?).await,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MessagesQuery {
    member_id: String,
    state: String,
    cursor: String,
}

impl MessagesQuery {
    fn members<'a>(&'a self, cursor: &'a str) -> [(&'static str, Option<&'a str>); 3] {
        [("member_id", Some(&self.member_id)), ("state", Some(&self.state)), ("cursor", Some(cursor))]
    }
}

#[derive(askama::Template)]
#[template(path = "identities/template_messages.html")]
struct Messages<'a> {
    t: Texts,
    visit: &'a Visit,
    merchant: &'a Merchant,
    query: &'a MessagesQuery,
    messages: &'a [TemplateMessage],
    older: Option<String>,
    may_see_fans: bool,
}

impl Messages<'_> {
    /// Where the bindings of a message's member are.
    fn fan(&self, message: &TemplateMessage) -> String {
        let member = message.member_id.to_string();
        with_query(&at!("/ui/merchants/{}/fans", self.merchant.id), [("member_id", Some(member.as_str()))])
    }
}

async fn messages(visit: Visit, Path(id): Path<String>, Query(query): Query<MessagesQuery>) -> Answer {
    let merchant = merchant(&visit, &id).await?;
    let path = with_query(&at!("/v1/merchants/{}/template-messages", id), query.members(&query.cursor));
    let page: ListPage<TemplateMessage> = visit.api.page(&path).await.or_show(&visit)?;
    let here = at!("/ui/merchants/{}/template-messages", id);
    let body = Messages {
        t: visit.t,
        visit: &visit,
        query: &query,
        messages: &page.items,
        older: page.next.as_deref().map(|next| with_query(&here, query.members(next))),
        may_see_fans: visit.can(Action::Operate, &scope(&merchant)),
        merchant: &merchant,
    };
    visit.page(below(&visit, visit.t.template_messages(), &merchant), &body)
}

#[derive(askama::Template)]
#[template(path = "identities/template_message.html")]
struct Message<'a> {
    t: Texts,
    visit: &'a Visit,
    merchant: &'a Merchant,
    it: &'a TemplateMessage,
}

async fn message(visit: Visit, Path((id, message)): Path<(String, String)>) -> Answer {
    let merchant = merchant(&visit, &id).await?;
    let it: TemplateMessage =
        visit.api.get(&at!("/v1/merchants/{}/template-messages/{}", id, message)).await.or_show(&visit)?;
    let page = Message { t: visit.t, visit: &visit, merchant: &merchant, it: &it };
    let mut head = below(&visit, visit.t.template_message(), &merchant);
    head.above.push((visit.t.template_messages().to_owned(), at!("/ui/merchants/{}/template-messages", id)));
    visit.page(head, &page)
}
