//! Several hosts on one real server.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use berth_base::clock::{ManualClock, Nature, SystemRandom};
use berth_model::{
    log::{Arrived, DayLimits, Fate, Filter, LogEntry, LogId, Refusal},
    testing::DAWN,
};
use serde_json::json;

use crate::{
    ClickHouse, LogStore,
    clickhouse::text::{literal, pattern},
    tests::{LONG, WHOLE, WIDE, entry, filter, fresh_clickhouse},
};

/// Long enough for a machine that has much else to do.
const SETTLE: Duration = Duration::from_secs(3);

async fn host(url: &str) -> Arc<ClickHouse> {
    Arc::new(ClickHouse::open(url, SETTLE, Nature::default()).await.unwrap())
}

/// Follows until everything up to `end` was looked at; `end` comes when it is known.
async fn follow(
    store: Arc<ClickHouse>,
    from: LogId,
    end: tokio::sync::watch::Receiver<Option<LogId>>,
) -> Vec<LogEntry> {
    let (mut after, mut found) = (from, Vec::new());
    while end.borrow().is_none_or(|end| after < end) {
        let read = store.follow(&Filter::default(), after, 97).await.unwrap();
        found.extend(read.entries);
        after = read.looked_to;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d15_hosts_store_at_the_same_time_and_who_follows_on_any_misses_nothing_and_gets_nothing_twice() {
    let Some(url) = fresh_clickhouse().await else { return };
    let hosts = futures_util::future::join_all((0..3).map(|_| host(&url))).await;
    let (told, end) = tokio::sync::watch::channel(None);
    let begin = hosts[0].last().await.unwrap();
    let followers: Vec<_> = hosts.iter().map(|one| tokio::spawn(follow(one.clone(), begin, end.clone()))).collect();
    let writers: Vec<_> = hosts
        .iter()
        .cloned()
        .map(|host| {
            tokio::spawn(async move {
                let mut kept = Vec::new();
                for part in 0..15 {
                    let entries: Vec<_> = (part * 40..part * 40 + 40).map(entry).collect();
                    for (fate, entry) in host.append(&entries, &WIDE).await.unwrap().into_iter().zip(&entries) {
                        let Fate::Kept(id) = fate else { panic!("{fate:?}") };
                        kept.push(LogEntry::of(id, entry));
                    }
                    tokio::time::sleep(Duration::from_millis(part as u64 * 7)).await;
                }
                kept
            })
        })
        .collect();
    let mut kept = Vec::new();
    for writer in writers {
        kept.extend(writer.await.unwrap());
    }
    kept.sort_by_key(|one| one.id);
    assert_eq!(kept.iter().map(|one| one.id).collect::<BTreeSet<_>>().len(), 3 * 15 * 40, "ids are different");
    told.send(kept.last().map(|last| last.id)).unwrap();
    for follower in followers {
        let followed = follower.await.unwrap();
        assert_eq!(followed.len(), kept.len());
        assert!(followed == kept, "in order, and unchanged");
    }
    let mut found = hosts[1].search(&Filter::default(), WHOLE, 10_000, LONG).await.unwrap().entries;
    found.reverse();
    assert!(found == kept);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d15_what_other_hosts_have_stored_counts_for_the_limits_of_the_day_within_seconds() {
    let Some(url) = fresh_clickhouse().await else { return };
    let (one, other) = (host(&url).await, host(&url).await);
    let limits = DayLimits { mini_app_entries: 10, bytes: 1 << 30 };
    let shop: Vec<Arrived> = (0..4).map(|_| entry(0)).collect();
    let kept = |fates: Vec<Fate>| fates.iter().filter(|fate| matches!(fate, Fate::Kept(_))).count();
    assert_eq!(kept(other.append(&shop[..1], &limits).await.unwrap()), 1, "it knows the day now");
    assert_eq!(kept(one.append(&shop, &limits).await.unwrap()), 4);
    assert_eq!(kept(one.append(&shop, &limits).await.unwrap()), 4);
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let fates = other.append(&shop, &limits).await.unwrap();
    assert_eq!(fates[3], Fate::Refused(Refusal::MiniAppDayFull), "{:?}", begun.elapsed());
    assert_eq!(kept(fates), 1, "8 of one host, 1 of the other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d15_texts_arrive_at_a_server_as_they_are() {
    let Some(url) = fresh_clickhouse().await else { return };
    let host = host(&url).await;
    let signs: String = (1..=0x7f).filter_map(char::from_u32).collect();
    for text in [
        signs.as_str(),
        "'",
        "''",
        "\\",
        "\\'",
        "\\\\'; DROP TABLE berth_log; --",
        "支付\u{1f600}\u{feff}",
        "%_",
        "{a:String}",
        "?",
    ] {
        let sql = format!(
            "SELECT {0}, position(concat('x', {0}), {0}), {0} LIKE {1}",
            literal(text),
            literal(&pattern(text))
        );
        let rows = host.http.select::<(String, u64, u8)>(&sql, LONG).await.unwrap().rows;
        assert_eq!(rows[0], (text.to_owned(), 2, 1));
        let mut hard = entry(0);
        hard.message = format!("{text} hard");
        host.append(&[hard.clone()], &WIDE).await.unwrap();
        let found = host.search(&filter(json!({"contains": text})), WHOLE, 1, LONG).await.unwrap().entries;
        assert_eq!(found[0].message, hard.message);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d15_a_clock_that_was_set_back_gives_no_id_twice() {
    let Some(url) = fresh_clickhouse().await else { return };
    let clock = ManualClock::new(DAWN);
    let nature = Nature { clock: Arc::new(clock.clone()), random: Arc::new(SystemRandom) };
    let host = ClickHouse::open(&url, SETTLE, nature).await.unwrap();
    let mut ids = Vec::new();
    for seconds in [0, 5, -3, -4, 10, -86_400, 86_400, 0] {
        clock.advance_seconds(seconds);
        for fate in host.append(&[entry(1), entry(2)], &WIDE).await.unwrap() {
            let Fate::Kept(id) = fate else { panic!("{fate:?}") };
            ids.push(id);
        }
    }
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    assert_eq!(host.search(&Filter::default(), WHOLE, 100, LONG).await.unwrap().entries.len(), ids.len());
}
