mod keys;

use berth_policy::{Severity, testing::MemoryPackage};

use super::*;

// No line of this file may look like a secret to others who look for them, so every secret is put together here.
const HEX: &str = concat!("9f3c1b7ea2d84605", "b1e7c93d0f52a86e");

const RANDOM: &str = concat!("wJ4rXU7nFEMI2K7MDENG", "bPxRfiCY8zQ1Lk3TvB5d");

fn audit(path: &str, text: &str) -> Vec<Finding> {
    let package = MemoryPackage::default().with(path, text);
    Secrets::default().audit(&package).expect("audits")
}

fn each_is(rule: &str, severity: Severity, scripts: &[String]) {
    for script in scripts {
        let findings = audit("a.js", script);
        let told: Vec<_> = findings.iter().map(|finding| (&*finding.rule, finding.severity)).collect();
        assert_eq!(told, [(rule, severity)], "{script}");
        assert!(findings[0].fix.is_some());
    }
}

fn each_passes(scripts: &[&str]) {
    for script in scripts {
        assert_eq!(audit("a.js", script), [], "{script}");
    }
}

fn pem(kind: &str) -> String {
    format!("-----BEGIN {kind}PRIVATE KEY-----\\n{RANDOM}{RANDOM}{HEX}\\n-----END {kind}PRIVATE KEY-----")
}

#[test]
fn app_secrets_are_found_under_their_names() {
    let scripts = [
        format!("const appSecret = '{HEX}'"),
        format!("App({{ globalData: {{ appid: 'wx1', secret: '{HEX}' }} }})"),
        format!("config.APP_SECRET = `{HEX}`"),
        format!("class A {{ wxAppSecret = '{HEX}' }}"),
        format!("function f(app_secret = '{HEX}') {{}}"),
        format!("x = {{ 'app-secret': '{}' }}", HEX.to_uppercase()),
        format!("var secret = '{}' + '{}'", &HEX[..10], &HEX[10..]),
        format!(
            "wx.request({{ url: 'https://api.weixin.qq.com/sns/jscode2session?appid=wx1&secret={HEX}&js_code=' + code }})"
        ),
        format!("const url = `https://api/x?appid=${{id}}&secret={HEX}`"),
    ];
    each_is("app-secret", Severity::Error, &scripts);
}

#[test]
fn what_is_no_app_secret_passes() {
    each_passes(&[
        &format!("const etag = '{HEX}'"),
        &format!("const md5 = {{ file: '{HEX}' }}"),
        "const appSecret = 'your-app-secret-here'",
        "const appSecret = ''",
        "const appSecret = '00000000000000000000000000000000'",
        "const appSecret = '0123456789abcdef0123456789abcdef'",
        "const appSecret = 'ffffffffffffffffffffffffffffffff'",
        "const appSecret = process.env.APP_SECRET",
        "const labels = { secret: 'Secret', appSecret: '应用密钥' }",
        "const url = 'https://api/x?secret=' + secret",
    ]);
}

#[test]
fn f46_a_sum_of_many_thousands_is_one_text_and_looked_at_once() {
    let script = format!("x = b{}; appSecret = '{HEX}'", " + 'a'".repeat(50_000));
    each_is("app-secret", Severity::Error, &[script]);
    let url = format!("u = b + 'https://api/x?secret={HEX}&a=' + 1");
    each_is("app-secret", Severity::Error, &[url]);
}

#[test]
fn passwords_are_found_and_words_are_not() {
    let scripts =
        ["const password = 'Zk7mQ2vR9x'", "login({ user: 'admin', pwd: 'hunter#2026' })", "db.passwd = 'S3cure!Pass9'"];
    each_is("password", Severity::Warning, &scripts.map(str::to_owned));
    each_passes(&[
        "const type = 'password'",
        "const t = { password: 'Password', pwd: '密码', confirmPassword: 'Confirm your password' }",
        "const t = { password: 'login.password2', passwd: 'form-item__input--2' }",
        "const rules = { password: '^[A-Za-z0-9]{8,16}$' }",
        "const routes = { changePassword: '/pages/pwd/index2', password: 'pages/User/pwd2' }",
        "const t = { password: 'abcDEF' }",
        "const t = { password: '12345678' }",
        "const t = { password: 'icon-Password2x' }",
        "const password = 'Test1234'",
        "const password = ''",
        "const password = this.data.password",
        "const KeyCode = { pwd: 'ArrowLeft' }",
    ]);
}

