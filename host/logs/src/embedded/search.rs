//! Searches a day: by the notes of its blocks, newest first.

use berth_base::error::Result;
use berth_model::log::{Filter, LogEntry, LogId, Span};
use sqlx::QueryBuilder;
use tokio::time::Instant;

use super::statement::{Conn, SEALED, on};
use crate::{Found, row::Row, terms::Wanted};

/// How many blocks are read at a time.
const BLOCKS: i64 = 256;
/// How many blocks that may hold something are looked into by one statement, at most.
const RUN: usize = 64;
/// How many rows are read at a time when their words must be looked at.
const ROWS: i64 = 1000;

const TERMS: &str =
    "SELECT first, last, terms, NULL FROM block WHERE first < $1 AND last >= $2 ORDER BY first DESC LIMIT $3";
const TERMS_AND_GRAMS: &str =
    "SELECT first, last, terms, grams FROM block WHERE first < $1 AND last >= $2 ORDER BY first DESC LIMIT $3";

type Block = (i64, i64, Vec<u8>, Option<Vec<u8>>);

/// A search under way.
pub struct Search<'a> {
    filter: &'a Filter,
    wanted: Wanted,
    most: usize,
    until: Instant,
    found: Found,
}

impl<'a> Search<'a> {
    pub fn new(filter: &'a Filter, most: usize, until: Instant) -> Self {
        Self { filter, wanted: Wanted::of(filter), most, until, found: Found::default() }
    }

    /// Whether enough is found, or the time is over.
    pub fn is_over(&self) -> bool {
        self.found.entries.len() >= self.most || self.found.stopped_at.is_some()
    }

    pub fn found(self) -> Found {
        self.found
    }

    /// Notes that everything from `from` on was looked at, and ends the search when its time is over.
    fn looked_to(&mut self, from: i64) {
        if self.found.entries.len() < self.most && Instant::now() >= self.until {
            self.found.stopped_at = Some(LogId(from));
        }
    }

    /// Looks at a part of one day.
    pub async fn day(&mut self, conn: &mut Conn, span: Span) -> Result<()> {
        if by_index(self.filter) {
            return self.rows(conn, span.from.0, span.below.0).await;
        }
        let sealed: i64 = on!(Conn, conn, |connection: Driver| {
            let sealed = sqlx::query_scalar::<Driver, i64>(SEALED)
                .bind(berth_model::log::Day::of(span.from.received_at()).first().0);
            sealed.bind(span.below.0).fetch_optional(&mut **connection).await?.unwrap_or(0)
        });
        // What is in no block yet, and what belongs to the newest block in part.
        self.rows(conn, (sealed + 1).max(span.from.0), span.below.0).await?;
        self.blocks(conn, span.from.0, span.below.0.min(sealed + 1)).await
    }

    /// Goes through the blocks that have ids from `from` to below `below`.
    async fn blocks(&mut self, conn: &mut Conn, from: i64, mut below: i64) -> Result<()> {
        let text = if self.wanted.wants_grams() { TERMS_AND_GRAMS } else { TERMS };
        let (mut run, mut blocks_in_run, mut longest) = (None::<(i64, i64)>, 0, 1);
        while !self.is_over() {
            let blocks: Vec<Block> = on!(Conn, conn, |connection: Driver| {
                let blocks = sqlx::query_as::<Driver, Block>(text).bind(below).bind(from).bind(BLOCKS);
                blocks.fetch_all(&mut **connection).await?
            });
            let is_last = (blocks.len() as i64) < BLOCKS;
            for (first, last, terms, grams) in blocks {
                if self.wanted.may_be_in(&terms, grams.as_deref()) {
                    let end = run.map_or((last + 1).min(below), |(_, end)| end);
                    run = Some((first.max(from), end));
                    blocks_in_run += 1;
                }
                below = first;
                let ends = run.is_some_and(|(begin, _)| begin > first) || blocks_in_run >= longest;
                if let Some((begin, end)) = run.take_if(|_| ends) {
                    self.rows(conn, begin, end).await?;
                    // The first runs are short: what is common is found at once.
                    (blocks_in_run, longest) = (0, (longest * 2).min(RUN));
                }
                if self.is_over() {
                    return Ok(());
                }
            }
            if run.is_none() {
                self.looked_to(below);
            }
            if is_last {
                break;
            }
        }
        if let Some((begin, end)) = run.filter(|_| !self.is_over()) {
            self.rows(conn, begin, end).await?;
        }
        Ok(())
    }

