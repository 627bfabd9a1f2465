//! What the delivery of events reads and writes: leases, cursors, and deliveries that wait.

use sqlx::types::Json;

use berth_base::sql::Count;

use super::{
    EventRow, Lease, Tx, WebhookSecretRow, execute, execute_built, fetch, fetch_built,
    lease::{free, given_back, taken},
};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{AttemptId, TeamId, WebhookId},
};
use berth_model::access::ScopeKind;

/// How many ids one statement has. A shorter list repeats its last id, so that only one statement has to be prepared.
const CHUNK: usize = 100;

/// An event with the team that owns its MiniApp.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ToldRow {
    /// The event.
    #[sqlx(flatten)]
    pub event: EventRow,
    /// The team of the MiniApp that the event concerns; `None` when it concerns none.
    pub team_id: Option<TeamId>,
}

/// A webhook whose lease this host has taken.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in the migration")]
pub struct ClaimedRow {
    pub webhook_id: WebhookId,
    pub seq: i64,
    pub url: String,
    pub scope_kind: ScopeKind,
    pub scope_id: String,
    pub types: Json<Vec<String>>,
}

/// A delivery that waits, or that was given up for an event after the cursor.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in the migration")]
pub struct WaitingRow {
    pub webhook_id: WebhookId,
    pub seq: i64,
    pub subject: String,
    #[sqlx(try_from = "Count")]
    pub attempts: u64,
    pub next_at: Millis,
    pub dead: bool,
}

/// The webhooks whose leases this host has just taken.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// The webhooks.
    pub webhooks: Vec<ClaimedRow>,
    /// The secrets of all these webhooks, newest first.
    pub secrets: Vec<WebhookSecretRow>,
    /// The deliveries to these webhooks that wait, and those given up for events after the cursor, by event number.
    pub waiting: Vec<WaitingRow>,
}

