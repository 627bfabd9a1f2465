//! Entries as OpenTelemetry's OTLP/HTTP has them in JSON, and what a receiver answers. Names of attributes are those of
//! OpenTelemetry's semantic conventions where there are such, and begin with `berth.` where there are none.

use std::{collections::HashMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Level, LogEntry, page_path};

/// A request with entries: `ExportLogsServiceRequest`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OtlpLogs<'a> {
    resource_logs: Vec<ResourceLogs<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs<'a> {
    resource: Resource<'a>,
    scope_logs: [ScopeLogs<'a>; 1],
}

#[derive(Debug, Serialize)]
struct Resource<'a> {
    attributes: Vec<KeyValue<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs<'a> {
    scope: Scope,
    log_records: Vec<LogRecord<'a>>,
}

#[derive(Debug, Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LogRecord<'a> {
    time_unix_nano: String,
    observed_time_unix_nano: String,
    severity_number: u8,
    severity_text: &'static str,
    body: AnyValue<'a>,
    attributes: Vec<KeyValue<'a>>,
}

#[derive(Debug, PartialEq, Eq, Hash, Serialize)]
struct KeyValue<'a> {
    key: &'static str,
    value: AnyValue<'a>,
}

#[derive(Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
struct AnyValue<'a> {
    string_value: std::borrow::Cow<'a, str>,
}

/// The request that exports entries, in their order as far as they are of one resource: a MiniApp of a version in one
/// installation of a host app.
pub fn otlp_logs(entries: &[LogEntry]) -> OtlpLogs<'_> {
    let mut places = HashMap::new();
    let mut resource_logs: Vec<ResourceLogs<'_>> = Vec::new();
    for entry in entries {
        let place = *places.entry(resource(entry)).or_insert_with(|| {
            let scope = Scope { name: "berth", version: env!("CARGO_PKG_VERSION") };
            let scope_logs = [ScopeLogs { scope, log_records: Vec::new() }];
            resource_logs.push(ResourceLogs { resource: Resource { attributes: resource(entry) }, scope_logs });
            resource_logs.len() - 1
        });
        resource_logs[place].scope_logs[0].log_records.push(record(entry));
    }
    OtlpLogs { resource_logs }
}

fn resource(entry: &LogEntry) -> Vec<KeyValue<'_>> {
    attributes([
        ("service.name", entry.mini_app.as_str()),
        ("service.version", &entry.version),
        ("app.installation.id", &entry.guid),
        ("os.name", &entry.platform),
        ("os.version", &entry.os_version),
        ("berth.host_app.id", entry.host_app.as_str()),
        ("berth.host_app.version", &entry.host_version),
        ("berth.sdk.version", &entry.sdk_version),
    ])
}

fn record(entry: &LogEntry) -> LogRecord<'_> {
    let mut all = attributes([
        ("app.screen.id", page_path(&entry.page)),
        ("berth.page", &entry.page),
        ("berth.filter_msg", &entry.filter_msg),
        ("user.id", entry.account.as_deref().unwrap_or_default()),
    ]);
    // By it receivers know an entry again that comes twice.
    all.push(KeyValue { key: "log.record.uid", value: AnyValue { string_value: entry.id.to_string().into() } });
    LogRecord {
        time_unix_nano: nanos(entry.at.since_epoch()),
        observed_time_unix_nano: nanos(entry.received_at.since_epoch()),
        severity_number: severity(entry.level),
        severity_text: entry.level.as_str(),
        body: AnyValue { string_value: entry.message.as_str().into() },
        attributes: all,
    }
}

/// Those that are told.
fn attributes<'a, const N: usize>(all: [(&'static str, &'a str); N]) -> Vec<KeyValue<'a>> {
    let told = all.into_iter().filter(|(_, text)| !text.is_empty());
    told.map(|(key, text)| KeyValue { key, value: AnyValue { string_value: text.into() } }).collect()
}

/// Nanoseconds as JSON has 64 bits. A time that is not told, or that does not fit, is 0, which means unknown.
fn nanos(millis: u64) -> String {
    millis.checked_mul(1_000_000).unwrap_or_default().to_string()
}

/// The first of the four numbers of each severity.
fn severity(level: Level) -> u8 {
    match level {
        Level::Debug => 5,
        Level::Info => 9,
        Level::Warn => 13,
        Level::Error => 17,
    }
}

/// What a receiver made of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtlpOutcome {
    /// It took the entries, but for some of them, with its reason.
    Taken {
        /// How many entries it did not take. They must not be sent again.
        rejected: u64,
        /// Why, in its words; a warning when it rejected none.
        why: String,
    },
    /// The request should be sent again, after this time when it is told.
    Again(Option<Duration>),
    /// The request must not be sent again.
    Refused,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    partial_success: Option<Partial>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Partial {
    /// A number or, as JSON has 64 bits, a text.
    rejected_log_records: serde_json::Value,
    error_message: String,
}

