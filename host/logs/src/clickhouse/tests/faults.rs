//! A server that is down, slow, full, refuses, or answers half: nothing is told as kept that is not, and nobody waits for ever.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, Instant},
};

use berth_base::{
    clock::{ManualClock, Nature, SystemRandom},
    error::{Code, Error},
};
use berth_model::{
    log::{Fate, Filter, LogId, Span},
    testing::DAWN,
};

use super::stand_in::{Does, StandIn, rows, stand_in};
use crate::{
    ClickHouse, LogStore,
    tests::{LONG, WHOLE, WIDE, entry},
};

const SETTLE: Duration = Duration::from_millis(900);

async fn open(url: &str) -> Result<ClickHouse, Error> {
    let nature = Nature { clock: Arc::new(ManualClock::new(DAWN)), random: Arc::new(SystemRandom) };
    ClickHouse::open(url, SETTLE, nature).await
}

/// A store whose server does what a test says about requests that have `part`, and is well for all others.
async fn with(part: &'static str, does: Does) -> (ClickHouse, StandIn) {
    let stand_in = stand_in(move |request| if request.contains(part) { does.clone() } else { Does::Well }).await;
    (open(&stand_in.url).await.unwrap(), stand_in)
}

fn exception(code: u32) -> Does {
    Does::Answers(
        500,
        format!("Code: {code}, e.displayText() = DB::Exception: said 'canary', e.what() = DB::Exception"),
    )
}

/// An error that tells neither the password nor what a server repeats of statements.
fn plain(error: Error, code: Code) {
    let said = format!("{error:?}");
    assert!(error.code == code && !said.contains("canary"), "{said}");
}

