use berth_policy::{
    Attribute,
    bucket::{BUCKETS, bucket},
    serde_json::{Value, from_str, json},
    testing::{device, set_cohort, task},
};
use proptest::prelude::*;

use super::*;

fn policy(admit: &str) -> Expression {
    Expression::from_json(&json!({"admit": admit}).to_string()).expect(admit)
}

fn decide(admit: &str, device: &Device) -> Verdict {
    policy(admit).decide(device, &task()).expect(admit)
}

fn admits(admit: &str, device: &Device) -> bool {
    decide(admit, device) == Verdict::Admit
}

fn refusal(admit: &str, device: &Device) -> String {
    match decide(admit, device) {
        Verdict::Refuse(reason) => reason,
        Verdict::Admit => unreachable!("{admit} admits"),
    }
}

/// What is wrong with an expression.
fn wrong(admit: &str) -> String {
    let lists = json!({"testers": "coh_1"});
    let refused = Expression::from_json(&json!({"admit": admit, "lists": lists}).to_string()).err().expect(admit);
    refused.strip_prefix("The expression is wrong in ").unwrap_or(&refused).to_owned()
}

fn on(host_version: &str) -> Device {
    Device { host_version: host_version.into(), ..device() }
}

fn from(city: &str) -> Device {
    let city = Attribute { name: "city".into(), value: city.into() };
    Device { attributes: vec![city], ..device() }
}

#[test]
fn g18_every_fact_of_a_device_and_a_task_can_be_read() {
    let device = Device { device_id: Some("d-1".into()), account: Some("anna".into()), ..from("Hangzhou") };
    let task = Task { current: Some("1.0.0".into()), started: 1000, now: 3_601_000, ..task() };
    for admit in [
        "device.guid == 'g-1'",
        "device.device_id == 'd-1'",
        "device.account == 'anna'",
        "device.platform == 'android' && device.os_version == '14'",
        "device.host_app == 'ha-shop' && device.host_version == '3.2.1' && device.sdk_version == '1.0.0'",
        "device.network in ['wifi', '5g']",
        "device.attributes.city == 'Hangzhou' && device.attributes['city'] == 'Hangzhou'",
        "'city' in device.attributes && has(device.attributes.city) && device.attributes.exists(name, name == 'city')",
        "task.id == 'gray_1' && task.mini_app_id == 'mp-shop'",
        "task.version == '1.1.0' && task.online == '1.0.0' && task.current == '1.0.0'",
        "task.started == 1000 && now - task.started == 60 * 60 * 1000",
        "size(task.attributes) == 0",
    ] {
        assert_eq!(policy(admit).decide(&device, &task), Ok(Verdict::Admit), "{admit}");
    }
}

#[test]
fn g18_what_a_device_did_not_tell_is_the_empty_text_and_never_a_failure() {
    for admit in [
        "device.account == '' && !has(device.account)",
        "device.attributes.city == '' && !has(device.attributes.city) && !('city' in device.attributes)",
        "device.attributes['city'] != 'Hangzhou'",
        "!device.account.startsWith('a')",
        "!has(task.current) && has(device.platform) && has(task.started)",
    ] {
        assert!(admits(admit, &device()), "{admit}");
    }
}

#[test]
fn g18_versions_are_compared_as_conditions_compare_them() {
    let cases = [
        ("3.10", ">=", "3.2", true),
        ("3.2", ">=", "3.2.0", true),
        ("3.2", ">=", "3.2.1", false),
        ("17.4.1", "<=", "17", true),
        ("18", "<=", "17", false),
        ("17.4.1", ">", "17", false),
        ("18", ">", "17", true),
        ("17.4.1", "==", "17", true),
        ("18", "==", "17", false),
        ("18", "!=", "17", true),
        ("3.1.9", "<", "3.2", true),
        ("3.2.1", "<", "3.2", false),
    ];
    let mirrored = |sign: &str| sign.replace(['<', '>'], if sign.starts_with('<') { ">" } else { "<" });
    for (told, sign, bound, holds) in cases {
        let written = format!("semver(device.host_version) {sign} semver('{bound}')");
        assert_eq!(admits(&written, &on(told)), holds, "{told}: {written}");
        let turned = format!("semver('{bound}') {} semver(device.host_version)", mirrored(sign));
        assert_eq!(admits(&turned, &on(told)), holds, "{told}: {turned}");
    }
    assert!(admits("semver(task.version) > semver(task.online)", &device()));
    for told in ["", "latest", "3.2.1-beta"] {
        for sign in ["<", "<=", ">", ">=", "=="] {
            assert!(!admits(&format!("semver(device.host_version) {sign} semver('3')"), &on(told)), "{told:?} {sign}");
        }
    }
}