    /// Reads the entries with ids from `from` to below `below`, newest first.
    async fn rows(&mut self, conn: &mut Conn, from: i64, mut below: i64) -> Result<()> {
        let has_words = !self.filter.words.is_empty() || !self.filter.filter_msg.is_empty();
        while !self.is_over() && from < below {
            let left = (self.most - self.found.entries.len()) as i64;
            let limit = if has_words { ROWS.max(left) } else { left };
            let rows = read(conn, self.filter, from, below, "DESC", limit).await?;
            let is_last = (rows.len() as i64) < limit;
            below = rows.last().map_or(from, |row| row.id);
            for row in rows {
                if self.found.entries.len() < self.most && self.filter.says(&row.message, &row.filter_msg) {
                    self.found.entries.push(row.try_into()?);
                }
            }
            if is_last {
                below = from;
            }
            self.looked_to(below);
        }
        Ok(())
    }
}

/// Whether the index finds what the filter takes, and nothing else.
fn by_index(filter: &Filter) -> bool {
    let Filter { mini_app, .. } = filter;
    *filter == Filter { mini_app: mini_app.clone(), ..Filter::default() }
}

/// Entries of a part of a day, oldest first, of which words are still to be looked at.
pub async fn oldest(conn: &mut Conn, filter: &Filter, span: Span, most: usize) -> Result<Vec<LogEntry>> {
    let rows = read(conn, filter, span.from.0, span.below.0, "ASC", most as i64).await?;
    rows.into_iter().map(LogEntry::try_from).collect()
}

/// Reads what the database can tell by itself, which is everything but words.
async fn read(
    conn: &mut Conn,
    filter: &Filter,
    from: i64,
    below: i64,
    order: &'static str,
    limit: i64,
) -> Result<Vec<Row>> {
    // The one thing that the two databases have different names for.
    let position = match conn {
        Conn::Sqlite(_) => " AND instr(message, ",
        Conn::Postgres(_) => " AND strpos(message, ",
    };
    let texts = [
        (" AND mini_app = ", filter.mini_app.as_ref().map(|id| id.as_str())),
        (" AND host_app = ", filter.host_app.as_ref().map(|id| id.as_str())),
        (" AND platform = ", filter.platform.as_deref()),
        (" AND guid = ", filter.guid.as_deref()),
        (" AND account = ", filter.account.as_deref()),
        (" AND version = ", filter.version.as_deref()),
        (" AND host_version = ", filter.host_version.as_deref()),
        (" AND sdk_version = ", filter.sdk_version.as_deref()),
    ];
    Ok(on!(Conn, conn, |connection: Driver| {
        let mut query = QueryBuilder::<Driver>::new("SELECT * FROM entry WHERE id >= ");
        query.push_bind(from).push(" AND id < ").push_bind(below);
        for (column, text) in texts {
            if let Some(text) = text {
                query.push(column).push_bind(text);
            }
        }
        if let Some(level) = filter.level {
            query.push(" AND level >= ").push_bind(level.rank());
        }
        if let Some(page) = &filter.page {
            // No path of a page has parameters.
            query.push(if page.contains('?') { " AND FALSE" } else { "" });
            query.push(" AND (page = ").push_bind(page).push(" OR substr(page, 1, length(").push_bind(page);
            query.push(") + 1) = ").push_bind(format!("{page}?")).push(")");
        }
        if let Some(text) = &filter.contains {
            query.push(position).push_bind(text).push(") > 0");
        }
        query.push(" ORDER BY id ").push(order).push(" LIMIT ").push_bind(limit);
        query.build_query_as::<Row>().fetch_all(&mut **connection).await?
    }))
}
