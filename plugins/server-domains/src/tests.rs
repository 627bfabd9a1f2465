use berth_policy::testing::MemoryPackage;

use super::*;

const SET: &str = r#"{"set": {"verified_in": ["super-app"], "domains": {
    "request": ["https://api.example.com", "https://alt.example.com:8443"], "upload": ["https://up.example.com"],
    "download": ["https://down.example.com"], "socket": ["wss://push.example.com"],
    "tcp": ["tcp://game.example.com"], "udp": ["udp://game.example.com:9"], "business": ["https://www.example.com"]}}}"#;

fn package(script: &str) -> MemoryPackage {
    MemoryPackage::default().with("app.json", r#"{"pages": ["a"]}"#).with("a.js", script).with("a.wxml", "<view/>")
}

fn audit_of(config: &str, package: &MemoryPackage) -> Vec<Finding> {
    ServerDomains::from_json(config).expect("a config").audit(package).expect("audits")
}

fn audit(script: &str) -> Vec<(String, u32, u32)> {
    told(audit_of(SET, &package(script)))
}

fn told(findings: Vec<Finding>) -> Vec<(String, u32, u32)> {
    let place = |finding: Finding| {
        let place = finding.place.expect("a place");
        (finding.rule, place.line, place.column)
    };
    findings.into_iter().map(place).collect()
}

#[test]
fn d8_a_domain_that_is_set_for_the_kind_passes() {
    for script in [
        "wx.request({ url: 'https://api.example.com/v1' })",
        "wx.request({ url: 'https://API.example.com:443/v1' })",
        "my.request({ url: 'https://alt.example.com:8443' })",
        "dd.httpRequest({ url: `https://api.example.com/${id}` })",
        "tt.uploadFile({ url: 'https://up.example.com' })",
        "swan.downloadFile({ url: 'https://down.example.com/a.zip' })",
        "qq.connectSocket({ url: 'wss://push.example.com' })",
        "const s = wx.createTCPSocket(); s.connect({ address: 'game.example.com', port: 7 })",
        "wx.createUDPSocket().send({ address: 'game.example.com', port: 9 })",
        "wx.request({ url: 'https://api.example.com' + path })",
        "other.load({ url: 'https://elsewhere.example.com' })",
        "wx.navigateTo({ url: '/pages/b' })",
        "wx.downloadFile({ url: '/tmp/a' })",
    ] {
        assert_eq!(audit(script), [], "{script}");
    }
}

#[test]
fn d8_a_domain_that_is_not_set_for_the_kind_is_found_in_every_dialect_with_its_place() {
    for script in [
        "wx.request({ url: 'https://other.example.com' })",
        "wx.request({ url: 'https://api.example.com:8443' })",
        "wx.request({ url: 'https://api.example.com.evil.com/' })",
        "wx.request({ url: 'https://api.example.com@evil.com/' })",
        "wx.request({ url: 'https://evil.com\\\\@api.example.com/' })",
        "my.httpRequest({ url: 'https://up.example.com' })",
        "tt.uploadFile({ url: 'https://api.example.com' })",
        "uni.downloadFile({ url: 'https://api.example.com' })",
        "swan.connectSocket({ url: 'wss://api.example.com' })",
        "ks.request({ url: 'https://other.example.com' + path })",
        "axios.request({ url: 'https://other.example.com/x' })",
        "wx.createUDPSocket().send({ address: 'game.example.com', port: 8 })",
        "const host = 'other.example.com'; Taro.request({ url: `https://${host}/x` })",
    ] {
        let found = audit(&format!("\n  {script}"));
        assert_eq!(found.len(), 1, "{script}: {found:?}");
        assert_eq!((found[0].0.as_str(), found[0].1), ("domain-not-set", 2), "{script}");
    }
    assert_eq!(audit("\n  wx.request({ url: 'https://other.example.com' })"), [("domain-not-set".into(), 2, 3)]);
}

#[test]
fn d8_what_can_never_be_set_is_found_without_a_host_too() {
    for config in [SET, "{}"] {
        for (script, rule) in [
            ("wx.request({ url: 'http://api.example.com' })", "insecure-address"),
            ("wx.connectSocket({ url: 'ws://push.example.com' })", "insecure-address"),
            ("wx.request({ url: 'https://10.0.0.1/' })", "ip-address"),
            ("wx.request({ url: 'http://localhost:3000/' })", "ip-address"),
            ("wx.request({ url: 'https://[::1]/' })", "ip-address"),
            ("wx.createTCPSocket().connect({ address: '127.0.0.1', port: 1 })", "ip-address"),
        ] {
            let found = told(audit_of(config, &package(script)));
            assert_eq!(found.first().map(|one| one.0.as_str()), Some(rule), "{script}");
        }
    }
    assert_eq!(audit_of("{}", &package("wx.request({ url: 'https://other.example.com' })")), []);
}

#[test]
fn d8_constants_of_other_scripts_are_followed() {
    let with = |script: &str, path: &str, other: &str| told(audit_of(SET, &package(script).with(path, other)));
    for (script, other) in [
        (
            "const config = require('./config'); wx.request({ url: config.host + '/x' })",
            "module.exports = { host: 'https://other.example.com' }",
        ),
        (
            "const { host } = require('./config.js'); wx.request({ url: `${host}/x` })",
            "exports.host = 'https://other.example.com'",
        ),
        (
            "import { host } from './config'; wx.request({ url: host })",
            "export const host = 'https://other.example.com'",
        ),
        (
            "import config from './config'; wx.request({ url: config.host })",
            "export default { host: 'https://other.example.com' }",
        ),
    ] {
        assert_eq!(with(script, "config.js", other).len(), 1, "{script}");
    }
}

#[test]
fn d8_an_address_that_is_known_at_run_time_only_is_a_note_once_a_kind() {
    let calls = "wx.request({ url: u }); wx.request({ url: v + 'x' }); wx.request({ url: 'https://api-' + env })";
    let found = audit_of(SET, &package(calls).with("b.js", "wx.request({ url: u }); wx.uploadFile({ url: u })"));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].message.ends_with("The same in 3 more places."), "{}", found[0].message);
    assert_eq!(found[0].fix.as_deref(), Some("See that its domain is set: berth domains show mp-shop."));
}

