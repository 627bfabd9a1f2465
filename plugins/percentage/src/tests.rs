use berth_policy::{
    serde_json::{Value, from_str},
    testing::{device, task},
};
use proptest::prelude::*;

use super::*;

const HOUR: u64 = 3_600_000;

fn policy(config: &str) -> Percentage {
    Percentage::from_json(config).expect(config)
}

fn refusal(config: &str) -> String {
    Percentage::from_json(config).err().expect(config)
}

fn admits(policy: &Percentage, task_id: &str, guid: &str, hours: u64) -> bool {
    let task = Task { id: task_id.into(), started: 5, now: 5 + hours * HOUR, ..task() };
    let device = Device { guid: guid.into(), ..device() };
    policy.decide(&device, &task).expect("decides") == Verdict::Admit
}

#[test]
fn g11_the_published_vectors_hold() {
    let vectors: Vec<Value> = from_str(include_str!("../vectors.json")).expect("vectors.json");
    assert!(vectors.len() >= 20);
    for vector in &vectors {
        let [task_id, guid] = ["task_id", "guid"].map(|key| vector[key].as_str().expect(key));
        let hash = murmur3_32(format!("{task_id}:{guid}").as_bytes(), 0);
        assert_eq!(vector["hash"].as_u64(), Some(u64::from(hash)), "{vector}");
        assert_eq!(vector["bucket"].as_u64(), Some(u64::from(bucket(task_id, guid))), "{vector}");
    }
}

/// Test vectors on which other implementations of MurmurHash3_x86_32 agree.
#[test]
fn g11_the_hash_is_murmur3() {
    assert_eq!(murmur3_32(b"", 0), 0);
    assert_eq!(murmur3_32(b"", 1), 0x514e_28b7);
    assert_eq!(murmur3_32(b"test", 0), 0xba6b_d213);
    assert_eq!(murmur3_32(b"Hello, world!", 0), 0xc036_3e43);
    assert_eq!(murmur3_32(b"The quick brown fox jumps over the lazy dog", 0), 0x2e4f_f723);
}

