//! Where real-time logs are kept (D4). The stores are behind one trait: the embedded one keeps files or tables of a day, the
//! other one writes to a ClickHouse server.
//!
//! Logs have connections of their own and share nothing with the database of the host: neither its connections nor the
//! sequence of events. A log store that is slow, full or gone slows no check. Nor is it backed up with the host.

mod bloom;
mod clickhouse;
pub mod config;
mod embedded;
mod row;
mod terms;
#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc, time::Duration};

use berth_base::{
    clock::Nature,
    error::{Code, Error, Result},
};
use berth_model::log::{Arrived, Day, DayLimits, DaySize, Fate, Filter, LogEntry, LogId, Span};
use futures_util::future::BoxFuture;

pub use clickhouse::ClickHouse;
pub use config::LogConfig;
pub use embedded::Embedded;

/// What a search has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The entries, newest first.
    pub entries: Vec<LogEntry>,
    /// The search has ended before its end: it has looked at everything from this id on, and at nothing below. `None`
    /// when it has looked at the whole span, or found as many as it should.
    pub stopped_at: Option<LogId>,
}

/// Entries that have arrived after another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The entries, oldest first.
    pub entries: Vec<LogEntry>,
    /// Everything up to this id was looked at.
    pub looked_to: LogId,
    /// That is everything there is at present.
    pub is_all: bool,
}

/// A place where logs are kept.
pub trait LogStore: Send + Sync {
    /// Stores entries in their order, as far as the limits of the day allow. Once it answers, what is kept survives the
    /// end of the process, and everybody finds it. One caller at a time gets a whole answer of it.
    fn append<'a>(&'a self, entries: &'a [Arrived], limits: &'a DayLimits) -> BoxFuture<'a, Result<Vec<Fate>>>;

    /// Looks for entries, newest first, until `most` are found or `patience` is over.
    fn search<'a>(
        &'a self,
        filter: &'a Filter,
        span: Span,
        most: usize,
        patience: Duration,
    ) -> BoxFuture<'a, Result<Found>>;

    /// Reads on after an entry, oldest first; what arrives later is never before what was read.
    fn follow<'a>(&'a self, filter: &'a Filter, after: LogId, most: usize) -> BoxFuture<'a, Result<Followed>>;

    /// Where who follows what arrives from now on begins: after the last entry, or at this moment.
    fn last(&self) -> BoxFuture<'_, Result<LogId>>;

    /// The days that are kept, oldest first, and how much room each takes.
    fn days(&self) -> BoxFuture<'_, Result<Vec<DaySize>>>;

    /// Drops a day, which is as fast for a full one as for an empty one.
    fn forget(&self, day: Day) -> BoxFuture<'_, Result<()>>;

    /// Erases single entries. Returns how many of them there were.
    fn erase<'a>(&'a self, ids: &'a [LogId]) -> BoxFuture<'a, Result<u64>>;

    /// Closes all connections.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// Opens the store that the settings name. Without one, logs are kept in the folder `logs` of the data folder, or, when the
/// host's database is PostgreSQL, in a schema of their own there.
///
/// # Errors
/// `bad-request` for an address of another kind; `unavailable` when the store cannot be opened.
pub async fn open(
    config: &LogConfig,
    database_url: Option<&str>,
    data_dir: &Path,
    nature: Nature,
) -> Result<Arc<dyn LogStore>> {
    let connections = config.log_connections;
    let of_database = database_url.filter(|url| is_postgres(url));
    Ok(match config.log_url.as_deref().or(of_database) {
        None => Arc::new(Embedded::in_folder(data_dir.join("logs"), connections, nature)?),
        Some(url) if is_postgres(url) => Arc::new(Embedded::in_postgres(url, connections, nature).await?),
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            Arc::new(ClickHouse::open(url, config.log_settle, nature).await?)
        }
        Some(_) => {
            let text =
                "The address of the log store must start with postgres://, or for ClickHouse with http:// or https://.";
            return Err(Error::new(Code::BadRequest, text));
        }
    })
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}
