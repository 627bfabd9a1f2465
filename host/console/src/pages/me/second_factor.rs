//! The second factor of the visitor's own account.

use axum::{
    Router,
    http::Method,
    routing::{get, post},
};
use berth_model::access::{RecoveryCodes, SecondFactor, SecondFactorKey};
use serde_json::json;

use crate::{
    Console,
    act::Sent,
    frame::{Head, done},
    parts::Filled,
    qr::Qr,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

/// The page.
const HERE: &str = "/ui/me/second-factor";
/// What the API has.
const FACTOR: &str = "/v1/me/second-factor";

pub fn routes() -> Router<Console> {
    Router::new()
        .route(HERE, get(show).post(set_up))
        .route("/ui/me/second-factor/password", post(set_password))
        .route("/ui/me/second-factor/confirm", post(confirm))
        .route("/ui/me/second-factor/remove", post(remove))
}

/// How far somebody is.
enum Stage {
    /// There is none yet.
    Off,
    /// The app has to show that it has the key, which is shown once.
    Confirm(Option<(SecondFactorKey, Option<Qr>)>),
    /// The recovery codes, which are shown once.
    New(RecoveryCodes),
    On(SecondFactor),
}

#[derive(askama::Template)]
#[template(path = "people/second_factor.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    stage: &'a Stage,
    filled: &'a Filled,
}

fn page(visit: &Visit, stage: &Stage, filled: &Filled) -> Answer {
    let t = visit.t;
    let above = vec![(t.my_access().to_owned(), "/ui/me".to_owned())];
    let head = Head { title: t.second_factor(), above, ..Head::default() };
    visit.page(head, &Page { t, visit, stage, filled })
}

async fn show(visit: Visit) -> Answer {
    show_with(&visit, &Filled::default()).await
}

async fn show_with(visit: &Visit, filled: &Filled) -> Answer {
    let found: Option<SecondFactor> = visit.api.find(FACTOR).await.or_show(visit)?;
    page(visit, &found.map_or(Stage::Off, Stage::On), filled)
}

async fn set_up(visit: Visit, sent: Sent) -> Answer {
    let by = json!({ "password": sent.typed("password").unwrap_or_default() });
    match visit.api.tell::<SecondFactorKey>(Method::POST, FACTOR, &by).await {
        Ok(key) => {
            let qr = Qr::of(&key.uri);
            page(&visit, &Stage::Confirm(Some((key, qr))), &Filled::default())
        }
        Err(refused) => show_with(&visit, &Sent(Vec::new()).again(&visit, refused)?).await,
    }
}

/// Sets the first password of an account, which the second factor goes beside.
async fn set_password(visit: Visit, sent: Sent) -> Answer {
    let name = sent.get("sign_in_name");
    let first = json!({ "sign_in_name": name, "new": sent.typed("new").unwrap_or_default() });
    match visit.api.act(Method::PUT, "/v1/me/password", &first).await {
        Ok(()) => done(HERE, visit.t.password_changed()),
        Err(refused) => {
            let kept = Sent(vec![("sign_in_name".into(), name.to_owned())]);
            show_with(&visit, &kept.again(&visit, refused)?).await
        }
    }
}

async fn confirm(visit: Visit, sent: Sent) -> Answer {
    let by = json!({ "code": sent.get("code") });
    match visit.api.tell::<RecoveryCodes>(Method::POST, &format!("{FACTOR}/confirm"), &by).await {
        Ok(codes) => page(&visit, &Stage::New(codes), &Filled::default()),
        Err(refused) => page(&visit, &Stage::Confirm(None), &Sent(Vec::new()).again(&visit, refused)?),
    }
}

async fn remove(visit: Visit, sent: Sent) -> Answer {
    let by = json!({ "password": sent.typed("password"), "code": sent.some("code") });
    match visit.api.act(Method::POST, &format!("{FACTOR}/remove"), &by).await {
        Ok(()) => done(HERE, visit.t.second_factor_removed()),
        Err(refused) => show_with(&visit, &Sent(Vec::new()).again(&visit, refused)?).await,
    }
}
