//! Searches in windows of time, newest first, and follows in windows, oldest first.
//!
//! A server reads all of a window to find the entries of a page in it, so that windows begin narrow and become wider as long
//! as they are read quickly: what is common is found in the first seconds, what is rare in few questions. A window that
//! takes too long is looked at in smaller ones.

use std::time::Duration;

use berth_base::{clock::Millis, error::Result};
use berth_model::log::{Filter, LogEntry, LogId, Span};
use tokio::time::Instant;

use super::{
    http::{Failure, Http, Rows},
    text::{literal, pattern, phrase},
};
use crate::{
    Followed, Found,
    row::{COLUMNS, Row},
};

/// How wide windows are, in milliseconds: the first one, and the narrowest and widest.
const FIRST: i64 = 1000;
const NARROWEST: i64 = 10;
const WIDEST: i64 = 1 << 40;
/// How long looking at a window should take.
const AIM: Duration = Duration::from_millis(400);
/// How long a search goes on that has looked at nothing yet, whatever its patience.
const LEAST: Duration = Duration::from_secs(5);
/// How long one reading of who follows may take.
const FOLLOWS_FOR: Duration = Duration::from_secs(2);

/// How wide the next window is.
struct Pace(i64);

impl Pace {
    fn new() -> Self {
        Self(FIRST)
    }

    /// Where the window begins that ends at `below`. Of what is ahead of the clock, where there is hardly anything, one
    /// window has all.
    fn back_from(&self, below: LogId, now: Millis) -> LogId {
        let end = below.min(LogId::at(now)).received_at();
        LogId::at(Millis(end.0.saturating_sub(self.0)))
    }

    /// Where the window ends that begins at `from`.
    fn on_from(&self, from: LogId) -> LogId {
        LogId::at(Millis(from.received_at().0.saturating_add(self.0)))
    }

    /// Makes the next window wider or narrower, by how long this one took.
    fn took(&mut self, time: Duration) {
        self.0 = match time {
            time if time * 8 < AIM => self.0.saturating_mul(8).min(WIDEST),
            time if time < AIM => self.0.saturating_mul(2).min(WIDEST),
            time if time > AIM * 2 => (self.0 / 2).max(NARROWEST),
            _ => self.0,
        };
    }

    /// Makes the next window narrower because this one took too long; tells whether that is possible.
    fn narrow(&mut self) -> bool {
        let before = self.0;
        self.0 = (before / 8).max(NARROWEST);
        self.0 < before
    }
}

