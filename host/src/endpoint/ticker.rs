//! What the clock does to product instances, and the messages that a race left waiting. Any host may do it, and the one
//! that is first does it for all.

use std::{sync::Arc, time::Duration};

use super::{fulfilment, membership};
use crate::{app::App, error::Result, event, ids::MerchantId};

const BEAT: Duration = Duration::from_secs(1);

/// Ticks for ever.
pub async fn run(app: Arc<App>) {
    loop {
        tokio::time::sleep(BEAT).await;
        if let Err(error) = tick(&app).await {
            tracing::warn!(?error, "expired product instances or waiting messages could not be stored; trying again");
        }
    }
}

/// Ends what has expired, and applies messages that were parked while their merchant was being created.
pub async fn tick(app: &App) -> Result<()> {
    let mut tx = app.db.read().await?;
    let expiring = tx.merchants_with_expired_products(app.clock.now()).await?;
    let awaited = tx.merchants_with_waiting_messages().await?;
    drop(tx);
    // What fails for one merchant may fail for ever, and is no reason to leave the others.
    for merchant in expiring {
        log(&merchant, expire(app, &merchant).await);
    }
    for merchant in awaited {
        log(&merchant, replay(app, &merchant).await);
    }
    Ok(())
}

fn log(merchant: &MerchantId, done: Result<()>) {
    if let Err(error) = done {
        tracing::warn!(?error, %merchant, "a merchant's product instances or messages could not be looked after; trying again");
    }
}

async fn replay(app: &App, merchant: &MerchantId) -> Result<()> {
    let mut tx = app.db.begin().await?;
    fulfilment::replay_for(&mut tx, app, merchant).await?;
    tx.commit().await
}

async fn expire(app: &App, merchant: &MerchantId) -> Result<()> {
    let mut tx = app.db.begin().await?;
    tx.hold_merchant(merchant).await?;
    let default = tx.default_endpoint(merchant).await?;
    for instance in tx.expire_products(merchant, app.clock.now()).await? {
        let event = event::new(app, "product_instance.expired", &instance.id, event::BERTH, &instance);
        tx.emit(event.for_merchant(merchant));
        if let Some(default) = &default {
            membership::follow_state(&mut tx, app, event::BERTH, default, &instance);
        }
    }
    tx.commit().await
}