#[tokio::test]
async fn d15_a_server_that_cannot_be_opened_says_why_and_not_by_which_password() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = taken.local_addr().unwrap();
    drop(taken);
    let down = open(&format!("http://berth:canary@{free}/logs")).await.err().unwrap();
    plain(down, Code::Unavailable);
    for (code, word) in [(193, "password"), (516, "password"), (81, "CREATE DATABASE"), (497, "may not"), (777, "777")]
    {
        let stand_in = stand_in(move |_| exception(code)).await;
        let error = open(&stand_in.url).await.err().unwrap();
        assert!(error.detail.contains(word), "{error:?}");
        plain(error, Code::Unavailable);
    }
    for does in [
        Does::Answers(200, "<html>welcome</html>".into()),
        Does::Answers(302, String::new()),
        Does::Answers(200, rows("[]")),
        Does::Half(rows(r#"[["18.16.1", 1]]"#)),
        Does::Closes,
    ] {
        let stand_in = stand_in(move |_| does.clone()).await;
        plain(open(&stand_in.url).await.err().unwrap(), Code::Unavailable);
    }
}

#[tokio::test]
async fn d15_nothing_is_told_as_kept_that_the_server_did_not_say_it_has() {
    for (does, code) in [
        (exception(243), Code::StorageFull),
        (exception(252), Code::Unavailable),
        (exception(159), Code::Unavailable),
        (Does::Answers(200, "Code: 241, e.displayText() = canary".into()), Code::Unavailable),
        (Does::Answers(200, "<html>canary</html>".into()), Code::Unavailable),
        (Does::Answers(502, "canary".into()), Code::Unavailable),
        (Does::Half(String::new()), Code::Unavailable),
        (Does::Closes, Code::Unavailable),
        (Does::Hangs, Code::Unavailable),
    ] {
        let (store, _server) = with("INTO+berth_log+FORMAT", does.clone()).await;
        let begun = Instant::now();
        let refused = store.append(&[entry(1)], &WIDE).await.err();
        plain(refused.unwrap_or_else(|| panic!("kept, with {does:?}")), code);
        assert!(begun.elapsed() < Duration::from_secs(3), "{does:?} took {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn d15_what_is_stored_too_late_to_be_followed_in_order_is_not_told_as_kept() {
    // Longer than two thirds of the settling time, and not longer than a request is waited for.
    let slow = stand_in(|request| {
        if request.contains("INTO+berth_log+FORMAT") {
            std::thread::sleep(Duration::from_millis(700));
        }
        Does::Well
    });
    let slow = slow.await;
    let store = open(&slow.url).await.unwrap();
    let error = store.append(&[entry(1)], &WIDE).await.unwrap_err();
    assert!(error.detail.contains("Send them again"), "{error:?}");
}

#[tokio::test]
async fn d15_after_a_failure_ids_go_on_and_what_is_stored_is_read_anew() {
    let seen = Arc::new(Mutex::new(Vec::<String>::new()));
    let (log, mut fails) = (seen.clone(), true);
    let server = stand_in(move |request| {
        log.lock().unwrap().push(request.to_owned());
        match request.contains("INTO+berth_log+FORMAT") && std::mem::take(&mut fails) {
            true => Does::Closes,
            false => Does::Well,
        }
    });
    let server = server.await;
    let store = open(&server.url).await.unwrap();
    store.append(&[entry(1)], &WIDE).await.unwrap_err();
    let fates = store.append(&[entry(1)], &WIDE).await.unwrap();
    assert!(matches!(fates[0], Fate::Kept(_)));
    let seen = seen.lock().unwrap().clone();
    let count = |part: &str| seen.iter().filter(|request| request.contains(part)).count();
    assert_eq!((count("max(id)"), count("berth_log_usage WHERE")), (2, 2), "looked up once more");
    assert_eq!(count("INTO+berth_log_lane"), 1, "the lane is kept");
    assert!(seen.iter().all(|request| !request.contains("canary")), "the password is in no address");
}

#[tokio::test]
async fn d15_who_searches_and_follows_is_told_when_the_server_fails_and_does_not_wait_for_ever() {
    let day = Span { from: LogId(0), below: LogId(i64::MAX) };
    let half = r#"{"meta":[],"data":[[1,"shop","mall",2"#;
    for does in [exception(241), Does::Half(half.into()), Does::Answers(200, half.into()), Does::Closes] {
        let (store, _server) = with("FROM berth_log WHERE", does.clone()).await;
        plain(store.search(&Filter::default(), day, 9, LONG).await.unwrap_err(), Code::Unavailable);
        plain(store.follow(&Filter::default(), LogId(0), 9).await.unwrap_err(), Code::Unavailable);
    }
    let (store, server) = with("FROM berth_log WHERE", exception(159)).await;
    plain(store.search(&Filter::default(), WHOLE, 9, Duration::from_secs(1)).await.unwrap_err(), Code::Unavailable);
    assert!(server.asked.load(Ordering::SeqCst) < 20, "it tries narrower parts, and gives up");
    let (store, _server) = with("system.parts", exception(202)).await;
    plain(store.days().await.unwrap_err(), Code::Unavailable);
    let (store, _server) = with("DROP", exception(359)).await;
    let error = store.forget(berth_model::log::Day(21_990)).await.unwrap_err();
    assert!(error.detail.contains("max_partition_size_to_drop"), "{error:?}");
}

#[tokio::test]
async fn d15_two_hosts_that_claim_one_lane_do_not_both_have_it() {
    let mut checks = 0;
    let server = stand_in(move |request| {
        let is_check = request.contains("owner != ");
        checks += usize::from(is_check);
        match is_check && checks <= 2 {
            true => Does::Answers(200, rows("[[7]]")),
            false => Does::Well,
        }
    });
    let server = server.await;
    let store = open(&server.url).await.unwrap();
    assert!(matches!(store.append(&[entry(1)], &WIDE).await.unwrap()[0], Fate::Kept(_)), "the third claim is its own");
    let all: Vec<_> = (0..256).map(|lane| format!("[{lane}]")).collect();
    let all = format!("[{}]", all.join(","));
    let (store, _server) = with("DISTINCT lane", Does::Answers(200, rows(&all))).await;
    let error = store.append(&[entry(1)], &WIDE).await.unwrap_err();
    assert!(error.detail.contains("256"), "{error:?}");
}
