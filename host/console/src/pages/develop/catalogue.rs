//! The APIs that a host app has marked as sensitive, and who applies for them.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use berth_model::{
    access::{Action, Scope},
    host_app::HostApp,
    settings::{LocalName, NewSensitiveApi, Permit, PermitKind, Preset, SensitiveApi, SensitiveApis, SetSensitiveApis},
};
use serde::Deserialize;

use super::{
    super::host_apps,
    Others,
    permits::{Queue, QueueQuery},
};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::{Filled, Names, Shown},
    path::at,
    refused::{Refused, not_found},
    show::quoted,
    texts::Texts,
    visit::{self, Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/host-apps/{id}/apis", get(show).post(mark))
        .route("/ui/host-apps/{id}/apis/preset", get(confirm_preset).post(mark_preset))
        .route("/ui/host-apps/{id}/apis/{api}/remove", get(confirm_remove).post(remove))
}

#[derive(askama::Template)]
#[template(path = "develop/catalogue.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    host: &'a HostApp,
    marked: &'a SensitiveApis,
    names: &'a Names,
    presets: &'a [Preset],
    queue: &'a Queue,
    permits: &'a [Permit],
    others: &'a Others,
    may_mark: bool,
    filled: &'a Filled,
}

async fn show(visit: Visit, Path(id): Path<String>, Query(query): Query<QueueQuery>) -> Answer {
    show_with(&visit, &id, &query, &Filled::default()).await
}

async fn show_with(visit: &Visit, id: &str, query: &QueueQuery, filled: &Filled) -> Answer {
    let host = host_apps::host_app(visit, id).await?;
    let here = at!("/ui/host-apps/{}/apis", id);
    let queue = Queue::of(visit, id, PermitKind::SensitiveApi, query, &here).await?;
    let marked: SensitiveApis = visit.api.get(&at!("/v1/host-apps/{}/sensitive-apis", id)).await.or_show(visit)?;
    let page = Page {
        t: visit.t,
        visit,
        host: &host,
        names: &Names::of(&visit.api, marked.changed_by.as_deref()).await,
        marked: &marked,
        presets: &presets(visit).await?,
        permits: &queue.permits,
        queue: &queue,
        others: &Others::mini_apps(visit).await,
        may_mark: visit.can(Action::Configure, &Scope::HostApp(host.id.clone())),
        filled,
    };
    let mut head = host_apps::head(visit, visit.t.sensitive_apis(), &host);
    head.live = Some(at!("/ui/live?host_app={}", id));
    visit.page(head, &page)
}

async fn presets(visit: &Visit) -> Result<Vec<Preset>, visit::Shown> {
    visit.api.list("/v1/sensitive-api-presets").await.or_show(visit)
}

/// Changes what is marked, unless somebody else changes it meanwhile.
async fn change(visit: &Visit, id: &str, change: impl FnOnce(&mut Vec<NewSensitiveApi>)) -> Result<(), Refused> {
    let path = at!("/v1/host-apps/{}/sensitive-apis", id);
    let (marked, tag): (SensitiveApis, String) = visit.api.tagged(&path).await?;
    let mut apis = marked.apis.into_iter().map(as_new).collect();
    change(&mut apis);
    visit.api.only_if(&tag).act(Method::PUT, &path, &SetSensitiveApis { apis }).await
}

fn as_new(one: SensitiveApi) -> NewSensitiveApi {
    NewSensitiveApi { api: one.api.to_string(), name: Some(one.name) }
}

/// Marks one API. Its names are the preset's where none are typed.
async fn mark(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let name = LocalName { en: sent.get("en").into(), zh: sent.get("zh").into() };
    let has_name = !(name.en.is_empty() && name.zh.is_empty());
    let new = NewSensitiveApi { api: sent.get("api").into(), name: has_name.then_some(name) };
    match change(&visit, &id, |apis| apis.push(new)).await {
        Ok(()) => done(&at!("/ui/host-apps/{}/apis", id), visit.t.api_marked()),
        Err(refused) => show_with(&visit, &id, &QueueQuery::default(), &sent.again(&visit, refused)?).await,
    }
}

