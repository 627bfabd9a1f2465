//! Versions in the database: what it says of them is checked, and what one change says agrees.

use berth_base::clock::Millis;
use berth_model::version::{Publish, Released, Rollback};

use super::release::{publish, roll_back};
use crate::testing::{self, TestHost, shop, v};

#[tokio::test]
async fn a_negative_size_is_an_error_that_names_the_column_and_the_value() {
    let host = testing::host().await;
    host.approved("1.1.0").await;
    berth_store::testing::run(&host.app.db, "UPDATE version SET size = -5 WHERE number = '1.1.0'").await;
    let mut tx = host.app.db.read().await.expect("a transaction");
    let error = tx.version(&shop(), &v("1.1.0")).await.expect_err("a size below zero");
    assert_eq!(error.code, berth_base::error::Code::Internal);
    assert!(!error.detail.contains("-5"), "people learn nothing of it: {}", error.detail);
    let log = format!("{error:?}");
    assert!(log.contains("size") && log.contains("-5 is negative"), "{log}");
}

/// All times that a release has left: of its own, of the version that went online and the one that it replaced, and of
/// its event.
async fn moments(host: &TestHost, released: &Released, replaced: &str) -> Vec<Millis> {
    let mut tx = host.app.db.read().await.expect("a transaction");
    let online = tx.require_version(&shop(), &released.release.version).await.expect("a version");
    let replaced = tx.require_version(&shop(), &v(replaced)).await.expect("a version");
    let last = tx.last_event().await.expect("a number");
    let mut at = vec![released.release.released_at, online.updated_at, replaced.updated_at];
    at.extend(online.online_at);
    at.extend(tx.events_after(last - 1, 1).await.expect("events").iter().map(|event| event.at));
    at
}

#[tokio::test]
async fn v9_all_that_a_release_says_happened_at_one_moment() {
    let host = testing::host().await;
    host.approved("1.1.0").await;
    host.clock.move_when_seen();
    let (db, caller) = (&host.app.db, &host.caller);
    let how = Publish::default();
    let published = publish(db, caller, &shop(), &v("1.1.0"), how).await.expect("a release");
    let how = Rollback { to: v("1.0.0"), lower_min: false, note: String::new() };
    let back_at = roll_back(db, caller, &shop(), how).await.expect("a release");
    assert!(back_at.release.released_at > published.release.released_at, "the clock goes on between them");
    let at = moments(&host, &back_at, "1.1.0").await;
    assert_eq!(at, vec![back_at.release.released_at; 5]);
}
