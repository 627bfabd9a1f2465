//! How options and arguments are parsed.

use serde_json::json;

use super::super::gray_lists::{ListChoice, ListFrom};
use super::super::parse::{ConfigSource, Moment, Past, PolicyChoice, Ranged, duration, percent, seconds};
use super::Desk;
use berth_base::{clock::Millis, ids::HostAppId};
use berth_model::rollout::{ObjectKind, Platform};

#[test]
fn durations_are_numbers_with_units() {
    let good = [
        ("7d", 604_800),
        ("12h", 43_200),
        ("30m", 1_800),
        ("90s", 90),
        ("2w", 1_209_600),
        ("1d12h", 129_600),
        ("1d 12h", 129_600),
        ("2 hours", 7_200),
        ("+90d", 7_776_000),
    ];
    for (text, seconds) in good {
        assert_eq!(duration(text), Ok(seconds), "{text}");
    }
    for text in [
        "",
        "7",
        "d",
        "-7d",
        "7d ago",
        "0d",
        "7y",
        "3mo",
        "1500ms",
        "1h1d",
        "1d1d",
        "7d5",
        "99999999999999999999d",
        "7é",
    ] {
        assert!(duration(text).is_err(), "{text:?}");
    }
}

#[test]
fn seconds_are_a_duration_or_their_number() {
    for (text, number) in [("0", 0), ("86400", 86_400), ("1d", 86_400), ("+1d", 86_400), ("90s", 90)] {
        assert_eq!(seconds(text), Ok(number), "{text}");
    }
    for text in ["", "-1", "1y", "soon"] {
        assert!(seconds(text).is_err_and(|why| why.contains("1d12h")), "{text:?}");
    }
}

#[test]
fn what_has_been_is_said_by_how_long_ago() {
    let now: Millis = "2030-01-31T08:00:00Z".parse().unwrap();
    for (text, at) in [
        ("now", "2030-01-31T08:00:00.000Z"),
        ("2h", "2030-01-31T06:00:00.000Z"),
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z"),
    ] {
        assert_eq!(text.parse::<Past>().unwrap().resolve(now).to_string(), at);
    }
    for text in ["", "+2h", "yesterday"] {
        assert!(text.parse::<Past>().is_err(), "{text:?}");
    }
}

#[test]
fn moments_are_now_or_ahead_or_rfc_3339() {
    let now: Millis = "2030-01-31T08:00:00Z".parse().unwrap();
    let cases = [
        ("now", "2030-01-31T08:00:00.000Z"),
        ("+2h", "2030-01-31T10:00:00.000Z"),
        ("2h", "2030-01-31T10:00:00.000Z"),
        ("2030-02-01T00:00:00+08:00", "2030-01-31T16:00:00.000Z"),
    ];
    for (text, at) in cases {
        assert_eq!(text.parse::<Moment>().unwrap().resolve(now).to_string(), at);
    }
    for text in ["", "2", "+", "-2h", "tomorrow", "2030-01-31", "2030-01-31T08:00:00"] {
        assert!(text.parse::<Moment>().is_err(), "{text:?}");
    }
}

#[test]
fn g4_a_condition_may_have_a_range() {
    let ranged = |name, min: Option<&str>, max: Option<&str>| Ranged::<Platform> {
        name,
        min: min.map(str::to_owned),
        max: max.map(str::to_owned),
    };
    let good = [
        ("android", ranged(Platform::Android, None, None)),
        ("android:12..", ranged(Platform::Android, Some("12"), None)),
        ("ios:..17.4", ranged(Platform::Ios, None, Some("17.4"))),
        ("harmony:3.0.0..3.9.9", ranged(Platform::Harmony, Some("3.0.0"), Some("3.9.9"))),
    ];
    for (text, expected) in good {
        assert_eq!(text.parse::<Ranged<Platform>>(), Ok(expected), "{text}");
    }
    for text in ["", ":1..2", "symbian", "android:", "android:12", "android:.."] {
        assert!(text.parse::<Ranged<Platform>>().is_err(), "{text:?}");
    }
    assert!("Not_A_Host:1..".parse::<Ranged<HostAppId>>().is_err());
}

#[test]
fn lists_policies_and_percentages() {
    let list = |kind, from| Ok(ListChoice { kind, from });
    assert_eq!("device-id=a.txt".parse(), list(ObjectKind::DeviceId, ListFrom::File("a.txt".into())));
    let id = format!("coh_{}", "0".repeat(26));
    let uploaded = ListFrom::Uploaded(id.parse().unwrap());
    assert_eq!(format!("account={id}").parse(), list(ObjectKind::Account, uploaded));
    assert!(["a.txt", "people=a.txt", "guid="].iter().all(|text| text.parse::<ListChoice>().is_err()));

    let choice = |policy: &str, config| PolicyChoice { name: None, policy: policy.into(), config };
    assert_eq!("percentage".parse(), Ok(choice("percentage", None)));
    assert_eq!("a=b.json".parse(), Ok(choice("a", Some(ConfigSource::File("b.json".into())))));
    assert_eq!(r#"a={"n":1}"#.parse(), Ok(choice("a", Some(ConfigSource::Inline(json!({"n": 1}))))));
    assert!(["=a.json", "a=", "a={"].iter().all(|text| text.parse::<PolicyChoice>().is_err()));

    assert_eq!(percent("12.5%"), Ok(12.5));
    assert!(["101", "-1", "ten", "NaN"].iter().all(|text| percent(text).is_err()));
}

#[tokio::test]
async fn a_misspelt_command_is_wrong_use_and_gets_a_suggestion() {
    let ran = Desk::bare().run("pubish").await;
    assert_eq!(ran.code, 2);
    let ran = Desk::bare().run("gary list mp-shop").await;
    assert!(ran.err.contains("'gray'"), "{}", ran.err);
}
