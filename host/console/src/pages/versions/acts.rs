//! What is done with a version: submit, withdraw, delete, publish, roll back. Each says first what will happen.

use axum::{Router, extract::Path, http::Method, routing::get};
use berth_model::{
    mini_app::MiniApp,
    overview::Overview,
    rollout::{GrayTask, stopped_by_guard},
    version::{Publish, Rollback},
};

use super::super::mini_apps::{bindings, head, mini_app};
use crate::{
    Console,
    act::{Confirm, Sent, Tick},
    frame::{Head, done},
    parts::Filled,
    path::at,
    refused::{Refused, read},
    texts::grouped,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/versions/{version}/submit", get(confirm_submit).post(submit))
        .route("/ui/mini-apps/{id}/versions/{version}/withdraw", get(confirm_withdraw).post(withdraw))
        .route("/ui/mini-apps/{id}/versions/{version}/delete", get(confirm_delete).post(delete))
        .route("/ui/mini-apps/{id}/versions/{version}/publish", get(confirm_publish).post(publish))
        .route("/ui/mini-apps/{id}/versions/{version}/rollback", get(confirm_rollback).post(rollback))
}

/// The MiniApp and the version of an address.
type Of = Path<(String, String)>;

fn page_of(id: &str, number: &str) -> String {
    at!("/ui/mini-apps/{}/versions/{}", id, number)
}

fn head_of<'a>(visit: &Visit, title: &'a str, app: &MiniApp, number: &str) -> Head<'a> {
    let mut head = head(visit, title, Some(app));
    head.above.push((number.to_owned(), page_of(app.id.as_str(), number)));
    head
}

/// What comes after an act: the version's page, or the form once more with what stands against it.
async fn after(
    visit: &Visit,
    (id, number): (&str, &str),
    result: Result<(), Refused>,
    said: &str,
    sent: Sent,
    again: impl AsyncFnOnce(&Visit, &str, &str, &Filled) -> Answer,
) -> Answer {
    match result {
        Ok(()) => done(&page_of(id, number), said),
        Err(refused) => again(visit, id, number, &sent.again(visit, refused)?).await,
    }
}

async fn confirm_submit(visit: Visit, Path((id, number)): Of) -> Answer {
    show_submit(&visit, &id, &number, &Filled::default()).await
}

async fn show_submit(visit: &Visit, id: &str, number: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let t = visit.t;
    let alone = bindings::active(visit, &app).await.is_empty();
    let confirm = Confirm {
        act: t.submit().into(),
        effects: vec![t.submit_effect().into()],
        cautions: alone.then(|| t.audit_no_host_app().to_owned()).into_iter().collect(),
        command: format!("berth version submit {id} {number} --wait"),
        back: page_of(id, number),
        ..Confirm::default()
    };
    confirm.show(visit, head_of(visit, t.submit(), &app, number), filled)
}

async fn submit(visit: Visit, Path((id, number)): Of, sent: Sent) -> Answer {
    let result = visit.api.just(Method::POST, &at!("/v1/mini-apps/{}/versions/{}/submit", id, number)).await;
    after(&visit, (&id, &number), result, visit.t.submitted(), sent, show_submit).await
}

async fn confirm_withdraw(visit: Visit, Path((id, number)): Of) -> Answer {
    show_withdraw(&visit, &id, &number, &Filled::default()).await
}

async fn show_withdraw(visit: &Visit, id: &str, number: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.withdraw().into(),
        effects: vec![t.withdraw_effect().into()],
        command: format!("berth version withdraw {id} {number}"),
        back: page_of(id, number),
        ..Confirm::default()
    };
    confirm.show(visit, head_of(visit, t.withdraw(), &app, number), filled)
}

async fn withdraw(visit: Visit, Path((id, number)): Of, sent: Sent) -> Answer {
    let result = visit.api.just(Method::POST, &at!("/v1/mini-apps/{}/versions/{}/withdraw", id, number)).await;
    after(&visit, (&id, &number), result, visit.t.withdrawn(), sent, show_withdraw).await
}

async fn confirm_delete(visit: Visit, Path((id, number)): Of) -> Answer {
    show_delete(&visit, &id, &number, &Filled::default()).await
}

async fn show_delete(visit: &Visit, id: &str, number: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.delete_version().into(),
        effects: vec![t.delete_effect().into()],
        is_dangerous: true,
        command: format!("berth version delete {id} {number}"),
        back: page_of(id, number),
        ..Confirm::default()
    };
    confirm.show(visit, head_of(visit, t.delete_version(), &app, number), filled)
}

async fn delete(visit: Visit, Path((id, number)): Of, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/mini-apps/{}/versions/{}", id, number)).await {
        Ok(()) => done(&at!("/ui/mini-apps/{}/versions", id), visit.t.deleted()),
        Err(refused) => show_delete(&visit, &id, &number, &sent.again(&visit, refused)?).await,
    }
}

/// The host apps whose devices an act reaches, by their ids.
async fn reached(visit: &Visit, app: &MiniApp) -> String {
    let hosts = bindings::active(visit, app).await;
    let ids: Vec<_> = hosts.iter().map(|binding| binding.host_app.as_str()).collect();
    if ids.is_empty() { visit.t.no_host_app().into() } else { ids.join(", ") }
}

