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
fn private_keys_are_found_and_their_headers_alone_are_not() {
    let scripts = ["", "RSA ", "EC ", "OPENSSH "].map(|kind| format!("const key = '{}'", pem(kind)));
    each_is("private-key", Severity::Error, &scripts);
    let sum = format!(
        "const key = '-----BEGIN RSA PRIVATE KEY-----\\n' + '{RANDOM}' +\n '{RANDOM}' + '\\n-----END RSA PRIVATE KEY-----'"
    );
    each_is("private-key", Severity::Error, &[sum]);
    each_passes(&[
        "return '-----BEGIN RSA PRIVATE KEY-----\\n' + wrap(body) + '\\n-----END RSA PRIVATE KEY-----'",
        "const header = '-----BEGIN PRIVATE KEY-----', footer = '-----END PRIVATE KEY-----'",
        &format!("const key = '-----BEGIN PUBLIC KEY-----\\n{RANDOM}{RANDOM}\\n-----END PUBLIC KEY-----'"),
    ]);
    assert_eq!(audit("cert/a.pem", &pem("RSA ").replace("\\n", "\n"))[0].rule, "private-key");
    assert_eq!(audit("cert/a.pem", &pem("RSA ").replace("PRIVATE", "PUBLIC")), []);
}

#[test]
fn cloud_keys_are_found_with_their_secrets() {
    let id = concat!("AK", "IAQ7M2ZT5XK4WB9RLC");
    let script = format!("new S3({{ accessKeyId: '{id}', secretAccessKey: '{RANDOM}' }})");
    let rules: Vec<_> = audit("a.js", &script).into_iter().map(|finding| (finding.rule, finding.severity)).collect();
    assert_eq!(rules, [("cloud-key-id".into(), Severity::Warning), ("secret-key".into(), Severity::Error)]);
    let ids = [concat!("LT", "AI5tQ7m2Zt5Xk4Wb9RLcVn"), concat!("AK", "IDz8krbsJ5yKBZQpn74WFkmLPx3gnPhESA")];
    each_is("cloud-key-id", Severity::Warning, &ids.map(|id| format!("id = '{id}'")));
    each_passes(&[
        &format!("id = '{}'", concat!("AK", "IAIOSFODNN7EXAMPLE")),
        &format!("id = '{}'", concat!("AK", "IAXXXXXXXXXXXXXXXX")),
        "id = 'AKIA'",
        "word = 'AKIDDO'",
        "const secretKey = 'components.settings.secretKey2'",
        "const secretKey = 'this-is-only-a-label-with-a-number-2'",
        "const SecretKey = options.SecretKey",
    ]);
}

