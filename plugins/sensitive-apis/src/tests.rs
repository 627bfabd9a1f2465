use berth_policy::testing::MemoryPackage;

use super::*;

const HOST_APPS: &str = r#"{"host_apps": {
    "super-app": {"sensitive": ["chooseImage", "getPhoneNumber", "openDoor", "scanCode"], "granted": ["scanCode"]},
    "other-app": {"sensitive": ["scanCode"], "granted": []}, "third-app": {}}}"#;

fn package(manifest: &str, script: &str) -> MemoryPackage {
    MemoryPackage::default().with("app.json", manifest).with("a.js", script).with("a.wxml", "<view/>")
}

fn rules(config: &str, package: &MemoryPackage) -> Vec<String> {
    let findings = SensitiveApis::from_json(config).expect("a config").audit(package).expect("audits");
    findings.into_iter().map(|finding| finding.rule).collect()
}

fn audit(script: &str) -> Vec<Finding> {
    let package = package(r#"{"pages": ["a"]}"#, script);
    SensitiveApis::from_json(HOST_APPS).expect("a config").audit(&package).expect("audits")
}

#[test]
fn d3_a_call_that_is_not_granted_is_found_in_every_dialect_with_its_place() {
    for script in [
        "wx.chooseImage({})",
        "my.chooseImage()",
        "tt['chooseImage']()",
        "const { chooseImage } = swan; chooseImage()",
        "import Taro from '@tarojs/taro'; Taro.chooseImage()",
        "uni.chooseImage().then(f)",
        "promisify(qq.chooseImage)",
        "wx.chooseImage.call(wx)",
        "wx.openDoor()",
    ] {
        let found = audit(&format!("\n  {script}"));
        assert_eq!(found.len(), 1, "{script}: {found:#?}");
        let place = found[0].place.as_ref().expect("a place");
        assert_eq!((&*found[0].rule, place.line), ("api-not-granted", 2), "{script}");
        assert!(found[0].message.contains("super-app"), "{script}");
    }
    assert!(audit("wx.chooseImage.call(wx)")[0].message.starts_with("wx.chooseImage is sensitive"));
    let place = audit("\n  wx.chooseImage({})")[0].place.clone().expect("a place");
    assert_eq!((place.line, place.column), (2, 3));
}

#[test]
fn d3_what_is_granted_or_not_sensitive_or_of_another_object_passes() {
    for script in ["wx.login()", "this.chooseImage()", "// wx.chooseImage()", "'wx.chooseImage()'"] {
        assert_eq!(audit(script), [], "{script}");
    }
    let found = audit("wx.scanCode()");
    assert!(found[0].message.contains("sensitive in other-app,"), "granted in one, and not in the other: {found:#?}");
    assert_eq!(
        rules("{}", &package(r#"{"pages": ["a"]}"#, "wx.chooseImage()")),
        [""; 0],
        "nothing is known without a host"
    );
}

#[test]
fn d3_an_api_is_told_once_with_the_number_of_its_places() {
    let found = audit("wx.chooseImage();\nwx.chooseImage(); wx.openDoor(); wx.getLocation(); wx.getLocation()");
    let places = |rule: &str| {
        let of = found.iter().filter(|finding| finding.rule == rule);
        of.map(|finding| finding.message.ends_with("The same in one more place.")).collect::<Vec<_>>()
    };
    assert_eq!((places("api-not-granted"), places("api-not-declared")), (vec![true, false], vec![true]), "{found:#?}");
    assert_eq!(found[0].place.as_ref().map(|place| place.line), Some(1));
}

#[test]
fn d3_a_call_of_another_object_with_callbacks_is_a_note() {
    let found = audit("n.a.chooseImage({ count: 1, success: done })");
    assert_eq!((found.len(), &*found[0].rule, found[0].severity), (1, "api-not-granted", Severity::Note));
    assert!(audit("picker.chooseImage({ count: 1 })").is_empty());
}

#[test]
fn d3_a_button_asks_by_its_open_type() {
    let markup =
        package(r#"{"pages": ["a"]}"#, "").with("a.wxml", "<view/>\n<button open-type=\"getPhoneNumber\">x</button>");
    let found = SensitiveApis::from_json(HOST_APPS).expect("a config").audit(&markup).expect("audits");
    let place = found[0].place.clone().expect("a place");
    assert_eq!((&*found[0].rule, &*place.path, place.line, place.column), ("api-not-granted", "a.wxml", 2, 20));
    let chosen = |value: &str| {
        let markup = format!("<button open-type=\"{{{{{value}}}}}\">中</button>");
        rules(HOST_APPS, &package(r#"{"pages": ["a"]}"#, "").with("a.wxml", markup))
    };
    assert_eq!(chosen("ready ? 'getPhoneNumber' : ''"), ["api-not-granted"]);
    assert_eq!(chosen("type === 'getPhoneNumber' ? '' : type"), [""; 0]);
}

#[test]
fn d3_what_wechat_has_to_be_told_is_compared_with_what_is_called() {
    let told = |manifest: &str, script: &str| rules("{}", &package(manifest, script));
    let silent = r#"{"pages": ["a"]}"#;
    assert_eq!(told(silent, "wx.getLocation()"), ["api-not-declared", "purpose-missing"]);
    assert_eq!(told(silent, "wx.chooseAddress()"), ["api-not-declared"]);
    assert_eq!(
        told(silent, "wx.startLocationUpdateBackground()"),
        ["api-not-declared", "purpose-missing", "background-missing"]
    );
    let whole = r#"{"pages": ["a"], "requiredPrivateInfos": ["getLocation", "startLocationUpdateBackground"],
        "requiredBackgroundModes": ["location"], "permission": {"scope.userLocation": {"desc": "to find a shop"}}}"#;
    assert_eq!(told(whole, "wx.getLocation(); wx.startLocationUpdateBackground()"), [""; 0]);
    assert_eq!(told(whole, "wx.getLocation()"), ["declared-unused"]);
    let clash = r#"{"pages": ["a"], "requiredPrivateInfos": ["getLocation", "getFuzzyLocation"],
        "permission": {"scope.userLocation": {"desc": "x"}, "scope.userFuzzyLocation": {"desc": "x"}}}"#;
    assert_eq!(told(clash, "wx.getLocation(); wx.getFuzzyLocation()"), ["declarations-clash"]);
    let alipay =
        MemoryPackage::default().with("app.json", silent).with("a.js", "my.getLocation()").with("a.axml", "<view/>");
    assert_eq!(rules("{}", &alipay), [""; 0], "only WeChat asks for it");
}
