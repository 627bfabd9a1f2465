//! The database; no SQL is elsewhere. Each statement has one text for SQLite and PostgreSQL: a transaction is an enum
//! with an arm for each, and the macros below run the same statement on either.
//!
//! A change and the events that announce it share a transaction: [`Tx::tell`] collects events, and [`Tx::commit`]
//! writes them last, while it locks the one row that numbers them. So the numbers have no gaps, and they follow the
//! order in which changes became visible. Which request made the change, the events know by the act that is being done in
//! the task, see [`act`].

pub mod access;
pub mod act;
pub mod admission;
pub mod app_secret;
pub mod audit;
mod backlog;
pub mod blob;
mod blob_names;
pub mod check_record;
mod cohort;
mod connect;
mod delivery;
pub mod endpoint;
pub mod event;
mod expiring;
pub mod gray_task;
pub mod guard;
mod holder;
mod host_app;
mod host_key;
mod idempotency;
mod identity;
mod index;
mod lease;
mod log_export;
mod log_mask;
pub mod login_entry;
pub mod member_portal;
pub mod message;
mod mini_app;
pub mod official_account;
mod oidc;
pub mod people;
pub mod policy;
#[cfg(test)]
mod prepared;
mod privacy;
pub mod provider_link;
pub mod seal;
pub mod sealed;
mod search;
pub mod second_factor;
mod settings;
mod statement;
mod task_device;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod trust;
mod union;
mod user;
pub mod version;
mod waiting;
mod webhook;
pub mod wechat;
mod workspace;

use std::sync::OnceLock;

use sqlx::{Postgres, Sqlite, Transaction};

use crate::statement::{
    chosen, execute, execute_built, execute_sqlite, fetch, fetch_alone, fetch_built, push_ids, push_if,
};
pub use backlog::Backlog;
pub use berth_base::sql::{Count, is_unique_violation, was_unique_violation};
pub use connect::{Backend, Db, DbConfig};
pub use delivery::{AttemptRow, Change, Claimed, ClaimedRow, ToldRow, Waiting, WaitingRow};
pub use event::{EventAge, EventRow, NewEvent};
pub use expiring::{EXPIRING, Expiring};
pub use holder::Holder;
pub use identity::{Here, LinkedUsers};
pub use index::{IndexedApp, IndexedTrial, IndexedVersion, Span, Touched};
pub use lease::Lease;
pub use oidc::{AccessTokenRow, SigningKey, ToolSecretRow};
pub use privacy::KnownUser;
pub use sealed::{SEALED, SealedColumn};
pub use settings::PermitsOf;
pub use sqlx::types::Json;
pub use webhook::{WebhookRow, WebhookSecretRow};
pub use workspace::{
    DirectoryRow, DirectorySecrets, GroupRow, MemberRow, ResourceRow, StandingGroup, StandingMember, SyncEnd,
};

use serde::Serialize;

use berth_base::{
    clock::{Millis, Random},
    error::Result,
    ids::EventId,
};
use berth_model::event::Kind;

use crate::{act::Doing, seal::Seal};

/// The transaction of one of the two databases.
enum Conn {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A transaction. If it is dropped without [`Tx::commit`], it changes nothing.
pub struct Tx {
    conn: Conn,
    events: Vec<NewEvent>,
    moment: OnceLock<Millis>,
    db: Db,
}

impl Tx {
    /// Adds an event to this transaction: `actor` did what `kind` says to `subject`, with `data` as the details. The
    /// event is written by [`Tx::commit`].
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

    /// The time of this transaction: the present when it is first asked for, and the same ever after. What a change says
    /// of itself in several rows and events happened at one moment.
    pub fn now(&self) -> Millis {
        *self.moment.get_or_init(|| self.db.now())
    }

    /// The source of random bytes.
    pub fn random(&self) -> &dyn Random {
        self.db.random()
    }

    /// Id of this host among those that share the database.
    pub fn host(&self) -> &str {
        self.db.host()
    }

    /// The keys with which secrets in the database are sealed.
    pub fn seal(&self) -> &Seal {
        self.db.seal()
    }

    /// Commits the changes together with their events, and with the act that they are a part of, durably.
    pub async fn commit(mut self) -> Result<()> {
        let events = std::mem::take(&mut self.events);
        let told = !events.is_empty();
        let mut act = None;
        if told {
            act = self.write_current_act(&events).await?;
            self.write_events(events, act.as_deref().map(Doing::id)).await?;
        }
        match self.conn {
            Conn::Sqlite(c) => statement::run("COMMIT", c.commit(), |()| 0).await?,
            Conn::Postgres(c) => statement::run("COMMIT", c.commit(), |()| 0).await?,
        }
        if let Some(act) = act {
            act.is_written();
        }
        if told {
            self.db.tell_of_events();
        }
        Ok(())
    }
}