#[test]
fn g18_buckets_are_those_of_the_policy_percentage() {
    let vectors: Vec<Value> = from_str(include_str!("../../percentage/vectors.json")).expect("vectors.json");
    for vector in vectors.iter().filter(|vector| vector["guid"] != "" && vector["task_id"] != "") {
        let [key, guid] = ["task_id", "guid"].map(|name| vector[name].as_str().expect(name));
        let percent = vector["bucket"].as_f64().expect("a bucket") / 100.0;
        let device = Device { guid: guid.into(), ..device() };
        assert!(
            admits(&format!("bucket('{key}') == {percent:.2} && bucket('{key}') >= {percent:.2}"), &device),
            "{vector}"
        );
        let task = Task { id: key.into(), ..task() };
        let decided = policy(&format!("bucket(task.id) == {percent:.2}")).decide(&device, &task);
        assert_eq!(decided, Ok(Verdict::Admit), "{vector}");
    }
}

#[test]
fn g18_a_device_without_a_guid_has_no_bucket_and_is_not_guessed() {
    let nobody = Device { guid: String::new(), ..device() };
    let told = policy("bucket('a') >= 0").decide(&nobody, &task()).expect_err("no bucket");
    assert!(told.contains("no guid"), "{told}");
    assert!(!admits("device.platform == 'ios' && bucket('a') >= 0", &nobody));
}

#[test]
fn g18_lists_are_asked_by_the_names_that_the_config_gives_them() {
    set_cohort("coh_1", ["g-1", "anna", ""]);
    let config = |admit: &str| json!({"admit": admit, "lists": {"testers": "coh_1"}}).to_string();
    let admits = |admit: &str| {
        let policy = Expression::from_json(&config(admit)).expect(admit);
        policy.decide(&device(), &task()).expect(admit) == Verdict::Admit
    };
    assert!(admits("in_list('testers', device.guid)"));
    assert!(!admits("in_list('testers', device.account)"), "no account is on no list");
    assert!(wrong("in_list('staff', device.guid)").contains("lists has no \"staff\""));
    assert!(wrong("in_list(device.guid, 'testers')").contains("written out"));
}

#[test]
fn g18_the_functions_of_cel_work() {
    for admit in [
        "device.guid.startsWith('g') && device.guid.endsWith('-1') && device.guid.contains('-')",
        "device.host_app.matches('^ha-[a-z]+$') && !device.host_app.matches('^x')",
        "device.platform.lowerAscii() == 'android' && size(device.guid) == 3 && device.guid.size() == 3",
        "int(device.os_version) >= 13 && double(device.os_version) > 13.5 && string(14) == device.os_version",
        "['a', 'g'].exists(p, device.guid.startsWith(p)) && [1, 2].all(n, n > 0) && [1, 2].filter(n, n > 1).size() == 1",
        "(device.platform == 'ios' ? 1 : 2) == 2 && {'android': 14}[device.platform] == 14",
        "[[1], [2]].exists(list, list.exists(n, n == 2)) && ['a'].map(x, x + 'b') == ['ab']",
        "true // all of them",
    ] {
        assert!(admits(admit, &device()), "{admit}");
    }
}

#[test]
fn g18_a_syntax_error_names_line_column_and_what_is_expected() {
    for (admit, told) in [
        ("", "line 1, column 1: a value is expected here"),
        ("device.platform ==", "line 1, column 19: a value is expected here"),
        ("true &&\n  && true", "line 2, column 3: a value is expected here"),
        ("true &&\n  device.platform = 'ios'", "line 2, column 19: = is no operator; == compares"),
        ("(true", "line 1, column 6: "),
        ("true)", "line 1, column 5: an operator such as && or == is expected before )"),
        ("device.platform == 'ios", "line 1, column 20: "),
        ("'中' == '中' & true", "line 1, column 12: "),
        ("device.platform == “ios”", "line 1, column 20: “ is not a quotation mark of CEL"),
        ("true ? false", "line 1, column 13: expected ':'"),
    ] {
        let wrong = wrong(admit);
        assert!(wrong.starts_with(told), "{admit:?}: {wrong}");
    }
}

