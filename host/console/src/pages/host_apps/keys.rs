//! Replacing the public key of a host app, and when a former one ends.

use axum::{Router, extract::Path, http::Method, routing::get};
use berth_model::host_app::{EndKey, FormerKey, HostApp, RotateKey};

use super::{head, host_app};
use crate::{
    Console,
    act::{Confirm, Sent, Tick},
    frame::done,
    parts::Filled,
    path::at,
    refused::{Refused, not_found},
    show,
    texts::Texts,
    visit::{Answer, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/host-apps/{id}/key", get(confirm_rotate).post(rotate))
        .route("/ui/host-apps/{id}/former-keys/{key}", get(form).post(end))
}

async fn confirm_rotate(visit: Visit, Path(id): Path<String>) -> Answer {
    show_rotate(&visit, &id, &Filled::default()).await
}

async fn show_rotate(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let host = host_app(visit, id).await?;
    let t = visit.t;
    let at_once = Tick { name: "at_once", label: t.key_ends_at_once().into(), hint: t.key_ends_at_once_hint().into() };
    let confirm = Confirm {
        act: t.rotate_key().into(),
        effects: vec![t.rotate_key_effect(&host.name), t.rotate_key_old().into()],
        is_dangerous: true,
        ticks: vec![at_once],
        command: format!("berth host-app rotate-key {id}"),
        back: at!("/ui/host-apps/{}", id),
        ..Confirm::default()
    };
    confirm.show(visit, head(visit, t.rotate_key(), &host), filled)
}

async fn rotate(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let how = RotateKey { keep_old_seconds: sent.is_on("at_once").then_some(0) };
    match visit.api.act(Method::POST, &at!("/v1/host-apps/{}/rotate-key", id), &how).await {
        Ok(()) => done(&at!("/ui/host-apps/{}", id), visit.t.key_rotated()),
        Err(refused) => show_rotate(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

#[derive(askama::Template)]
#[template(path = "host_apps/former_key.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    host: &'a HostApp,
    key: &'a FormerKey,
    /// When it ends, as a field has it.
    ends_at: String,
    filled: &'a Filled,
}

async fn form(visit: Visit, Path((id, key)): Path<(String, String)>) -> Answer {
    show_form(&visit, &id, &key, &Filled::default()).await
}

async fn show_form(visit: &Visit, id: &str, key: &str, filled: &Filled) -> Answer {
    let host = host_app(visit, id).await?;
    let found = host.former_keys.iter().find(|former| former.public_key == key);
    let Some(former) = found else { return Err(visit.refuse(not_found())) };
    let ends_at = show::for_field(former.ends_at, &visit.taste.zone);
    let page = Page { t: visit.t, visit, host: &host, key: former, ends_at, filled };
    visit.page(head(visit, visit.t.former_key_end(), &host), &page)
}

async fn end(visit: Visit, Path((id, key)): Path<(String, String)>, sent: Sent) -> Answer {
    match end_at(&visit, &id, &key, &sent).await {
        Ok(()) => done(&at!("/ui/host-apps/{}", id), visit.t.former_key_ends()),
        Err(refused) => show_form(&visit, &id, &key, &sent.again(&visit, refused)?).await,
    }
}

async fn end_at(visit: &Visit, id: &str, key: &str, sent: &Sent) -> Result<(), Refused> {
    let end = EndKey { ends_at: sent.moment(visit, "ends_at")? };
    visit.api.act(Method::PUT, &at!("/v1/host-apps/{}/former-keys/{}", id, key), &end).await
}
