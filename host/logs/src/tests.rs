//! Every store against the pure rule: whatever a filter takes is found, and nothing else.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test may fail loudly")]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use berth_base::{
    clock::{ManualClock, Millis, Nature, SystemRandom},
    ids::{HostAppId, MiniAppId},
};
use berth_model::{
    log::{Arrived, Day, DayLimits, Fate, Filter, Level, LogEntry, LogId, LogQuery, Refusal, Sender, Span},
    testing::DAWN,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{LogConfig, LogStore};

pub const WHOLE: Span = Span { from: LogId(0), below: LogId(i64::MAX) };
pub const LONG: Duration = Duration::from_secs(60);
pub const WIDE: DayLimits = DayLimits { mini_app_entries: 1 << 40, bytes: 1 << 40 };

/// A store, and what must live as long.
struct Open {
    store: Arc<dyn LogStore>,
    clock: ManualClock,
    _folder: TempDir,
}

/// The addresses of all kinds of stores for which there are servers; nothing for the one in a folder.
async fn addresses() -> Vec<Option<String>> {
    let mut addresses = embedded_addresses().await;
    addresses.extend(fresh_clickhouse().await.map(Some));
    addresses
}

/// The same without ClickHouse.
async fn embedded_addresses() -> Vec<Option<String>> {
    let mut addresses = vec![None];
    match std::env::var("BERTH_TEST_POSTGRES") {
        Ok(server) => addresses.push(Some(berth_test_database::create(&server).await)),
        Err(_) => eprintln!("=== SKIPPED on PostgreSQL: BERTH_TEST_POSTGRES is not set ==="),
    }
    addresses
}

/// The address of a new database on the ClickHouse server, if there is one.
pub async fn fresh_clickhouse() -> Option<String> {
    let Ok(server) = std::env::var("BERTH_TEST_CLICKHOUSE") else {
        eprintln!("=== SKIPPED on ClickHouse: BERTH_TEST_CLICKHOUSE is not set ===");
        return None;
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("logs{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    let made = reqwest::Client::new().post(&server).body(format!("CREATE DATABASE {name}")).send().await.unwrap();
    assert!(made.status().is_success(), "{}", made.text().await.unwrap());
    Some(format!("{}/{name}", server.trim_end_matches('/')))
}

/// One store of each kind, with a clock that stands still until it is moved.
async fn stores() -> Vec<Open> {
    let mut open = Vec::new();
    for address in addresses().await {
        let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new(DAWN));
        let store = self::open(address, folder.path(), by(&clock)).await;
        open.push(Open { store, clock, _folder: folder });
    }
    open
}

/// The nature of a host with this clock.
fn by(clock: &ManualClock) -> Nature {
    Nature { clock: Arc::new(clock.clone()), random: Arc::new(SystemRandom) }
}

async fn open(log_url: Option<String>, folder: &Path, nature: Nature) -> Arc<dyn LogStore> {
    let config = LogConfig { log_url, ..LogConfig::default() };
    crate::open(&config, None, folder, nature).await.unwrap()
}

/// The nth of many entries that differ in all respects. Some guids and words are rare.
pub fn entry(nth: usize) -> Arrived {
    let of = |list: &[&str], step: usize| list[(nth / step) % list.len()].to_owned();
    let sender = Sender {
        host_app: of(&["mall", "bank"], 7).parse::<HostAppId>().unwrap(),
        host_version: of(&["3.2.1", "3.3.0"], 5),
        sdk_version: of(&["1.0.0", "1.1.0", "2.0.0"], 11),
        platform: of(&["android", "ios"], 3),
        os_version: "14".into(),
        guid: format!("device-{}", nth % 900),
        account: nth.is_multiple_of(4).then(|| of(&["alice", "bob"], 8)),
    };
    Arrived {
        sender: Arc::new(sender),
        mini_app: of(&["shop", "tea", "shop"], 1).parse::<MiniAppId>().unwrap(),
        version: of(&["1.0.0", "1.1.0"], 100),
        at: DAWN,
        level: Level::ALL[if nth.is_multiple_of(97) { 3 } else { nth % 3 }],
        page: of(&["pages/index", "pages/pay?id=7", "pages/payment"], 13),
        message: match nth {
            2050 => "订单支付失败: E_504 one-of-a-kind".into(),
            _ => format!("GET /api/orders/{nth} took {} ms, 100%", nth % 311),
        },
        filter_msg: if nth % 500 == 9 { format!("order-{nth}") } else { String::new() },
    }
}

async fn fill(open: &Open, count: usize) -> Vec<LogEntry> {
    let mut stored = Vec::new();
    let all: Vec<_> = (0..count).map(entry).collect();
    for part in all.chunks(733) {
        let fates = open.store.append(part, &WIDE).await.unwrap();
        for (fate, entry) in fates.into_iter().zip(part) {
            let Fate::Kept(id) = fate else { panic!("{fate:?}") };
            stored.push(LogEntry::of(id, entry));
        }
        open.clock.advance_seconds(1);
    }
    stored
}

pub fn filter(mut query: Value) -> Filter {
    if query.get("mini_app").is_none() && query.get("host_app").is_none() {
        query["mini_app"] = json!("shop");
    }
    serde_json::from_value::<LogQuery>(query).unwrap().filter().unwrap()
}

fn filters() -> Vec<Filter> {
    let one = [
        json!({}),
        json!({"mini_app": "tea"}),
        json!({"mini_app": "nobody"}),
        json!({"host_app": "mall"}),
        json!({"host_app": "mall", "mini_app": "tea"}),
        json!({"level": "debug"}),
        json!({"level": "warn"}),
        json!({"level": "error"}),
        json!({"host_app": "bank", "level": "error"}),
        json!({"platform": "ios"}),
        json!({"guid": "device-7"}),
        json!({"host_app": "bank", "guid": "device-9999"}),
        json!({"account": "alice"}),
        json!({"page": "pages/pay"}),
        json!({"page": "pages"}),
        json!({"page": "pages/pay?id=7"}),
        json!({"version": "1.1.0"}),
        json!({"host_version": "3.3.0", "sdk_version": "2.0.0"}),
        json!({"words": "orders 77"}),
        json!({"words": "ORDERS/1999"}),
        json!({"host_app": "bank", "words": "支付"}),
        json!({"mini_app": "tea", "words": "失败 kind"}),
        json!({"words": "nothing"}),
        json!({"contains": "ders/20"}),
        json!({"contains": "%"}),
        json!({"contains": "DERS"}),
        json!({"mini_app": "tea", "contains": "付失"}),
        json!({"mini_app": "tea", "contains": "e-of-a-k"}),
        json!({"filter_msg": "order"}),
        json!({"host_app": "mall", "filter_msg": "order-2009"}),
        json!({"words": "took 12", "level": "info", "platform": "android"}),
    ];
    one.into_iter().map(filter).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d4_a_store_finds_what_a_filter_takes_newest_first_page_by_page() {
    for open in stores().await {
        let stored = fill(&open, 5000).await;
        let (from, below) = (stored[700].id, stored[4100].id);
        for filter in filters() {
            for span in [WHOLE, Span { from, below }] {
                let in_span = |entry: &&LogEntry| span.from <= entry.id && entry.id < span.below;
                let expected: Vec<_> = stored.iter().rev().filter(in_span).filter(|one| filter.takes(one)).collect();
                let (mut found, mut rest) = (Vec::new(), span);
                loop {
                    let page = open.store.search(&filter, rest, 137, LONG).await.unwrap();
                    assert_eq!(page.stopped_at, None, "there is time enough");
                    let full = page.entries.len() == 137;
                    rest.below = page.entries.last().map_or(rest.below, |last| last.id);
                    found.extend(page.entries);
                    if !full {
                        break;
                    }
                }
                assert!(
                    found.iter().eq(expected.iter().copied()),
                    "{} for {}: {filter:?}",
                    found.len(),
                    expected.len()
                );
            }
        }
        open.store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d4_a_search_without_time_says_how_far_it_came_and_can_be_gone_on_with() {
    for open in stores().await {
        let stored = fill(&open, 5000).await;
        let filter = filter(json!({"contains": "%", "level": "error", "words": "took"}));
        let (mut found, mut span, mut steps) = (Vec::new(), WHOLE, 0);
        loop {
            let part = open.store.search(&filter, span, 10_000, Duration::ZERO).await.unwrap();
            found.extend(part.entries);
            steps += 1;
            match part.stopped_at {
                Some(id) if id < span.below => span.below = id,
                Some(_) => panic!("it does not go on"),
                None => break,
            }
        }
        let expected: Vec<_> = stored.iter().rev().filter(|one| filter.takes(one)).collect();
        assert!(found.iter().eq(expected) && steps > 2, "{} in {steps} steps", found.len());
        open.store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d4_who_follows_gets_every_entry_once_whoever_writes() {
    for address in addresses().await {
        let folder = tempfile::tempdir().unwrap();
        let store = open(address, folder.path(), Nature::default()).await;
        all_are_followed(&[&store; 4]).await;
        store.close().await;
    }
}

/// Writes by all of these at the same time, and follows by the first of them what arrives.
async fn all_are_followed(writers: &[&Arc<dyn LogStore>]) {
    let (store, filter) = (writers[0], filter(json!({"level": "info", "words": "took"})));
    let begin = store.last().await.unwrap();
    let writers = writers.iter().map(|&store| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut last = LogId(0);
            for part in 0..10 {
                let entries: Vec<_> = (part * 60..part * 60 + 60).map(entry).collect();
                for fate in store.append(&entries, &WIDE).await.unwrap() {
                    let Fate::Kept(id) = fate else { panic!("{fate:?}") };
                    last = last.max(id);
                }
            }
            last
        })
    });
    let writers: Vec<_> = writers.collect();
    let wrote = tokio::spawn(async { futures_util::future::join_all(writers).await });
    let (mut after, mut followed, mut end) = (begin, Vec::new(), None);
    let mut wrote = Some(wrote);
    while end.is_none_or(|end| after < end) {
        if let Some(done) = wrote.take_if(|wrote| wrote.is_finished()) {
            end = done.await.unwrap().into_iter().map(Result::unwrap).max();
        }
        let read = store.follow(&filter, after, 50).await.unwrap();
        assert!(read.looked_to >= after && read.entries.iter().all(|one| one.id > after && one.id <= read.looked_to));
        after = read.looked_to;
        followed.extend(read.entries);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut searched = store.search(&filter, WHOLE, 10_000, LONG).await.unwrap().entries;
    searched.reverse();
    assert_eq!(followed.len(), searched.len());
    assert_eq!(followed, searched);
}

/// The clock of a host, this many milliseconds after midnight.
fn past_midnight(millis: i64) -> ManualClock {
    ManualClock::new(Millis(Day::of(DAWN).end().received_at().0 + millis))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d4_who_follows_misses_nothing_of_hosts_whose_clocks_stand_on_both_sides_of_midnight() {
    let before = Day::of(DAWN);
    let after = Day(before.0 + 1);
    for address in embedded_addresses().await {
        let folder = tempfile::tempdir().unwrap();
        let of = async |millis| open(address.clone(), folder.path(), by(&past_midnight(millis))).await;
        let (behind, ahead, far_behind) = (of(-400).await, of(400).await, of(-3 * 86_400_000).await);
        let day_of = async |store: &Arc<dyn LogStore>| {
            let fates = store.append(&[entry(1)], &WIDE).await.unwrap();
            let [Fate::Kept(id)] = fates[..] else { panic!("{fates:?}") };
            (id, Day::of(id.received_at()))
        };
        let mut looked_to = behind.last().await.unwrap();
        for (store, day) in [(&behind, before), (&ahead, after), (&behind, after), (&ahead, after), (&behind, after)] {
            let (id, written_on) = day_of(store).await;
            assert_eq!(written_on, day);
            for reader in [&behind, &ahead] {
                let read = reader.follow(&Filter::default(), looked_to, 10).await.unwrap();
                let ids: Vec<_> = read.entries.iter().map(|one| one.id).collect();
                assert_eq!((ids, read.looked_to), (vec![id], id));
            }
            looked_to = id;
        }
        // The day has begun for the one that is behind, and so have its limits.
        let limits = DayLimits { mini_app_entries: 4, bytes: 1 << 30 };
        let refused = [Fate::Refused(Refusal::MiniAppDayFull)];
        assert_eq!(behind.append(&[entry(1)], &limits).await.unwrap(), refused);
        assert_eq!(day_of(&far_behind).await.1, Day(before.0 - 2), "a clock that is wrong by days follows nobody");
        let days: Vec<_> = behind.days().await.unwrap().iter().map(|one| one.day).collect();
        assert_eq!(days, [Day(before.0 - 2), before, after]);
        for store in [behind, ahead, far_behind] {
            store.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d4_who_follows_misses_nothing_while_midnight_passes() {
    for address in embedded_addresses().await {
        let folder = tempfile::tempdir().unwrap();
        let (behind, ahead) = (past_midnight(-15_000), past_midnight(-10_000));
        let stores = [&behind, &ahead].map(|clock| {
            clock.move_when_seen();
            open(address.clone(), folder.path(), by(clock))
        });
        let [behind, ahead] = <[_; 2]>::try_from(futures_util::future::join_all(stores).await).ok().unwrap();
        all_are_followed(&[&behind, &ahead, &behind, &ahead]).await;
        assert_eq!(behind.days().await.unwrap().len(), 2);
        for store in [behind, ahead] {
            store.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d4_a_day_has_its_limits_and_is_dropped_as_a_whole() {
    for open in stores().await {
        let (store, clock) = (&open.store, &open.clock);
        let entries: Vec<_> = (0..30).map(entry).collect();
        let limits = DayLimits { mini_app_entries: 15, bytes: 1 << 30 };
        let kept = |fates: &[Fate]| fates.iter().filter(|fate| matches!(fate, Fate::Kept(_))).count();
        // Two thirds are of the shop.
        assert_eq!(kept(&store.append(&entries, &limits).await.unwrap()), 25);
        let fates = store.append(&entries, &limits).await.unwrap();
        assert_eq!(kept(&fates), 5, "what the day has taken is known");
        assert_eq!(fates[0], Fate::Refused(Refusal::MiniAppDayFull));
        let full = DayLimits { mini_app_entries: 99, bytes: 10 };
        assert_eq!(store.append(&entries[..1], &full).await.unwrap(), [Fate::Refused(Refusal::DayFull)]);
        clock.advance_seconds(2 * 86_400);
        assert_eq!(kept(&store.append(&entries, &limits).await.unwrap()), 25, "another day begins anew");
        let days = store.days().await.unwrap();
        let today = Day::of(DAWN).0;
        assert_eq!(days.iter().map(|one| one.day.0).collect::<Vec<_>>(), [today, today + 2]);
        assert!(days.iter().all(|one| one.bytes > 0), "{days:?}");
        store.forget(Day(today)).await.unwrap();
        store.forget(Day(today - 1)).await.unwrap();
        let shop = filter(json!({"host_app": "mall"}));
        let left = store.search(&shop, WHOLE, 100, LONG).await.unwrap().entries;
        assert!(!left.is_empty() && left.iter().all(|one| Day::of(one.received_at).0 == today + 2));
        // Not by one day: on a day that begins, all hosts write.
        clock.advance_seconds(-2 * 86_400);
        assert_eq!(kept(&store.append(&entries, &limits).await.unwrap()), 25, "a dropped day may come again");
        store.close().await;
    }
}

#[tokio::test]
async fn d13_entries_that_are_erased_are_gone_and_all_others_stay() {
    for open in stores().await {
        let stored = fill(&open, 40).await;
        let (gone, stay): (Vec<_>, Vec<_>) = stored.iter().cloned().partition(|entry| entry.guid.ends_with('7'));
        let ids: Vec<_> = gone.iter().map(|entry| entry.id).collect();
        assert_eq!(open.store.erase(&ids).await.unwrap(), gone.len() as u64);
        let found = open.store.search(&Filter::default(), WHOLE, 100, LONG).await.unwrap().entries;
        assert_eq!(found.into_iter().rev().collect::<Vec<_>>(), stay);
        assert_eq!(open.store.erase(&[]).await.unwrap(), 0);
    }
}
