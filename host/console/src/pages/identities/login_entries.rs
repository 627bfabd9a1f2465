//! Login entries: the providers at which users of a MiniApp log in as who they are there.

use axum::{Router, extract::Path, http::Method, routing::get};
use berth_model::{
    access::Action,
    login_entry::{ClientAuth, LoginEntryShown, LoginProvider},
    mini_app::MiniApp,
};
use serde_json::{Value, json};

use super::{
    super::mini_apps::mini_app,
    mini_app::{below, here},
};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    parts::{Filled, Names},
    path::at,
    refused::{Refused, invalid, not_found},
    show::quoted,
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/login-entries/new", get(new).post(create))
        .route("/ui/mini-apps/{id}/login-entries/{entry}", get(one).post(change))
        .route("/ui/mini-apps/{id}/login-entries/{entry}/remove", get(confirm_remove).post(remove))
}

#[derive(askama::Template)]
#[template(path = "identities/login_entry.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    /// The entry that is there; none on the page for a new one.
    it: Option<&'a LoginEntryShown>,
    names: &'a Names,
    may_set: bool,
    command: String,
    filled: &'a Filled,
}

impl Page<'_> {
    /// What stands in a field that may be changed, at first.
    fn first(&self, field: &str) -> &str {
        let Some(it) = self.it else { return "" };
        match field {
            "scope" => &it.entry.scope,
            "return_url" => &it.entry.return_url,
            _ => "",
        }
    }

    /// How this host says at the provider that it is the client, as chosen or as it is.
    fn is_auth(&self, auth: &ClientAuth) -> bool {
        if self.filled.is_new() {
            return self.it.map_or(ClientAuth::Basic, |it| it.entry.client_auth) == *auth;
        }
        self.filled.has("client_auth", auth.as_str())
    }

    /// The fields for the addresses of an OAuth 2.0 server.
    fn addresses(&self) -> [(&'static str, &'static str); 3] {
        let t = self.t;
        [
            ("authorization_endpoint", t.entry_authorization_endpoint()),
            ("token_endpoint", t.entry_token_endpoint()),
            ("user_info_endpoint", t.entry_user_info_endpoint()),
        ]
    }
}

/// An entry of a MiniApp. The API lists them, and has no address for a single one.
async fn entry(visit: &Visit, id: &str, name: &str) -> Result<LoginEntryShown, Shown> {
    let all: Vec<LoginEntryShown> = visit.api.list(&at!("/v1/mini-apps/{}/login-entries", id)).await.or_show(visit)?;
    all.into_iter().find(|one| one.entry.name.as_str() == name).ok_or_else(|| visit.refuse(not_found()))
}

/// The command that registers an entry. It reads the secret from a variable, as arguments show in lists of processes.
fn command(id: &str, it: Option<&LoginEntryShown>) -> String {
    let Some(LoginEntryShown { entry, .. }) = it else {
        return format!(
            "berth login-entry set {id} NAME --issuer https://… --client-id CLIENT_ID --return-url https://…"
        );
    };
    let provider = match &entry.provider {
        LoginProvider::Oidc { issuer } => format!("--issuer {}", quoted(issuer)),
        LoginProvider::Oauth2 { authorization_endpoint, token_endpoint, user_info_endpoint, subject } => format!(
            "--authorize {} --token-endpoint {} --user-info {} --subject {}",
            quoted(authorization_endpoint),
            quoted(token_endpoint),
            quoted(user_info_endpoint),
            quoted(subject)
        ),
    };
    let (client, back) = (quoted(&entry.client_id), quoted(&entry.return_url));
    format!("berth login-entry set {id} {} {provider} --client-id {client} --return-url {back}", entry.name)
}

async fn new(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&visit, &id, None, &Filled::default()).await
}

