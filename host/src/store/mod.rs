//! The only SQL. One text for SQLite and PostgreSQL: a transaction is an enum of two arms, and the macros of `statement`
//! run the same statement on either.
//!
//! A change and the events that tell of it share a transaction: [`Tx::tell`] collects events, and [`Tx::commit`]
//! writes them last, holding the one row that numbers them. So the sequence has no gaps, and it is the order in
//! which changes became visible.

mod access;
mod admission;
mod audit;
mod backlog;
mod blob;
mod cohort;
mod connect;
mod delivery;
mod endpoint;
mod event;
mod gray_task;
mod host_app;
mod idempotency;
mod index;
mod mini_app;
mod policy;
#[cfg(test)]
mod prepared;
mod sealed;
mod statement;
mod version;
mod webhook;
mod wechat;

use sqlx::{Postgres, Sqlite, Transaction};

pub use backlog::Backlog;
pub use berth_base::sql::is_unique_violation;
use berth_base::sql::{SQLITE_BUSY, database_code};
pub use connect::{Backend, Db, DbConfig};
pub use delivery::{Claimed, ClaimedRow, ToldRow, WaitingRow};
pub use event::{EventAge, EventRow, NewEvent};
pub use index::{IndexedApp, IndexedTrial, IndexedVersion, Span};
pub use sealed::{SEALED, SealedColumn};
use statement::{chosen, execute, execute_built, execute_sqlite, fetch, fetch_alone, fetch_built, push_if};
pub use webhook::{WebhookRow, WebhookSecretRow};

use serde::Serialize;

use crate::{
    clock::{Millis, Random},
    error::Result,
    event::Kind,
    ids::EventId,
    seal::Seal,
};

/// The transaction of one of the two databases.
enum Conn {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A transaction. Dropped without [`Tx::commit`], it changes nothing.
pub struct Tx {
    conn: Conn,
    events: Vec<NewEvent>,
    db: Db,
}

impl Tx {
    /// Tells of a change made in this transaction: what happened to `subject`, done by `actor`.
    pub fn tell<T: Serialize>(
        &mut self,
        kind: Kind<T>,
        subject: &impl ToString,
        actor: &str,
        data: &T,
    ) -> &mut NewEvent {
        let now = self.now();
        let id = EventId::generate(now, self.random());
        self.events.push_mut(NewEvent::new(id, now, kind, subject.to_string(), actor.to_owned(), data))
    }

    /// What time it is.
    pub fn now(&self) -> Millis {
        self.db.now()
    }

    /// Where random bytes come from.
    pub fn random(&self) -> &dyn Random {
        self.db.random()
    }

    /// Which of the hosts that share the database this one is.
    pub fn host(&self) -> &str {
        self.db.host()
    }

    /// The keys of sealed columns.
    pub fn seal(&self) -> &Seal {
        self.db.seal()
    }

    /// Makes the changes and their events visible, durably, both or neither.
    pub async fn commit(mut self) -> Result<()> {
        let events = std::mem::take(&mut self.events);
        let told = !events.is_empty();
        if told {
            self.write_events(events).await?;
        }
        match self.conn {
            Conn::Sqlite(c) => statement::run("COMMIT", c.commit(), |()| 0).await?,
            Conn::Postgres(c) => statement::run("COMMIT", c.commit(), |()| 0).await?,
        }
        if told {
            self.db.tell_of_events();
        }
        Ok(())
    }
}
