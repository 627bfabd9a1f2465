use berth_policy::testing::{device, set_cohort, task};

use super::*;

fn decide(config: &str, device: &Device) -> Verdict {
    StandardConditions::from_json(config).expect(config).decide(device, &task()).expect("decides")
}

fn admits(config: &str, device: &Device) -> bool {
    decide(config, device) == Verdict::Admit
}

fn refusal(config: &str, device: &Device) -> String {
    match decide(config, device) {
        Verdict::Refuse(reason) => reason,
        Verdict::Admit => unreachable!("{config} admits"),
    }
}

fn rejected(config: &str) -> String {
    StandardConditions::from_json(config).err().expect(config)
}

fn on(host_version: &str) -> Device {
    Device { host_version: host_version.into(), ..device() }
}

#[test]
fn g4_an_empty_condition_never_restricts() {
    let silent = Device { host_version: String::new(), os_version: "?".into(), network: String::new(), ..device() };
    assert!(admits("{}", &silent));
    assert!(admits(r#"{"host_apps": [], "platforms": [], "networks": [], "objects": []}"#, &silent));
}

#[test]
fn g4_alternatives_are_ored() {
    let config = r#"{"host_apps": [{"id": "ha-other"}, {"id": "ha-shop"}], "networks": ["5g", "WiFi"]}"#;
    assert!(admits(config, &device()));
}

#[test]
fn g4_conditions_are_anded() {
    let config = r#"{"host_apps": [{"id": "ha-shop"}], "platforms": [{"platform": "ios"}], "networks": ["wifi"]}"#;
    assert_eq!(refusal(config, &device()), "The platform android is not one of the task's.");
}

#[test]
fn g4_both_ends_belong_to_a_range() {
    let config = r#"{"host_apps": [{"id": "ha-shop", "min_version": "3.2", "max_version": "3.10"}]}"#;
    for inside in ["3.2", "3.2.0", "3.9.9", "3.10", "3.10.0", "3.10.1"] {
        assert!(admits(config, &on(inside)), "{inside}");
    }
    for outside in ["3.1.9", "3.11", "4", "2"] {
        assert_eq!(
            refusal(config, &on(outside)),
            format!("The version of the host app ha-shop does not fit: {outside} is not from 3.2 to 3.10.*.")
        );
    }
}

#[test]
fn g4_half_open_ranges_are_told_in_words() {
    let from = r#"{"platforms": [{"platform": "Android", "min_os": "15"}]}"#;
    assert_eq!(refusal(from, &device()), "The OS version of android does not fit: 14 is not 15 or later.");
    let to = r#"{"platforms": [{"platform": "android", "max_os": "13"}]}"#;
    assert_eq!(refusal(to, &device()), "The OS version of android does not fit: 14 is not 13.* or earlier.");
}

#[test]
fn g4_two_ranges_of_one_host_app_are_alternatives() {
    let config = r#"{"host_apps": [{"id": "ha-shop", "max_version": "2"}, {"id": "ha-shop", "min_version": "3"}]}"#;
    assert!(admits(config, &on("1.9")));
    assert!(admits(config, &on("3")));
    assert!(admits(config, &on("2.5")));
    let config = config.replace(r#""2""#, r#""2.4""#);
    assert!(refusal(&config, &on("2.5")).contains("2.5 is not 2.4.* or earlier, and 2.5 is not 3 or later"));
}

#[test]
fn f29_a_version_that_cannot_be_read_is_outside_of_every_range() {
    let config = r#"{"host_apps": [{"id": "ha-shop", "min_version": "0"}]}"#;
    for version in ["", "latest", "3.2.1-beta", "٣"] {
        assert!(refusal(config, &on(version)).contains("which is not a version"), "{version}");
    }
    assert!(admits(r#"{"host_apps": [{"id": "ha-shop"}]}"#, &on("latest")), "without a range it does not matter");
}

#[test]
fn g4_lists_are_ored_and_typed_or_kept_by_the_host() {
    set_cohort("coh_beta", ["anna"]);
    let config = r#"{"objects": [{"kind": "guid", "values": ["g-2"]}, {"kind": "account", "cohort": "coh_beta"}]}"#;
    let anna = Device { account: Some("anna".into()), ..device() };
    let second = Device { guid: "g-2".into(), ..device() };
    assert!(admits(config, &anna) && admits(config, &second));
    assert_eq!(refusal(config, &device()), "The device is in none of the task's lists (guids, accounts).");
}

#[test]
fn g4_each_kind_looks_at_its_own_field() {
    let list = |kind: &str| format!(r#"{{"objects": [{{"kind": "{kind}", "values": ["x"]}}]}}"#);
    let x = || Some("x".to_owned());
    assert!(admits(&list("guid"), &Device { guid: "x".into(), ..device() }));
    assert!(admits(&list("device_id"), &Device { device_id: x(), ..device() }));
    assert!(admits(&list("account"), &Device { account: x(), ..device() }));
    assert!(!admits(&list("account"), &Device { guid: "x".into(), device_id: x(), ..device() }));
}

#[test]
fn g4_a_device_that_tells_no_account_is_in_no_list_of_accounts() {
    let config = r#"{"objects": [{"kind": "account", "values": [""]}]}"#;
    assert!(!admits(config, &device()));
    assert!(!admits(config, &Device { account: Some(String::new()), ..device() }));
}

#[test]
fn g4_a_list_that_is_empty_admits_nobody_because_it_was_given() {
    assert!(!admits(r#"{"objects": [{"kind": "guid", "values": []}]}"#, &device()));
}

#[test]
fn g4_a_config_that_cannot_mean_anything_is_refused() {
    let crossed = r#"{"host_apps": [{"id": "ha-shop", "min_version": "3", "max_version": "2"}]}"#;
    assert!(rejected(crossed).contains("ha-shop: the range from 3 to 2 is empty"));
    assert!(rejected(r#"{"platforms": [{"platform": "ios", "min_os": "x"}]}"#).contains("\"x\" is not a version"));
    assert!(rejected(r#"{"objects": [{"kind": "guid"}]}"#).contains("values or a cohort"));
    assert!(rejected(r#"{"host_app": []}"#).contains("host_app"));
    assert!(rejected(r#"{"objects": [{"kind": "phone", "values": []}]}"#).contains("phone"));
}

#[test]
fn g4_a_hundred_thousand_values_are_looked_up_at_once() {
    let values: Vec<String> = (0..100_000).map(|n| format!("\"g-{n}\"")).collect();
    let config = format!(r#"{{"objects": [{{"kind": "guid", "values": [{}]}}]}}"#, values.join(","));
    assert!(admits(&config, &Device { guid: "g-99999".into(), ..device() }));
    assert!(!admits(&config, &Device { guid: "h".into(), ..device() }));
}
