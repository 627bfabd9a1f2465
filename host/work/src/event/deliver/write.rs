//! Writes the outcome of deliveries, for many webhooks in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use berth_store::Change;

use super::hook::Hook;
use berth_base::{error::Result, ids::WebhookId};
use berth_store::Db;

use crate::event::webhook;

/// The changes that are to be written.
#[derive(Default)]
pub struct Marks {
    /// The webhooks, by the cursor that they have reached.
    cursors: BTreeMap<i64, Vec<WebhookId>>,
    changes: Vec<(WebhookId, Vec<Change>)>,
    /// The webhooks whose leases are given back, with the reason when the receiver is gone.
    leaving: Vec<(WebhookId, Option<Gone>)>,
}

/// That a receiver is gone for good.
struct Gone {
    url: String,
    why: String,
}

/// The outcome of writing.
pub struct Written {
    marks: Marks,
    /// The webhooks of which this host still held the lease; an error when nothing could be written.
    held: Result<HashSet<WebhookId>>,
}

/// The changes since the last call; `None` when there are none.
pub fn marks(hooks: &mut HashMap<WebhookId, Hook>) -> Option<Marks> {
    let mut marks = Marks::default();
    for (id, hook) in hooks.iter_mut() {
        let (cursor, changes) = (hook.desk.cursor(), hook.desk.changes());
        let leaves = hook.leaving && hook.desk.under_way() == 0;
        if cursor == hook.written && changes.is_empty() && !leaves {
            continue;
        }
        marks.cursors.entry(cursor).or_default().push(id.clone());
        if !changes.is_empty() {
            marks.changes.push((id.clone(), changes));
        }
        if leaves {
            let gone = hook.gone.clone().map(|why| Gone { url: hook.target.url.clone(), why });
            marks.leaving.push((id.clone(), gone));
        }
    }
    (!marks.cursors.is_empty()).then_some(marks)
}

/// Writes the changes. A failure is part of the answer, so that they can be written later.
#[tracing::instrument(name = "deliveries.write", skip_all)]
pub async fn write(db: Db, marks: Marks) -> Written {
    let held = store(&db, &marks).await;
    Written { marks, held }
}

async fn store(db: &Db, marks: &Marks) -> Result<HashSet<WebhookId>> {
    for (id, gone) in &marks.leaving {
        if let Some(Gone { url, why }) = gone {
            webhook::disable(db, id, url, why).await?;
        }
    }
    let mut held = HashSet::new();
    let mut tx = db.begin().await?;
    for (cursor, webhooks) in &marks.cursors {
        held.extend(tx.move_cursors(db.host(), *cursor, webhooks).await?);
    }
    let now = db.now();
    for (id, changes) in marks.changes.iter().filter(|(id, _)| held.contains(id)) {
        for change in changes {
            tx.write_delivery(id, change, now).await?;
        }
    }
    for (id, _) in &marks.leaving {
        tx.release_webhook(db.host(), id).await?;
    }
    tx.commit().await?;
    Ok(held)
}

/// Updates the webhooks by what was written, and drops those that this host does not hold any more. True when leases
/// were given back.
pub fn settle(hooks: &mut HashMap<WebhookId, Hook>, Written { marks, held }: Written) -> bool {
    let held = match held {
        Ok(held) => held,
        Err(error) => {
            tracing::warn!(?error, "what was delivered could not be written; trying again");
            for (id, changes) in marks.changes {
                if let Some(hook) = hooks.get_mut(&id) {
                    hook.desk.unwritten(changes);
                }
            }
            return false;
        }
    };
    for (cursor, webhooks) in marks.cursors {
        for id in webhooks {
            match hooks.get_mut(&id).filter(|_| held.contains(&id)) {
                Some(hook) => hook.written = cursor,
                // Another host has the lease: it begins from what is stored.
                None => drop(hooks.remove(&id)),
            }
        }
    }
    let left = !marks.leaving.is_empty();
    for (id, _) in marks.leaving {
        hooks.remove(&id);
    }
    left
}
