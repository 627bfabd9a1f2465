//! Writes entries: gives them their ids, counts them against the limits of the day, and notes what full blocks hold.

use berth_base::{clock::Millis, error::Result};
use berth_model::log::{Arrived, Day, DayLimits, Fate, LogEntry, LogId, Refusal, Usage, admit};
use sqlx::QueryBuilder;

use super::{
    BLOCK,
    statement::{Conn, SEALED, Writing, on},
};
use crate::{row::Row, terms};

/// How many rows an INSERT has at most. Both databases take more values than these have.
const ROWS: usize = 256;

const LAST: &str = "SELECT COALESCE(MAX(id), 0) FROM entry WHERE id >= $1 AND id < $2";
const USAGE: &str = "SELECT mini_app, entries, bytes FROM usage WHERE day = $1";
const COUNT: &str = "INSERT INTO usage (day, mini_app, entries, bytes) VALUES ($1, $2, $3, $4)
    ON CONFLICT (day, mini_app)
    DO UPDATE SET entries = usage.entries + excluded.entries, bytes = usage.bytes + excluded.bytes";
const TAIL: &str = "SELECT * FROM entry WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3";
const WAITING: &str = "SELECT COUNT(*) FROM entry WHERE id > $1 AND id < $2";
const SEAL: &str = "INSERT INTO block (first, last, terms, grams) VALUES ($1, $2, $3, $4)";

/// Erases entries. What is noted of their blocks stays: it holds no texts, and a search that it leads astray finds nothing.
pub async fn erase(writing: &mut Writing, ids: &[LogId]) -> Result<u64> {
    let mut erased = 0;
    for id in ids {
        erased += on!(Writing, writing, |connection: Driver| {
            let query = sqlx::query::<Driver>("DELETE FROM entry WHERE id = $1").bind(id.0);
            query.execute(&mut **connection).await?.rows_affected()
        });
    }
    Ok(erased)
}

/// The id of the last entry of a day; 0 when it has none.
pub async fn last(conn: &mut Conn, day: Day) -> Result<LogId> {
    let (first, end) = (day.first().0, day.end().0);
    let last: i64 = on!(Conn, conn, |connection: Driver| {
        sqlx::query_scalar::<Driver, i64>(LAST).bind(first).bind(end).fetch_one(&mut **connection).await?
    });
    Ok(LogId(last))
}

/// The id of the last entry of a day, as whoever writes finds it; 0 when it has none.
pub async fn last_so_far(writing: &mut Writing, day: Day) -> Result<LogId> {
    let (first, end) = (day.first().0, day.end().0);
    let last: i64 = on!(Writing, writing, |connection: Driver| {
        sqlx::query_scalar::<Driver, i64>(LAST).bind(first).bind(end).fetch_one(&mut **connection).await?
    });
    Ok(LogId(last))
}

/// Stores what the limits of the day allow.
pub async fn append(
    writing: &mut Writing,
    day: Day,
    now: Millis,
    limits: &DayLimits,
    entries: &[Arrived],
) -> Result<Vec<Fate>> {
    let last = last_so_far(writing, day).await?;
    let before = usage(writing, day).await?;
    let mut after = before.clone();
    let refusals = admit(&mut after, limits, entries);
    let next = last.following(now);
    let fates = number(next, day, &refusals);
    let kept: Vec<_> = fates
        .iter()
        .zip(entries)
        .filter_map(|(fate, entry)| match fate {
            Fate::Kept(id) => Some((*id, entry)),
            Fate::Refused(_) => None,
        })
        .collect();
    for rows in kept.chunks(ROWS) {
        insert(writing, rows).await?;
    }
    count(writing, day, &kept).await?;
    Ok(fates)
}

/// Gives ids from `next` on to the entries that are kept. A day cannot run out of ids before its limits are reached, but
/// for a clock that is set back by most of it: what has no id then is refused as if the day were full.
fn number(next: LogId, day: Day, refusals: &[Option<Refusal>]) -> Vec<Fate> {
    let mut next = next;
    let one = |refusal: &Option<Refusal>| match refusal {
        Some(refusal) => Fate::Refused(*refusal),
        None if next >= day.end() => Fate::Refused(Refusal::DayFull),
        None => {
            let id = next;
            next = LogId(next.0 + 1);
            Fate::Kept(id)
        }
    };
    refusals.iter().map(one).collect()
}

