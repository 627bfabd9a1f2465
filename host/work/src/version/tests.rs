//! What the database says of versions is checked when it is read.

use crate::testing::{self, shop, v};

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
