use berth_policy::testing::MemoryPackage;

use super::*;

const NONE: &str = r#"{"declared": {"version": null, "collected": []}}"#;
const SOME: &str = r#"{"declared": {"version": 3, "collected": [
    {"kind": "location", "apis": ["getLocation"]}, {"kind": "photos", "apis": []}, {"kind": "email", "apis": []}]}}"#;

fn package(script: &str) -> MemoryPackage {
    MemoryPackage::default()
        .with("app.json", r#"{"pages": ["a"]}"#)
        .with("app.js", "")
        .with("a.js", script)
        .with("a.wxml", "<view/>")
}

fn audit(config: &str, package: &MemoryPackage) -> Vec<Finding> {
    Privacy::from_json(config).expect("a config").audit(package).expect("audits")
}

/// The rules and severities that are told, but for what is declared and not used.
fn told(config: &str, package: &MemoryPackage) -> Vec<(String, Severity)> {
    let findings = audit(config, package).into_iter().filter(|finding| finding.rule != "declared-unused");
    findings.map(|finding| (finding.rule, finding.severity)).collect()
}

fn one(rule: &str, severity: Severity) -> Vec<(String, Severity)> {
    vec![(rule.into(), severity)]
}

#[test]
fn d14_what_is_used_and_not_declared_is_an_error_in_every_dialect_with_its_place() {
    for script in [
        "wx.getClipboardData({})",
        "my.getClipboard()",
        "tt['getPhoneNumber']()",
        "const { chooseContact } = swan; chooseContact()",
        "import Taro from '@tarojs/taro'; Taro.getUserProfile()",
        "uni.chooseInvoiceTitle().then(f)",
        "promisify(qq.chooseLocation)",
        "wx.getRecorderManager().start()",
        "wx.authorize({ scope: 'scope.userInfo' })",
        "if (wx.choosePoi) { wx.choosePoi({}) }",
    ] {
        let found = audit(SOME, &package(&format!("\n  {script}")));
        let found: Vec<_> = found.into_iter().filter(|finding| finding.rule == "not-declared").collect();
        assert_eq!(found.len(), 1, "{script}: {found:#?}");
        let place = found[0].place.as_ref().expect("a place");
        assert_eq!((found[0].severity, &*place.path, place.line), (Severity::Error, "a.js", 2), "{script}");
        assert!(found[0].message.contains("version 3"), "{script}");
    }
}

#[test]
fn d14_what_is_declared_passes_and_so_does_what_is_not_personal() {
    for script in [
        "wx.getLocation({})",
        "wx.chooseImage(); wx.chooseMedia()",
        "wx.authorize({ scope: 'scope.userLocation' })",
        "wx.getSystemInfoSync(); wx.login(); wx.scanCode()",
        "if (wx.getUserProfile) { f() }",
        "typeof wx.getUserProfile === 'function' && f()",
        "wx.canIUse('getUserProfile')",
        "this.getPhoneNumber(); // wx.getPhoneNumber()",
        "const names = ['chooseContact'];",
        "wx.authorize({ scope: scope })",
    ] {
        assert_eq!(told(SOME, &package(script)), [], "{script}");
    }
    assert_eq!(
        told(SOME, &package("wx.chooseLocation({})")),
        one("not-declared", Severity::Error),
        "another API of the kind"
    );
}

#[test]
fn d14_buttons_and_components_use_personal_information() {
    for (markup, kind) in [
        ("<view/>\n<button open-type=\"getPhoneNumber\">", "Phone number"),
        ("<view/>\n<button open-type='share|chooseAvatar'/>", "Nickname"),
        ("<view/>\n<input type=\"nickname\"/>", "Nickname"),
        ("<view/>\n<camera device-position='back'></camera>", "Camera"),
        ("<view/>\n<button open-type='getAuthorize' scope='phoneNumber'>", "Phone number"),
    ] {
        let found = audit(SOME, &package("").with("a.wxml", markup));
        let found: Vec<_> = found.into_iter().filter(|finding| finding.rule == "not-declared").collect();
        assert_eq!(found.len(), 1, "{markup}: {found:#?}");
        assert_eq!(
            (found[0].severity, found[0].place.as_ref().expect("a place").line),
            (Severity::Error, 2),
            "{markup}"
        );
        assert!(found[0].message.contains(kind), "{}", found[0].message);
    }
    let pusher = audit(SOME, &package("").with("a.wxml", "<live-pusher url='x'/>"));
    assert_eq!(pusher.iter().filter(|finding| finding.rule == "not-declared").count(), 2, "camera and microphone");
    for markup in
        ["<input type='text'/>", "<button open-type='share'/>", "<!-- <camera/> -->", "<button open-type='{{type}}'/>"]
    {
        assert_eq!(told(SOME, &package("").with("a.wxml", markup)), [], "{markup}");
    }
}

#[test]
fn d14_what_is_less_sure_is_less_serious() {
    assert_eq!(told(SOME, &package("wx.setClipboardData({ data: 'x' })")), one("not-declared", Severity::Warning));
    let album = "wx.authorize({ scope: 'scope.writePhotosAlbum' })";
    assert_eq!(told(SOME, &package(album)), one("not-declared", Severity::Warning));
    assert_eq!(told(SOME, &package("n.a.chooseContact({ success: f })")), one("not-declared", Severity::Note));
    assert_eq!(
        told(SOME, &package("h(Button, { openType: 'getPhoneNumber' })")),
        one("not-declared", Severity::Warning)
    );
    let chosen = |markup: &str| told(SOME, &package("").with("a.wxml", markup));
    assert_eq!(
        chosen("<button open-type=\"{{ready ? 'getPhoneNumber' : ''}}\"/>"),
        one("not-declared", Severity::Warning)
    );
    assert_eq!(chosen("<button open-type=\"{{type === 'getPhoneNumber' ? '' : type}}\"/>"), []);
    let unloaded = package("").with("lib/contacts.js", "wx.chooseContact()");
    assert_eq!(told(SOME, &unloaded), one("not-declared", Severity::Warning), "nothing loads it");
    let loaded = package("require('./lib/contacts')").with("lib/contacts.js", "wx.chooseContact()");
    assert_eq!(told(SOME, &loaded), one("not-declared", Severity::Error));
    let apart = loaded.with("a.js", "require.async('./lib/contacts').then(f)");
    assert_eq!(told(SOME, &apart), one("not-declared", Severity::Error));
    let idle = package("")
        .with("lib/camera.js", "Component({})")
        .with("lib/camera.wxml", "<camera/>")
        .with("lib/camera.json", r#"{"component": true}"#);
    assert_eq!(told(SOME, &idle), one("not-declared", Severity::Warning), "no page uses the component");
    let soft = SOME.replacen('{', r#"{"severity": "warning", "#, 1);
    assert_eq!(told(&soft, &package("wx.chooseContact()")), one("not-declared", Severity::Warning));
}

#[test]
fn d14_without_an_agreement_each_kind_is_told_once() {
    let script = "wx.chooseImage();\nwx.getLocation();\nwx.chooseLocation();\nwx.setClipboardData({})";
    let rules: Vec<_> = told(NONE, &package(script));
    assert_eq!(
        rules.iter().map(|(_, severity)| *severity).collect::<Vec<_>>(),
        [Severity::Error, Severity::Error, Severity::Warning]
    );
    assert!(rules.iter().all(|(rule, _)| rule == "no-agreement"));
    assert_eq!(told(NONE, &package("wx.login()")), [], "what uses nothing needs no agreement");
    let soft = NONE.replacen('{', r#"{"without_agreement": "warning", "#, 1);
    assert_eq!(told(&soft, &package("wx.getLocation()")), one("no-agreement", Severity::Warning));
}

#[test]
fn d14_where_no_agreement_is_known_it_is_said_what_a_host_will_ask_for() {
    let needed = |script: &str| {
        let mut findings = audit("{}", &package(script));
        let last = findings.pop().expect("a finding");
        assert!(findings.iter().all(|one| (&*one.rule, one.severity) == ("uses", Severity::Note)), "{findings:#?}");
        let uses: Vec<_> = findings.into_iter().map(|one| one.message).collect();
        (uses, last.severity, last.message, last.fix.unwrap_or_default())
    };
    let (uses, severity, message, fix) = needed("wx.getUserProfile(); wx.chooseImage()");
    assert!(uses.iter().all(|text| text.contains("has to declare")), "{uses:?}");
    assert_eq!(severity, Severity::Warning, "a host rejects it");
    assert_eq!(
        message,
        "No agreement is known here; a host rejects this until the privacy agreement declares user_info, photos."
    );
    assert!(
        fix.contains("berth privacy declare mp-shop --kind user_info --purpose … (and so for each of these)"),
        "{fix}"
    );
    let (uses, severity, message, fix) = needed("wx.saveImageToPhotosAlbum({})");
    assert!(uses[0].contains("may have to declare"), "{uses:?}");
    assert_eq!(severity, Severity::Note, "a host only warns");
    assert!(message.contains("a host warns until the privacy agreement declares album"), "{message}");
    assert!(!fix.contains("each of these"), "{fix}");
    let both = package("wx.getUserProfile()").with("lib/idle.js", "wx.chooseImage()");
    let message = audit("{}", &both).pop().expect("a finding").message;
    assert!(
        message.ends_with("declares user_info, and warns until the privacy agreement declares photos."),
        "{message}"
    );
    let soft = audit(r#"{"without_agreement": "warning"}"#, &package("wx.getLocation()")).pop().expect("a finding");
    assert_eq!((&*soft.rule, soft.severity), ("agreement-needed", Severity::Note));
    assert_eq!(audit("{}", &package("wx.login()")), []);
}

#[test]
fn d14_one_api_that_is_not_declared_is_one_finding_at_its_first_place() {
    let script = "wx.chooseLocation();\nwx.chooseLocation(); wx.chooseContact(); n.a.chooseContact({ success: f })";
    let found = audit(SOME, &package(script));
    let found: Vec<_> = found.into_iter().filter(|finding| finding.rule == "not-declared").collect();
    let told: Vec<_> =
        found.iter().map(|one| (one.severity, one.message.ends_with("The same in one more place."))).collect();
    assert_eq!(told, [(Severity::Error, true), (Severity::Error, false), (Severity::Note, false)], "{found:#?}");
    assert_eq!(found[0].place.as_ref().map(|place| place.line), Some(1));
}

#[test]
fn d14_what_is_declared_and_not_used_is_a_note() {
    let findings = audit(SOME, &package("wx.chooseImage()"));
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let finding = &findings[0];
    assert_eq!((&*finding.rule, finding.severity), ("declared-unused", Severity::Note));
    assert!(
        finding.message.contains("location by getLocation"),
        "an address by which users are reached cannot be seen"
    );
}

#[test]
fn d14_wechat_says_more_of_itself() {
    let app = |members: &str| package("").with("app.json", format!(r#"{{"pages": ["a"], {members}}}"#));
    let required = app(r#""requiredPrivateInfos": ["getLocation", "chooseAddress"]"#);
    assert_eq!(told(SOME, &required), one("required-not-declared", Severity::Warning));
    let off = app(r#""__usePrivacyCheck__": false"#);
    assert_eq!(told(SOME, &off), [], "nothing is used");
    assert_eq!(told(SOME, &off.with("a.js", "wx.chooseImage()")), one("privacy-check-off", Severity::Note));
    let listens = "wx.onNeedPrivacyAuthorization(resolve => show(resolve))";
    assert_eq!(told(SOME, &package(listens)), one("no-agree-button", Severity::Warning));
    for markup in ["<button id='a' open-type='agreePrivacyAuthorization'/>", "<button open-type='{{i.openType}}'/>"] {
        assert_eq!(told(SOME, &package(listens).with("a.wxml", markup)), [], "{markup}");
    }
    let bundle = package("").with("app-service.js", listens).with("page-frame.html", "<html/>");
    assert_eq!(audit(SOME, &bundle), [], "buttons and components of a bundle cannot be seen");
    let asks = "wx.getPrivacySetting({ success: f }); wx.requirePrivacyAuthorize({}); wx.openPrivacyContract()";
    assert_eq!(told(SOME, &package(asks)), []);
}
