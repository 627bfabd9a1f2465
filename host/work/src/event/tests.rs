//! Rules for everything that reads the log.

use futures_util::StreamExt;
use serde_json::value::RawValue;

use std::future::ready;

use berth_model::event::stream::StreamQuery;

use super::{stream::Item, *};
use crate::testing::{TestHost, host, shop};
use berth_base::ids::TeamId;
use berth_model::access::Team;

/// JSON that is nested deeper than the parsers of this host accept.
fn deep() -> Box<RawValue> {
    RawValue::from_string(format!("{}{}", "[".repeat(200), "]".repeat(200))).unwrap()
}

/// Emits an event about a team, with this data, and returns its number.
async fn happen(host: &TestHost, data: Box<RawValue>) -> i64 {
    let mut tx = host.app.db.begin().await.unwrap();
    let team = Team { id: TeamId::generate(tx.now(), tx.random()), name: "some".into(), created_at: tx.now() };
    tx.tell(kind::TEAM_CREATED, &team.id, BERTH, &team).data = data;
    tx.commit().await.unwrap();
    host.app.db.read().await.unwrap().last_event().await.unwrap()
}

#[tokio::test]
async fn f77_an_event_as_deep_as_can_be_stops_nobody_who_reads_the_log() {
    let host = host().await;
    // A stream looks whether the token still holds.
    let secret = crate::access::admin_token(&host.app.db).await.unwrap().secret;
    let caller = host.app.people.authenticate(&secret).await.unwrap();
    let seq = happen(&host, deep()).await;
    happen(&host, RawValue::NULL.to_owned()).await;
    let query = EventQuery { after: seq - 1, ..Default::default() };
    let page = list(&host.app.db, &host.caller, &query).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].data.get()), (2, deep().get()));
    serde_json::to_string(&page).unwrap();
    let query = StreamQuery { after: Some(seq - 1), ..Default::default() };
    let stream = stream::open(host.app.outbox.clone(), caller, query).await.unwrap();
    let events = stream.filter_map(|item| {
        ready(match item {
            Item::Entry(event) => Some(event.seq),
            Item::Heartbeat(_) => None,
        })
    });
    assert_eq!(events.take(2).collect::<Vec<_>>().await, [seq, seq + 1]);
    let mut tx = host.app.db.read().await.unwrap();
    assert_eq!(tx.events_after(seq - 1, 10).await.unwrap().len(), 2);
    let told = tx.told_after(seq - 1, 10).await.unwrap();
    let message = cloud::envelope(&told[0].event, None).document().unwrap();
    assert!(message.ends_with(format!("{}}}", deep().get()).as_bytes()));
}

async fn page(host: &TestHost, query: EventQuery) -> Result<EventPage> {
    list(&host.app.db, &host.caller, &query).await
}

#[tokio::test]
async fn who_follows_something_quiet_is_not_left_behind_by_the_rest() {
    let host = host().await;
    let of_shop = |after| EventQuery { mini_app: Some(shop()), after, ..Default::default() };
    let first = page(&host, of_shop(0)).await.unwrap();
    for _ in 0..5 {
        happen(&host, RawValue::NULL.to_owned()).await;
    }
    let last = host.app.db.read().await.unwrap().last_event().await.unwrap();
    let again = page(&host, of_shop(first.last)).await.unwrap();
    assert_eq!((again.items.len(), again.last), (0, last), "there is nothing of it up to the last event of the host");
    let full = page(&host, EventQuery { limit: Some(2), ..of_shop(0) }).await.unwrap();
    assert_eq!(full.last, full.items[1].seq, "there may be more");
    let future = page(&host, of_shop(last + 10)).await.unwrap();
    assert_eq!(future.last, last + 10, "nobody is sent back");
}

#[tokio::test]
async fn nothing_is_said_to_be_gone_to_who_missed_nothing() {
    let host = host().await;
    let of_shop = |after| EventQuery { mini_app: Some(shop()), after, ..Default::default() };
    let seen = page(&host, of_shop(0)).await.unwrap().last;
    let query = StreamQuery { mini_app: Some(shop()), after: Some(seen), ..Default::default() };
    for _ in 0..5 {
        happen(&host, RawValue::NULL.to_owned()).await;
    }
    let polled = page(&host, of_shop(seen)).await.unwrap().last;
    let mut stream = Box::pin(stream::open(host.app.outbox.clone(), host.caller.clone(), query.clone()).await.unwrap());
    let Some(Item::Heartbeat(begun)) = stream.next().await else {
        unreachable!("a stream begins with where it begins")
    };
    assert_eq!(begun, seen);
    host.clock.advance_seconds(3 * 86_400);
    happen(&host, RawValue::NULL.to_owned()).await;
    assert!(retain::forget(&host.app.db, 1).await.unwrap() > 0);
    assert_eq!(page(&host, of_shop(seen)).await.unwrap_err().code, Code::EventsGone, "this one did not ask meanwhile");
    assert_eq!(page(&host, of_shop(polled)).await.unwrap().items.len(), 0);
}