#[test]
fn d8_a_port_that_is_known_at_run_time_only_is_not_compared() {
    for script in [
        "wx.connectSocket({ url: 'wss://push.example.com:' + port })",
        "wx.connectSocket({ url: `wss://other.example.com:${port}/a` })",
        "wx.request({ url: 'https://alt.example.com:84' + rest })",
    ] {
        let rules: Vec<_> = audit(script).into_iter().map(|one| one.0).collect();
        assert_eq!(rules, ["address-unknown"], "{script}");
    }
    for script in [
        "wx.request({ url: 'https://api.example.com:/v1' })",
        "wx.createUDPSocket().send({ address: 'game.example.com', port })",
        "wx.createTCPSocket().connect({ address: 'game.example.com', port: options.port })",
    ] {
        assert_eq!(audit(script), [], "{script}");
    }
    let other = audit("wx.createUDPSocket().send({ address: 'game.example.com.evil.com', port })");
    assert_eq!(other.into_iter().map(|one| one.0).collect::<Vec<_>>(), ["domain-not-set"]);
}

#[test]
fn d8_an_address_is_known_where_all_that_its_variable_is_given_begins_with_a_domain() {
    let host = "const host = 'https://other.example.com'; ";
    for script in [
        "wx.request({ url: test ? host + '/a/' + id : host + b })",
        "let url; if (test) { url = host + '/a/' + id } else { url = `${host}/b` } wx.request({ url })",
        "let url = ''; switch (test) { case 1: url = host + '/a'; break; default: url = host + '/b' } wx.request({ url: url })",
        "var url = host + '/a'; if (test) { url += '?b=1' } wx.request({ url: url + id })",
    ] {
        let found = audit_of(SET, &package(&format!("{host}{script}")));
        assert_eq!(found.len(), 1, "{script}: {found:#?}");
        assert_eq!(found[0].rule, "domain-not-set", "{script}");
        assert!(!found[0].message.contains("The same in"), "it is one place: {}", found[0].message);
    }
    for script in [
        "let url = given; if (!url) { url = host + '/a' } wx.request({ url })",
        "function f(url) { if (!url) { url = host + '/a' } wx.request({ url }) }",
        "let url; if (test) { url = host + '/a' } else { url = given } wx.request({ url })",
        "let url; url = host + '/a'; [url] = given; wx.request({ url })",
        "let url; wx.request({ url })",
    ] {
        let found = audit_of(SET, &package(&format!("{host}{script}")));
        assert_eq!(found.iter().map(|one| &*one.rule).collect::<Vec<_>>(), ["address-unknown"], "{script}");
    }
}