/// Looks at parts of the log, newest first.
pub async fn back(
    http: &Http,
    filter: &Filter,
    parts: &[Span],
    most: usize,
    patience: Duration,
    now: Millis,
) -> Result<Found> {
    let (begun, condition) = (Instant::now(), condition(filter, http.abilities().is_modern));
    let (mut pace, mut found, mut has_looked) = (Pace::new(), Found::default(), false);
    for part in parts {
        let mut below = part.below;
        while part.from < below {
            let spent = begun.elapsed();
            if has_looked && spent >= patience {
                found.stopped_at = Some(below);
                return Ok(found);
            }
            let time = if has_looked { patience } else { patience.max(LEAST) }.saturating_sub(spent);
            let from = pace.back_from(below, now).max(part.from);
            let asked = Instant::now();
            match read(http, &condition, Span { from, below }, "DESC", most - found.entries.len(), time).await {
                Ok(window) => {
                    has_looked |= window.read > 0;
                    found.entries.extend(entries(window.rows)?);
                    below = from;
                    pace.took(asked.elapsed());
                }
                Err(Failure::Late) if pace.narrow() => {}
                Err(Failure::Late) if has_looked => {
                    found.stopped_at = Some(below);
                    return Ok(found);
                }
                Err(failure) => return Err(failure.into()),
            }
            if found.entries.len() >= most {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// Reads on from an id to below another one, oldest first.
pub async fn on(http: &Http, filter: &Filter, span: Span, most: usize) -> Result<Followed> {
    let (begun, condition) = (Instant::now(), condition(filter, http.abilities().is_modern));
    let (mut pace, mut from, mut entries) = (Pace::new(), span.from, Vec::new());
    while from < span.below {
        let spent = begun.elapsed();
        if spent >= FOLLOWS_FOR && from > span.from {
            break;
        }
        let (below, wanted, asked) = (pace.on_from(from).min(span.below), most - entries.len(), Instant::now());
        match read(http, &condition, Span { from, below }, "ASC", wanted, FOLLOWS_FOR).await {
            Ok(window) => {
                let is_full = window.rows.len() >= wanted;
                entries.extend(self::entries(window.rows)?);
                from = below;
                pace.took(asked.elapsed());
                if let Some(looked_to) = entries.last().map(|last| last.id).filter(|_| is_full) {
                    return Ok(Followed { entries, looked_to, is_all: false });
                }
            }
            Err(Failure::Late) if pace.narrow() => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(Followed { entries, looked_to: LogId(from.0 - 1), is_all: from >= span.below })
}

fn entries(rows: Vec<Row>) -> Result<Vec<LogEntry>> {
    rows.into_iter().map(LogEntry::try_from).collect()
}

async fn read(
    http: &Http,
    condition: &str,
    span: Span,
    order: &str,
    most: usize,
    time: Duration,
) -> Result<Rows<Row>, Failure> {
    let (from, below) = (span.from.0, span.below.0);
    let sql = format!(
        "SELECT {COLUMNS} FROM berth_log WHERE id >= {from} AND id < {below}{condition} ORDER BY id {order} LIMIT {most}"
    );
    http.select(&sql, time).await
}

/// What entries must be like, as conditions that go on with others. It is all that the filter asks for, so that what a server
/// finds needs no second look. `is_modern` adds what follows from it and by which indices pass over entries.
fn condition(filter: &Filter, is_modern: bool) -> String {
    let Filter { mini_app, host_app, level, platform, guid, account, page, version, host_version, sdk_version, .. } =
        filter;
    let mut all = String::new();
    let mut and = |condition: String| {
        all.push_str(" AND ");
        all.push_str(&condition);
    };
    let texts = [
        ("mini_app", mini_app.as_ref().map(|id| id.as_str())),
        ("host_app", host_app.as_ref().map(|id| id.as_str())),
        ("platform", platform.as_deref()),
        ("guid", guid.as_deref()),
        ("account", account.as_deref()),
        ("version", version.as_deref()),
        ("host_version", host_version.as_deref()),
        ("sdk_version", sdk_version.as_deref()),
    ];
    for (column, text) in texts {
        text.into_iter().for_each(|text| and(format!("{column} = {}", literal(text))));
    }
    level.iter().for_each(|level| and(format!("level >= {}", level.rank())));
    match page {
        // No path of a page has parameters.
        Some(page) if page.contains('?') => and("0".to_owned()),
        Some(page) => and(format!("(page = {} OR startsWith(page, {}))", literal(page), literal(&format!("{page}?")))),
        None => {}
    }
    if let Some(text) = &filter.contains {
        and(format!("position(message, {}) > 0", literal(text)));
        if is_modern {
            and(format!("message LIKE {}", literal(&pattern(text))));
        }
    }
    for (column, phrases) in [("message_words", &filter.words), ("filter_words", &filter.filter_msg)] {
        for words in phrases {
            and(format!("position({column}, {}) > 0", literal(&phrase(words))));
            if is_modern {
                words.iter().for_each(|word| and(format!("hasToken({column}, {})", literal(word))));
            }
        }
    }
    all
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use berth_model::{log::LogQuery, testing::DAWN};
    use serde_json::json;

    use super::*;

    fn of(query: serde_json::Value, is_modern: bool) -> String {
        condition(&serde_json::from_value::<LogQuery>(query).unwrap().filter().unwrap(), is_modern)
    }

    #[test]
    fn d15_a_condition_asks_for_all_that_a_filter_does() {
        let both =
            json!({"mini_app": "shop", "level": "warn", "page": "p/a'b", "contains": "50%", "words": "Pay-now 支"});
        let plain = " AND mini_app = 'shop' AND level >= 3 AND (page = 'p/a\\'b' OR startsWith(page, 'p/a\\'b?')) \
            AND position(message, '50%') > 0 AND position(message_words, ' pay now ') > 0 AND position(message_words, ' 支 ') > 0";
        assert_eq!(of(both.clone(), false), plain);
        let modern = of(both, true);
        for more in [
            " AND message LIKE '%50\\\\%%'",
            " AND hasToken(message_words, 'now')",
            " AND position(message, '50%') > 0",
        ] {
            assert!(modern.contains(more), "{modern}");
        }
        assert_eq!(of(json!({"host_app": "mall", "page": "p?a=1"}), false), " AND host_app = 'mall' AND 0");
        assert_eq!(condition(&Filter::default(), true), "");
    }

    #[test]
    fn d15_windows_grow_while_they_are_quick_and_shrink_when_they_are_not() {
        let mut pace = Pace::new();
        let width = |pace: &Pace| DAWN.0 - pace.back_from(LogId::at(DAWN), DAWN).received_at().0;
        assert_eq!(width(&pace), 1000);
        let mut widths = Vec::new();
        for millis in [10, 49, 51, 399, 401, 801, 2000] {
            pace.took(Duration::from_millis(millis));
            widths.push(width(&pace));
        }
        assert_eq!(widths, [8000, 64_000, 128_000, 256_000, 256_000, 128_000, 64_000]);
        assert!(pace.narrow() && width(&pace) == 8000 && (0..4).all(|_| pace.narrow()));
        assert_eq!((width(&pace), pace.narrow()), (10, false));
        for _ in 0..40 {
            pace.took(Duration::ZERO);
        }
        assert_eq!(pace.back_from(LogId(i64::MAX), Millis(5)), LogId(0), "no window begins before everything");
        let now = LogId::at(DAWN);
        assert_eq!(
            Pace::new().back_from(LogId(i64::MAX), DAWN),
            LogId::at(Millis(DAWN.0 - 1000)),
            "what is ahead is one window"
        );
        assert_eq!(Pace::new().on_from(now), LogId::at(Millis(DAWN.0 + 1000)));
    }
}
