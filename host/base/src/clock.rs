//! Time and randomness as inputs: all code takes them from here, so that tests can control them.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since the Unix epoch. It is BIGINT in the database and RFC 3339 text on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "sql", derive(sqlx::Type), sqlx(transparent))]
pub struct Millis(pub i64);

impl Millis {
    /// The moment `seconds` later; it does not overflow.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// The milliseconds since the epoch; none before it.
    pub fn since_epoch(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Debug for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Millis {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>().map(|at| Self(at.as_millisecond()))
    }
}

impl Serialize for Millis {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom("expected a time such as 2030-01-31T08:00:00Z"))
    }
}

impl utoipa::PartialSchema for Millis {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl utoipa::ToSchema for Millis {}

/// A source of the current time.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Millis;
}

/// The clock of the machine. All of Berth asks it here only.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where time enters")]
    fn now(&self) -> Millis {
        Millis(jiff::Timestamp::now().as_millisecond())
    }
}

/// A clock that stands still until a test moves it. Clones share the time.
#[derive(Clone)]
pub struct ManualClock {
    time: Arc<AtomicI64>,
    step: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that stands still at `start`.
    pub fn new(start: Millis) -> Self {
        Self { time: Arc::new(AtomicI64::new(start.0)), step: Arc::default() }
    }

    /// From now on each look at the clock moves it on by a second: whoever looks twice in one change says two times.
    pub fn move_when_seen(&self) {
        self.step.store(1000, Ordering::SeqCst);
    }

    /// Moves the time on by `seconds`.
    pub fn advance_seconds(&self, seconds: i64) {
        self.time.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        Millis(self.time.fetch_add(self.step.load(Ordering::SeqCst), Ordering::SeqCst))
    }
}

/// A source of random bytes.
pub trait Random: Send + Sync {
    /// Fills all of `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The random number generator of the operating system.
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where randomness enters")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes);
    }
}

/// The sources of time and randomness that a host uses.
#[derive(Clone)]
pub struct Nature {
    /// The source of the current time.
    pub clock: Arc<dyn Clock>,
    /// The source of random bytes.
    pub random: Arc<dyn Random>,
}

impl Default for Nature {
    /// The machine's clock and random number generator.
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) }
    }
}

/// A time as people write it and settings have it: `10s`, `1m 30s`.
pub fn in_words(time: Duration) -> String {
    jiff::SignedDuration::try_from(time).map_or_else(|_| format!("{} s", time.as_secs()), |time| format!("{time:#}"))
}

/// A time as settings have it: `10s`, `300ms`, `2m`, `24h`, `1d`, with a plus before it or without; never nothing.
///
/// # Errors
/// What is expected, for whoever wrote the setting.
pub fn duration(text: &str) -> Result<Duration, String> {
    let rule = "expected a time such as 10s, 300ms or 2m";
    let span = text.strip_prefix('+').unwrap_or(text).parse::<jiff::Span>();
    let parsed = span.and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours())).map_err(|_| rule)?;
    Duration::try_from(parsed).ok().filter(|time| !time.is_zero()).ok_or_else(|| rule.into())
}