async fn one(visit: Visit, Path((id, name)): Path<(String, String)>) -> Answer {
    let it = entry(&visit, &id, &name).await?;
    show(&visit, &id, Some(&it), &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, it: Option<&LoginEntryShown>, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let may_set = visit.can(Action::Configure, &app.scope());
    if it.is_none() && !may_set {
        return Err(visit.refuse(Refused::Forbidden));
    }
    let names = Names::of(&visit.api, it.map(|it| it.entry.changed_by.as_str())).await;
    let page = Page { t: visit.t, visit, app: &app, it, names: &names, may_set, command: command(id, it), filled };
    let title = it.map_or(visit.t.entry_new(), |it| it.entry.name.as_str());
    visit.page(below(visit, title, &app), &page)
}

/// Registers an entry under its name. A secret that is not typed stays as it is.
async fn put(visit: &Visit, id: &str, name: &str, provider: Value, sent: &Sent) -> Result<(), Refused> {
    let entry = json!({
        "provider": provider,
        "client_id": sent.get("client_id"),
        "client_secret": sent.typed("client_secret"),
        "client_auth": sent.some("client_auth"),
        "scope": sent.some("scope"),
        "return_url": sent.get("return_url"),
    });
    visit.api.act(Method::PUT, &at!("/v1/mini-apps/{}/login-entries/{}", id, name), &entry).await
}

/// The provider that a form describes.
fn provider(sent: &Sent) -> Value {
    if sent.get("kind") == "oauth2" {
        json!({
            "kind": "oauth2",
            "authorization_endpoint": sent.get("authorization_endpoint"),
            "token_endpoint": sent.get("token_endpoint"),
            "user_info_endpoint": sent.get("user_info_endpoint"),
            "subject": sent.some("subject").unwrap_or_else(|| "/sub".into()),
        })
    } else {
        json!({"kind": "oidc", "issuer": sent.get("issuer")})
    }
}

async fn create(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let name = sent.get("name");
    let created = match name {
        "" => Err(invalid(visit.t, "name", visit.t.must_be_filled())),
        name => put(&visit, &id, name, provider(&sent), &sent).await,
    };
    match created {
        Ok(()) => done(&at!("/ui/mini-apps/{}/login-entries/{}", id, name), visit.t.entry_saved()),
        Err(refused) => show(&visit, &id, None, &sent.again(&visit, refused)?).await,
    }
}

async fn change(visit: Visit, Path((id, name)): Path<(String, String)>, sent: Sent) -> Answer {
    let it = entry(&visit, &id, &name).await?;
    match changed(&visit, &id, &it, &sent).await {
        Ok(()) => done(&at!("/ui/mini-apps/{}/login-entries/{}", id, name), visit.t.entry_saved()),
        Err(refused) => show(&visit, &id, Some(&it), &sent.again(&visit, refused)?).await,
    }
}

/// Registers an entry anew. Who the MiniApp is at the provider stays, as its users are bound to who they are there.
async fn changed(visit: &Visit, id: &str, it: &LoginEntryShown, sent: &Sent) -> Result<(), Refused> {
    let provider = serde_json::to_value(&it.entry.provider).map_err(|error| Refused::Broken(error.to_string()))?;
    let mut fields = sent.0.clone();
    fields.insert(0, ("client_id".into(), it.entry.client_id.clone()));
    put(visit, id, it.entry.name.as_str(), provider, &Sent(fields)).await
}

async fn confirm_remove(visit: Visit, Path((id, name)): Path<(String, String)>) -> Answer {
    show_remove(&visit, &id, &name, &Filled::default()).await
}

async fn show_remove(visit: &Visit, id: &str, name: &str, filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let it = entry(visit, id, name).await?;
    let t = visit.t;
    let back = at!("/ui/mini-apps/{}/login-entries/{}", id, name);
    let confirm = Confirm {
        act: t.entry_remove().into(),
        effects: vec![t.entry_remove_effect(it.bound)],
        is_dangerous: true,
        typed: Some(name.to_owned()),
        command: format!("berth login-entry remove {id} {name}"),
        back: back.clone(),
        ..Confirm::default()
    };
    let mut head = below(visit, t.entry_remove(), &app);
    head.above.push((name.to_owned(), back));
    confirm.show(visit, head, filled)
}

async fn remove(visit: Visit, Path((id, name)): Path<(String, String)>, sent: Sent) -> Answer {
    let removed = if sent.get("typed") == name {
        visit.api.just(Method::DELETE, &at!("/v1/mini-apps/{}/login-entries/{}", id, name)).await
    } else {
        Err(invalid(visit.t, "typed", &visit.t.type_to_confirm(&name)))
    };
    match removed {
        Ok(()) => done(&here(&id), visit.t.entry_removed()),
        Err(refused) => show_remove(&visit, &id, &name, &sent.again(&visit, refused)?).await,
    }
}
