//! Messages that cannot be applied are parked with a reason and hold up nothing; and what the clock changes.

use super::*;
use berth_base::{
    error::{Code, Result},
    ids::MessageId,
};
use berth_model::endpoint::{
    InstanceState,
    fulfilment::{
        Discard, Fulfilment, FulfilmentQuery, FulfilmentState, Replay, ReplayAll,
        message::{Arrival, Reason},
    },
};

use crate::endpoint::{
    fulfilment::{self, Batch, Replayed},
    ticker::tick,
};

fn id(text: &str) -> MessageId {
    text.parse().unwrap()
}

async fn replay(host: &TestHost, parked: &str, message: Option<Value>) -> Result<Receipt> {
    fulfilment::replay(&host.app.db, &host.caller, &id(parked), Replay { message }).await
}

async fn discard(host: &TestHost, parked: &str, note: &str) -> Result<Fulfilment> {
    fulfilment::discard(&host.app.db, &host.caller, &id(parked), Discard { note: note.into() }).await
}

async fn state(host: &TestHost, kept: &str) -> FulfilmentState {
    fulfilment::get(&host.app.db, &host.caller, &id(kept)).await.unwrap().state
}

#[tokio::test]
async fn e1_a_batch_never_fails_because_of_one_of_its_messages() {
    let host = crate::testing::host().await;
    create_merchant(&host, "bos-one").await;
    create_merchant(&host, "bos-two").await;
    apply(&host, &[message("bos-one", "i-1", "m-1", "purchase", 0)]).await;
    let batch = [
        json!("what?"),
        message("bos-one", "i-2", "m-2", "purchase", 0),
        and(message("bos-one", "i-3", "m-3", "purchase", 0), "at", "soon"),
        message("bos-nobody", "i-4", "m-4", "purchase", 0),
        message("bos-two", "i-1", "m-5", "renew", 1),
        and(message("bos-one", "i-1", "m-6", "renew", 1), "product", "crm"),
        message("bos-one", "i-1", "m-1", "unsubscribe", 0),
        message("bos-one", "i-1", "m-7", "renew", 3 * 86_400),
        message("bos-one", "i-1", "m-1", "purchase", 0),
        message("bos-two", "i-8", "m-8", "purchase", 0),
    ];
    let expected = [
        "malformed",
        "applied",
        "malformed",
        "merchant-unknown",
        "merchant-differs",
        "product-differs",
        "message-contradicts",
        "from-the-future",
        "repeated",
        "applied",
    ];
    assert_eq!(outcomes(&host, &batch).await, expected);
    let again: Vec<_> = expected.iter().map(|word| if *word == "applied" { "repeated" } else { word }).collect();
    assert_eq!(outcomes(&host, &batch).await, again, "the same once more");
}

#[tokio::test]
async fn i6_a_parked_message_that_comes_again_is_kept_once_and_told_once() {
    let host = crate::testing::host().await;
    let merchant = create_merchant(&host, "bos-one").await;
    apply(&host, &[message("bos-one", "i-1", "m-1", "purchase", 0)]).await;
    let contradiction = message("bos-one", "i-1", "m-1", "renew", 0);
    for _ in 0..3 {
        assert_eq!(outcomes(&host, std::slice::from_ref(&contradiction)).await, ["message-contradicts"]);
    }
    let query = FulfilmentQuery { state: Some(FulfilmentState::Parked), ..FulfilmentQuery::default() };
    let parked = fulfilment::list(&host.app.db, &host.caller, &query).await.unwrap().items;
    assert_eq!(parked.len(), 1);
    assert_eq!((parked[0].attempts, parked[0].reason), (3, Some(Reason::MessageContradicts)));
    let receipt = deliver(&host, std::slice::from_ref(&contradiction)).await.remove(0);
    assert_eq!((receipt.id.as_str(), receipt.kept_as.as_ref()), ("m-1", Some(&parked[0].id)), "where it is kept");
    assert_eq!(parked[0].message, contradiction);
    assert_eq!(told_of(&host, &merchant, "fulfilment.parked").await, 1);
}

