//! A user of a host app who asks what is held about them, or to be erased. Accounts of users stand in no address.

use axum::{
    Router,
    extract::Path,
    http::{HeaderValue, Method, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use berth_model::{
    binding::BindingState,
    host_app::HostApp,
    privacy::{NamedUser, PrivacyConsentStep, UserErased, UserExport},
};
use serde_json::Value;

use super::super::host_apps;
use crate::{
    Console,
    act::Sent,
    frame::done,
    parts::Filled,
    path::at,
    refused::{Refused, invalid},
    texts::{Texts, grouped},
    visit::{Answer, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/host-apps/{id}/users", get(form).post(find))
        .route("/ui/host-apps/{id}/users/export", post(export))
        .route("/ui/host-apps/{id}/users/erase", get(erase_form).post(erase))
}

#[derive(askama::Template)]
#[template(path = "develop/users.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    host: &'a HostApp,
    apps: &'a [String],
    found: Option<&'a UserExport>,
    filled: &'a Filled,
}

impl Page<'_> {
    fn step(&self, step: &PrivacyConsentStep) -> &'static str {
        match step {
            PrivacyConsentStep::Agreed => self.t.consent_agreed(),
            PrivacyConsentStep::Withdrawn => self.t.consent_withdrawn(),
        }
    }

    /// How much else is held, a line each.
    fn besides(&self, found: &UserExport) -> Vec<(&'static str, String)> {
        let t = self.t;
        let entries = grouped(found.log_entries.len() as u64) + if found.more_log_entries { "+" } else { "" };
        vec![
            (t.held_links(), found.links.len().to_string()),
            (t.held_recognitions(), found.recognitions.len().to_string()),
            (t.held_logins(), found.login_bindings.len().to_string()),
            (t.held_sign_ons(), found.sign_ons.len().to_string()),
            (t.held_log_entries(), entries),
        ]
    }
}

async fn form(visit: Visit, Path(id): Path<String>) -> Answer {
    show_with(&visit, &id, None, &Filled::default()).await
}

async fn show_with(visit: &Visit, id: &str, found: Option<&UserExport>, filled: &Filled) -> Answer {
    let host = host_apps::host_app(visit, id).await?;
    let page = Page { t: visit.t, visit, host: &host, apps: &apps(visit, id).await, found, filled };
    visit.page(host_apps::head(visit, visit.t.users_of_host_app(), &host), &page)
}

/// The first MiniApps that the host app runs, to be chosen; others are typed.
async fn apps(visit: &Visit, id: &str) -> Vec<String> {
    let active = host_apps::bindings(visit, id, BindingState::Active, "200", "").await.items;
    active.into_iter().map(|binding| binding.mini_app.to_string()).collect()
}

fn named(sent: &Sent) -> Result<NamedUser, Refused> {
    Ok(NamedUser { account: sent.get("account").into(), mini_app: sent.read_some("mini_app")? })
}

async fn find(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match exported(&visit, &id, &sent).await {
        Ok(found) => show_with(&visit, &id, Some(&found), &sent.filled()).await,
        Err(refused) => show_with(&visit, &id, None, &sent.again(&visit, refused)?).await,
    }
}

async fn exported<T: serde::de::DeserializeOwned>(visit: &Visit, id: &str, sent: &Sent) -> Result<T, Refused> {
    visit.api.tell(Method::POST, &at!("/v1/host-apps/{}/users/export", id), &named(sent)?).await
}

/// The export as a file, for the user: with everything that the API tells.
async fn export(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match exported::<Value>(&visit, &id, &sent).await {
        Ok(found) => Ok(file(format!("{found:#}"))),
        Err(refused) => show_with(&visit, &id, None, &sent.again(&visit, refused)?).await,
    }
}

fn file(text: String) -> Response {
    let kind = HeaderValue::from_static("application/json");
    let place = HeaderValue::from_static("attachment; filename=\"user.json\"");
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, place)], text).into_response()
}

#[derive(askama::Template)]
#[template(path = "develop/erase.html")]
struct Erase<'a> {
    t: Texts,
    host: &'a HostApp,
    apps: &'a [String],
    filled: &'a Filled,
}

async fn erase_form(visit: Visit, Path(id): Path<String>) -> Answer {
    show_erase(&visit, &id, &Filled::default()).await
}

async fn show_erase(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let host = host_apps::host_app(visit, id).await?;
    let t = visit.t;
    let mut head = host_apps::head(visit, t.user_erase(), &host);
    head.above.push((t.users_of_host_app().into(), at!("/ui/host-apps/{}/users", id)));
    visit.page(head, &Erase { t, host: &host, apps: &apps(visit, id).await, filled })
}

async fn erase(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match erased(&visit, &id, &sent).await {
        Ok(erased) => {
            let said = visit.t.user_erased(
                erased.mini_apps.len(),
                grouped(erased.privacy_consents),
                grouped(erased.log_entries),
            );
            done(&at!("/ui/host-apps/{}/users", id), &said)
        }
        Err(refused) => show_erase(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn erased(visit: &Visit, id: &str, sent: &Sent) -> Result<UserErased, Refused> {
    if sent.get("typed") != sent.get("account") {
        return Err(invalid(visit.t, "typed", visit.t.user_twice()));
    }
    visit.api.tell(Method::POST, &at!("/v1/host-apps/{}/users/erase", id), &named(sent)?).await
}
