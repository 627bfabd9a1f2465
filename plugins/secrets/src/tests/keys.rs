use super::*;

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

/// What follows the prefix of Berth's own secrets.
const OWN: &str = "kscb9pymb6q0brgh69xnwxjpy97t69hx";

#[test]
fn tokens_are_found_by_their_form() {
    let scripts = [
        format!("t = '{}{}'", "ghp_", &RANDOM[..36]),
        format!("fetch(u, {{ headers: {{ Authorization: 'token {}{}' }} }})", "gho_", &RANDOM[..36]),
        format!("t = '{}{}'", "glpat-", &RANDOM[..20]),
        format!("t = '{}8301947265-5920173846-{}'", "xoxb-", &RANDOM[..24]),
        format!("t = '{}{}'", "sk_live_", &RANDOM[..24]),
        format!("t = `{}{}`", "npm_", &RANDOM[..36]),
        format!("t = '{}{OWN}'", "berth_secret_"),
        format!("t = '{}{OWN}'", "berth_server_"),
        format!("t = '{}{OWN}'", "berth_"),
        format!("u = 'https://hooks.{}/services/T02AB3CD4/B05EF6GH7/{}'", "slack.com", &RANDOM[..24]),
    ];
    each_is("access-token", Severity::Error, &scripts);
    each_passes(&[
        &format!("t = '{}{}'", "sk_test_", &RANDOM[..24]),
        "t = 'ghp_'",
        "t = 'berth_secret_'",
        &format!("t = '{}{}'", "berth_secret_", &OWN[1..]),
        "t = 'berth_secret_with_a_name_that_is_only_words_'",
        "t = 'npm_install_this_package_and_that_package'",
        "t = 'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
    ]);
}

/// A private key in base64 without PEM around it.
fn bare() -> String {
    format!("{}{}{}{RANDOM}{HEX}", "MIIEvQ", "IBADANBgkqhkiG9w0BAQ", "EFAASCBKcwggSj")
}

#[test]
fn f28_characters_of_several_bytes_before_a_key_break_nothing_and_hide_nothing() {
    each_passes(&["const t = '中IBAAK'", "const t = '私钥：MII'", "const t = '中AgEAMBMGByqGSM49AgEG'"]);
    let keys = [format!("const t = '私钥：{}'", bare()), format!("const t = 'key={}'", bare())];
    each_is("private-key", Severity::Error, &keys);
    assert_eq!(audit("a.txt", "中IBAAK"), []);
    assert_eq!(audit("a.txt", &format!("私钥：{}", bare()))[0].rule, "private-key");
}

#[test]
fn a_private_key_is_found_behind_its_certificate() {
    let certificate = format!("-----BEGIN CERTIFICATE-----\\n{RANDOM}\\n-----END CERTIFICATE-----");
    each_is("private-key", Severity::Error, &[format!("const pair = '{certificate}\\n{}'", pem(""))]);
    let file = format!("{certificate}\\n{}", pem("EC ")).replace("\\n", "\n");
    let findings = audit("cert/pair.pem", &file);
    assert_eq!(findings.iter().map(|finding| &*finding.rule).collect::<Vec<_>>(), ["private-key"]);
    assert_eq!(findings[0].place.as_ref().map(|place| place.line), Some(4));
}

#[test]
fn a_secret_is_found_behind_what_only_begins_like_one() {
    each_is(
        "access-token",
        Severity::Error,
        &[
            format!("u = 'https://x.example/task-list?key={}{RANDOM}'", "sk-"),
            format!("u = '{0}short {0}{RANDOM}'", "sk-"),
            format!("t = '{0} and {0}{OWN}'", "berth_secret_"),
        ],
    );
    let token = web_token();
    let tokens = [format!("t = 'eyJhbGciOiJIUzI1NiJ9 and {token}'"), format!("t = 'The token is {token}.'")];
    each_is("json-web-token", Severity::Warning, &tokens);
    each_is("app-secret", Severity::Error, &[format!("u = 'https://x.example/?client_secret=&secret={HEX}'")]);
    let address = "u = 'https://x.example or mysql://root:Zk7mQ2vR9x@db.example.org/shop'";
    each_is("connection-string", Severity::Error, &[address.to_owned()]);
}

/// Only time tells: if what follows were read again for each of the beginnings, this would take hours.
#[test]
fn f38_many_beginnings_of_secrets_are_read_once() {
    let many = |text: &str| format!("t = '{}'", text.repeat(500_000 / text.len()));
    for text in ["sk-", "eyJ.", "eyJ", "a://", "secret=", "-----BEGIN ", "IBAAK", "MII"] {
        assert_eq!(audit("a.js", &many(text)), [], "{text}");
    }
}

#[test]
fn private_keys_are_found_in_any_wrapping() {
    let (one, two) = (&format!("{RANDOM}{HEX}")[..64], &format!("{HEX}{RANDOM}")[..64]);
    let (begin, end) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
    let bare = bare();
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
    let names = [
        "aesKey",
        "mch_key",
        "signKey",
        "AES_KEY",
        "merchantKey",
        "apiV3Key",
        "sh_key",
        "miyao",
        "appSecret",
        "app_secret",
        "SECRET",
    ];
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

fn web_token() -> String {
    format!("eyJ{}.eyJ{}.{}", "hbGciOiJIUzI1NiJ9", "zdWIiOiI5MjM0In0", &RANDOM[..30])
}

#[test]
fn json_web_tokens_are_warnings() {
    let token = web_token();
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
