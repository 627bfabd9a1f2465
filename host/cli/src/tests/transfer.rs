//! Downloads that are interrupted, resumed, or changed on the way.

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use futures_util::{StreamExt, stream};

use super::{Desk, Seen};
use berth_base::ids::Digest;

const NAME: &str = "mp-shop_1.2.0.apkg";

#[tokio::test]
async fn v13_a_file_of_a_package_is_printed_as_it_is_and_never_to_a_terminal_that_might_obey_it() {
    let file = |axum::extract::Path(path): axum::extract::Path<String>| async move {
        match path.as_str() {
            "pages/a b.js" => Bytes::from_static(b"Page({})\n\n"),
            _ => Bytes::from_static(b"\x1b[2J\n"),
        }
    };
    let desk = Desk::before(Router::new().route("/v1/mini-apps/mp-shop/versions/1.2.0/files/{*path}", get(file))).await;
    let ran = desk.args(&["version", "file", "mp-shop", "1.2.0", "pages/a b.js"]).await.good();
    assert_eq!(ran.out, "Page({})\n\n");
    assert_eq!(desk.run("version file mp-shop 1.2.0 logo.png").await.good().out, "\x1b[2J\n");
    let desk = Desk { width: Some(80), ..desk };
    let ran = desk.run("version file mp-shop 1.2.0 logo.png").await;
    assert!(ran.code == 2 && ran.out.is_empty() && ran.err.contains("--out"), "{}", ran.err);
    let out = desk.arg("logo.png");
    desk.run(&format!("version file mp-shop 1.2.0 logo.png --out {out}")).await.good();
    assert_eq!(std::fs::read(out).unwrap(), b"\x1b[2J\n");
}

/// A host that serves `bytes`, at most `most` of them in one answer, and notes the requested ranges.
fn host(bytes: Vec<u8>, most: usize, ranges: Seen<Option<String>>) -> Router {
    let etag = format!("\"{}\"", Digest::of(&bytes));
    Router::new().route(
        &format!("/v1/packages/{NAME}"),
        get(move |method: Method, headers: HeaderMap| async move {
            answer(&method, &headers, &bytes, &etag, most, &ranges)
        }),
    )
}

fn answer(
    method: &Method,
    headers: &HeaderMap,
    bytes: &[u8],
    etag: &str,
    most: usize,
    ranges: &Seen<Option<String>>,
) -> Response {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let range = text(header::RANGE).filter(|_| text(header::IF_RANGE).as_deref() == Some(etag));
    let from = range.as_ref().map_or(0, |range| range["bytes=".len()..].trim_end_matches('-').parse().unwrap());
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let rest = &bytes[from..];
    let headers = [(header::ETAG, etag.to_owned()), (header::CONTENT_LENGTH, rest.len().to_string())];
    if method == Method::HEAD {
        return (status, headers).into_response();
    }
    ranges.note(range);
    let piece = Bytes::copy_from_slice(&rest[..rest.len().min(most)]);
    let short = piece.len() < rest.len();
    let cut = async move {
        // What was sent must be on its way before the line is cut.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        short.then(|| Err(std::io::Error::other("the line is cut")))
    };
    let body = stream::once(async { Some(Ok(piece)) }).chain(stream::once(cut)).filter_map(std::future::ready);
    (status, headers, Body::from_stream(body)).into_response()
}

fn bytes() -> Vec<u8> {
    (0..1_000_000u32).map(|n| (n % 253) as u8).collect()
}

#[tokio::test]
async fn a_cut_download_goes_on_where_it_stopped() {
    let ranges = Seen::new();
    let desk = Desk::before(host(bytes(), 400_000, ranges.clone())).await;
    let out = desk.arg(NAME);
    let ran = desk.run(&format!("download mp-shop --version 1.2.0 -o {out} --json")).await.good();
    assert_eq!(std::fs::read(&out).unwrap(), bytes());
    assert_eq!(ran.json()["sha256"], Digest::of(&bytes()).as_str());
    let ranges = ranges.all();
    assert!(ranges.len() >= 3 && ranges[0].is_none() && ranges[1..].iter().all(Option::is_some), "{ranges:?}");
    assert!(!desk.path(&format!("{NAME}.part")).exists());
}

