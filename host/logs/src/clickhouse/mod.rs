//! The store on ClickHouse, for logs that one machine does not hold. It speaks the HTTP interface, to one server or to one
//! of a service: the tables are its own ([`schema`]), and Berth makes them.
//!
//! **Order without a lock.** An id holds the time of arrival at the host that stores the entry, and hosts store at the same
//! time, each with ids of its own ([`lane`]). So an entry may become visible after one of another host that has a greater id.
//! Who follows therefore reads nothing that is younger than the settling time (`--log-settle`), and an INSERT must be
//! answered within two thirds of it, counted from the moment at which the ids were given; one that is answered later, or not
//! at all, is told to the sender as `unavailable`, and sent again under new ids. What this guarantees: **every entry that was told as
//! kept is seen by everybody who follows, once and in the order of ids**, as long as the clocks of hosts differ by less than
//! the third that is left. What it does not: an entry of an INSERT that failed or was late may be there all the same. A search
//! finds it, who follows may or may not see it, and the copy that was sent again is another entry.
//!
//! **Limits of a day.** The server counts what is stored, by whatever host ([`schema`]). Each host counts its own entries
//! exactly, and reads every two seconds what all have stored. So a limit can be exceeded by what the other hosts store within
//! two seconds, and never by a single host.
//!
//! **Durability.** An answer of the server means that the entries are in its files, where they survive its end; whether the last
//! seconds survive a power cut is left to it.

mod address;
mod http;
mod lane;
mod schema;
mod search;
#[cfg(test)]
mod tests;
mod text;
mod write;

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use berth_base::{
    clock::{Millis, Nature},
    error::{Code, Error, Result},
};
use berth_model::log::{Arrived, Day, DayLimits, DaySize, Fate, Filter, LogId, Span};
use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use self::{
    address::Address,
    http::{Failure, Http},
    schema::Abilities,
    text::literal,
    write::Writer,
};
use crate::{Followed, Found, LogStore};

/// How long a change of tables, or a look at them, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often making the tables is tried: two hosts that start at once may be in each other's way.
const TRIES: u32 = 3;
/// From how many seconds on a difference between the clocks is worth a warning.
const CLOCKS: i64 = 2;
/// From how many milliseconds on who follows asks first which days there are.
const FAR: i64 = 3_600_000;
/// How many milliseconds of logs who follows waits for, so that a server is not asked for every entry.
const STEP: i64 = 200;

/// The store on a ClickHouse server.
pub struct ClickHouse {
    http: Http,
    nature: Nature,
    settle: Duration,
    writer: Mutex<Writer>,
    /// The last id that this process has given out.
    last: AtomicI64,
}

#[derive(serde::Deserialize)]
struct Server {
    version: String,
    seconds: i64,
}

#[derive(serde::Deserialize)]
struct UnderWay {
    mutations: u64,
}

#[derive(serde::Deserialize)]
struct Partition {
    day: String,
    bytes: u64,
}

impl ClickHouse {
    /// Opens the store at an address of the form `http(s)://user:password@host:8123/database`, and makes its tables.
    ///
    /// # Errors
    /// `bad-request` for another address; `unavailable` when the server cannot be reached, or refuses.
    pub async fn open(url: &str, settle: Duration, nature: Nature) -> Result<Self> {
        let http = Http::new(Address::parse(url)?)?;
        let server = http.select::<Server>("SELECT version(), toUnixTimestamp(now())", PATIENCE).await?;
        let Some(Server { version, seconds }) = server.rows.into_iter().next() else {
            return Err(Failure::Broken(anyhow::anyhow!("the server does not tell its version")).into());
        };
        let off = nature.clock.now().0 / 1000 - seconds;
        if off.abs() > CLOCKS {
            tracing::warn!(
                seconds = off,
                "the clock of this host is not that of the log store; if it is not that of other hosts either, who follows logs misses some"
            );
        }
        let abilities = Abilities::of(&version);
        let http = http.with(abilities);
        for table in abilities.tables() {
            make(&http, &table).await?;
        }
        tracing::info!(version, abilities.is_modern, database = http.database(), "logs are kept in ClickHouse");
        Ok(Self { http, nature, settle, writer: Mutex::default(), last: AtomicI64::new(0) })
    }

    fn now(&self) -> Millis {
        self.nature.clock.now()
    }

    async fn sizes(&self) -> Result<Vec<DaySize>> {
        let database = literal(self.http.database());
        let sql = format!(
            "SELECT partition, sum(bytes_on_disk) FROM system.parts
             WHERE database = {database} AND table = 'berth_log' AND active GROUP BY partition"
        );
        let partitions = self.http.select::<Partition>(&sql, PATIENCE).await?.rows;
        let size = |one: Partition| Some(DaySize { day: Day(one.day.parse().ok()?), bytes: one.bytes });
        let mut sizes: Vec<_> = partitions.into_iter().filter_map(size).collect();
        sizes.sort_by_key(|one| one.day);
        Ok(sizes)
    }