#[test]
fn tokens_are_found_by_their_form() {
    let scripts = [
        format!("t = '{}{}'", "ghp_", &RANDOM[..36]),
        format!("fetch(u, {{ headers: {{ Authorization: 'token {}{}' }} }})", "gho_", &RANDOM[..36]),
        format!("t = '{}{}'", "glpat-", &RANDOM[..20]),
        format!("t = '{}8301947265-5920173846-{}'", "xoxb-", &RANDOM[..24]),
        format!("t = '{}{}'", "sk_live_", &RANDOM[..24]),
        format!("t = `{}{}`", "npm_", &RANDOM[..36]),
        format!("u = 'https://hooks.{}/services/T02AB3CD4/B05EF6GH7/{}'", "slack.com", &RANDOM[..24]),
    ];
    each_is("access-token", Severity::Error, &scripts);
    each_passes(&[
        &format!("t = '{}{}'", "sk_test_", &RANDOM[..24]),
        "t = 'ghp_'",
        "t = 'npm_install_this_package_and_that_package'",
        "t = 'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
    ]);
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
fn private_keys_are_found_in_any_wrapping() {
    let (one, two) = (&format!("{RANDOM}{HEX}")[..64], &format!("{HEX}{RANDOM}")[..64]);
    let (begin, end) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
    let bare = format!("{}{}{}{RANDOM}{HEX}", "MIIEvQ", "IBADANBgkqhkiG9w0BAQ", "EFAASCBKcwggSj");
    for (path, text) in [
        ("a.js", format!("k = ['{begin}', '{one}', '{two}', '{end}'].join('\\n')")),
        ("a.js", format!("/*\n * {begin}\n * {one}\n * {two}\n * {end}\n */")),
        ("a.js", format!("// {begin}\n// {one}\n// {two}\n// {end}")),
        ("a.js", format!("k = '{bare}'")),
        ("a.txt", format!("{begin}\r\n{one}\r\n{two}\r\n{end}")),
        ("a.yml", format!("key: |\n  {begin}\n  {one}\n  {two}\n  {end}")),
        ("a.yml", format!("key: {bare}")),
    ] {
        let findings = audit(path, &text);
        assert_eq!(findings.iter().map(|finding| &*finding.rule).collect::<Vec<_>>(), ["private-key"], "{text}");
    }
    let library = format!(
        "const head = '{begin}';\nfunction wrap(body) {{ return head + body.replace(/(.{{64}})/g, '$1') + foot }}\nconst foot = '{end}';"
    );
    assert_eq!(audit("a.js", &library), []);
}

#[test]
fn names_of_keys_are_known() {
    let names = ["aesKey", "mch_key", "signKey", "AES_KEY", "merchantKey", "apiV3Key"];
    each_is("secret-key", Severity::Error, &names.map(|name| format!("const {name} = '{}'", &RANDOM[..32])));
    each_is("secret-key", Severity::Error, &[format!("const aesKey = '{}'", &RANDOM[..16])]);
    each_is("app-secret", Severity::Error, &[format!("const mchKey = '{HEX}'")]);
    each_passes(&[
        "const signKey = 'timestamp_nonce_2'",
        "const aesKey = '1234567890abcdef'",
        "const aesKey = 'aes-256-cbc-key-name'",
    ]);
}

#[test]
fn keys_of_model_services_are_tokens() {
    let scripts = ["sk-", "sk-proj-", "sk-ant-"].map(|prefix| format!("t = '{prefix}{RANDOM}'"));
    each_is("access-token", Severity::Error, &scripts);
    each_passes(&[
        "c = 'sk-circle-fade-dot-and-some-other-class-names-12'",
        "c = 'sk-three-bounce'",
        "t = 'sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
    ]);
}

#[test]
fn json_web_tokens_are_warnings() {
    let token = format!("eyJ{}.eyJ{}.{}", "hbGciOiJIUzI1NiJ9", "zdWIiOiI5MjM0In0", &RANDOM[..30]);
    each_is("json-web-token", Severity::Warning, &[format!("t = 'Bearer {token}'")]);
    each_passes(&["t = 'eyJhbGciOiJIUzI1NiJ9'", "t = 'eyJ.eyJ.a'"]);
}

#[test]
fn addresses_with_passwords_are_found() {
    each_is(
        "connection-string",
        Severity::Error,
        &["db = 'mysql://root:Zk7mQ2vR9x@db.example.org:3306/shop'".to_owned()],
    );
    each_passes(&[
        "db = 'mysql://root:password@localhost/shop'",
        "db = `mysql://root:${password}@host`",
        "u = 'https://cdn.example.org/a@2x.png'",
        "u = 'https://example.org/@user:name'",
        "u = 'plugin-private://a:b/c'",
    ]);
}

#[test]
fn a_client_of_unicloud_carries_what_is_called_a_secret() {
    let secret = "8w3/h47Vt6+iWOka4JUQ3g==";
    each_passes(&[&format!("init([{{ provider: 'aliyun', spaceId: 'mp-1', clientSecret: '{secret}' }}])")]);
    each_is("secret-key", Severity::Error, &[format!("init({{ clientSecret: '{secret}' }})")]);
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