/// The preset that a page is about.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Chosen {
    preset: String,
}

/// The APIs of a preset that are not marked yet.
async fn fresh(visit: &Visit, id: &str, preset: &str) -> Result<Vec<SensitiveApi>, visit::Shown> {
    let marked: SensitiveApis = visit.api.get(&at!("/v1/host-apps/{}/sensitive-apis", id)).await.or_show(visit)?;
    let preset = presets(visit).await?.into_iter().find(|one| one.preset.as_str() == preset);
    let mut apis = preset.ok_or_else(not_found).or_show(visit)?.apis;
    apis.retain(|one| marked.name_of(&one.api).is_none());
    Ok(apis)
}

async fn confirm_preset(visit: Visit, Path(id): Path<String>, Query(Chosen { preset }): Query<Chosen>) -> Answer {
    show_preset(&visit, &id, &preset, &Filled::default()).await
}

async fn show_preset(visit: &Visit, id: &str, preset: &str, filled: &Filled) -> Answer {
    let host = host_apps::host_app(visit, id).await?;
    let apis = fresh(visit, id, preset).await?;
    let t = visit.t;
    let names: Vec<_> = apis.iter().map(|one| t.local(&one.name)).collect();
    let effects = match names.len() {
        0 => vec![t.preset_is_marked().into()],
        count => vec![t.preset_effect(count, names.join(t.comma())), t.api_mark_effect().into()],
    };
    let confirm = Confirm {
        act: t.preset_mark().into(),
        effects,
        command: format!("berth sensitive-api add {id} --preset {preset}"),
        back: at!("/ui/host-apps/{}/apis", id),
        ..Confirm::default()
    };
    confirm.show(visit, head_of(visit, t.preset_mark(), &host), filled)
}

fn head_of<'a>(visit: &Visit, title: &'a str, host: &HostApp) -> Head<'a> {
    let mut head = host_apps::head(visit, title, host);
    head.above.push((visit.t.sensitive_apis().to_owned(), at!("/ui/host-apps/{}/apis", host.id)));
    head
}

async fn mark_preset(
    visit: Visit,
    Path(id): Path<String>,
    Query(Chosen { preset }): Query<Chosen>,
    sent: Sent,
) -> Answer {
    let fresh = fresh(&visit, &id, &preset).await?;
    match change(&visit, &id, |apis| apis.extend(fresh.into_iter().map(as_new))).await {
        Ok(()) => done(&at!("/ui/host-apps/{}/apis", id), visit.t.api_marked()),
        Err(refused) => show_preset(&visit, &id, &preset, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_remove(visit: Visit, Path((id, api)): Path<(String, String)>) -> Answer {
    show_remove(&visit, &id, &api, &Filled::default()).await
}

async fn show_remove(visit: &Visit, id: &str, api: &str, filled: &Filled) -> Answer {
    let host = host_apps::host_app(visit, id).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.api_unmark().into(),
        effects: vec![t.api_unmark_effect(api, &host.name), t.api_unmark_permits().into()],
        is_dangerous: true,
        command: format!("berth sensitive-api remove {id} --api {}", quoted(api)),
        back: at!("/ui/host-apps/{}/apis", id),
        ..Confirm::default()
    };
    let title = t.api_unmark_title(api);
    confirm.show(visit, head_of(visit, &title, &host), filled)
}

async fn remove(visit: Visit, Path((id, api)): Path<(String, String)>, sent: Sent) -> Answer {
    match change(&visit, &id, |apis| apis.retain(|one| one.api != api)).await {
        Ok(()) => done(&at!("/ui/host-apps/{}/apis", id), &visit.t.api_unmarked(&api)),
        Err(refused) => show_remove(&visit, &id, &api, &sent.again(&visit, refused)?).await,
    }
}
