//! Installing a policy with a browser.

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Multipart, multipart::Field},
    http::Method,
    routing::{get, post},
};
use bytes::Bytes;

use berth_model::{
    access::{Action, Scope},
    policy::registry::{InstalledPolicy, PolicyPull, PolicyUpload, SigningRule},
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
    /// Whether the platform requires a signature.
    must_be_signed: bool,
    filled: &'a Filled,
}

async fn form(visit: Visit) -> Answer {
    show(&visit, &Filled::default()).await
}

async fn show(visit: &Visit, filled: &Filled) -> Answer {
    if !visit.can(Action::Administer, &Scope::Platform) {
        return Err(visit.refuse(Refused::Forbidden));
    }
    let rule: SigningRule = visit.api.get("/v1/policy-signing?level=platform").await.or_show(visit)?;
    let page = Form { t: visit.t, must_be_signed: rule.required, filled };
    visit.page(head(visit, visit.t.install_policy(), None), &page)
}

async fn install(visit: Visit, form: Multipart) -> Answer {
    match send(&visit, form).await {
        Ok(it) => done(&at!("/ui/policies/{}", it.digest), &visit.t.policy_installed(&it.name, &it.version)),
        Err(refused) => show(&visit, &Filled::default().refused(refused).or_show(&visit)?).await,
    }
}

/// Has the host fetch a policy from a registry.
async fn pull(visit: Visit, sent: Sent) -> Answer {
    let asked = PolicyPull { reference: sent.get("reference").trim().to_owned() };
    match visit.api.tell::<InstalledPolicy>(Method::POST, "/v1/policy-pulls", &asked).await {
        Ok(it) => done(&at!("/ui/policies/{}", it.digest), &visit.t.policy_installed(&it.name, &it.version)),
        Err(refused) => show(&visit, &sent.again(&visit, refused)?).await,
    }
}

/// The most that is read of a signature, in bytes. It goes in an address; a bundle with a certificate has some thousands.
const MOST_SIGNATURE: usize = 16 << 10;

/// The most that the API takes of a policy, in bytes. It is sent one more of what is larger, and refuses that in its own words.
const MOST_POLICY: usize = 64 << 20;

/// Reads the form, whose signature follows its file, and sends both: the API wants to know the signature first. Nothing is read
/// for who may not install policies.
async fn send(visit: &Visit, mut form: Multipart) -> Result<InstalledPolicy, Refused> {
    if !visit.can(Action::Administer, &Scope::Platform) {
        return Err(Refused::Forbidden);
    }
    let (mut wasm, mut signature) = (Bytes::new(), Vec::new());
    while let Some(field) = form.next_field().await? {
        match field.name().unwrap_or_default() {
            "wasm" => wasm = first_bytes(field, MOST_POLICY).await?.into(),
            "signature" => signature = first_bytes(field, MOST_SIGNATURE).await?,
            _ => {}
        }
        if wasm.len() > MOST_POLICY {
            break;
        }
    }
    if wasm.is_empty() {
        return Err(invalid(visit.t, "wasm", visit.t.no_file()));
    }
    if signature.len() > MOST_SIGNATURE {
        return Err(invalid(visit.t, "signature", visit.t.policy_signature_long()));
    }
    let path = signed(&signature);
    visit.api.read_from(Method::POST, &path, Body::from(wasm), "application/wasm").await
}

/// Where a policy is sent with this signature, which is empty where there is none.
fn signed(signature: &[u8]) -> String {
    let upload = Some(signature).filter(|file| !file.is_empty()).map(PolicyUpload::signed_by);
    let text = upload.and_then(|upload| upload.signature);
    with_query("/v1/policies", [("signature", text.as_deref())])
}

/// The bytes of a file, one more than `most` of one that is larger.
async fn first_bytes(mut field: Field<'_>, most: usize) -> Result<Vec<u8>, Refused> {
    let mut file = Vec::new();
    while let Some(piece) = field.chunk().await? {
        let left = (most + 1).saturating_sub(file.len());
        file.extend_from_slice(&piece[..piece.len().min(left)]);
        if file.len() > most {
            break;
        }
    }
    Ok(file)
}
