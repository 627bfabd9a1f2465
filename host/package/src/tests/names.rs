//! Names in archives (F16–F18). The rules for a single path are tested in `path`.

use super::*;

fn named(name: &str) -> Evil {
    Evil::of([Item::stored(name, b"x")])
}

#[test]
fn f16_path_escapes_are_refused() {
    for name in ["../x", "/etc/x", "C:/x", "a\\..\\x", "./a", "a/../../b", "//x", "\\\\host\\x"] {
        let error = open(named(name).build()).err().expect(name);
        assert_eq!(error.code, berth_base::error::Code::PackagePath, "{name}");
        assert_eq!(error.fields["path"], name);
    }
}

#[test]
fn f17_control_bytes_empty_long_and_deep_names_are_refused() {
    refused(named("a\0.js"), "control-character");
    refused(named("a\n.js"), "control-character");
    refused(named(""), "empty-path");
    refused(named("/"), "empty-path");
    refused(named(&"x".repeat(65_000)), "path-bytes");
    refused(named(&"d/".repeat(5_000)), "path-bytes");
    refused(named(&"d/".repeat(100)), "depth");
}

#[test]
fn f18_names_that_clash_on_some_system_are_refused() {
    let pair = |a: &str, b: &str| Evil::of([Item::stored(a, b"1"), Item::stored(b, b"2")]);
    refused(pair("app.js", "App.js"), "name-collision");
    refused(pair("pages/a.js", "Pages/b.js"), "name-collision");
    refused(named("cafe\u{301}.js"), "not-nfc");
    refused(named("con.js"), "reserved-name");
    refused(named("a.js:ads"), "reserved-character");
    refused(named("a\u{202e}sj.exe"), "invisible-character");
}

#[test]
fn f18_letters_beyond_ascii_must_be_flagged_as_utf8() {
    accepted(named("图片/首页.png"));
    refused(Evil::of([Item::stored("é.png", b"x").both(|h| h.flags = 0)]), "name-encoding");
    refused(Evil::of([Item::stored("x", b"x").both(|h| h.name = b"\xff.png".to_vec())]), "name-encoding");
}

#[test]
fn f18_each_cause_of_unreadable_letters_is_told_apart_and_has_its_cure() {
    let gbk = Item::stored("x", b"x").both(|h| h.name = b"\xca\xd7\xd2\xb3.png".to_vec());
    let flagged_gbk = gbk.clone().both(|h| h.flags = 1 << 11);
    let unflagged = Item::stored("首页.png", b"x").both(|h| h.flags = 0);
    let dos = Item::stored("首页.png", b"x").both(|h| h.made_by = 20);
    for (item, cause, cure) in [
        (gbk, "not-utf8", "-mcu=on"),
        (flagged_gbk, "not-utf8", "-mcu=on"),
        (unflagged, "not-flagged", "bit 11"),
        (dos, "made-by", "platform: \"UNIX\""),
    ] {
        let error = open(Evil::of([item]).build()).err().expect(cause);
        assert_eq!((&error.fields["rule"], &error.fields["cause"]), (&"name-encoding".into(), &cause.into()));
        assert!(error.detail.contains(cure) && error.detail.contains("berth pack"), "{error}");
    }
}

#[test]
fn f22_letters_beyond_ascii_made_by_dos_are_refused_because_unzip_translates_them() {
    for (host, expected) in
        [(0, Some("name-encoding")), (6, Some("name-encoding")), (11, Some("name-encoding")), (3, None), (19, None)]
    {
        let made = |name: &str| Evil::of([Item::stored(name, b"x").both(|h| h.made_by = host << 8 | 20)]);
        assert_eq!(rule(&made("图.png")).as_deref(), expected, "{host}");
        accepted(made("a.png"));
    }
}

#[test]
fn what_macos_adds_is_accepted() {
    accepted(Evil::of([Item::stored(".DS_Store", b"x"), Item::stored("__MACOSX/._app.json", b"x")]));
}