async fn confirm_publish(visit: Visit, Path((id, number)): Of) -> Answer {
    show_publish(&visit, &id, &number, &Filled::default()).await
}

async fn show_publish(visit: &Visit, id: &str, number: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let it: Overview = visit.api.get(&at!("/v1/mini-apps/{}/overview", id)).await.or_show(visit)?;
    let hosts = reached(visit, &it.mini_app).await;
    let mut effects = vec![match &it.online {
        Some(online) => t.publish_effect_replaces(number, &online.version, &hosts),
        None => t.publish_effect_first(number, &hosts),
    }];
    let is_overtaken = |task: &&GrayTask| number.parse().is_ok_and(|published| task.version <= published);
    let ended = it.gray_tasks.iter().filter(is_overtaken);
    effects.extend(ended.map(|task| t.publish_effect_gray(&task.name, grouped(task.admitted))));
    let trial = it.trial.filter(|trial| number.parse().is_ok_and(|published| trial.version <= published));
    effects.extend(trial.map(|trial| t.publish_effect_trial(&trial.version)));
    let guarded: Vec<_> = it.gray_tasks.iter().filter_map(|task| guarded(visit, task, number)).collect();
    let forced = Tick { name: "forced", label: t.force_update().into(), hint: t.force_update_hint().into() };
    let despite = Tick { name: "despite_guard", label: t.despite_guard().into(), hint: t.despite_guard_hint().into() };
    let despite = (!guarded.is_empty() || filled.is_refused_by("guard-suspended")).then_some(despite);
    let confirm = Confirm {
        act: t.publish_title(number),
        effects,
        cautions: guarded,
        ticks: std::iter::once(forced).chain(despite).collect(),
        note: Some(t.release_note()),
        command: format!("berth version publish {id} {number}"),
        back: page_of(id, number),
        ..Confirm::default()
    };
    let title = t.publish_title(number);
    confirm.show(visit, head_of(visit, &title, &it.mini_app, number), filled)
}

/// That a guard has suspended a gray task of this version (V14).
fn guarded(visit: &Visit, task: &GrayTask, number: &str) -> Option<String> {
    let why = stopped_by_guard(&task.moves).filter(|_| task.version.to_string() == number)?;
    Some(visit.t.publish_guarded(&task.name, why))
}

async fn publish(visit: Visit, Path((id, number)): Of, sent: Sent) -> Answer {
    let publish = Publish {
        forced: sent.is_on("forced"),
        despite_guard: sent.is_on("despite_guard"),
        note: sent.get("note").into(),
    };
    let path = at!("/v1/mini-apps/{}/versions/{}/publish", id, number);
    match visit.api.act(Method::POST, &path, &publish).await {
        Ok(()) => done(&at!("/ui/mini-apps/{}", id), &visit.t.published(&number)),
        Err(refused) => show_publish(&visit, &id, &number, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_rollback(visit: Visit, Path((id, number)): Of) -> Answer {
    show_rollback(&visit, &id, &number, &Filled::default()).await
}

async fn show_rollback(visit: &Visit, id: &str, number: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let it: Overview = visit.api.get(&at!("/v1/mini-apps/{}/overview", id)).await.or_show(visit)?;
    let hosts = reached(visit, &it.mini_app).await;
    let old = it.online.as_ref().map(|online| online.version.to_string()).unwrap_or_default();
    let minimum = it.mini_app.min_version.as_ref().filter(|min| number.parse().is_ok_and(|to| **min > to));
    let ended = it.gray_tasks.iter().filter(|task| number.parse().is_ok_and(|to| task.version <= to));
    let mut effects = vec![t.roll_back_effect(number, old, hosts)];
    effects.extend(ended.map(|task| t.publish_effect_gray(&task.name, grouped(task.admitted))));
    let goes_on = it.gray_tasks.iter().filter(|task| number.parse().is_ok_and(|to| task.version > to));
    let lower = |min: &berth_base::version::VersionNumber| Tick {
        name: "lower_min",
        label: t.lower_minimum().into(),
        hint: t.lower_minimum_hint(min),
    };
    let confirm = Confirm {
        act: t.roll_back_to(number),
        effects,
        cautions: goes_on.map(|task| t.roll_back_gray(&task.name, &task.version)).collect(),
        is_dangerous: true,
        ticks: minimum.map(lower).into_iter().collect(),
        note: Some(t.release_note()),
        command: format!("berth version rollback {id} --to {number}"),
        back: at!("/ui/mini-apps/{}/releases", id),
        ..Confirm::default()
    };
    let title = t.roll_back_to(number);
    confirm.show(visit, head_of(visit, &title, &it.mini_app, number), filled)
}

async fn rollback(visit: Visit, Path((id, number)): Of, sent: Sent) -> Answer {
    match roll_back(&visit, &id, &number, &sent).await {
        Ok(()) => done(&at!("/ui/mini-apps/{}", id), &visit.t.rolled_back_to(&number)),
        Err(refused) => show_rollback(&visit, &id, &number, &sent.again(&visit, refused)?).await,
    }
}

async fn roll_back(visit: &Visit, id: &str, number: &str, sent: &Sent) -> Result<(), Refused> {
    let to = read("to", number)?;
    let rollback = Rollback { to, lower_min: sent.is_on("lower_min"), note: sent.get("note").into() };
    visit.api.act(Method::POST, &at!("/v1/mini-apps/{}/rollback", id), &rollback).await
}
