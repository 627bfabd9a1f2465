//! Forgets what has had its time: entries and codes of visits, visitors who are nobody's member, old messages. A message that
//! nobody has settled is settled here.

use std::{sync::Arc, time::Duration};

use berth_base::error::Result;
use berth_model::official_account::TemplateMessageState;
use berth_store::Expiring;

use super::{OfficialAccounts, message};
use crate::{beat, event::BERTH, forget::expired};

/// The pause between two rounds.
const EVERY: Duration = Duration::from_secs(60);
/// For how many days a visitor is known who is bound to nobody.
const VISITOR_DAYS: i64 = 30;
/// For how many days messages are kept, and with them the keys by which they were sent once.
const MESSAGE_DAYS: i64 = 90;
/// Seconds after which a message that is still being sent has lost its host: more than all accounts of a member may take.
const STUCK: i64 = 600;
/// How many such messages are settled in a round.
const BATCH: i64 = 200;
const DAY: i64 = 24 * 3600;

/// Forgets what has had its time, every minute, in an endless loop.
pub async fn run_forgetter(accounts: Arc<OfficialAccounts>) {
    beat::every(EVERY, "visits of official accounts could not be forgotten; later again", || forget(&accounts)).await;
}

/// Forgets what has had its time.
///
/// # Errors
/// Those of the database.
#[tracing::instrument(name = "official_accounts.forget", skip_all)]
pub async fn forget(accounts: &OfficialAccounts) -> Result<()> {
    let db = &accounts.db;
    expired(db, &Expiring::ENTRIES, 0).await?;
    expired(db, &Expiring::VISIT_CODES, 0).await?;
    expired(db, &Expiring::VISITORS, VISITOR_DAYS * DAY).await?;
    expired(db, &Expiring::TEMPLATE_MESSAGES, MESSAGE_DAYS * DAY).await?;
    let stuck = db.read().await?.template_messages_stuck(db.now().plus_seconds(-STUCK), BATCH).await?;
    for mut lost in stuck {
        lost.state = TemplateMessageState::Unknown;
        message::settle(db, BERTH, lost).await?;
    }
    Ok(())
}