/// Seen in a mini-program with 45 warnings about one domain.
#[test]
fn d8_one_domain_is_one_finding_for_each_kind_however_often_it_is_asked() {
    let asks =
        "wx.request({ url: 'https://other.example.com/a' }); app.request({ url: 'https://other.example.com/b' });";
    let package = package(&format!("\n{asks}"))
        .with("b.js", format!("{asks} wx.uploadFile({{ url: 'https://other.example.com' }})"))
        .with("c.js", "wx.request({ url: 'https://third.example.com' })");
    let found = audit_of(SET, &package);
    let messages: Vec<_> = found.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "wx.request goes to https://other.example.com, which is none of the request domains of mp-shop. The same in 3 more places.",
            "wx.uploadFile goes to https://other.example.com, which is none of the upload domains of mp-shop.",
            "wx.request goes to https://third.example.com, which is none of the request domains of mp-shop.",
        ]
    );
    assert_eq!(found[0].place.as_ref().map(|place| (&*place.path, place.line)), Some(("a.js", 2)));
    let local = "wx.request({ url: 'http://10.0.0.1/a' }); wx.request({ url: 'http://10.0.0.1/b' }); wx.request({ url: 'http://10.0.0.2' });
        wx.request({ url: 'http://a.example.com/x' }); wx.request({ url: `http://a.example.com/${y}` }); wx.request({ url: `http://${z}` })";
    let rules: Vec<_> = audit_of("{}", &self::package(local)).into_iter().map(|one| (one.rule, one.message)).collect();
    let rules: Vec<_> = rules.iter().map(|(rule, text)| (&**rule, text.ends_with("one more place."))).collect();
    let expected =
        [("ip-address", true), ("ip-address", false), ("insecure-address", true), ("insecure-address", false)];
    assert_eq!(rules, expected);
}

#[test]
fn d8_web_views_are_compared_with_business_domains() {
    let view = |markup: &str, script: &str| told(audit_of(SET, &package(script).with("a.wxml", markup)));
    assert_eq!(view("<web-view src='https://www.example.com/a'/>", ""), []);
    assert_eq!(view("<view>\n <web-view src=\"https://evil.com/a\"/>", ""), [("domain-not-set".into(), 2, 17)]);
    assert_eq!(view("<web-view src='https://evil.com/{{id}}'/>", "").len(), 1);
    assert_eq!(view("<web-view src='{{page}}'/>", "Page({ data: { page: 'https://evil.com' } })").len(), 1);
    assert_eq!(view("<web-view src='{{page}}'/>", "Page({ data: { page: 'https://www.example.com/x' } })"), []);
    assert_eq!(view("<web-view src='http://www.example.com'/>", "")[0].0, "insecure-address");
    let alipay = MemoryPackage::default()
        .with("app.json", r#"{"pages": ["a"]}"#)
        .with("a.axml", "<web-view src='https://evil.com'/>");
    assert_eq!(told(audit_of(SET, &alipay)).len(), 1);
}

#[test]
fn d2_d8_where_every_host_app_skips_the_verification_it_is_a_note() {
    let script = package("wx.request({ url: 'https://other.example.com' })");
    let severity = |set: &str, more: &str| audit_of(&format!(r#"{{"set": {set}{more}}}"#), &script)[0].severity;
    assert_eq!(severity(r#"{"skipped_in": ["a"]}"#, ""), Severity::Note);
    assert_eq!(severity(r#"{"skipped_in": ["a"], "verified_in": ["b"]}"#, ""), Severity::Warning);
    assert_eq!(severity("{}", r#", "severity": "error""#), Severity::Error);
}
