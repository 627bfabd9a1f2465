//! The embedded store. Entries of a day are together: on SQLite in a file, on PostgreSQL in partitions, so that a day is
//! dropped by deleting. The statements are the same on both.
//!
//! **Order.** An id holds the time of arrival. Whoever writes waits for the turn, which is the writer of a file or a lock of the
//! database, looks at the clock then, takes the ids after the last one, and lets go when all is committed. So ids become visible
//! in their order, also when several hosts write, and who follows the log misses none. A day begins for all of them when the
//! first one writes on it, as their clocks differ a little.
//!
//! **Search.** An index for each field would cost more than the entries, and would still not find words. In place of them
//! the terms of each block of 1,024 entries are noted in a Bloom filter, together with all runs of three bytes. A search
//! goes through the notes from the newest block on, and reads the entries only of blocks that may have all that is wanted:
//! what is common is found in the first blocks, what is rare is passed over quickly. It ends after its time, and says how
//! far it came.

mod postgres;
mod search;
mod sqlite;
mod statement;
mod write;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use berth_base::{
    clock::{Clock, Millis, Nature},
    error::Result,
};
use berth_model::log::{Arrived, Day, DayLimits, DaySize, Fate, Filter, LogId, Span};
use futures_util::{FutureExt, future::BoxFuture};
use sqlx::{Sqlite, Transaction};
use tokio::time::Instant;

use self::{
    postgres::Tables,
    search::Search,
    sqlite::Files,
    statement::{Conn, Writing},
};
use crate::{Followed, Found, LogStore};

/// How many entries there are in a block.
const BLOCK: usize = 1024;

/// The store in files or tables of the host's own.
pub struct Embedded {
    place: Place,
    clock: Arc<dyn Clock>,
}

enum Place {
    Files(Files),
    Tables(Tables),
}

/// The turn to write entries.
struct Turn {
    writing: Writing,
    /// On SQLite, what others wait for on whatever day. It ends when it is dropped.
    held: Option<Transaction<'static, Sqlite>>,
    /// The moment at which it came, and the day on which is written.
    now: Millis,
    day: Day,
}

impl Embedded {
    /// The store in a folder, with a file for each day.
    ///
    /// # Errors
    /// `unavailable` when the folder cannot be made.
    pub fn in_folder(folder: PathBuf, readers: u32, nature: Nature) -> Result<Self> {
        Ok(Self { place: Place::Files(Files::new(folder, readers)?), clock: nature.clock })
    }

    /// The store in a schema of a PostgreSQL database, with partitions for each day.
    ///
    /// # Errors
    /// `unavailable` when the database cannot be opened.
    pub async fn in_postgres(url: &str, connections: u32, nature: Nature) -> Result<Self> {
        Ok(Self { place: Place::Tables(Tables::open(url, connections).await?), clock: nature.clock })
    }

    /// The days that have entries in a span, newest first.
    async fn days_of(&self, span: Span) -> Result<Vec<Day>> {
        let mut days = match &self.place {
            Place::Files(files) => files.list()?,
            Place::Tables(tables) => tables.list().await?,
        };
        days.retain(|day| day.first() < span.below && day.end() > span.from);
        days.reverse();
        Ok(days)
    }

    async fn reader(&self, day: Day) -> Result<Conn> {
        match &self.place {
            Place::Files(files) => files.reader(day).await.map(Conn::Sqlite),
            Place::Tables(tables) => tables.reader().await.map(Conn::Postgres),
        }
    }

    async fn write(&self, entries: &[Arrived], limits: &DayLimits) -> Result<Vec<Fate>> {
        let Turn { mut writing, held: _held, now, day } = self.turn().await?;
        let fates = write::append(&mut writing, day, now, limits, entries).await?;
        write::seal(&mut writing, day).await?;
        writing.commit().await?;
        Ok(fates)
    }

    async fn look(&self, filter: &Filter, span: Span, most: usize, patience: Duration) -> Result<Found> {
        let mut search = Search::new(filter, most, Instant::now() + patience);
        for day in self.days_of(span).await? {
            let part = Span { from: span.from.max(day.first()), below: span.below.min(day.end()) };
            search.day(&mut self.reader(day).await?, part).await?;
            if search.is_over() {
                break;
            }
        }
        Ok(search.found())
    }