#[test]
fn i8_a_finding_never_tells_the_secret() {
    let script = format!(
        "const appSecret = '{HEX}'; const password = 'Zk7mQ2vR9x'; t = '{}{}'; key = '{}'",
        "ghp_",
        &RANDOM[..36],
        pem("RSA ")
    );
    let findings = audit("a.js", &script);
    assert_eq!(findings.len(), 4, "{findings:#?}");
    for finding in findings {
        let text = format!("{finding:?}");
        for secret in [HEX, "Zk7mQ2vR9x", &RANDOM[..36]] {
            assert!(!text.contains(&secret[..8]), "{text}");
        }
    }
    assert!(audit("a.js", &script)[0].message.contains("9f3c… (32 characters)"));
}

#[test]
fn json_files_are_examined() {
    let findings = audit("config/dev.json", &format!("{{\n  \"a\": [1],\n  \"appSecret\": \"{HEX}\"\n}}"));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].place.as_ref().map(|place| (place.line, place.column)), Some((3, 16)));
    assert_eq!(audit("a.json", "not json"), []);
}

#[test]
fn f25_what_does_not_parse_or_nests_too_deeply_is_read_line_by_line() {
    for (path, text) in [
        ("a.json", format!("{}\n\"appSecret\": \"{HEX}\"", "[".repeat(100_000))),
        ("a.js", format!("const appSecret = '{HEX}'; const = 1")),
        ("a.js", format!("{}\nvar appSecret = '{HEX}'", "[".repeat(100_000))),
    ] {
        let findings = audit(path, &text);
        assert_eq!(findings.iter().map(|finding| &*finding.rule).collect::<Vec<_>>(), ["app-secret"], "{path}");
    }
    assert_eq!(audit("a.js", "const appSecret = "), []);
}

#[test]
fn every_text_is_examined_and_nothing_else() {
    let line = format!("x = {{ appSecret: '{HEX}' }}");
    for path in
        ["a.ts", "a.wxml", "a.wxs", "a.sjs", "a.html", "a.yml", "a.sh", "a.txt", "a.vue", ".env", "Dockerfile", "a.css"]
    {
        let findings = audit(path, &line);
        let told: Vec<_> = findings.iter().map(|finding| (&*finding.rule, finding.severity)).collect();
        assert_eq!(told, [("app-secret", Severity::Error)], "{path}");
    }
    for text in [
        format!("APP_SECRET={HEX}\n"),
        format!("export APP_SECRET=\"{HEX}\""),
        format!("<a appSecret='{HEX}'/>"),
        format!("http://x.example/?appSecret={HEX}"),
    ] {
        assert_eq!(audit("a.sh", &text).len(), 1, "{text}");
    }
    assert_eq!(audit("a.png", &line), []);
    assert_eq!(audit("a.txt", &format!("\0{line}")), []);
}

#[test]
fn comments_are_examined() {
    let script = format!("// const appSecret = '{HEX}'\nvar a = 1 /* appSecret: {HEX} */");
    let places: Vec<_> = audit("a.js", &script).into_iter().filter_map(|finding| Some(finding.place?.line)).collect();
    assert_eq!(places, [1, 2]);
}

#[test]
fn source_maps_are_looked_into_and_those_inside_of_files_are_one_warning() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let map = |source: &str| format!("{{\"version\": 3, \"sourcesContent\": [{source:?}]}}");
    assert_eq!(audit("a.js.map", &map(&format!("const appSecret = '{HEX}'\n")))[0].rule, "app-secret");
    let inline = |source: &str| {
        let encoded = STANDARD.encode(map(source));
        format!("var a = 1\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,{encoded}")
    };
    let package = MemoryPackage::default()
        .with("a.js", inline("var a"))
        .with("b.js", inline(&format!("const appSecret = '{HEX}'")))
        .with("c.wxss", inline("var c"));
    let findings = Secrets::default().audit(&package).expect("audits");
    let told: Vec<_> = findings.iter().map(|finding| &*finding.rule).collect();
    assert_eq!(told, ["app-secret", "inline-source-map"]);
    assert!(findings[1].message.ends_with("So do those in 2 other files."), "{findings:?}");
}

#[test]
fn paths_can_be_left_out() {
    let package = MemoryPackage::default().with("lib/a.js", format!("appSecret = '{HEX}'")).with("library.js", "x = 1");
    let policy = |paths: &str| Secrets::from_json(&format!(r#"{{"ignore_paths": ["{paths}"]}}"#)).expect("config");
    assert_eq!(policy("lib/").audit(&package).expect("audits"), []);
    assert_eq!(policy("lib/a.js").audit(&package).expect("audits"), []);
    assert_eq!(policy("li").audit(&package).expect("audits").len(), 1);
}
