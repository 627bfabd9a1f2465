//! An internal tool as an OpenID client: where browsers come back to, and its secret.

use axum::{
    Router,
    extract::Path,
    http::Method,
    routing::{get, post},
};

use berth_model::oidc::{IssuedToolSecret, SetOidcClient, ToolClient};

use super::{Of, below, item, page_of, path_of, show};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    pages::{redirects, workspaces::workspace},
    parts::{Filled, Names},
    refused::Refused,
    visit::{Answer, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/workspaces/{id}/apps/{item}/client", post(set))
        .route("/ui/workspaces/{id}/apps/{item}/secret", get(confirm_secret).post(make_secret))
}

/// What a tool has registered, and the secret that was made just now.
pub struct Client {
    pub registered: ToolClient,
    /// Its addresses.
    pub set: SetOidcClient,
    /// The tag of what it has registered.
    pub tag: String,
    pub names: Names,
    pub secret: Option<String>,
}

/// What a tool has registered.
pub async fn client(visit: &Visit, id: &str, item: &str, secret: Option<String>) -> Result<Client, Refused> {
    let (registered, tag): (ToolClient, String) = visit.api.tagged(&(path_of(id, item) + "/oidc-client")).await?;
    let by = registered.secret_issued_by.iter().map(|account| account.as_str());
    let names = Names::of(&visit.api, by).await;
    let set = SetOidcClient {
        redirect_uris: registered.redirect_uris.clone(),
        post_logout_redirect_uris: registered.post_logout_redirect_uris.clone(),
    };
    Ok(Client { registered, set, tag, names, secret })
}

async fn set(visit: Visit, Path((id, item)): Of, sent: Sent) -> Answer {
    let (set, api) = (redirects::sent_of(&sent), visit.api.only_if(sent.get("client_tag")));
    match api.act(Method::PUT, &(path_of(&id, &item) + "/oidc-client"), &set).await {
        Ok(()) => done(&page_of(&id, &item), visit.t.edited()),
        Err(refused) => show(&visit, &id, &item, None, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_secret(visit: Visit, Path((id, item)): Of) -> Answer {
    show_secret(&visit, &id, &item, &Filled::default()).await
}

async fn show_secret(visit: &Visit, id: &str, one: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let it = workspace(visit, id).await?;
    let item = item(visit, id, one).await?;
    let had = client(visit, id, one, None).await.is_ok_and(|client| client.registered.secret_issued_at.is_some());
    let mut effects = vec![t.ws_secret_effect().to_owned()];
    if had {
        effects.push(t.ws_secret_again_effect(&item.name));
    }
    let confirm = Confirm {
        act: t.ws_make_secret().into(),
        effects,
        is_dangerous: had,
        command: format!("berth workspace tool secret {id} {one}"),
        back: page_of(id, one),
        ..Confirm::default()
    };
    let title = format!("{} · {}", t.ws_make_secret(), item.name);
    let mut head = below(visit, &title, &it);
    head.above.push((item.name.clone(), page_of(id, one)));
    confirm.show(visit, head, filled)
}

/// Makes the secret, and shows it: the page cannot be asked for again.
async fn make_secret(visit: Visit, Path((id, item)): Of, sent: Sent) -> Answer {
    let made = visit.api.tell::<IssuedToolSecret>(Method::POST, &(path_of(&id, &item) + "/secret"), &()).await;
    match made {
        Ok(made) => show(&visit, &id, &item, Some(made.secret), &Filled::default()).await,
        Err(refused) => show_secret(&visit, &id, &item, &sent.again(&visit, refused)?).await,
    }
}