    async fn read_on(&self, filter: &Filter, after: LogId, most: usize) -> Result<Followed> {
        let last = self.newest().await?;
        let mut followed = Followed { entries: Vec::new(), looked_to: last.max(after), is_all: true };
        if last <= after {
            return Ok(followed);
        }
        let span = Span { from: LogId(after.0 + 1), below: LogId(last.0 + 1) };
        for day in self.days_of(span).await?.into_iter().rev() {
            let part = Span { from: span.from.max(day.first()), below: span.below.min(day.end()) };
            let rows = search::oldest(&mut self.reader(day).await?, filter, part, most).await?;
            let full = rows.len() == most;
            let up_to = rows.last().map(|row| row.id);
            followed.entries.extend(rows.into_iter().filter(|row| filter.says(&row.message, &row.filter_msg)));
            if let Some(up_to) = up_to.filter(|_| full) {
                (followed.looked_to, followed.is_all) = (up_to, false);
                break;
            }
        }
        Ok(followed)
    }

    async fn take_out(&self, ids: &[LogId]) -> Result<u64> {
        let mut by_day = BTreeMap::<Day, Vec<LogId>>::new();
        for id in ids {
            by_day.entry(Day::of(id.received_at())).or_default().push(*id);
        }
        let mut erased = 0;
        for (day, ids) in by_day {
            let mut writing = self.begin(day).await?;
            erased += write::erase(&mut writing, &ids).await?;
            writing.commit().await?;
        }
        Ok(erased)
    }

    /// Waits for the turn to write entries. The clock is looked at once it has come: others may have written for a while.
    async fn turn(&self) -> Result<Turn> {
        match &self.place {
            Place::Files(files) => {
                let held = Some(files.turn().await?);
                let now = self.clock.now();
                let after = day_after(now);
                let begun = files.has(after) && write::last(&mut self.reader(after).await?, after).await? > LogId(0);
                let day = written_on(now, begun);
                Ok(Turn { writing: files.begin(day).await?, held, now, day })
            }
            Place::Tables(tables) => loop {
                let mut writing = tables.turn().await?;
                let now = self.clock.now();
                let begun = write::last_so_far(&mut writing, day_after(now)).await? > LogId(0);
                let day = written_on(now, begun);
                if tables.are_made(day) {
                    break Ok(Turn { writing, held: None, now, day });
                }
                // Partitions are made in a turn of their own, so that readers do not wait for what is written, too.
                writing.commit().await?;
                tables.make(day).await?;
            },
        }
    }

    async fn begin(&self, day: Day) -> Result<Writing> {
        match &self.place {
            Place::Files(files) => files.begin(day).await,
            Place::Tables(tables) => tables.begin(day).await,
        }
    }

    async fn newest(&self) -> Result<LogId> {
        let whole = Span { from: LogId(0), below: LogId(i64::MAX) };
        for day in self.days_of(whole).await? {
            let last = write::last(&mut self.reader(day).await?, day).await?;
            if last > LogId(0) {
                return Ok(last);
            }
        }
        Ok(LogId(0))
    }
}

fn day_after(now: Millis) -> Day {
    Day(Day::of(now).0 + 1)
}

/// The day on which entries are written: the one after that of the clock, once it has `begun` by the clock of another host, as
/// ids of the day before would be behind those who follow the log. Never a later one: a host whose clock is wrong by days would
/// take all others along, to days that are full early and kept for too long.
fn written_on(now: Millis, begun: bool) -> Day {
    if begun { day_after(now) } else { Day::of(now) }
}

impl LogStore for Embedded {
    fn append<'a>(&'a self, entries: &'a [Arrived], limits: &'a DayLimits) -> BoxFuture<'a, Result<Vec<Fate>>> {
        self.write(entries, limits).boxed()
    }

    fn search<'a>(
        &'a self,
        filter: &'a Filter,
        span: Span,
        most: usize,
        patience: Duration,
    ) -> BoxFuture<'a, Result<Found>> {
        self.look(filter, span, most, patience).boxed()
    }

    fn follow<'a>(&'a self, filter: &'a Filter, after: LogId, most: usize) -> BoxFuture<'a, Result<Followed>> {
        self.read_on(filter, after, most).boxed()
    }

    fn last(&self) -> BoxFuture<'_, Result<LogId>> {
        self.newest().boxed()
    }

    fn days(&self) -> BoxFuture<'_, Result<Vec<DaySize>>> {
        async {
            match &self.place {
                Place::Files(files) => files.sizes(),
                Place::Tables(tables) => tables.sizes().await,
            }
        }
        .boxed()
    }

    fn forget(&self, day: Day) -> BoxFuture<'_, Result<()>> {
        async move {
            match &self.place {
                Place::Files(files) => files.remove(day).await,
                Place::Tables(tables) => tables.remove(day).await,
            }
        }
        .boxed()
    }

    fn erase<'a>(&'a self, ids: &'a [LogId]) -> BoxFuture<'a, Result<u64>> {
        self.take_out(ids).boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async {
            match &self.place {
                Place::Files(files) => files.close().await,
                Place::Tables(tables) => tables.close().await,
            }
        }
        .boxed()
    }
}