#[test]
fn g18_what_does_not_exist_is_refused_when_it_is_configured() {
    for (admit, told) in [
        (
            "true && plattform == 'ios'",
            "line 1, column 9: there is no variable plattform; there are device, task and now",
        ),
        ("device.plattform == 'ios'", "line 1, column 8: device has no plattform; it has guid, device_id"),
        ("true &&\n task.name == 'x'", "line 2, column 7: task has no name; it has id"),
        ("device.guid.x == ''", "line 1, column 13: device.guid is a text and has no member x"),
        ("device == 'x'", "line 1, column 1: device is read by its members"),
        ("true && rand() < 1", "line 1, column 9: there is no function rand; there are all, bucket, contains"),
        ("device.guid.starts('a')", "line 1, column 13: there is no function starts"),
        ("startsWith(device.guid, 'a')", "line 1, column 1: startsWith is called as text.startsWith(…)"),
        ("device.guid.startsWith()", "line 1, column 13: startsWith takes 1 arguments, and 0 are given"),
        ("['a'].exists(x)", "line 1, column 7: exists is written like this"),
        ("['a'].exists(device, device == 'a')", "line 1, column 14: device is a variable already"),
        ("[1].exists(x, x == 1) && x == 1", "line 1, column 26: there is no variable x"),
        ("google.Duration{seconds: 1} == 1", "line 1, column 1: google.Duration {…} makes a message"),
    ] {
        let wrong = wrong(admit);
        assert!(wrong.starts_with(told), "{admit:?}: {wrong}");
    }
}