#[tokio::test]
async fn e1_creating_the_merchant_applies_what_waited_for_it() {
    let host = crate::testing::host().await;
    let early = [
        message("bos-late", "i-1", "m-2", "unsubscribe", 5),
        message("bos-late", "i-2", "m-3", "purchase", 0),
        message("bos-late", "i-1", "m-1", "purchase", 0),
    ];
    assert_eq!(outcomes(&host, &early).await, ["merchant-unknown"; 3]);
    let merchant = create_merchant(&host, "bos-late").await;
    let states: Vec<_> = instances(&host, &merchant).await.iter().map(|one| one.state).collect();
    assert_eq!(states, [InstanceState::Unsubscribed, InstanceState::Active]);
    assert_eq!(held(&defaults(&host, &merchant).await[0]).len(), 1);
    assert_eq!(told_of(&host, &merchant, "fulfilment.applied").await, 3);
    assert_eq!(outcomes(&host, &early).await, ["repeated"; 3]);
}

#[tokio::test]
async fn e1_a_message_that_is_parked_while_its_merchant_is_being_created_does_not_wait_for_ever() {
    let host = crate::testing::host().await;
    assert_eq!(outcomes(&host, &[message("bos-race", "i-1", "m-1", "purchase", 0)]).await, ["merchant-unknown"]);
    // As if the creation had not seen the message.
    let mut tx = host.app.db.begin().await.unwrap();
    let new = json!({"id": "bos-race", "name": "M", "unify_users": false, "created_at": DAWN});
    tx.insert_merchant(&serde_json::from_value(new).unwrap()).await.unwrap();
    tx.commit().await.unwrap();
    tick(&host.app.db).await.unwrap();
    assert_eq!(state(&host, "m-1").await, FulfilmentState::Applied);
    assert_eq!(defaults(&host, &"bos-race".parse().unwrap()).await.len(), 1);
}

