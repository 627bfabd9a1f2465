//! The AppSecret of a MiniApp: generated, replaced, frozen. It is shown on the page that answers the act, and nowhere else.

use axum::{Router, extract::Path, http::Method, routing::get};
use berth_model::{
    access::Action,
    app_secret::{AppSecret, FreezeAppSecret, IssuedAppSecret, SecretState},
    mini_app::MiniApp,
};

use super::{
    super::mini_apps::{Tab, mini_app},
    TAB, head, sections, tabs,
};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::{Head, done},
    parts::{Badge, Filled, Names, Shown, Tone},
    path::at,
    refused::{Refused, invalid},
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/keys", get(show).post(generate))
        .route("/ui/mini-apps/{id}/keys/reset", get(confirm_reset).post(reset))
        .route("/ui/mini-apps/{id}/keys/freeze", get(confirm_freeze).post(freeze))
        .route("/ui/mini-apps/{id}/keys/unfreeze", get(confirm_unfreeze).post(unfreeze))
}

impl Shown for SecretState {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark, word) = match self {
            Self::Active => (Tone::Ok, "●", t.secret_active()),
            Self::Frozen => (Tone::Bad, "‖", t.secret_frozen()),
        };
        Badge { tone, mark, word }
    }
}

#[derive(askama::Template)]
#[template(path = "develop/keys.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    sections: Vec<Tab>,
    known: Option<&'a AppSecret>,
    /// The secret, if this page answers the act that made it.
    issued: Option<&'a str>,
    names: &'a Names,
    may_manage: bool,
    filled: &'a Filled,
}

async fn show(visit: Visit, Path(id): Path<String>) -> Answer {
    show_with(&visit, &id, None, &Filled::default()).await
}

async fn show_with(visit: &Visit, id: &str, issued: Option<&str>, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let known: Option<AppSecret> = visit.api.find(&path(id)).await.or_show(visit)?;
    let mut people: Vec<&str> = known.iter().map(|one| one.issued_by.as_str()).collect();
    people.extend(known.iter().filter_map(|one| one.frozen_by.as_ref()).map(|id| id.as_str()));
    let page = Page {
        t: visit.t,
        visit,
        app: &app,
        tabs: tabs(visit, &app, TAB),
        sections: sections(visit, &app, "/keys"),
        names: &Names::of(&visit.api, people).await,
        known: known.as_ref(),
        issued,
        may_manage: visit.can(Action::Configure, &app.scope()),
        filled,
    };
    visit.page(head(visit, visit.t.keys(), Some(&app)), &page)
}

fn path(id: &str) -> String {
    at!("/v1/mini-apps/{}/secret", id)
}

fn page_of(id: &str) -> String {
    at!("/ui/mini-apps/{}/keys", id)
}

fn head_of<'a>(visit: &Visit, title: &'a str, app: &MiniApp) -> Head<'a> {
    let mut head = head(visit, title, Some(app));
    head.above.push((visit.t.keys().to_owned(), page_of(app.id.as_str())));
    head
}

/// Generates the secret, and shows it: the page cannot be asked for again.
async fn generate(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match visit.api.tell::<IssuedAppSecret>(Method::POST, &path(&id), &()).await {
        Ok(issued) => show_with(&visit, &id, Some(&issued.secret), &Filled::default()).await,
        Err(refused) => show_with(&visit, &id, None, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_reset(visit: Visit, Path(id): Path<String>) -> Answer {
    show_reset(&visit, &id, &Filled::default()).await
}

async fn show_reset(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.secret_reset().into(),
        effects: vec![
            t.secret_reset_effect(&app.name),
            t.secret_tokens_end().into(),
            t.secret_users_stay().into(),
            t.secret_once().into(),
        ],
        is_dangerous: true,
        typed: Some(id.to_owned()),
        command: format!("berth secret reset {id}"),
        back: page_of(id),
        ..Confirm::default()
    };
    confirm.show(visit, head_of(visit, t.secret_reset(), &app), filled)
}

/// Replaces the secret, and shows the new one as after [`generate`].
async fn reset(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match reset_typed(&visit, &id, &sent).await {
        Ok(issued) => show_with(&visit, &id, Some(&issued.secret), &Filled::default()).await,
        Err(refused) => show_reset(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn reset_typed(visit: &Visit, id: &str, sent: &Sent) -> Result<IssuedAppSecret, Refused> {
    if sent.get("typed") != id {
        return Err(invalid(visit.t, "typed", &visit.t.type_to_confirm(id)));
    }
    visit.api.tell(Method::POST, &at!("/v1/mini-apps/{}/secret/reset", id), &()).await
}

async fn confirm_freeze(visit: Visit, Path(id): Path<String>) -> Answer {
    show_freeze(&visit, &id, &Filled::default()).await
}

async fn show_freeze(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.secret_freeze().into(),
        effects: vec![t.secret_freeze_effect(&app.name), t.secret_tokens_end().into()],
        is_dangerous: true,
        note: Some(t.note()),
        command: format!("berth secret freeze {id} --note '…'"),
        back: page_of(id),
        ..Confirm::default()
    };
    confirm.show(visit, head_of(visit, t.secret_freeze(), &app), filled)
}

async fn freeze(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let freeze = FreezeAppSecret { note: sent.get("note").into() };
    match visit.api.act(Method::POST, &at!("/v1/mini-apps/{}/secret/freeze", id), &freeze).await {
        Ok(()) => done(&page_of(&id), visit.t.secret_is_frozen()),
        Err(refused) => show_freeze(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_unfreeze(visit: Visit, Path(id): Path<String>) -> Answer {
    show_unfreeze(&visit, &id, &Filled::default()).await
}

async fn show_unfreeze(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.secret_unfreeze().into(),
        effects: vec![t.secret_unfreeze_effect().into()],
        command: format!("berth secret unfreeze {id}"),
        back: page_of(id),
        ..Confirm::default()
    };
    confirm.show(visit, head_of(visit, t.secret_unfreeze(), &app), filled)
}

async fn unfreeze(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match visit.api.just(Method::POST, &at!("/v1/mini-apps/{}/secret/unfreeze", id)).await {
        Ok(()) => done(&page_of(&id), visit.t.secret_is_unfrozen()),
        Err(refused) => show_unfreeze(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}
