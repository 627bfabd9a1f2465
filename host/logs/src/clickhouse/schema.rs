//! The tables, and what a server can do by its version. The oldest that is supported is 18.16, which Debian 12 has.
//!
//! - `berth_log` has the entries, ordered by id, in a partition for each day, so that dropping a day is dropping a partition.
//! - `berth_log_usage` counts them by day and MiniApp. A materialised view fills it from what is stored, whoever stores it.
//! - `berth_log_lane` says which process gives out which ids ([`super::lane`]).
//!
//! What a table has of a newer server it has from its begin: it stays as it is when the server becomes newer.

use std::str::FromStr;

use berth_model::log::Day;

/// What a server can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Data-skipping indices, `LowCardinality`, codecs, and the settings of [`Abilities::settings`]: since 22.3.
    pub is_modern: bool,
}

/// The first version that has all of what `is_modern` means, as a long-term one.
const MODERN: (u32, u32) = (22, 3);

impl Abilities {
    /// What a server of a version can do, such as `18.16.1` or `25.8.2.29-lts`. One whose version cannot be read is taken
    /// for an old one, which every server can be.
    pub fn of(version: &str) -> Self {
        let mut parts = version.split('.').map(u32::from_str);
        let number = parts.next().and_then(Result::ok).zip(parts.next().and_then(Result::ok));
        Self { is_modern: number.is_some_and(|number| number >= MODERN) }
    }

    /// Settings for every statement, which an older server would refuse: an INSERT is answered when it is stored.
    pub fn settings(self) -> &'static [(&'static str, &'static str)] {
        if self.is_modern { &[("async_insert", "0")] } else { &[] }
    }

    /// The statements that make what is not there yet.
    pub fn tables(self) -> [String; 4] {
        let (name, packed, few) = match self.is_modern {
            true => ("LowCardinality(String)", " CODEC(ZSTD(1))", " CODEC(Delta, ZSTD(1))"),
            false => ("String", "", ""),
        };
        let indices = if self.is_modern { INDICES } else { "" };
        let day = day_of_id();
        [
            format!(
                "CREATE TABLE IF NOT EXISTS berth_log (
                    id Int64{few}, mini_app {name}, host_app {name}, level Int8, at Int64{few}, version {name},
                    host_version {name}, sdk_version {name}, platform {name}, os_version {name}, guid String{packed},
                    account Nullable(String), page String{packed}, message String{packed}, filter_msg String{packed},
                    message_words String{packed}, filter_words String{packed}, bytes UInt32{indices}
                ) ENGINE = MergeTree PARTITION BY {day} ORDER BY id"
            ),
            "CREATE TABLE IF NOT EXISTS berth_log_usage (day Int64, mini_app String, entries UInt64, size UInt64)
                ENGINE = SummingMergeTree((entries, size)) PARTITION BY day ORDER BY (day, mini_app)"
                .to_owned(),
            format!(
                "CREATE MATERIALIZED VIEW IF NOT EXISTS berth_log_counts TO berth_log_usage AS
                SELECT {day} AS day, mini_app, count() AS entries, sum(bytes) AS size FROM berth_log GROUP BY day, mini_app"
            ),
            "CREATE TABLE IF NOT EXISTS berth_log_lane (lane UInt8, owner String, at DateTime DEFAULT now())
                ENGINE = ReplacingMergeTree(at) PARTITION BY toDate(at) ORDER BY (lane, owner)"
                .to_owned(),
        ]
    }
}

/// What newer servers note of each run of 8,192 entries, to pass over those that hold nothing for a search.
const INDICES: &str = ",
    INDEX of_guid guid TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX of_account account TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX of_mini_app mini_app TYPE set(256) GRANULARITY 1,
    INDEX of_level level TYPE set(8) GRANULARITY 1,
    INDEX of_message_words message_words TYPE tokenbf_v1(32768, 4, 0) GRANULARITY 1,
    INDEX of_filter_words filter_words TYPE tokenbf_v1(8192, 4, 0) GRANULARITY 1,
    INDEX of_message message TYPE ngrambf_v1(3, 65536, 4, 0) GRANULARITY 1";

/// The day of an entry as SQL: the days since 1970, whatever the time zone of the server.
fn day_of_id() -> String {
    let ids_of_a_day = Day(1).first().0;
    format!("intDiv(id, {ids_of_a_day})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d15_what_a_server_can_do_follows_from_its_version_alone() {
        for (version, is_modern) in [
            ("18.16.1", false),
            ("21.8.15.7", false),
            ("22.2.9.1", false),
            ("22.3.2.1", true),
            ("22.10.1", true),
            ("25.8.2.29-lts", true),
            ("26.1.1-testing", true),
            ("head", false),
            ("22", false),
            ("", false),
        ] {
            let abilities = Abilities::of(version);
            assert_eq!(abilities.is_modern, is_modern, "{version}");
            let text = abilities.tables().concat();
            assert_eq!(text.contains("LowCardinality") && text.contains("INDEX"), is_modern, "{version}");
            assert_eq!(!abilities.settings().is_empty(), is_modern, "{version}");
        }
    }

    #[test]
    fn d15_a_partition_is_a_day_of_arrivals() {
        assert_eq!(day_of_id(), "intDiv(id, 90596966400000)");
        let (day, ids) = (Day(21_995), Day(1).first().0);
        assert_eq!((day.first().0 / ids, (day.end().0 - 1) / ids, day.end().0 / ids), (21_995, 21_995, 21_996));
    }
}
