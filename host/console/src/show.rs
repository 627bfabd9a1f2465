//! Times, sizes and shares as people read them.

use std::borrow::Borrow;

use berth_base::clock::Millis;
use jiff::{Timestamp, tz::TimeZone};

use crate::texts::{Language, Texts};

pub use crate::texts::grouped;

/// A moment as pages show it: for people in their zone, for machines in UTC.
pub struct When {
    pub exact: String,
    pub shown: String,
}

/// A moment in a zone of time, such as `2026-11-28 14:05`.
pub fn when(at: Millis, zone: &TimeZone) -> When {
    as_when(at, zone, "%Y-%m-%d %H:%M")
}

/// A moment to the millisecond, such as `2026-11-28 14:05:09.120`, as what follows one another within a minute needs it.
pub fn when_exactly(at: Millis, zone: &TimeZone) -> When {
    as_when(at, zone, "%Y-%m-%d %H:%M:%S%.3f")
}

fn as_when(at: Millis, zone: &TimeZone, format: &str) -> When {
    match Timestamp::from_millisecond(at.0) {
        Ok(time) => When { exact: time.to_string(), shown: time.to_zoned(zone.clone()).strftime(format).to_string() },
        Err(_) => When { exact: at.to_string(), shown: at.to_string() },
    }
}

/// What a field for a moment holds: the time of day in the visitor's zone, without the zone.
pub fn for_field(at: Millis, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(at.0)
        .map_or_else(|_| String::new(), |time| time.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M").to_string())
}

/// The moment that a field for one means in a zone.
pub fn from_field(text: &str, zone: &TimeZone) -> Option<Millis> {
    let local: jiff::civil::DateTime = text.parse().ok()?;
    Some(Millis(local.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond()))
}

/// A size with a decimal unit, such as `1.4 MB`.
pub fn bytes(size: impl Borrow<u64>) -> String {
    let size = *size.borrow();
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if size < 1000 {
        return format!("{size} B");
    }
    let mut value = size as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A short stretch of time, such as `2.5 ms`.
pub fn micros(micros: impl Borrow<u64>) -> String {
    berth_base::text::micros(*micros.borrow())
}

/// A stretch of time in its two greatest units, such as `7 d 3 h`.
pub fn stretch(millis: i64, t: Texts) -> String {
    let minutes = (millis / 60_000).max(0);
    let parts = [(minutes / 1440, "d", "天"), (minutes / 60 % 24, "h", "小时"), (minutes % 60, "min", "分钟")];
    let unit = |en: &'static str, zh: &'static str| if t.0 == Language::Chinese { zh } else { en };
    let first = parts.iter().position(|(count, ..)| *count > 0).unwrap_or(parts.len() - 1);
    let shown = parts[first..].iter().take(2).filter(|(count, ..)| *count > 0 || first + 1 == parts.len());
    shown.map(|(count, en, zh)| format!("{count} {}", unit(en, zh))).collect::<Vec<_>>().join(" ")
}

/// A share in percent.
pub fn percent(part: u64, whole: u64, t: Texts) -> String {
    if whole == 0 {
        return "–".into();
    }
    let share = part as f64 * 100.0 / whole as f64;
    let digits = if share > 0.0 && share < 10.0 { 1 } else { 0 };
    if t.0 == Language::Chinese { format!("{share:.digits$}%") } else { format!("{share:.digits$} %") }
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-._@:/+".contains(c));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_in_the_zone_of_the_visitor() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let at = "2026-11-28T06:05:00Z".parse::<Millis>().unwrap();
        let when = when(at, &zone);
        assert_eq!((when.shown.as_str(), when.exact.as_str()), ("2026-11-28 14:05", "2026-11-28T06:05:00Z"));
        assert_eq!(from_field(&for_field(at, &zone), &zone), Some(at));
    }

    #[test]
    fn sizes_have_decimal_units() {
        assert_eq!([0, 999, 1000, 1_400_000, 999_960].map(bytes), ["0 B", "999 B", "1.0 kB", "1.4 MB", "1.0 MB"]);
    }

    #[test]
    fn a_stretch_has_its_two_greatest_units() {
        let t = Texts(Language::English);
        let minute = 60_000;
        assert_eq!(stretch(0, t), "0 min");
        assert_eq!(stretch(61 * minute, t), "1 h 1 min");
        assert_eq!(stretch((7 * 1440 + 185) * minute, t), "7 d 3 h");
        assert_eq!(stretch(1440 * minute, Texts(Language::Chinese)), "1 天");
    }

    #[test]
    fn a_moment_of_a_log_has_its_milliseconds() {
        let at = "2026-11-28T06:05:09.120Z".parse::<Millis>().unwrap();
        assert_eq!(when_exactly(at, &TimeZone::UTC).shown, "2026-11-28 06:05:09.120");
    }

    #[test]
    fn a_command_takes_what_was_typed_as_one_word() {
        assert_eq!(["my-phone", "two words", "it's"].map(quoted), ["my-phone", "'two words'", "'it'\\''s'"]);
    }
}
