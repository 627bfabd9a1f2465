//! Partners: which MiniApp is told who its users are in another one.

use axum::{
    Router,
    extract::Path,
    http::Method,
    routing::{get, post},
};
use berth_model::identity::{Partner, PartnerState};

use super::{
    super::mini_apps::mini_app,
    mini_app::{below, here, show_with},
};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    parts::{Badge, Filled, Shown, Tone},
    path::at,
    refused::Refused,
    texts::Texts,
    visit::{Answer, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/identity/agree", post(agree))
        .route("/ui/mini-apps/{id}/identity/partners/{of}/{partner}/end", get(confirm_end).post(end))
}

impl Shown for PartnerState {
    fn badge(&self, t: &Texts) -> Badge {
        let (tone, mark, word) = match self {
            Self::Active => (Tone::Ok, "●", t.partner_active()),
            Self::WaitsForMiniApp => (Tone::Warn, "◷", t.partner_waits_for_mini_app()),
            Self::WaitsForPartner => (Tone::Warn, "◷", t.partner_waits_for_partner()),
        };
        Badge { tone, mark, word }
    }
}

async fn put(visit: &Visit, of: &str, partner: &str) -> Result<Partner, Refused> {
    visit.api.tell(Method::PUT, &at!("/v1/mini-apps/{}/partners/{}", of, partner), &()).await
}

/// What to say after a team has agreed or asked.
fn said(t: Texts, partner: &Partner) -> &'static str {
    if partner.state == PartnerState::Active { t.partner_agreed() } else { t.partner_asked() }
}

/// Offers or asks for a partnership: of this MiniApp with another one, or the other way.
pub async fn ask(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    let other = sent.get("partner");
    let (of, partner) = if sent.get("way") == "to_us" { (other, id.as_str()) } else { (id.as_str(), other) };
    match put(&visit, of, partner).await {
        Ok(partner) => done(&here(&id), said(visit.t, &partner)),
        Err(refused) => show_with(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn agree(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match put(&visit, sent.get("of"), sent.get("partner")).await {
        Ok(partner) => done(&here(&id), said(visit.t, &partner)),
        Err(refused) => show_with(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_end(visit: Visit, Path((id, of, partner)): Path<(String, String, String)>) -> Answer {
    show_end(&visit, &id, (&of, &partner), &Filled::default()).await
}

async fn show_end(visit: &Visit, id: &str, (of, partner): (&str, &str), filled: &Filled) -> Answer {
    let app = mini_app(visit, id).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.partner_end().into(),
        effects: vec![t.partner_end_effect(partner, of), t.partner_end_links().into()],
        is_dangerous: true,
        command: format!("berth partner end {of} {partner}"),
        back: here(id),
        ..Confirm::default()
    };
    confirm.show(visit, below(visit, t.partner_end(), &app), filled)
}

async fn end(visit: Visit, Path((id, of, partner)): Path<(String, String, String)>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/mini-apps/{}/partners/{}", of, partner)).await {
        Ok(()) => done(&here(&id), visit.t.partner_ended()),
        Err(refused) => show_end(&visit, &id, (&of, &partner), &sent.again(&visit, refused)?).await,
    }
}
