//! A purchase that somebody records by hand: the message of an order system, where a merchant has none.

use axum::{Router, extract::Path, http::Method, routing::get};

use berth_base::clock::Millis;
use berth_model::{
    access::{Action, Scope},
    endpoint::{
        Merchant,
        fulfilment::{MessageKind, Receipt, ReceiptOutcome, Receipts, message::Message},
    },
};

use super::{fulfilments::told, head, merchant};
use crate::{
    Console,
    act::Sent,
    frame::done,
    parts::Filled,
    path::at,
    refused::{Refused, read},
    texts::Texts,
    visit::{Answer, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/merchants/{id}/purchase", get(form).post(record))
}

/// Whether the visitor may say what merchants have bought.
pub fn may_record(visit: &Visit) -> bool {
    visit.can(Action::Fulfil, &Scope::Platform)
}

/// How many characters of a merchant's id a made-up id of its product instance has, so that it is not too long.
const PREFIX: usize = 50;

/// A command that says, as an order system does, that a merchant has bought a mall now.
pub fn command(visit: &Visit, merchant: &Merchant) -> String {
    let (id, at) = (&merchant.id, visit.when(&visit.now).exact);
    let prefix: String = id.as_str().chars().take(PREFIX).collect();
    format!(
        r#"echo '{{"id": "{id}-order-1", "merchant": "{id}", "instance": "{prefix}-mall-1", "product": "mall", "kind": "purchase", "at": "{at}", "name": "Mall"}}' | berth fulfil -"#
    )
}

#[derive(askama::Template)]
#[template(path = "merchants/purchase.html")]
struct Form<'a> {
    t: Texts,
    visit: &'a Visit,
    merchant: &'a Merchant,
    /// When the form was shown first: the message is the same, however often it is sent.
    at: String,
    command: String,
    filled: &'a Filled,
}

async fn form(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&visit, &id, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    if !may_record(visit) {
        return Err(visit.refuse(Refused::Forbidden));
    }
    let merchant = merchant(visit, id).await?;
    let at = visit.now.to_string();
    let command = command(visit, &merchant);
    let page = Form { t: visit.t, visit, merchant: &merchant, at, command, filled };
    visit.page(head(visit, visit.t.record_purchase(), Some(&merchant)), &page)
}

async fn record(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match record_of(&visit, &id, &sent).await {
        Ok(receipt) => {
            let is_applied = matches!(receipt.outcome, ReceiptOutcome::Applied | ReceiptOutcome::Repeated);
            let page = at!("/ui/fulfilments/{}", receipt.kept());
            let page = if is_applied { at!("/ui/merchants/{}", id) } else { page };
            done(&page, &told(visit.t, &receipt))
        }
        Err(refused) => show(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn record_of(visit: &Visit, id: &str, sent: &Sent) -> Result<Receipt, Refused> {
    let at: Millis = sent.get("at").parse().unwrap_or(visit.now);
    let message = Message {
        id: read("id", &format!("console-{}-{}", visit.me.account.id, at.0))?,
        merchant: read("merchant", id)?,
        instance: sent.read("instance")?,
        product: sent.read("product")?,
        kind: MessageKind::Purchase,
        at,
        expires_at: sent.moment(visit, "expires_at")?,
        name: sent.some("name"),
    };
    let receipts: Receipts = visit.api.tell(Method::POST, "/v1/fulfilments", &message).await?;
    let receipt = receipts.results.into_iter().next();
    receipt.ok_or_else(|| Refused::Broken("the API gave no receipt for a message".into()))
}
