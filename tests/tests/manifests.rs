//! JSON of every shape as `app.json`: each is accepted or refused with a reason, and never makes the host fail.

use std::io::Cursor;

use berth_package::ZipWriter;
use berth_tests::{Database, Host, scene::Scene};

fn package(manifest: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_stored("app.json", manifest).unwrap();
    for file in ["app.js", "p/p.js", "p/p.wxml"] {
        zip.add_stored(file, b"1\n").unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A valid manifest that has `value` under a key that nobody knows.
fn with(value: &[u8]) -> Vec<u8> {
    [br#"{"pages": ["p/p"], "x": "#, value, b"}"].concat()
}

/// Texts that are JSON by RFC 8259.
fn values() -> Vec<Vec<u8>> {
    let texts: [&str; 42] = [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-1",
        "123456789",
        "0.5",
        "-0.5",
        "1e5",
        "1E5",
        "1e+5",
        "1e-5",
        "0e1",
        "1.5e300",
        "-9223372036854775808",
        "9223372036854775807",
        "18446744073709551615",
        "123456789012345678901234567890",
        "0.1234567890123456789",
        "\"\"",
        "\"a\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0000\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"é\"",
        "\"😀\"",
        "\"\u{7f}\"",
        "\"\u{2028}\u{2029}\"",
        "\"\u{feff}\"",
        "[]",
        "[1]",
        "[[],[[]]]",
        "[null,1,\"a\",{}]",
        "{}",
        "{\"\":0}",
        "{\"a\":{\"b\":[{}]}}",
        "{\"\\u0061\":1}",
        " \t\r\n1 \t\r\n",
        "{ \"a\" : [ 1 , 2 ] }",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Texts that are not JSON by RFC 8259.
fn no_values() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 66] = [
        b"",
        b" ",
        b",",
        b":",
        b"]",
        b"}",
        b"nul",
        b"nulll",
        b"True",
        b"NULL",
        b"undefined",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"+1",
        b"01",
        b"-01",
        b"1.",
        b".5",
        b"-.5",
        b"1.e5",
        b"1e",
        b"1e+",
        b"1e5.5",
        b"--1",
        b"-",
        b"0x10",
        b"1_000",
        b"1 000",
        b"1a",
        b"\"",
        b"\"a",
        b"a\"",
        b"'a'",
        b"\"\\\"",
        b"\"\\x41\"",
        b"\"\\a\"",
        b"\"\\u12\"",
        b"\"\\u12G4\"",
        b"\"\\U00000041\"",
        b"\"a\nb\"",
        b"\"a\tb\"",
        b"\"a\0b\"",
        b"\"\xff\"",
        b"\"\xc3\"",
        b"\"\xc0\x80\"",
        b"\"\xed\xa0\x80\"",
        b"[",
        b"[1",
        b"[1,",
        b"[,1]",
        b"[1,]",
        b"[1,,2]",
        b"[1 2]",
        b"[1}",
        b"{",
        b"{\"a\"",
        b"{\"a\":",
        b"{\"a\":1,}",
        b"{,}",
        b"{a:1}",
        b"{1:1}",
        b"{\"a\" 1}",
        b"{\"a\":1 \"b\":2}",
        b"// c\n1",
        b"/* c */ 1",
    ];
    texts.iter().map(|text| text.to_vec()).collect()
}

/// Texts about which RFC 8259 leaves the choice: lone surrogates, huge numbers, great depth. Both answers are right.
fn open_values() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = ["\"\\ud800\"", "\"\\udc00\\ud800\"", "1e999", "-1e999", "1e-999"]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    values.push("1".repeat(5000).into_bytes());
    for depth in [50, 127, 128, 1000, 100_000] {
        values.push([vec![b'['; depth], vec![b']'; depth]].concat());
        values.push([b"{\"a\":".repeat(depth), b"1".to_vec(), vec![b'}'; depth]].concat());
    }
    values
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f24_json_of_every_shape_is_accepted_or_refused_with_a_reason() {
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    let mut patch = 0;
    let mut push = async |manifest: Vec<u8>| {
        patch += 1;
        let answer = scene.admin.push(&format!("coffee_0.0.{patch}.apkg"), package(&manifest)).await;
        let shown = String::from_utf8_lossy(&manifest).chars().take(80).collect::<String>();
        assert!(matches!(answer.status, 201 | 422), "{shown}: {} {}", answer.status, answer.kind());
        (answer, shown)
    };
    for value in values() {
        let (answer, shown) = push(with(&value)).await;
        assert_eq!(answer.status, 201, "{shown}: {}", String::from_utf8_lossy(&answer.bytes));
    }
    for value in no_values() {
        let (answer, _) = push(with(&value)).await;
        answer.refused("package-manifest");
        let (answer, _) = push(value).await; // as the whole manifest
        answer.refused("package-manifest");
    }
    for value in values() {
        push(value).await.0.refused("package-manifest"); // JSON, and no manifest
    }
    for value in open_values() {
        push(with(&value)).await;
        push(value).await;
    }
    for whole in [
        &b"\xef\xbb\xbf{\"pages\": [\"p/p\"]}"[..],
        b"\xff\xfe{\0}\0",
        b"{\"pages\": [\"p/p\"]} x",
        b"{\"pages\": [\"p/p\"]}{}",
        b"{\"pages\": [\"p/p\"]}\0",
    ] {
        push(whole.to_vec()).await;
    }
    assert_eq!(scene.host.anonymous().get("/healthz").await.status, 200);
}
