//! Downloads: never a page for browsers, in parts as RFC 9110 says, and counted once they are whole.

use berth_tests::{
    Answer, made, on_both, packed,
    scene::{Scene, text},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A client that has asked for a bundle, and has taken none of it but that it comes.
async fn begun(scene: &Scene, body: &str) -> TcpStream {
    let mut client = TcpStream::connect(scene.host.url.strip_prefix("http://").unwrap()).await.unwrap();
    let (key, size) = (&scene.key, body.len());
    let head = format!(
        "POST /v1/bundles HTTP/1.1\r\nHost: berth\r\nX-Host-App-Key: {key}\r\nContent-Type: application/json\r\n\
         Content-Length: {size}\r\n\r\n{body}"
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let mut some = [0; 12];
    client.read_exact(&mut some).await.unwrap();
    assert_eq!(&some, b"HTTP/1.1 200", "{}", String::from_utf8_lossy(&some));
    client
}

const PACKAGE: &str = "/v1/packages/coffee_1.0.0.apkg";

on_both! {
    async fn f32_a_package_is_never_served_as_a_page(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.host.settled().await;
        let device = scene.host.device(&scene.key);
        for path in [PACKAGE, "/v1/mini-apps/coffee/offline"] {
            for asker in [&device, &scene.admin] {
                let request = asker.request("GET", path).header("Accept", "text/html,image/svg+xml");
                let answer = Answer::of(request, path.into()).await;
                assert_eq!(answer.status, 200);
                assert_eq!(answer.header("content-type"), "application/zip");
                assert_eq!(answer.header("content-disposition"), "attachment; filename=\"coffee_1.0.0.apkg\"");
                assert_eq!(answer.header("x-content-type-options"), "nosniff");
                assert!(answer.header("content-security-policy").starts_with("sandbox"), "{path}");
            }
        }
        let bundle = scene.admin.post("/v1/bundles", json!({"host_app": "super-app"})).await;
        assert!(bundle.header("content-disposition").starts_with("attachment"));
        assert_eq!(bundle.header("x-content-type-options"), "nosniff");
    }

    async fn f70_ranges_give_exactly_the_bytes_that_were_asked_for(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.host.settled().await;
        let bytes = packed("coffee/1.0.0", "coffee_1.0.0.apkg");
        let device = scene.host.device(&scene.key);
        let part = async |range: &str| Answer::of(device.request("GET", PACKAGE).header("Range", range), range.into()).await;
        let (len, last) = (bytes.len(), bytes.len() - 1);
        for (range, from, to) in [
            ("bytes=0-0".to_owned(), 0, 1),
            (format!("bytes={last}-"), last, len),
            ("bytes=-5".to_owned(), len - 5, len),
            (format!("bytes=10-{}", len * 2), 10, len),
            ("bytes=-99999999".to_owned(), 0, len),
        ] {
            let answer = part(&range).await;
            assert_eq!((answer.status, &answer.bytes[..]), (206, &bytes[from..to]), "{range}");
            assert_eq!(answer.header("content-range"), format!("bytes {from}-{}/{len}", to - 1));
        }
        let many = format!("bytes={}", (0..1000).map(|n| format!("{n}-{n}")).collect::<Vec<_>>().join(","));
        for range in ["bytes=5-2", "lines=1-2", "bytes=0-9,3-12", &many] {
            let answer = part(range).await;
            assert_eq!((answer.status, answer.bytes.len()), (200, len), "{range:.40}");
        }
        for range in [format!("bytes={len}-"), "bytes=-0".to_owned()] {
            let answer = part(&range).await;
            assert_eq!((answer.status, answer.header("content-range")), (416, format!("bytes */{len}").as_str()));
            answer.refused("range-not-satisfiable");
        }
        let stale = device.request("GET", PACKAGE).header("Range", "bytes=0-9").header("If-Range", "\"another\"");
        assert_eq!(Answer::of(stale, "stale".into()).await.bytes, bytes);
    }

    async fn g8_a_download_counts_once_when_the_last_byte_was_sent(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let task = scene.gray("1.1.0", json!({})).await.good();
        let url = text(&scene.check("d", None).await["package"]["url"]);
        let size = scene.check("d", None).await["package"]["size"].as_u64().unwrap();
        let device = scene.host.device(&scene.key);
        let get = async |path: &str, header: (&str, &str)| {
            Answer::of(device.request("GET", path).header(header.0, header.1), path.into()).await
        };
        let part = async |range: String| get(&url, ("Range", &range)).await.status;
        let downloaded = async || scene.progress(&task).await["downloaded"].as_u64().unwrap();
        let head = Answer::of(device.request("HEAD", &url), "head".into()).await;
        assert_eq!((head.status, head.bytes.len()), (200, 0));
        assert_eq!(get(&url, ("If-None-Match", head.header("etag"))).await.status, 304);
        assert_eq!(get(&url, ("If-Match", "\"another\"")).await.status, 412);
        assert_eq!(part(format!("bytes={size}-")).await, 416);
        assert_eq!(part("bytes=0-0".into()).await, 206);
        assert_eq!(part(format!("bytes=0-{}", size - 2)).await, 206);
        assert_eq!(scene.admin.get(&url).await.status, 200, "a person is no device");
        assert_eq!(device.get(&url.replace("1.1.0", "1.0.0")).await.status, 200, "another package than the task's");
        assert_eq!(downloaded().await, 0);
        assert_eq!(part(format!("bytes={}-", size - 1)).await, 206);
        assert_eq!(downloaded().await, 1, "the part that ends it");
        assert_eq!(device.get(&url).await.status, 200);
        assert_eq!(downloaded().await, 1, "once");
        let other = text(&scene.check("e", None).await["package"]["url"]);
        assert_eq!(device.get(&other).await.status, 200);
        assert_eq!(downloaded().await, 2, "as a whole");
    }

    async fn g8_a_download_that_breaks_off_does_not_count(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let large = made::with_noise(1, 1_900_000); // more than buffers on the way hold
        scene.admin.push("coffee_1.1.0.apkg", large).await.good();
        let audit = scene.submit("1.1.0").await;
        scene.decide(&audit, true, "").await.good();
        let task = scene.gray("1.1.0", json!({})).await.good();
        let url = text(&scene.check("d", None).await["package"]["url"]);
        let mut client = TcpStream::connect(scene.host.url.strip_prefix("http://").unwrap()).await.unwrap();
        let head = format!("GET {url} HTTP/1.1\r\nHost: berth\r\nX-Host-App-Key: {}\r\n\r\n", scene.key);
        client.write_all(head.as_bytes()).await.unwrap();
        let mut some = [0; 1000];
        client.read_exact(&mut some).await.unwrap();
        assert!(some.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&some));
        assert_eq!(scene.progress(&task).await["downloaded"], 0, "it has not taken the rest");
        drop(client);
        assert_eq!(scene.progress(&task).await["downloaded"], 0, "it has left");
        assert_eq!(scene.host.device(&scene.key).get(&url).await.status, 200);
        assert_eq!(scene.progress(&task).await["downloaded"], 1);
    }

    async fn f77_a_bundle_has_its_place_until_it_was_sent(host) {
        let scene = Scene::set(host).await;
        let large = made::with_noise(1, 1_900_000); // more than buffers on the way hold
        scene.admin.push("coffee_1.0.0.apkg", large).await.good();
        let audit = scene.submit("1.0.0").await;
        scene.decide(&audit, true, "").await.good();
        scene.publish("1.0.0").await.good();
        scene.host.settled().await;
        let body = json!({"host_app": "super-app"});
        let mut open = Vec::new();
        for _ in 0..6 {
            open.push(begun(&scene, &body.to_string()).await);
        }
        let device = scene.host.device(&scene.key);
        let refused = device.post("/v1/bundles", body.clone()).await;
        assert_eq!(refused.header("retry-after"), "5");
        refused.refused("too-many-requests");
        assert_eq!(scene.admin.post("/v1/bundles", body.clone()).await.status, 200, "accounts have places of their own");
        open.pop();
        // The host learns in a moment that a client has left.
        let mut status = 429;
        for _ in 0..500 {
            status = device.post("/v1/bundles", body.clone()).await.status;
            if status != 429 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(status, 200);
    }

    async fn f70_a_download_goes_on_where_it_broke_off(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.host.settled().await;
        let device = scene.host.device(&scene.key);
        let url = text(&scene.check("d", None).await["package"]["url"]);
        let (mut have, mut etag) = (Vec::new(), String::new());
        let size = scene.check("d", None).await["package"]["size"].as_u64().unwrap() as usize;
        while have.len() < size {
            let range = format!("bytes={}-{}", have.len(), have.len() + 999);
            let request = device.request("GET", &url).header("Range", range);
            let request = if etag.is_empty() { request } else { request.header("If-Range", &etag) };
            let answer = Answer::of(request, "part".into()).await;
            assert_eq!(answer.status, 206);
            etag = answer.header("etag").to_owned();
            have.extend(answer.bytes);
        }
        assert_eq!(have, packed("coffee/1.0.0", "coffee_1.0.0.apkg"));
    }
}