#[test]
fn g18_what_cannot_be_meant_is_refused_when_it_is_configured() {
    for (admit, told) in [
        ("device.platform", "the result is a text, and must be true or false"),
        ("true && 1 + 1", "the result is a whole number"),
        ("device.platform || true", "|| takes true or false, and this is a text"),
        ("device.os_version >= 14", "compares a text with a whole number"),
        ("device.account == null", "has(…) says whether the device told it"),
        ("device.host_version >= semver('8.2')", "write semver(…) on both sides"),
        ("semver(device.host_version) >= '8.2'", "write semver(…) on both sides"),
        ("semver(device.host_version)", "semver(…) is compared with another one"),
        ("semver(device.host_version) >= semver('v8')", "column 1: \"v8\" is not a version"),
        ("semver(now) > semver('1')", "semver takes a text"),
        ("bucket(device.guid) < 20", "written out"),
        ("bucket() < 20", "bucket takes one text"),
        ("bucket('a') < '20'", "compares a number with decimals with a text"),
        ("device.guid.matches('(')", "is not a regular expression"),
        ("device.guid.matches('((a{100}){100}){100}')", "is not a regular expression"),
        ("device.guid.matches(device.host_app)", "written out"),
        ("'a' in 'abc'", "contains looks into a text"),
        ("device.guid.exists(c, c == 'a')", "are for lists and maps, and not for a text"),
        ("now * 1.5 > 1.0", "* takes two of a kind"),
        ("-device.guid == 'a'", "- is for numbers"),
        ("device.attributes[device.guid] == 'a'", "written out"),
        ("device.attributes < device.attributes", "< is not for a map"),
    ] {
        let wrong = wrong(admit);
        assert!(wrong.contains(told), "{admit:?}: {wrong}");
    }
    assert!(Expression::from_json(r#"{"admit": "true", "otherwise": 1}"#).is_err());
}

#[test]
fn g18_expressions_are_bounded() {
    assert!(wrong(&format!("'{}' == ''", "a".repeat(5_000))).contains("4096"));
    let nested = |depth: usize| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
    assert!(admits(&nested(40), &device()) && admits(&format!("{}1 > 1", "1 + ".repeat(40)), &device()));
    assert!(wrong(&nested(2_000)).starts_with("line 1, column 49: it nests deeper than 48 levels"));
    assert!(wrong(&format!("{}1 > 1", "1 + ".repeat(1_000))).contains("it nests deeper than 48 levels"));
    let chosen = format!("{}true", "now > 1 ? true : ".repeat(200));
    assert!(!wrong(&chosen).is_empty());
    let deep = "[1].exists(a, [1].exists(b, [1].exists(c, c == b)))";
    assert!(wrong(deep).contains("loops nest 2 deep at most"));
}

#[test]
fn g18_a_result_that_is_known_too_late_fails_in_words() {
    let told = policy("[device.guid][0]").decide(&device(), &task()).expect_err("a text");
    assert_eq!(told, "[device.guid][0]: the result is of type string, and must be bool");
    let told = policy("int(device.guid) > 3").decide(&device(), &task()).expect_err("no number");
    assert!(told.starts_with("int(device.guid) > 3: "), "{told}");
    // As in CEL, what is false decides, wherever it stands.
    assert!(!admits("int(device.guid) > 3 && false", &device()));
}

#[test]
fn g18_a_refusal_tells_each_operand_and_what_made_it_false() {
    let admit = "device.platform == 'ios'\n  && semver(device.host_version) >= semver('3') && bucket('a') < 0.0 && device.attributes.city == 'X'";
    let told = refusal(admit, &device());
    let bucket = f64::from(bucket("a", "g-1")) / 100.0;
    assert_eq!(
        told,
        format!(
            "The expression is false: ✗ device.platform == 'ios' (device.platform is 'android'), \
             ✓ semver(device.host_version) >= semver('3'), ✗ bucket('a') < 0.0 (bucket('a') is {bucket:.2}), \
             ✗ device.attributes.city == 'X' (device.attributes.city is not told)"
        )
    );
    let or = refusal("device.platform == 'ios' || device.network == '5g' && true", &device());
    assert!(or.contains("✗ device.platform == 'ios' || device.network == '5g' && true (device.platform"), "{or}");
    let secret = Device { account: Some("anna".into()), ..device() };
    assert!(!refusal("device.account == 'bob' || device.guid == 'x'", &secret).contains("anna"));
}

#[test]
fn g18_an_instance_answers_the_same_however_often_it_is_asked() {
    let policy = policy("device.host_app.matches('shop') && device.platform == 'ios'");
    let first = policy.decide(&device(), &task());
    assert!((0..100).all(|_| policy.decide(&device(), &task()) == first));
}

proptest! {
    #[test]
    fn g18_a_bucket_is_below_a_share_when_percentage_takes_it(key in "[a-z0-9-]{1,20}", guid in "[a-z0-9-]{1,40}", share in 0..=BUCKETS) {
        let device = Device { guid: guid.clone(), ..device() };
        let admit = format!("bucket('{key}') < {}.{:02}", share / 100, share % 100);
        prop_assert_eq!(admits(&admit, &device), bucket(&key, &guid) < share);
    }

    #[test]
    fn g18_no_text_breaks_the_policy(admit in "[a-z0-9 .()\\[\\]{}&|!=<>?:'\"+*/,中\\\\-]{0,60}") {
        if let Ok(policy) = Expression::from_json(&json!({"admit": admit}).to_string()) {
            _ = policy.decide(&device(), &task());
        }
    }

    #[test]
    fn g18_no_arrangement_of_known_words_breaks_the_policy(words in prop::collection::vec(prop::sample::select(vec![
        "device.platform", "device.attributes", "device", "task.id", "now", "semver(", "bucket(", "in_list(", "matches(", ")", "(", "[", "]",
        "'ios'", "'1.2'", "1", "2.5", "true", "null", "&&", "||", "!", "==", "<", ">=", "in", "+", "%", "-", "?", ":", ".", ",", "has(",
        ".exists(x,", "x", ".size()", "{", "}",
    ]), 0..14)) {
        let admit = words.join(" ");
        if let Ok(policy) = Expression::from_json(&json!({"admit": admit}).to_string()) {
            _ = policy.decide(&device(), &task());
        }
    }
}