impl Tx {
    /// Up to `limit` events after number `seq` with the teams that own their MiniApps, oldest first.
    pub async fn told_after(&mut self, seq: i64, limit: i64) -> Result<Vec<ToldRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            ToldRow,
            "SELECT e.*, m.team_id FROM event e LEFT JOIN mini_app m ON m.id = e.mini_app_id
             WHERE e.seq > $1 ORDER BY e.seq LIMIT $2",
            seq,
            limit
        )?)
    }

    /// The number up to which events may be deleted: enabled webhooks, and relays whose lease ends after `since`, need
    /// only later ones. The last event always stays, as it tells where the log is.
    pub async fn events_needed_after(&mut self, since: Millis) -> Result<i64> {
        let (seq,) = fetch!(
            self,
            fetch_one,
            (i64,),
            "SELECT MIN(seq) FROM (
                SELECT last - 1 AS seq FROM event_head
                UNION ALL SELECT c.seq FROM webhook_cursor c JOIN webhook w ON w.id = c.webhook_id WHERE w.enabled
                UNION ALL SELECT c.replay_after FROM webhook_cursor c JOIN webhook w ON w.id = c.webhook_id
                    WHERE w.enabled AND c.replay_after IS NOT NULL
                UNION ALL SELECT d.seq - 1 FROM webhook_delivery d JOIN webhook w ON w.id = d.webhook_id
                    WHERE w.enabled AND d.state = 'waiting'
                UNION ALL SELECT seq FROM event_relay WHERE lease_until > $1) AS needed",
            since
        )?;
        Ok(seq)
    }

    /// The event with this number.
    pub async fn event(&mut self, seq: i64) -> Result<Option<EventRow>> {
        Ok(fetch!(self, fetch_optional, EventRow, "SELECT * FROM event WHERE seq = $1", seq)?)
    }

    /// Whether there is an enabled webhook on which no host has a valid lease.
    pub async fn webhooks_wait_for_a_host(&mut self, now: Millis) -> Result<bool> {
        let found = fetch!(
            self,
            fetch_optional,
            (i64,),
            concat!(
                "SELECT c.seq FROM webhook_cursor c JOIN webhook w ON w.id = c.webhook_id WHERE w.enabled AND ",
                free!("$1"),
                " LIMIT 1"
            ),
            now
        )?;
        Ok(found.is_some())
    }

    /// Takes the lease of every enabled webhook that has none, and sets back those of which that was asked.
    pub async fn claim_webhooks(&mut self, lease: &Lease) -> Result<Claimed> {
        // The mark tells the rows that are taken now from those that the host holds already.
        let owner = lease.owner();
        let mark = format!("{owner}+");
        execute!(
            self,
            concat!(
                "UPDATE webhook_cursor SET ",
                taken!("$1", "$3"),
                " WHERE webhook_id IN (SELECT id FROM webhook WHERE enabled) AND ",
                free!("$2")
            ),
            &mark,
            lease.from(),
            lease.until()
        )?;
        self.set_back(&mark).await?;
        let claimed = self.claimed(&mark).await?;
        execute!(self, "UPDATE webhook_cursor SET lease_owner = $1 WHERE lease_owner = $2", owner, &mark)?;
        Ok(claimed)
    }

    /// Performs the replays that [`Tx::ask_for_replay`] has asked for: deletes the deliveries after the event, and sets
    /// the cursor back to it.
    async fn set_back(&mut self, mark: &str) -> Result<()> {
        execute!(
            self,
            "DELETE FROM webhook_delivery WHERE EXISTS
                (SELECT 1 FROM webhook_cursor c WHERE c.webhook_id = webhook_delivery.webhook_id
                 AND c.lease_owner = $1 AND webhook_delivery.seq > c.replay_after)",
            mark
        )?;
        execute!(
            self,
            "UPDATE webhook_cursor SET seq = replay_after, replay_after = NULL
             WHERE lease_owner = $1 AND replay_after IS NOT NULL",
            mark
        )?;
        Ok(())
    }

    async fn claimed(&mut self, mark: &str) -> Result<Claimed> {
        Ok(Claimed {
            webhooks: fetch!(
                self,
                fetch_all,
                ClaimedRow,
                "SELECT c.webhook_id, c.seq, w.url, w.scope_kind, w.scope_id, w.types
                 FROM webhook_cursor c JOIN webhook w ON w.id = c.webhook_id WHERE c.lease_owner = $1",
                mark
            )?,
            secrets: fetch!(
                self,
                fetch_all,
                WebhookSecretRow,
                "SELECT s.* FROM webhook_secret s JOIN webhook_cursor c ON c.webhook_id = s.webhook_id
                 WHERE c.lease_owner = $1 ORDER BY s.ends_at IS NOT NULL, s.id DESC",
                mark
            )?,
            waiting: fetch!(
                self,
                fetch_all,
                WaitingRow,
                "SELECT d.webhook_id, d.seq, d.subject, d.attempts, d.next_at, d.state = 'dead' AS dead
                 FROM webhook_delivery d JOIN webhook_cursor c ON c.webhook_id = d.webhook_id
                 WHERE c.lease_owner = $1 AND (d.state = 'waiting' OR d.seq > c.seq) ORDER BY d.seq",
                mark
            )?,
        })
    }

    /// Keeps the leases of a host; answers the webhooks that it still holds.
    pub async fn keep_webhooks(&mut self, lease: &Lease) -> Result<Vec<WebhookId>> {
        let rows = fetch!(
            self,
            fetch_all,
            (WebhookId,),
            "UPDATE webhook_cursor SET lease_until = $2 WHERE lease_owner = $1 RETURNING webhook_id",
            lease.owner(),
            lease.until()
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Moves the cursors of those of `webhooks` on which the host has leases to `seq`. Returns these webhooks.
    pub async fn move_cursors(&mut self, owner: &str, seq: i64, webhooks: &[WebhookId]) -> Result<Vec<WebhookId>> {
        let mut moved = Vec::with_capacity(webhooks.len());
        for chunk in webhooks.chunks(CHUNK) {
            let filled = chunk.iter().chain(std::iter::repeat_n(chunk.last(), CHUNK - chunk.len()).flatten());
            let rows = fetch_built!(self, (WebhookId,), |q| {
                q.push("UPDATE webhook_cursor SET seq = ").push_bind(seq);
                q.push(" WHERE lease_owner = ").push_bind(owner).push(" AND webhook_id IN (");
                let mut ids = q.separated(", ");
                for id in filled {
                    ids.push_bind(id);
                }
                q.push(") RETURNING webhook_id");
            })?;
            moved.extend(rows.into_iter().map(|(id,)| id));
        }
        Ok(moved)
    }

    /// Stores the state of a delivery that did not succeed at the first attempt, or deletes it when it is done.
    pub async fn write_delivery(&mut self, id: &WebhookId, change: &Change, now: Millis) -> Result<()> {
        let Change::Put { row, dead, status, error } = change else {
            let Change::Gone(seq) = change else { return Ok(()) };
            execute!(self, "DELETE FROM webhook_delivery WHERE webhook_id = $1 AND seq = $2", id, *seq)?;
            return Ok(());
        };
        execute!(
            self,
            "INSERT INTO webhook_delivery (webhook_id, seq, subject, state, attempts, next_at, status, error, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (webhook_id, seq) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,
                next_at = excluded.next_at, status = excluded.status, error = excluded.error,
                updated_at = excluded.updated_at",
            id,
            row.seq,
            &row.subject,
            if *dead { "dead" } else { "waiting" },
            Count(row.attempts),
            row.next_at,
            status.map(i64::from),
            error,
            now
        )?;
        Ok(())
    }

    /// Adds attempts to those that are kept.
    pub async fn insert_attempts(&mut self, attempts: &[AttemptRow]) -> Result<()> {
        for chunk in attempts.chunks(CHUNK) {
            execute_built!(self, |q| {
                q.push("INSERT INTO webhook_attempt (id, webhook_id, seq, at, status, millis, error) ");
                q.push_values(chunk, |mut row, one| {
                    row.push_bind(&one.id).push_bind(&one.webhook_id).push_bind(one.seq).push_bind(one.at);
                    row.push_bind(one.status.map(i64::from)).push_bind(one.millis).push_bind(&one.error);
                });
            })?;
        }
        Ok(())
    }

    /// Gives back the lease on a webhook.
    pub async fn release_webhook(&mut self, owner: &str, id: &WebhookId) -> Result<()> {
        execute!(
            self,
            concat!("UPDATE webhook_cursor SET ", given_back!(), " WHERE webhook_id = $1 AND lease_owner = $2"),
            id,
            owner
        )?;
        Ok(())
    }

    /// Gives back all leases of a host that stops.
    pub async fn release_leases(&mut self, owner: &str) -> Result<()> {
        const WEBHOOKS: &str = concat!("UPDATE webhook_cursor SET ", given_back!(), " WHERE lease_owner = $1");
        execute!(self, WEBHOOKS, owner)?;
        const RELAYS: &str = concat!("UPDATE event_relay SET ", given_back!(), " WHERE lease_owner = $1");
        execute!(self, RELAYS, owner)?;
        Ok(())
    }

    /// Takes or keeps the lease of a relay of the event log; its cursor, when the host has it.
    pub async fn claim_relay(&mut self, name: &str, lease: &Lease) -> Result<Option<i64>> {
        execute!(
            self,
            "INSERT INTO event_relay (name, seq, lease_until) VALUES ($1, 0, 0) ON CONFLICT (name) DO NOTHING",
            name
        )?;
        let row = fetch!(
            self,
            fetch_optional,
            (i64,),
            concat!(
                "UPDATE event_relay SET ",
                taken!("$2", "$4"),
                " WHERE name = $1 AND (lease_owner = $2 OR ",
                free!("$3"),
                ") RETURNING seq"
            ),
            name,
            lease.owner(),
            lease.from(),
            lease.until()
        )?;
        Ok(row.map(|(seq,)| seq))
    }

    /// Moves the cursor of a relay. Returns `false` when the host does not have the lease any more.
    pub async fn move_relay(&mut self, name: &str, owner: &str, seq: i64) -> Result<bool> {
        let moved =
            execute!(self, "UPDATE event_relay SET seq = $3 WHERE name = $1 AND lease_owner = $2", name, owner, seq)?;
        Ok(moved > 0)
    }
}

/// A send to a webhook that has ended.
#[derive(Clone, Debug)]
pub struct AttemptRow {
    /// Its id; ids of later attempts are greater.
    pub id: AttemptId,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The number of the event.
    pub seq: i64,
    /// When it ended.
    pub at: Millis,
    /// The receiver's HTTP status, when it answered.
    pub status: Option<u16>,
    /// How many milliseconds it took.
    pub millis: i64,
    /// Why the event was not delivered; empty when it was.
    pub error: String,
}

/// A change of a row, to be written together with the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A row was added or changed.
    Put {
        /// The row as it is now.
        row: Waiting,
        /// Whether the event was given up and is not tried any more.
        dead: bool,
        /// The receiver's last HTTP status, when it answered.
        status: Option<u16>,
        /// Why the last try failed; empty when the event was not tried yet.
        error: String,
    },
    /// The row with this number was delivered, and is to be deleted.
    Gone(i64),
}

/// An event that failed or waits behind one that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The number of the event.
    pub seq: i64,
    /// The id of what the event is about.
    pub subject: String,
    /// Failures so far.
    pub attempts: u64,
    /// When it is tried next.
    pub next_at: Millis,
}