async fn usage(writing: &mut Writing, day: Day) -> Result<Usage> {
    let rows: Vec<(String, i64, i64)> = on!(Writing, writing, |connection: Driver| {
        sqlx::query_as::<Driver, (String, i64, i64)>(USAGE).bind(day.0).fetch_all(&mut **connection).await?
    });
    let mut usage = Usage::default();
    for (mini_app, entries, bytes) in rows {
        usage.entries.insert(mini_app.parse()?, entries.unsigned_abs());
        usage.bytes += bytes.unsigned_abs();
    }
    Ok(usage)
}

async fn count(writing: &mut Writing, day: Day, kept: &[(LogId, &Arrived)]) -> Result<()> {
    let mut added = std::collections::BTreeMap::<&str, (i64, i64)>::new();
    for (_, entry) in kept {
        let (entries, bytes) = added.entry(entry.mini_app.as_str()).or_default();
        (*entries, *bytes) = (*entries + 1, *bytes + entry.bytes() as i64);
    }
    for (mini_app, (entries, bytes)) in added {
        on!(Writing, writing, |connection: Driver| {
            let query = sqlx::query::<Driver>(COUNT).bind(day.0).bind(mini_app).bind(entries).bind(bytes);
            query.execute(&mut **connection).await?;
        });
    }
    Ok(())
}

async fn insert(writing: &mut Writing, rows: &[(LogId, &Arrived)]) -> Result<()> {
    on!(Writing, writing, |connection: Driver| {
        let mut query = QueryBuilder::<Driver>::new(
            "INSERT INTO entry (id, mini_app, host_app, level, at, version, host_version, sdk_version, platform, os_version,
             guid, account, page, message, filter_msg) ",
        );
        query.push_values(rows, |mut row, (id, entry)| {
            let sender = &entry.sender;
            row.push_bind(id.0)
                .push_bind(entry.mini_app.as_str())
                .push_bind(sender.host_app.as_str())
                .push_bind(entry.level.rank())
                .push_bind(entry.at.0)
                .push_bind(entry.version.as_str())
                .push_bind(sender.host_version.as_str())
                .push_bind(sender.sdk_version.as_str())
                .push_bind(sender.platform.as_str())
                .push_bind(sender.os_version.as_str())
                .push_bind(sender.guid.as_str())
                .push_bind(sender.account.as_deref())
                .push_bind(entry.page.as_str())
                .push_bind(entry.message.as_str())
                .push_bind(entry.filter_msg.as_str());
        });
        query.build().execute(&mut **connection).await?;
    });
    Ok(())
}

/// Notes what the entries hold that are in no block yet, block by block, as far as they fill blocks.
pub async fn seal(writing: &mut Writing, day: Day) -> Result<()> {
    let (before, end) = (day.first().0 - 1, day.end().0);
    let (mut sealed, waiting): (i64, i64) = on!(Writing, writing, |connection: Driver| {
        let sealed = sqlx::query_scalar::<Driver, i64>(SEALED).bind(before).bind(end);
        let sealed = sealed.fetch_optional(&mut **connection).await?.unwrap_or(before);
        let waiting = sqlx::query_scalar::<Driver, i64>(WAITING).bind(sealed).bind(end);
        (sealed, waiting.fetch_one(&mut **connection).await?)
    });
    for _ in 0..waiting / BLOCK as i64 {
        let rows: Vec<Row> = on!(Writing, writing, |connection: Driver| {
            let rows = sqlx::query_as::<Driver, Row>(TAIL).bind(sealed).bind(end).bind(BLOCK as i64);
            rows.fetch_all(&mut **connection).await?
        });
        let entries: Vec<_> = rows.into_iter().map(LogEntry::try_from).collect::<Result<_>>()?;
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { break };
        let (first, last) = (first.id.0, last.id.0);
        let notes = terms::notes(&entries);
        on!(Writing, writing, |connection: Driver| {
            let query = sqlx::query::<Driver>(SEAL).bind(first).bind(last).bind(notes.terms).bind(notes.grams);
            query.execute(&mut **connection).await?;
        });
        sealed = last;
    }
    Ok(())
}
