use berth_policy::{Advice, Guard, Health, Policy, Window};

use super::*;

fn policy(config: &str) -> ErrorRate {
    ErrorRate::from_json(config).expect(config)
}

fn window(tried: u64, failed: u64) -> Window {
    Window { minutes: 5, checks: tried, downloads: tried, tried, failed }
}

/// Windows that are all alike.
fn health(windows: usize, gray: (u64, u64), online: (u64, u64)) -> Health {
    let side = |(running, failed)| vec![window(running, failed); windows];
    Health {
        task_id: "gray_1".into(),
        mini_app_id: "mp-shop".into(),
        version: "1.1.0".into(),
        since: 1_700_000_000_000,
        now: 1_700_000_300_000,
        gray: side(gray),
        online: side(online),
    }
}

fn advice(config: &str, health: &Health) -> Advice {
    policy(config).judge(health).expect("an advice")
}

#[test]
fn g13_a_release_that_fails_more_often_is_suspended_and_told_why() {
    let told = advice("{}", &health(6, (50, 5), (200, 2)));
    let Advice::Suspend(why) = told else { unreachable!("{told:?}") };
    assert!(
        why.starts_with(
            "1.1.0 fails on 30 of 300 devices (10.0 %), the online version on 12 of 1200 devices (1.0 %); evidence"
        ) && why.ends_with("of 100"),
        "{why}"
    );
    assert!(matches!(advice(r#"{"then": "end"}"#, &health(6, (50, 5), (200, 2))), Advice::End(_)));
}

#[test]
fn g13_a_release_that_fails_as_often_or_less_goes_on() {
    for (gray, online) in [((50, 1), (200, 4)), ((50, 0), (200, 4)), ((50, 20), (200, 80)), ((50, 1), (200, 150))] {
        assert_eq!(advice("{}", &health(100, gray, online)), Advice::CarryOn, "{gray:?} {online:?}");
    }
}

#[test]
fn g13_a_difference_that_does_not_matter_stops_nothing_however_certain() {
    let certain = health(50, (1000, 15), (4000, 20));
    assert_eq!(advice(r#"{"min_difference": 2}"#, &certain), Advice::CarryOn);
    assert!(matches!(advice(r#"{"min_difference": 0.5}"#, &certain), Advice::Suspend(_)));
}

#[test]
fn g13_before_the_minimum_sample_nothing_is_said() {
    let few = health(1, (49, 49), (400, 0));
    assert_eq!(advice("{}", &few), Advice::CarryOn);
    assert!(matches!(advice(r#"{"min_devices": 49}"#, &few), Advice::Suspend(_)));
    assert_eq!(
        advice(r#"{"min_devices": 1}"#, &health(3, (100, 90), (0, 0))),
        Advice::CarryOn,
        "nobody to compare with"
    );
    let nothing = Health { gray: vec![], online: vec![], ..few };
    assert_eq!(advice(r#"{"min_devices": 1}"#, &nothing), Advice::CarryOn);
}

#[test]
fn g13_devices_that_fail_later_than_they_came_are_at_risk_until_then() {
    let risk: Vec<_> = at_risk(&[window(10, 0), window(0, 4), window(5, 1), window(0, 99)]).collect();
    let at = |devices, failed| AtRisk { devices, failed };
    assert_eq!(risk, [at(10, 0), at(10, 4), at(11, 1), at(10, 10)], "never more than there are");
    let late = Health {
        gray: vec![window(300, 0), window(0, 30)],
        online: vec![window(1200, 0), window(0, 12)],
        ..health(0, (0, 0), (0, 0))
    };
    assert!(matches!(advice("{}", &late), Advice::Suspend(_)));
}

#[test]
fn g13_a_smaller_risk_takes_more_evidence() {
    let doubtful = health(4, (25, 2), (100, 2));
    assert_eq!(advice(r#"{"alpha": 0.001}"#, &doubtful), Advice::CarryOn);
    assert!(matches!(advice(r#"{"alpha": 0.2}"#, &doubtful), Advice::Suspend(_)));
}

#[test]
fn g13_a_config_that_means_nothing_is_refused() {
    for config in [
        r#"{"alpha": 0}"#,
        r#"{"alpha": 0.6}"#,
        r#"{"min_difference": -1}"#,
        r#"{"then": "pause"}"#,
        r#"{"aplha": 0.1}"#,
    ] {
        assert!(ErrorRate::from_json(config).is_err(), "{config}");
    }
}

#[test]
fn g13_counts_that_no_host_would_send_break_nothing() {
    let odd = Health { gray: vec![window(u64::MAX, 0); 3], ..health(3, (0, 7), (1, u64::MAX)) };
    assert_eq!(advice("{}", &odd), Advice::CarryOn);
}