#[tokio::test]
async fn e1_a_parked_message_is_replayed_as_it_was_or_corrected() {
    let host = crate::testing::host().await;
    create_merchant(&host, "bos-one").await;
    let wrong = and(message("bos-one", "i-1", "m-1", "purchase", 0), "kind", "buy");
    assert_eq!(outcomes(&host, &[wrong]).await, ["malformed"]);
    assert_eq!(replay(&host, "m-1", None).await.unwrap().outcome, ReceiptOutcome::Parked);
    let refused = replay(&host, "m-1", Some(json!({"id": "m-1"}))).await.unwrap_err();
    assert_eq!(refused.code, Code::InvalidField);
    let right = message("bos-one", "i-1", "m-1", "purchase", 0);
    assert_eq!(replay(&host, "m-1", Some(right)).await.unwrap().outcome, ReceiptOutcome::Applied);
    assert_eq!(replay(&host, "m-1", None).await.unwrap().outcome, ReceiptOutcome::Repeated);
    assert_eq!(replay(&host, "m-9", None).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn e1_a_contradiction_is_resolved_by_a_correction_with_an_id_of_its_own() {
    let host = crate::testing::host().await;
    create_merchant(&host, "bos-one").await;
    apply(&host, &[message("bos-one", "i-1", "m-1", "purchase", 0)]).await;
    let other = message("bos-one", "i-2", "m-1", "purchase", 0);
    assert_eq!(outcomes(&host, std::slice::from_ref(&other)).await, ["message-contradicts"]);
    let query = FulfilmentQuery { state: Some(FulfilmentState::Parked), ..FulfilmentQuery::default() };
    let parked = fulfilment::list(&host.app.db, &host.caller, &query).await.unwrap().items.remove(0).id;
    let corrected = and(other.clone(), "id", "m-2");
    assert_eq!(replay(&host, parked.as_str(), Some(corrected)).await.unwrap().outcome, ReceiptOutcome::Applied);
    assert_eq!(state(&host, parked.as_str()).await, FulfilmentState::Corrected);
    assert_eq!(state(&host, "m-2").await, FulfilmentState::Applied);
    assert_eq!(outcomes(&host, &[other]).await, ["repeated"], "it has been taken care of");
    let kinds = ["fulfilment.parked", "fulfilment.corrected", "fulfilment.applied"];
    let merchant = "bos-one".parse().unwrap();
    for (kind, times) in kinds.into_iter().zip([1, 1, 0]) {
        assert_eq!(told_of(&host, &merchant, kind).await, times, "{kind}");
    }
    let waiting = FulfilmentQuery { reason: Some(Reason::MessageContradicts), ..FulfilmentQuery::default() };
    assert!(fulfilment::list(&host.app.db, &host.caller, &waiting).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn e1_i6_of_two_corrections_of_one_message_the_second_is_refused_and_leaves_nothing_behind() {
    let host = crate::testing::host().await;
    let merchant = create_merchant(&host, "bos-one").await;
    assert_eq!(outcomes(&host, &[json!({"id": "p-1"})]).await, ["malformed"]);
    // Both were sent while it waited.
    let corrections = ["m-1", "m-2"].map(|id| Arrival::read(&message("bos-one", id, id, "purchase", 0)));
    let mut said = Vec::new();
    for arrival in &corrections {
        let replays = Some(Replayed { id: id("p-1"), corrected: true });
        let batch = Batch { actor: "test", arrivals: vec![arrival], replays };
        said.push(batch.settle(&host.app.db).await.map(|receipts| receipts[0].outcome).map_err(|error| error.code));
    }
    assert_eq!(said, [Ok(ReceiptOutcome::Applied), Err(Code::FulfilmentSettled)]);
    assert_eq!(state(&host, "p-1").await, FulfilmentState::Corrected);
    assert_eq!(instances(&host, &merchant).await.len(), 1);
    let gone = fulfilment::get(&host.app.db, &host.caller, &id("m-2")).await.unwrap_err();
    assert_eq!(gone.code, Code::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn e1_i6_of_many_corrections_at_once_one_is_applied() {
    let host = crate::testing::host().await;
    let merchant = create_merchant(&host, "bos-one").await;
    assert_eq!(outcomes(&host, &[json!({"id": "p-1"})]).await, ["malformed"]);
    let beside = host.beside().await;
    let tries = (0..8).map(|number| {
        let name = format!("m-{number}");
        let corrected = message("bos-one", &name, &name, "purchase", 0);
        let host = if number % 2 == 0 { &host } else { &beside };
        async move { replay(host, "p-1", Some(corrected)).await }
    });
    let said = futures_util::future::join_all(tries).await;
    let applied = said.iter().filter(|one| one.as_ref().is_ok_and(|one| one.outcome == ReceiptOutcome::Applied));
    assert_eq!(applied.count(), 1, "{said:?}");
    assert_eq!(instances(&host, &merchant).await.len(), 1);
}

#[tokio::test]
async fn e1_all_that_wait_for_a_reason_are_replayed_at_once() {
    let host = crate::testing::host().await;
    create_merchant(&host, "bos-one").await;
    let ahead = message("bos-one", "i-1", "m-1", "purchase", 2 * 86_400);
    assert_eq!(outcomes(&host, &[ahead, json!({"id": "m-2"})]).await, ["from-the-future", "malformed"]);
    host.clock.advance_seconds(86_400);
    let which = ReplayAll { reason: Some(Reason::FromTheFuture), merchant: None };
    let receipts = fulfilment::replay_all(&host.app.db, &host.app.intake, &host.caller, &which).await.unwrap().results;
    assert_eq!(receipts.iter().map(|one| one.outcome).collect::<Vec<_>>(), [ReceiptOutcome::Applied]);
}

#[tokio::test]
async fn e1_a_message_that_a_newer_one_had_overtaken_says_by_which() {
    let host = crate::testing::host().await;
    create_merchant(&host, "bos-one").await;
    let said = |id: &str, kind: &str, at: i64| message("bos-one", "i-1", id, kind, at);
    let batch = [said("m-1", "unsubscribe", 5), said("m-2", "purchase", 3), said("m-3", "renew", 4)];
    let overtaken = |receipts: Vec<Receipt>| {
        let by = |one: Receipt| one.overtaken_by.map(|id| id.to_string());
        receipts.into_iter().map(by).collect::<Vec<_>>()
    };
    let by = |id: &str| Some(id.to_owned());
    assert_eq!(overtaken(deliver(&host, &batch).await), [None, by("m-1"), by("m-1")]);
    assert_eq!(overtaken(deliver(&host, &[said("m-4", "purchase", 5)]).await), [by("m-1")], "of the same moment");
    assert_eq!(overtaken(deliver(&host, &[said("m-5", "purchase", 6)]).await), [None]);
    assert_eq!(overtaken(deliver(&host, &batch).await), [None, None, None], "repeated ones change nothing");
}

#[tokio::test]
async fn e12_a_discarded_message_says_who_when_and_why_and_is_told_once() {
    let host = crate::testing::host().await;
    let merchant = create_merchant(&host, "bos-one").await;
    let wrong = and(message("bos-one", "i-1", "m-1", "purchase", 0), "kind", "buy");
    assert_eq!(outcomes(&host, std::slice::from_ref(&wrong)).await, ["malformed"]);
    for note in ["", "  ", &"n".repeat(501)] {
        assert_eq!(discard(&host, "m-1", note).await.unwrap_err().code, Code::InvalidField, "{note:?}");
    }
    assert_eq!(state(&host, "m-1").await, FulfilmentState::Parked);
    let discarded = discard(&host, "m-1", " The order was cancelled ").await.unwrap();
    assert_eq!((discarded.state, discarded.reason), (FulfilmentState::Discarded, None));
    assert_eq!(discarded.discarded_by.as_deref(), Some(host.caller.account.as_str()));
    assert_eq!((discarded.note.as_str(), discarded.settled_at), ("The order was cancelled", Some(host.app.db.now())));
    assert!(discarded.detail.starts_with("/kind must be"), "why it had waited stays readable: {}", discarded.detail);
    let shown = fulfilment::get(&host.app.db, &host.caller, &id("m-1")).await.unwrap();
    assert_eq!(serde_json::to_value(&shown).unwrap(), serde_json::to_value(&discarded).unwrap());
    let again = discard(&host, "m-1", "Another reason").await.unwrap_err();
    assert_eq!(again.code, Code::FulfilmentSettled);
    assert!(again.detail.contains("The order was cancelled"), "{}", again.detail);
    assert_eq!(discard(&host, "m-9", "n").await.unwrap_err().code, Code::NotFound);
    assert_eq!(told_of(&host, &merchant, "fulfilment.discarded").await, 1);
}

#[tokio::test]
async fn e12_what_is_discarded_stays_so_when_it_is_sent_again_and_a_replay_takes_it_back() {
    let host = crate::testing::host().await;
    let early = message("bos-late", "i-1", "m-1", "purchase", 0);
    assert_eq!(outcomes(&host, std::slice::from_ref(&early)).await, ["merchant-unknown"]);
    discard(&host, "m-1", "A test of theirs").await.unwrap();
    let receipt = deliver(&host, std::slice::from_ref(&early)).await.remove(0);
    assert_eq!((receipt.outcome, receipt.reason), (ReceiptOutcome::Discarded, None));
    assert!(receipt.detail.unwrap().contains("A test of theirs"));
    let merchant = create_merchant(&host, "bos-late").await;
    tick(&host.app.db).await.unwrap();
    assert!(instances(&host, &merchant).await.is_empty(), "its merchant exists now, and it is not applied");
    let all = fulfilment::replay_all(&host.app.db, &host.app.intake, &host.caller, &ReplayAll::default()).await;
    assert!(all.unwrap().results.is_empty());
    assert_eq!(replay(&host, "m-1", None).await.unwrap().outcome, ReceiptOutcome::Applied);
    let shown = fulfilment::get(&host.app.db, &host.caller, &id("m-1")).await.unwrap();
    assert_eq!((shown.state, shown.discarded_by, shown.note.as_str()), (FulfilmentState::Applied, None, ""));
    assert_eq!(told_of(&host, &merchant, "fulfilment.applied").await, 1);
    assert_eq!(outcomes(&host, &[early]).await, ["repeated"]);
    assert_eq!(discard(&host, "m-1", "n").await.unwrap_err().code, Code::FulfilmentSettled);
}

#[tokio::test]
async fn e12_other_content_under_the_id_of_a_discarded_message_is_a_message_like_any_other() {
    let host = crate::testing::host().await;
    let merchant = create_merchant(&host, "bos-one").await;
    let right = message("bos-one", "i-1", "m-1", "purchase", 0);
    let wrong = and(right.clone(), "kind", "buy");
    assert_eq!(outcomes(&host, std::slice::from_ref(&wrong)).await, ["malformed"]);
    discard(&host, "m-1", "Wrong kind").await.unwrap();
    let worse = and(right.clone(), "kind", "steal");
    assert_eq!(outcomes(&host, &[worse.clone(), wrong]).await, ["malformed", "malformed"], "it waits again");
    discard(&host, "m-1", "Wrong kind again").await.unwrap();
    assert_eq!(outcomes(&host, &[right]).await, ["applied"]);
    assert_eq!(instances(&host, &merchant).await.len(), 1);
    assert_eq!(outcomes(&host, &[worse]).await, ["message-contradicts"]);
}

#[tokio::test]
async fn e12_a_discarded_message_is_replayed_with_a_correction_or_waits_again() {
    let host = crate::testing::host().await;
    let merchant = create_merchant(&host, "bos-one").await;
    apply(&host, &[message("bos-one", "i-1", "m-1", "purchase", 0)]).await;
    let other = message("bos-one", "i-2", "m-1", "purchase", 0);
    assert_eq!(outcomes(&host, std::slice::from_ref(&other)).await, ["message-contradicts"]);
    let query = FulfilmentQuery { state: Some(FulfilmentState::Parked), ..FulfilmentQuery::default() };
    let parked = fulfilment::list(&host.app.db, &host.caller, &query).await.unwrap().items.remove(0).id;
    discard(&host, parked.as_str(), "Sent twice").await.unwrap();
    assert_eq!(deliver(&host, std::slice::from_ref(&other)).await[0].outcome, ReceiptOutcome::Discarded);
    assert_eq!(state(&host, "m-1").await, FulfilmentState::Applied, "the one with the id is as it was");
    assert_eq!(replay(&host, parked.as_str(), None).await.unwrap().outcome, ReceiptOutcome::Parked);
    assert_eq!(state(&host, parked.as_str()).await, FulfilmentState::Parked);
    assert_eq!(told_of(&host, &merchant, "fulfilment.parked").await, 2);
    discard(&host, parked.as_str(), "Sent twice").await.unwrap();
    let corrected = replay(&host, parked.as_str(), Some(and(other, "id", "m-2"))).await.unwrap();
    assert_eq!((corrected.id, corrected.outcome), (id("m-2"), ReceiptOutcome::Applied));
    let shown = fulfilment::get(&host.app.db, &host.caller, &parked).await.unwrap();
    assert_eq!((shown.state, shown.note.as_str()), (FulfilmentState::Corrected, ""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn e12_i6_discards_and_messages_at_once_leave_one_truth() {
    let host = crate::testing::host().await;
    let merchant = create_merchant(&host, "bos-one").await;
    assert_eq!(outcomes(&host, &[json!({"id": "m-1", "merchant": "bos-one"})]).await, ["malformed"]);
    let beside = host.beside().await;
    let right = message("bos-one", "i-1", "m-1", "purchase", 0);
    let discards = futures_util::future::join_all((0..4).map(|_| discard(&beside, "m-1", "No")));
    let right = std::slice::from_ref(&right);
    let (discards, sent) = tokio::join!(discards, deliver(&host, right));
    assert_eq!(sent[0].outcome, ReceiptOutcome::Applied, "other content, before or after the discard");
    assert!(discards.iter().filter(|one| one.is_ok()).count() <= 1);
    let told = told_of(&host, &merchant, "fulfilment.discarded").await;
    assert_eq!(told, discards.iter().filter(|one| one.is_ok()).count());
    assert_eq!(state(&host, "m-1").await, FulfilmentState::Applied);
}

#[tokio::test]
async fn e2_what_expires_leaves_the_default_one_by_the_clock_and_a_renewal_brings_it_back() {
    let host = crate::testing::host().await;
    let beside = host.beside().await;
    let merchant = create_merchant(&host, "bos-one").await;
    let bought = message("bos-one", "i-1", "m-1", "purchase", 0);
    apply(&host, &[and(bought, "expires_at", DAWN.plus_seconds(60))]).await;
    let chosen = choose(&host, &merchant, &["i-1"]).await;
    tick(&host.app.db).await.unwrap();
    assert_eq!(instances(&host, &merchant).await[0].state, InstanceState::Active);
    host.clock.advance_seconds(60);
    let (one, two) = tokio::join!(tick(&host.app.db), tick(&beside.app.db));
    one.and(two).unwrap();
    assert_eq!(instances(&host, &merchant).await[0].state, InstanceState::Expired);
    assert!(held(&defaults(&host, &merchant).await[0]).is_empty());
    assert_eq!(held(&endpoint(&host.app, &host, &chosen).await).len(), 1, "it stays chosen");
    assert_eq!(told_of(&host, &merchant, "product_instance.expired").await, 1);
    assert_eq!(told_of(&host, &merchant, "endpoint.product_removed").await, 1);
    apply(&host, &[message("bos-one", "i-1", "m-2", "renew", 61)]).await;
    assert_eq!(held(&defaults(&host, &merchant).await[0]).len(), 1);
    assert_eq!(told_of(&host, &merchant, "endpoint.product_added").await, 3);
}

#[tokio::test]
async fn the_messages_are_listed_newest_first_page_by_page() {
    let host = crate::testing::host().await;
    create_merchant(&host, "bos-one").await;
    for number in 0..5 {
        apply(&host, &[message("bos-one", "i-1", &format!("m-{number}"), "renew", number)]).await;
        host.clock.advance_seconds(number % 2);
    }
    let mut query = FulfilmentQuery { limit: Some(2), ..FulfilmentQuery::default() };
    let mut seen = Vec::new();
    loop {
        let page = fulfilment::list(&host.app.db, &host.caller, &query).await.unwrap();
        seen.extend(page.items.iter().map(|one| one.id.to_string()));
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["m-4", "m-3", "m-2", "m-1", "m-0"]);
    let broken = FulfilmentQuery { cursor: Some("7".into()), ..FulfilmentQuery::default() };
    let refused = fulfilment::list(&host.app.db, &host.caller, &broken).await.unwrap_err();
    assert_eq!(refused.code, Code::InvalidCursor);
}

#[tokio::test]
async fn f28_i6_a_message_with_nul_or_nested_deep_is_parked_or_applied_on_every_database() {
    let host = crate::testing::host().await;
    let merchant = create_merchant(&host, "bos-one").await;
    let deep = (0..100).fold(json!("\u{0}"), |inner, _| json!([inner]));
    let batch = [
        json!("\u{fffd}\u{0} what"),
        json!({"id": "m-1", "n\u{0}te": "\u{0}"}),
        and(message("bos-one", "i-1", "m-2", "purchase", 0), "kind", "\u{0}"),
        and(message("bos-one", "i-1", "m-3", "purchase", 0), "n\u{0}te", "\u{0}"),
        and(message("bos-one", "i-1", "m-4", "purchase", 0), "note", deep),
    ];
    let expected = ["malformed", "malformed", "malformed", "applied", "malformed"];
    assert_eq!(outcomes(&host, &batch).await, expected);
    let query = FulfilmentQuery { state: Some(FulfilmentState::Parked), ..FulfilmentQuery::default() };
    let parked = fulfilment::list(&host.app.db, &host.caller, &query).await.unwrap().items;
    assert_eq!(parked.len(), 4);
    let page =
        event::list(&host.app.db, &host.caller, &EventQuery { limit: Some(1000), ..EventQuery::default() }).await;
    let told = page.unwrap().items.into_iter().filter(|event| event.kind == "fulfilment.parked");
    let id_in =
        |data: &str| serde_json::from_str::<serde_json::Value>(data).unwrap()["id"].as_str().unwrap().to_owned();
    let told: Vec<_> = told.map(|event| id_in(event.data.get())).collect();
    assert!(parked.iter().all(|one| told.contains(&one.id.to_string())), "{told:?}");
    assert_eq!(told_of(&host, &merchant, "product_instance.created").await, 1);
    assert_eq!(outcomes(&host, &batch).await, ["malformed", "malformed", "malformed", "repeated", "malformed"]);
    let again =
        fulfilment::replay_all(&host.app.db, &host.app.intake, &host.caller, &ReplayAll::default()).await.unwrap();
    assert_eq!(again.results.len(), 4);
}

#[tokio::test]
async fn replaying_when_nothing_waits_does_nothing_on_every_database() {
    let host = crate::testing::host().await;
    let receipts =
        fulfilment::replay_all(&host.app.db, &host.app.intake, &host.caller, &ReplayAll::default()).await.unwrap();
    assert!(receipts.results.is_empty());
}
