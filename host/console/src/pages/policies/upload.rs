//! Installing a policy with a browser.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Multipart, multipart::Field},
    http::Method,
    routing::{get, post},
};
use berth_model::{
    access::{Action, Scope},
    policy::registry::{InstalledPolicy, PolicyPull, PolicyUpload},
};

use super::head;
use crate::{
    Console,
    act::Sent,
    frame::done,
    parts::Filled,
    path::{at, with_query},
    refused::{Refused, invalid},
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    // The API has a limit of its own for policies, and says it.
    Router::new()
        .route("/ui/policies/install", get(form).post(install))
        .route("/ui/policies/pull", post(pull))
        .layer(DefaultBodyLimit::disable())
}

#[derive(askama::Template)]
#[template(path = "policies/upload.html")]
struct Form<'a> {
    t: Texts,
    filled: &'a Filled,
}

async fn form(visit: Visit) -> Answer {
    show(&visit, &Filled::default())
}

fn show(visit: &Visit, filled: &Filled) -> Answer {
    if !visit.can(Action::Administer, &Scope::Platform) {
        return Err(visit.refuse(Refused::Forbidden));
    }
    visit.page(head(visit, visit.t.install_policy(), None), &Form { t: visit.t, filled })
}

async fn install(visit: Visit, form: Multipart) -> Answer {
    match send(&visit, form).await {
        Ok(it) => done(&at!("/ui/policies/{}", it.digest), &visit.t.policy_installed(&it.name, &it.version)),
        Err(refused) => show(&visit, &Filled::default().refused(refused).or_show(&visit)?),
    }
}

/// Has the host fetch a policy from a registry.
async fn pull(visit: Visit, sent: Sent) -> Answer {
    let asked = PolicyPull { reference: sent.get("reference").trim().to_owned() };
    match visit.api.tell::<InstalledPolicy>(Method::POST, "/v1/policy-pulls", &asked).await {
        Ok(it) => done(&at!("/ui/policies/{}", it.digest), &visit.t.policy_installed(&it.name, &it.version)),
        Err(refused) => show(&visit, &sent.again(&visit, refused)?),
    }
}

/// The most that is read of a signature, in bytes. It goes in an address; a bundle with a certificate has some thousands.
const MOST_SIGNATURE: usize = 16 << 10;

/// Passes the file on as it comes. Its signature stands before it in the form: the API wants to know it first.
async fn send(visit: &Visit, mut form: Multipart) -> Result<InstalledPolicy, Refused> {
    let mut path = "/v1/policies".to_owned();
    while let Some(field) = form.next_field().await? {
        match field.name().unwrap_or_default() {
            "signature" => {
                let file = signature(visit.t, field).await?;
                let upload = Some(file).filter(|file| !file.is_empty()).map(|file| PolicyUpload::signed_by(&file));
                let text = upload.and_then(|upload| upload.signature);
                path = with_query(&path, [("signature", text.as_deref())]);
            }
            "wasm" if field.file_name().is_some_and(|name| !name.is_empty()) => {
                return visit.api.pass_on(Method::POST, &path, field, "application/wasm").await;
            }
            _ => {}
        }
    }
    Err(invalid(visit.t, "wasm", visit.t.no_file()))
}

async fn signature(t: Texts, mut field: Field<'_>) -> Result<Vec<u8>, Refused> {
    let mut file = Vec::new();
    while let Some(piece) = field.chunk().await? {
        file.extend_from_slice(&piece);
        if file.len() > MOST_SIGNATURE {
            return Err(invalid(t, "signature", t.policy_signature_long()));
        }
    }
    Ok(file)
}