#[tokio::test]
async fn what_an_earlier_run_left_is_used() {
    let ranges = Seen::new();
    let desk = Desk::before(host(bytes(), usize::MAX, ranges.clone())).await;
    desk.write(&format!("{NAME}.part"), &bytes()[..600_000]);
    desk.run(&format!("download mp-shop --version 1.2.0 -o {}", desk.arg(NAME))).await.good();
    assert_eq!(ranges.all(), [Some("bytes=600000-".to_owned())]);
    assert_eq!(std::fs::read(desk.path(NAME)).unwrap(), bytes());
}

#[tokio::test]
async fn what_an_earlier_run_left_of_other_bytes_is_thrown_away() {
    let ranges = Seen::new();
    let desk = Desk::before(host(bytes(), usize::MAX, ranges.clone())).await;
    desk.write(&format!("{NAME}.part"), vec![7; 600_000]);
    desk.run(&format!("download mp-shop --version 1.2.0 -o {}", desk.arg(NAME))).await.good();
    assert_eq!(ranges.all(), [Some("bytes=600000-".to_owned()), None]);
    assert_eq!(std::fs::read(desk.path(NAME)).unwrap(), bytes());
}

#[tokio::test]
async fn i2_bytes_that_do_not_hash_to_what_was_announced_are_not_kept() {
    let mut changed = bytes();
    changed[500_000] ^= 1;
    let etag = format!("\"{}\"", Digest::of(&bytes()));
    let lie = move |method: Method, headers: HeaderMap| async move {
        answer(&method, &headers, &changed, &etag, usize::MAX, &Seen::new())
    };
    let desk = Desk::before(Router::new().route(&format!("/v1/packages/{NAME}"), get(lie))).await;
    let ran = desk.run(&format!("download mp-shop --version 1.2.0 -o {}", desk.arg(NAME))).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("download-damaged"), "{}", ran.err);
    assert!(!desk.path(NAME).exists() && !desk.path(&format!("{NAME}.part")).exists());
}

#[tokio::test]
async fn a_file_with_other_bytes_is_replaced_only_when_that_is_said() {
    let desk = Desk::before(host(bytes(), usize::MAX, Seen::new())).await;
    desk.write(NAME, "mine");
    let line = format!("download mp-shop --version 1.2.0 -o {}", desk.arg(NAME));
    let ran = desk.run(&line).await;
    assert!(ran.code == 1 && ran.err.contains("file-exists") && ran.err.contains("--force"), "{}", ran.err);
    assert_eq!(std::fs::read(desk.path(NAME)).unwrap(), b"mine");
    desk.run(&format!("{line} --force")).await.good();
    assert_eq!(std::fs::read(desk.path(NAME)).unwrap(), bytes());
}

#[tokio::test]
async fn a_download_that_is_there_already_is_not_repeated() {
    let ranges = Seen::new();
    let desk = Desk::before(host(bytes(), usize::MAX, ranges.clone())).await;
    desk.write(NAME, bytes());
    desk.run(&format!("download mp-shop --version 1.2.0 -o {}", desk.arg(NAME))).await.good();
    assert!(ranges.all().is_empty());
}

#[tokio::test]
async fn a_download_that_is_refused_says_why_though_an_answer_to_head_has_no_body() {
    let missing = |method: Method| async move {
        let problem = r#"{"type": "/problems/not-found", "status": 404, "detail": "mp-shop has no version 1.2.0."}"#;
        let body = if method == Method::HEAD { "" } else { problem };
        (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "application/problem+json")], body)
    };
    let desk = Desk::before(Router::new().route(&format!("/v1/packages/{NAME}"), get(missing))).await;
    let ran = desk.run("download mp-shop --version 1.2.0").await;
    assert!(ran.code == 1 && ran.err.contains("mp-shop has no version 1.2.0."), "{}", ran.err);
}
