//! The address book that is pulled from WeCom: setting it, syncing now, and ending it.

use axum::{
    Router,
    extract::Path,
    http::Method,
    routing::{get, post},
};
use serde_json::{Value, json};

use berth_base::clock::Millis;
use berth_model::{
    access::{Action, Scope, ScopeKind},
    workspace::directory::{AskSync, Directory, SyncState},
};

use super::{page_of, show};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    pages::workspaces::{head, workspace},
    parts::Filled,
    path::at,
    refused::{Refused, invalid},
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/workspaces/{id}/directory/wecom", post(set))
        .route("/ui/workspaces/{id}/directory/sync", post(sync))
        .route("/ui/workspaces/{id}/directory/force", get(confirm_force).post(force))
        .route("/ui/workspaces/{id}/directory/remove", get(confirm_remove).post(remove))
}

async fn set(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match set_of(&visit, &id, &sent).await {
        Ok(()) => done(&page_of(&id), visit.t.ws_directory_set()),
        // Secrets are typed anew: no page has them.
        Err(refused) => {
            let typed = sent.0.into_iter().filter(|(name, _)| !["secret", "token", "aes_key"].contains(&name.as_str()));
            show(&visit, &id, None, &Sent(typed.collect()).again(&visit, refused)?).await
        }
    }
}

async fn set_of(visit: &Visit, id: &str, sent: &Sent) -> Result<(), Refused> {
    let hours = match sent.get("every_hours") {
        "" => None,
        text => Some(text.parse::<i64>().map_err(|_| invalid(visit.t, "every_hours", visit.t.no_number()))?),
    };
    let callback = match (sent.some("token"), sent.some("aes_key")) {
        (None, None) => Value::Null,
        (token, key) => json!({"token": token.unwrap_or_default(), "aes_key": key.unwrap_or_default()}),
    };
    let put = json!({
        "kind": "wecom", "corp_id": sent.get("corp_id"), "secret": sent.some("secret"), "reads": sent.some("reads"),
        "base_url": sent.some("base_url"), "every_hours": hours, "callback": callback,
    });
    visit.api.act(Method::PUT, &at!("/v1/workspaces/{}/directory", id), &put).await
}

async fn ask(visit: &Visit, id: &str, force: bool) -> Result<(), Refused> {
    visit.api.act(Method::POST, &at!("/v1/workspaces/{}/directory/sync", id), &AskSync { force }).await
}

async fn sync(visit: Visit, Path(id): Path<String>) -> Answer {
    ask(&visit, &id, false).await.or_show(&visit)?;
    done(&page_of(&id), visit.t.ws_sync_asked())
}

async fn confirm_force(visit: Visit, Path(id): Path<String>) -> Answer {
    show_force(&visit, &id, &Filled::default()).await
}

async fn show_force(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let directory: Directory = visit.api.get(&at!("/v1/workspaces/{}/directory", id)).await.or_show(visit)?;
    let confirm = Confirm {
        act: t.ws_force().into(),
        effects: vec![t.ws_force_effect().into(), t.ws_force_once().into()],
        cautions: directory.sync.detail.into_iter().collect(),
        is_dangerous: true,
        command: format!("berth workspace directory sync {id} --force"),
        ..Confirm::default()
    };
    show_act(visit, id, confirm, filled).await
}

async fn show_act(visit: &Visit, id: &str, confirm: Confirm, filled: &Filled) -> Answer {
    let it = workspace(visit, id).await?;
    let title = confirm.act.clone();
    let mut head = head(visit, &title, Some(&it));
    head.above.push((visit.t.ws_directory().to_owned(), page_of(id)));
    Confirm { back: page_of(id), ..confirm }.show(visit, head, filled)
}

async fn force(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match ask(&visit, &id, true).await {
        Ok(()) => done(&page_of(&id), visit.t.ws_sync_asked()),
        Err(refused) => show_force(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_remove(visit: Visit, Path(id): Path<String>) -> Answer {
    show_remove(&visit, &id, &Filled::default()).await
}

async fn show_remove(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let confirm = Confirm {
        act: t.ws_pull_no_more().into(),
        effects: vec![t.ws_pull_no_more_effect().into(), t.ws_pull_no_more_secret().into()],
        is_dangerous: true,
        command: format!("berth workspace directory remove {id}"),
        ..Confirm::default()
    };
    show_act(visit, id, confirm, filled).await
}

async fn remove(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/workspaces/{}/directory", id)).await {
        Ok(()) => done(&page_of(&id), visit.t.ws_pulled_no_more()),
        Err(refused) => show_remove(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

/// How many workspaces of the visitor are looked at for what waits.
const MOST_OWN: usize = 10;

/// An address book of the visitor's that could not be pulled.
pub struct Stuck {
    pub workspace: String,
    pub address: String,
    pub since: Millis,
}

/// The address books that the visitor looks after, of which the last sync changed nothing.
pub async fn stuck(visit: &Visit) -> Vec<Stuck> {
    let mut stuck = Vec::new();
    for id in visit.scopes(ScopeKind::Workspace).take(MOST_OWN) {
        let Ok(scope) = Scope::parse(ScopeKind::Workspace, id) else { continue };
        if !visit.can(Action::Configure, &scope) {
            continue;
        }
        let found: Result<Option<Directory>, _> = visit.api.find(&at!("/v1/workspaces/{}/directory", id)).await;
        let Ok(Some(Directory { sync, .. })) = found else { continue };
        if matches!(sync.state, SyncState::Refused | SyncState::Failed) {
            let since = sync.tried_at.unwrap_or(visit.now);
            stuck.push(Stuck { workspace: id.to_owned(), address: page_of(id), since });
        }
    }
    stuck
}