/// What an answer means, by its status, the seconds that its `Retry-After` asks for, and its body.
pub fn otlp_outcome(status: u16, retry_after: Option<u64>, body: &[u8]) -> OtlpOutcome {
    match status {
        200..300 => {
            // Taken is taken, in whatever words.
            let partial =
                serde_json::from_slice::<Answer>(body).unwrap_or_default().partial_success.unwrap_or_default();
            let rejected = match partial.rejected_log_records {
                serde_json::Value::String(text) => text.parse().unwrap_or_default(),
                other => other.as_u64().unwrap_or_default(),
            };
            OtlpOutcome::Taken { rejected, why: partial.error_message }
        }
        429 | 502..=504 => OtlpOutcome::Again(retry_after.map(Duration::from_secs)),
        _ => OtlpOutcome::Refused,
    }
}

/// How long to wait after so many failures in a row: from a second on twice as long each time, a minute at most. `jitter`,
/// which is below 1, takes up to half of it off, so that not all come back together.
pub fn otlp_wait(failures: u32, jitter: f64) -> Duration {
    let seconds = 2_f64.powi(failures.clamp(1, 7) as i32 - 1).min(60.0);
    Duration::from_secs_f64(seconds * (1.0 - jitter.clamp(0.0, 1.0) / 2.0))
}

#[cfg(test)]
mod tests {
    use berth_base::clock::Millis;
    use serde_json::{json, to_value};

    use super::*;
    use crate::{
        log::{LogId, entry::tests::arrived},
        testing::DAWN,
    };

    fn entry(nth: i64, mini_app: &str) -> LogEntry {
        LogEntry::of(LogId(LogId::at(DAWN).0 + nth), &arrived(mini_app, "支付 failed"))
    }

    #[test]
    fn d16_an_entry_is_a_log_record_of_the_resource_that_wrote_it() {
        let mut one = entry(1, "shop");
        (one.page, one.account, one.level) = ("pages/pay?id=7".into(), Some("alice".into()), Level::Error);
        let all = [one, entry(2, "tea"), entry(3, "shop")];
        let request = to_value(otlp_logs(&all)).unwrap_or_default();
        let logs = request["resourceLogs"].as_array().cloned().unwrap_or_default();
        assert_eq!(logs.len(), 2);
        let attribute = |key: &str, text: &str| json!({"key": key, "value": {"stringValue": text}});
        let of_shop = [
            attribute("service.name", "shop"),
            attribute("app.installation.id", "g"),
            attribute("berth.host_app.id", "mall"),
        ];
        assert_eq!(logs[0]["resource"]["attributes"], json!(of_shop), "what is not told is left out");
        let records = &logs[0]["scopeLogs"][0]["logRecords"];
        assert_eq!(records.as_array().map(Vec::len), Some(2));
        let at = format!("{}000000", DAWN.0);
        let expected = json!({
            "timeUnixNano": at, "observedTimeUnixNano": at, "severityNumber": 17, "severityText": "error",
            "body": {"stringValue": "支付 failed"},
            "attributes": [
                attribute("app.screen.id", "pages/pay"), attribute("berth.page", "pages/pay?id=7"),
                attribute("user.id", "alice"), attribute("log.record.uid", &all[0].id.to_string()),
            ],
        });
        assert_eq!(records[0], expected);
        let numbers: Vec<_> = Level::ALL.iter().map(|level| severity(*level)).collect();
        assert_eq!(numbers, [5, 9, 13, 17]);
    }

    #[test]
    fn d16_a_clock_that_lies_is_no_time_and_no_failure() {
        let mut one = entry(1, "shop");
        for (at, told) in [(-5, "0"), (i64::MAX, "0"), (1, "1000000")] {
            one.at = Millis(at);
            assert_eq!(record(&one).time_unix_nano, told);
        }
    }

    #[test]
    fn d16_an_answer_means_what_otlp_says() {
        use OtlpOutcome::{Again, Refused};
        let taken = |rejected, why: &str| OtlpOutcome::Taken { rejected, why: why.into() };
        let partial = br#"{"partialSuccess": {"rejectedLogRecords": "3", "errorMessage": "too old"}}"#;
        let number = br#"{"partialSuccess": {"rejectedLogRecords": 2}}"#;
        let warning = br#"{"partialSuccess": {"errorMessage": "slow down"}}"#;
        for (status, after, body, expected) in [
            (200, None, &b"{}"[..], taken(0, "")),
            (200, None, b"", taken(0, "")),
            (202, None, b"<ok>", taken(0, "")),
            (200, None, partial, taken(3, "too old")),
            (200, None, number, taken(2, "")),
            (200, None, warning, taken(0, "slow down")),
            (429, Some(7), b"", Again(Some(Duration::from_secs(7)))),
            (503, None, b"", Again(None)),
            (502, None, b"", Again(None)),
            (504, Some(0), b"", Again(Some(Duration::ZERO))),
            (400, Some(7), b"", Refused),
            (401, None, b"", Refused),
            (404, None, b"", Refused),
            (500, None, b"", Refused),
            (301, None, b"", Refused),
        ] {
            assert_eq!(otlp_outcome(status, after, body), expected, "{status}");
        }
    }

    #[test]
    fn d16_waits_grow_to_a_minute() {
        let waits: Vec<_> = (0..9).map(|failures| otlp_wait(failures, 0.0).as_secs()).collect();
        assert_eq!(waits, [1, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(otlp_wait(3, 1.0), Duration::from_secs(2));
    }
}