#[test]
fn g11_nought_admits_nobody_and_a_hundred_everybody() {
    for guid in (0..1000).map(|n| format!("guid-{n}")) {
        assert!(!admits(&policy(r#"{"percent": 0}"#), "gray_1", &guid, 0));
        assert!(admits(&policy(r#"{"percent": 100}"#), "gray_1", &guid, 0));
    }
}

#[test]
fn g11_shares_are_exact_to_the_hundredth() {
    for text in ["0.01", "0.07", "12.5", "33.33", "99.99", "100", "0"] {
        let share = Share::try_from(text.parse::<f64>().expect(text)).expect(text);
        assert_eq!(share.to_string(), text);
    }
    assert!(refusal(r#"{"percent": 0.005}"#).contains("two decimals"));
    assert!(refusal(r#"{"percent": 100.01}"#).contains("between 0 and 100"));
    assert!(refusal(r#"{"percent": -1}"#).contains("between 0 and 100"));
}

#[test]
fn g11_stages_go_by_the_clock() {
    let plan = r#"{"stages": [{"percent": 10, "after_hours": 1}, {"percent": 50, "after_hours": 24}, {"percent": 100, "after_hours": 72}]}"#;
    let share = |hours| policy(plan).plan.share(hours * HOUR).to_string();
    assert_eq!([0, 1, 23, 24, 71, 72, 9999].map(share), ["0", "10", "10", "50", "50", "100", "100"]);
    assert_eq!(policy(plan).plan.share(24 * HOUR - 1).to_string(), "10");
}

#[test]
fn g11_a_plan_that_would_take_the_version_away_is_refused() {
    let falls = r#"{"stages": [{"percent": 50, "after_hours": 0}, {"percent": 10, "after_hours": 24}]}"#;
    assert!(refusal(falls).contains("lowers 50 % to 10 %"));
    let unordered = r#"{"stages": [{"percent": 10, "after_hours": 24}, {"percent": 50, "after_hours": 24}]}"#;
    assert!(refusal(unordered).contains("order of time"));
}

#[test]
fn g11_a_config_is_one_thing_or_the_other() {
    for config in ["{}", r#"{"percent": 1, "stages": [{"percent": 1, "after_hours": 0}]}"#] {
        assert!(refusal(config).contains("either percent or stages"), "{config}");
    }
    assert!(refusal(r#"{"stages": []}"#).contains("at least one"));
    assert!(refusal(r#"{"percentage": 5}"#).contains("percentage"));
}

#[test]
fn g11_tasks_with_one_bucket_key_choose_the_same_devices() {
    let spring = policy(r#"{"percent": 50, "bucket_key": "spring"}"#);
    let of = |policy: &Percentage, task_id: &str| -> Vec<_> {
        (0..200).filter(|n| admits(policy, task_id, &format!("device-{n}"), 0)).collect()
    };
    assert_eq!(of(&spring, "gray_a"), of(&spring, "gray_b"));
    assert_ne!(of(&spring, "gray_a"), of(&policy(r#"{"percent": 50}"#), "gray_a"));
    assert_eq!(
        of(&policy(r#"{"percent": 50, "bucket_key": "gray_a"}"#), "gray_b"),
        of(&policy(r#"{"percent": 50}"#), "gray_a")
    );
}

#[test]
fn g11_a_device_without_a_guid_is_refused_in_words() {
    let device = Device { guid: String::new(), ..device() };
    let verdict = policy(r#"{"percent": 100}"#).decide(&device, &task()).expect("decides");
    assert_eq!(verdict, Verdict::Refuse("The device did not tell its guid, so it has no bucket.".into()));
}

#[test]
fn g14_a_refusal_tells_bucket_and_share() {
    let verdict = policy(r#"{"percent": 0}"#).decide(&device(), &task()).expect("decides");
    let Verdict::Refuse(reason) = verdict else { unreachable!("0 % admits nobody") };
    assert!(reason.contains("bucket") && reason.contains("0 % are admitted"), "{reason}");
}

/// With 100,000 devices, three standard deviations are below half a percent.
#[test]
fn g11_the_buckets_are_spread_evenly() {
    let mut deciles = [0u32; 10];
    for n in 0..100_000 {
        deciles[bucket("gray_01k", &format!("device-{n}")) as usize / 1000] += 1;
    }
    assert!(deciles.iter().all(|count| count.abs_diff(10_000) < 300), "{deciles:?}");
}

/// About 5 % of the devices in one task's 5 % are also in another's.
#[test]
fn g11_tasks_are_independent() {
    let first: Vec<String> =
        (0..100_000).map(|n| format!("device-{n}")).filter(|g| bucket("gray_a", g) < 500).collect();
    let both = first.iter().filter(|guid| bucket("gray_b", guid) < 500).count();
    let share = both as f64 / first.len() as f64;
    assert!((0.03..0.07).contains(&share), "{share}");
}

proptest! {
    #[test]
    fn g11_a_raise_keeps_those_already_in(guid in "[a-z0-9-]{1,40}", low in 0u32..=10_000, high in 0u32..=10_000) {
        let (low, high) = (low.min(high), low.max(high));
        let percent = |hundredths| policy(&format!(r#"{{"percent": {}}}"#, f64::from(hundredths) / 100.0));
        if admits(&percent(low), "gray_1", &guid, 0) {
            prop_assert!(admits(&percent(high), "gray_1", &guid, 0));
        }
    }

    #[test]
    fn g11_time_only_ever_adds(guid in "[a-z0-9-]{1,40}", early in 0u64..100, later in 0u64..100) {
        let plan = policy(r#"{"stages": [{"percent": 10, "after_hours": 0}, {"percent": 50, "after_hours": 24}, {"percent": 90, "after_hours": 72}]}"#);
        let (early, later) = (early.min(later), early.max(later));
        if admits(&plan, "gray_1", &guid, early) {
            prop_assert!(admits(&plan, "gray_1", &guid, later));
        }
    }
}
