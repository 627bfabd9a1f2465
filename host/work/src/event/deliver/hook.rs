//! A webhook that this host delivers to, as it holds the lease.

use std::{collections::HashMap, sync::Arc};

use berth_store::Waiting;

use super::{plan::Desk, recent::Prepared};
use berth_base::{
    error::{Error, Result},
    ids::WebhookId,
};
use berth_model::access::Scope;
use berth_store::{Claimed, ClaimedRow, Db, WaitingRow, WebhookSecretRow};

use crate::event::webhook::{self, secret::Key};

/// The receiver of a webhook: its address and the keys that sign messages to it.
pub struct Target {
    /// The URL to which messages are POSTed.
    pub url: String,
    secrets: Vec<(Key, Option<i64>)>,
}

impl Target {
    /// The keys that are valid at `now`, in milliseconds since the epoch.
    pub fn keys(&self, now: i64) -> Vec<Key> {
        self.secrets.iter().filter(|(_, end)| end.is_none_or(|end| now < end)).map(|(key, _)| key.clone()).collect()
    }
}

/// A webhook in delivery, and how far it is.
pub(crate) struct Hook {
    /// Plans what is sent next.
    pub desk: Desk<Arc<Prepared>>,
    /// The receiver.
    pub target: Arc<Target>,
    /// The cursor as it is stored in the database.
    pub written: i64,
    /// Whether the webhook was changed or deleted. Nothing more is sent then, and the lease is given back once no send
    /// is under way.
    pub leaving: bool,
    /// Why the receiver is gone for good, once it said so.
    pub gone: Option<String>,
    scope: Scope,
    types: Vec<String>,
}

impl Hook {
    /// Offers events, in their order, up to the number `last`. The desk takes those that the webhook wants, as far as
    /// it has room.
    pub fn offer(&mut self, events: &[Arc<Prepared>], last: i64) {
        let (scope, types) = (&self.scope, &self.types);
        let wanted = |event: &Arc<Prepared>| event.is_told_to(scope) && webhook::wants(types, &event.row.kind);
        self.desk.offer(events, last, wanted);
    }

    fn open(db: &Db, row: ClaimedRow, secrets: &[WebhookSecretRow], rows: Vec<WaitingRow>) -> Result<Self> {
        let key = |row: &WebhookSecretRow| Ok((key_of(db, row)?, row.ends_at.map(|at| at.0)));
        let secrets = secrets.iter().map(key).collect::<Result<_>>()?;
        let (dead, waiting): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.dead);
        let waiting = waiting.into_iter().map(|row| Waiting {
            seq: row.seq,
            subject: row.subject,
            attempts: row.attempts,
            next_at: row.next_at,
        });
        Ok(Self {
            desk: Desk::open(row.seq, waiting.collect(), dead.into_iter().map(|row| row.seq).collect()),
            target: Arc::new(Target { url: row.url, secrets }),
            written: row.seq,
            leaving: false,
            gone: None,
            scope: Scope::parse(row.scope_kind, &row.scope_id)?,
            types: row.types.0,
        })
    }
}

/// Opens the webhooks whose leases were taken. One whose secrets cannot be opened is logged and left out.
pub(crate) fn open_all(db: &Db, claimed: Claimed) -> Vec<(WebhookId, Hook)> {
    let Claimed { webhooks, secrets, waiting } = claimed;
    let mut secrets = by_webhook(secrets, |row| &row.webhook_id);
    let mut rows = by_webhook(waiting, |row| &row.webhook_id);
    let mut hooks = Vec::with_capacity(webhooks.len());
    for row in webhooks {
        let id = row.webhook_id.clone();
        let (secrets, rows) = (secrets.remove(&id).unwrap_or_default(), rows.remove(&id).unwrap_or_default());
        match Hook::open(db, row, &secrets, rows) {
            Ok(hook) => hooks.push((id, hook)),
            Err(error) => tracing::error!(webhook = %id, ?error, "a webhook cannot be delivered to"),
        }
    }
    hooks
}

/// Groups items by their webhook and keeps their order.
fn by_webhook<T>(all: Vec<T>, of: impl Fn(&T) -> &WebhookId) -> HashMap<WebhookId, Vec<T>> {
    let mut groups = HashMap::<_, Vec<T>>::new();
    for one in all {
        groups.entry(of(&one).clone()).or_default().push(one);
    }
    groups
}

/// The keys of the secrets that are valid now, in the order of `secrets`.
pub fn keys_of(db: &Db, secrets: &[WebhookSecretRow]) -> Result<Vec<Key>> {
    let now = db.now();
    secrets.iter().filter(|row| row.ends_at.is_none_or(|end| now < end)).map(|row| key_of(db, row)).collect()
}

fn key_of(db: &Db, row: &WebhookSecretRow) -> Result<Key> {
    let secret = db.seal().open_text(&row.secret_sealed, &webhook::about(&row.id))?;
    Key::of(&secret)
        .ok_or_else(|| Error::internal(anyhow::anyhow!("the secret of {} is not one of ours", row.webhook_id)))
}
