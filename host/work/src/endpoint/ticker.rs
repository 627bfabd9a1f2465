//! Expires product instances by the clock, and applies messages that a race left parked. Every host runs it; whichever
//! host is first does the work for all.

use berth_model::event::kind;
use std::time::Duration;

use crate::endpoint::{fulfilment, membership};
use berth_base::{error::Result, ids::MerchantId};
use berth_store::Db;

use crate::{beat, event};

const BEAT: Duration = Duration::from_secs(1);

/// Calls [`tick`] every second, in an endless loop.
pub async fn run(db: Db) {
    beat::every(BEAT, "expired product instances or waiting messages could not be stored; trying again", || tick(&db))
        .await;
}

/// Expires product instances whose time is over, and applies messages that were parked while their merchant was being
/// created. A failure of one merchant is logged and does not hold up the others.
#[tracing::instrument(name = "merchants.tick", skip_all)]
pub async fn tick(db: &Db) -> Result<()> {
    let mut tx = db.read().await?;
    let expiring = tx.merchants_with_expired_products(tx.now()).await?;
    let awaited = tx.merchants_with_waiting_messages().await?;
    drop(tx);
    // What fails for one merchant may fail for ever, and is no reason to leave the others.
    for merchant in expiring {
        log(&merchant, expire(db, &merchant).await);
    }
    for merchant in awaited {
        log(&merchant, replay(db, &merchant).await);
    }
    Ok(())
}

fn log(merchant: &MerchantId, done: Result<()>) {
    if let Err(error) = done {
        tracing::warn!(?error, %merchant, "a merchant's product instances or messages could not be looked after; trying again");
    }
}

#[tracing::instrument(name = "fulfilments.replay", skip_all, fields(merchant = %merchant))]
async fn replay(db: &Db, merchant: &MerchantId) -> Result<()> {
    let mut tx = db.begin().await?;
    fulfilment::replay_for(&mut tx, merchant).await?;
    tx.commit().await
}

#[tracing::instrument(name = "products.expire", skip_all, fields(merchant = %merchant))]
async fn expire(db: &Db, merchant: &MerchantId) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.hold_merchant(merchant).await?;
    let default = tx.default_endpoint(merchant).await?;
    for instance in tx.expire_products(merchant, tx.now()).await? {
        tx.tell(kind::PRODUCT_INSTANCE_EXPIRED, &instance.id, event::BERTH, &instance).for_merchant(merchant);
        if let Some(default) = &default {
            membership::follow_state(&mut tx, event::BERTH, default, &instance);
        }
    }
    tx.commit().await
}