    /// The parts of a span that have entries, oldest first: one for each day.
    async fn parts(&self, span: Span) -> Result<Vec<Span>> {
        let part = |day: Day| Span { from: span.from.max(day.first()), below: span.below.min(day.end()) };
        let parts = self.sizes().await?.into_iter().map(|one| part(one.day));
        Ok(parts.filter(|part| part.from < part.below).collect())
    }

    async fn store(&self, entries: &[Arrived], limits: &DayLimits) -> Result<Vec<Fate>> {
        let mut writer = self.writer.lock().await;
        let (fates, last) = writer.append(&self.http, &self.nature, limits, entries, self.settle * 2 / 3).await?;
        self.last.fetch_max(last.0, Ordering::Relaxed);
        Ok(fates)
    }

    async fn read_on(&self, filter: &Filter, after: LogId, most: usize) -> Result<Followed> {
        let settled = Millis(self.now().0.saturating_sub(self.settle.as_millis() as i64));
        let mut span = Span { from: LogId(after.0.saturating_add(1)), below: LogId::at(settled) };
        if settled.0 - span.from.received_at().0 < STEP {
            return Ok(Followed { entries: Vec::new(), looked_to: after, is_all: true });
        }
        if settled.0 - span.from.received_at().0 > FAR {
            span.from = self.parts(span).await?.first().map_or(span.below, |part| part.from);
        }
        search::on(&self.http, filter, span, most).await
    }

    /// Erases entries, and waits until the server has written the parts anew that had them.
    async fn take_out(&self, ids: &[LogId]) -> Result<u64> {
        if ids.is_empty() {
            return Ok(0);
        }
        let list: Vec<_> = ids.iter().map(|id| id.0.to_string()).collect();
        self.http.run(&format!("ALTER TABLE berth_log DELETE WHERE id IN ({})", list.join(", ")), PATIENCE).await?;
        let database = literal(self.http.database());
        let under_way = format!(
            "SELECT count() AS mutations FROM system.mutations
             WHERE database = {database} AND table = 'berth_log' AND NOT is_done"
        );
        let until = Instant::now() + PATIENCE;
        while self.http.select::<UnderWay>(&under_way, PATIENCE).await?.rows.iter().any(|one| one.mutations > 0) {
            if Instant::now() >= until {
                let text = "The log store is still erasing. Ask again in a minute, whether all is erased.";
                return Err(Error::new(Code::Unavailable, text));
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(ids.len() as u64)
    }

    async fn drop_day(&self, day: Day) -> Result<()> {
        // Its claims of lanes were over an hour after the day before.
        let before = literal(&Day(day.0 - 1).to_string());
        let number = day.0;
        for (table, partition) in
            [("berth_log", number.to_string()), ("berth_log_usage", number.to_string()), ("berth_log_lane", before)]
        {
            self.http.run(&format!("ALTER TABLE {table} DROP PARTITION {partition}"), PATIENCE).await?;
        }
        self.writer.lock().await.forget();
        Ok(())
    }
}

async fn make(http: &Http, table: &str) -> Result<()> {
    let mut tried = 1;
    loop {
        match http.run(table, PATIENCE).await {
            Err(Failure::Refused(_)) if tried < TRIES => sleep(Duration::from_millis(200)).await,
            made => return Ok(made?),
        }
        tried += 1;
    }
}

impl LogStore for ClickHouse {
    fn append<'a>(&'a self, entries: &'a [Arrived], limits: &'a DayLimits) -> BoxFuture<'a, Result<Vec<Fate>>> {
        self.store(entries, limits).boxed()
    }

    fn search<'a>(
        &'a self,
        filter: &'a Filter,
        span: Span,
        most: usize,
        patience: Duration,
    ) -> BoxFuture<'a, Result<Found>> {
        async move {
            let mut parts = self.parts(span).await?;
            parts.reverse();
            search::back(&self.http, filter, &parts, most, patience, self.now()).await
        }
        .boxed()
    }

    fn follow<'a>(&'a self, filter: &'a Filter, after: LogId, most: usize) -> BoxFuture<'a, Result<Followed>> {
        self.read_on(filter, after, most).boxed()
    }

    fn last(&self) -> BoxFuture<'_, Result<LogId>> {
        let arriving = LogId(LogId::at(self.now()).0 - 1);
        let last = arriving.max(LogId(self.last.load(Ordering::Relaxed)));
        std::future::ready(Ok(last)).boxed()
    }

    fn days(&self) -> BoxFuture<'_, Result<Vec<DaySize>>> {
        self.sizes().boxed()
    }

    fn forget(&self, day: Day) -> BoxFuture<'_, Result<()>> {
        self.drop_day(day).boxed()
    }

    fn erase<'a>(&'a self, ids: &'a [LogId]) -> BoxFuture<'a, Result<u64>> {
        self.take_out(ids).boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }
}
