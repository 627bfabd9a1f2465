//! Stores entries: gives them ids of this process's lane, and counts them against the limits of the day.

use std::time::Duration;

use berth_base::{
    clock::{Millis, Nature},
    error::{Code, Error, Result},
};
use berth_model::log::{Arrived, Day, DayLimits, Fate, LogId, Usage, admit};
use serde::Serialize;
use tokio::time::Instant;

use super::{http::Http, lane::Lane, text::words};

/// How old may be what is known of what other hosts have stored today.
const KNOWN_FOR: Duration = Duration::from_secs(2);
/// How long a look at what is stored may take.
const LOOK: Duration = Duration::from_secs(5);
/// After how many lines other work gets its turn.
const LINES: usize = 500;

/// What a process knows of what it stores. One append at a time has it.
#[derive(Default)]
pub struct Writer {
    lane: Option<Lane>,
    today: Option<Today>,
}

/// What is known of a day.
struct Today {
    day: Day,
    /// When the last append was; an earlier moment means that the clock was set back.
    now: Millis,
    /// No id up to this one is given out any more.
    last: LogId,
    usage: Usage,
    known: Instant,
}

/// An entry as a line of an INSERT.
#[derive(Serialize)]
struct Line<'a> {
    id: i64,
    mini_app: &'a str,
    host_app: &'a str,
    level: i16,
    at: i64,
    version: &'a str,
    host_version: &'a str,
    sdk_version: &'a str,
    platform: &'a str,
    os_version: &'a str,
    guid: &'a str,
    account: Option<&'a str>,
    page: &'a str,
    message: &'a str,
    filter_msg: &'a str,
    message_words: String,
    filter_words: String,
    bytes: u64,
}

#[derive(serde::Deserialize)]
struct Used {
    mini_app: String,
    entries: u64,
    size: u64,
}

impl Writer {
    /// Stores what the limits of the day allow. `answer` is the time from the giving of ids to the answer of the server: what
    /// is answered later may be behind those who follow, so that it is not told as kept.
    pub async fn append(
        &mut self,
        http: &Http,
        nature: &Nature,
        limits: &DayLimits,
        entries: &[Arrived],
        answer: Duration,
    ) -> Result<(Vec<Fate>, LogId)> {
        let lane = match self.lane.take() {
            Some(lane) => lane.kept(http, &*nature.random).await?,
            None => Lane::claim(http, &*nature.random).await?,
        };
        let lane = self.lane.insert(lane);
        // Whatever fails from here on, the day is read anew: how much of it is stored is not known.
        let (Today { day, mut usage, known, last, .. }, now) = Today::at(self.today.take(), http, lane, nature).await?;
        let begun = Instant::now();
        let refusals = admit(&mut usage, limits, entries);
        let (fates, last) = lane.number(last, now, &refusals);
        let lines = lines(&fates, entries).await?;
        if !lines.is_empty() {
            http.insert("berth_log", lines, answer.saturating_sub(begun.elapsed())).await?;
            if begun.elapsed() > answer {
                return Err(late());
            }
        }
        self.today = Some(Today { day, now, last, usage, known });
        Ok((fates, last))
    }

    /// Forgets what is known of the day, because some of it was dropped.
    pub fn forget(&mut self) {
        self.today = None;
    }
}

fn late() -> Error {
    let text = "The log store was too slow to say in time that the entries are kept. Send them again.";
    Error::new(Code::Unavailable, text)
}

impl Today {
    /// What is known of the day, and the moment of which it is known: it is looked up when it is not known, and once more when
    /// midnight passes meanwhile.
    async fn at(mut known: Option<Self>, http: &Http, lane: &Lane, nature: &Nature) -> Result<(Self, Millis)> {
        loop {
            let today = match known {
                Some(today) => today.current(http).await?,
                None => Self::read(http, lane, nature.clock.now()).await?,
            };
            let now = nature.clock.now();
            if today.is_of(now) {
                return Ok((today, now));
            }
            known = None;
        }
    }

    /// Whether what is known is of the day of this moment, and the clock was not set back since.
    fn is_of(&self, now: Millis) -> bool {
        self.day == Day::of(now) && self.now <= now
    }

    /// What is stored of the day of this moment. Ids that the lane has given out from this moment on, because the clock was set
    /// back or somebody had it before, are not given out again.
    async fn read(http: &Http, lane: &Lane, now: Millis) -> Result<Self> {
        let (day, from) = (Day::of(now), LogId::at(now).0);
        let (end, is_own) = (day.end().0, lane.condition());
        let last = format!("SELECT max(id) FROM berth_log WHERE id >= {from} AND id < {end} AND {is_own}");
        let last = http.select::<(i64,)>(&last, LOOK).await?.rows.first().map_or(0, |row| row.0);
        let (known, usage) = (Instant::now(), used(http, day).await?);
        Ok(Self { day, now, last: LogId(last), usage, known })
    }

    /// The same with what other hosts have stored, unless that is known already.
    async fn current(self, http: &Http) -> Result<Self> {
        if self.known.elapsed() < KNOWN_FOR {
            return Ok(self);
        }
        let (known, usage) = (Instant::now(), used(http, self.day).await?);
        Ok(Self { usage, known, ..self })
    }
}

async fn used(http: &Http, day: Day) -> Result<Usage> {
    let text = format!(
        "SELECT mini_app, sum(entries), sum(size) FROM berth_log_usage WHERE day = {} GROUP BY mini_app",
        day.0
    );
    let mut usage = Usage::default();
    for Used { mini_app, entries, size } in http.select(&text, LOOK).await?.rows {
        usage.entries.insert(mini_app.parse()?, entries);
        usage.bytes += size;
    }
    Ok(usage)
}

/// The lines of the entries that are kept.
async fn lines(fates: &[Fate], entries: &[Arrived]) -> Result<String> {
    let mut lines = Vec::new();
    for (nth, (fate, entry)) in fates.iter().zip(entries).enumerate() {
        if let Fate::Kept(id) = fate {
            serde_json::to_writer(&mut lines, &line(*id, entry)).map_err(Error::internal)?;
            lines.push(b'\n');
        }
        if nth % LINES == LINES - 1 {
            tokio::task::yield_now().await;
        }
    }
    String::from_utf8(lines).map_err(Error::internal)
}

fn line(id: LogId, entry: &Arrived) -> Line<'_> {
    let sender = &entry.sender;
    Line {
        id: id.0,
        mini_app: entry.mini_app.as_str(),
        host_app: sender.host_app.as_str(),
        level: entry.level.rank(),
        at: entry.at.0,
        version: &entry.version,
        host_version: &sender.host_version,
        sdk_version: &sender.sdk_version,
        platform: &sender.platform,
        os_version: &sender.os_version,
        guid: &sender.guid,
        account: sender.account.as_deref(),
        page: &entry.page,
        message: &entry.message,
        filter_msg: &entry.filter_msg,
        message_words: words(&entry.message),
        filter_words: words(&entry.filter_msg),
        bytes: entry.bytes(),
    }
}
