//! The proxy that swaps OpenIDs, between a partner's front end and the unchanged server of a merchant (U4, U9).

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, http::HeaderMap, response::Response, routing::any};
use berth_swap::{Asker, SwapArgs};
use berth_tests::{
    Host, http, on_both,
    scene::{Scene, Servers, text},
};
use futures_util::StreamExt;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

/// What the merchant's server got.
#[derive(Clone, Debug, Default)]
struct Got {
    address: String,
    headers: HeaderMap,
    body: String,
}

/// The merchant's server: it knows nothing of proxies and partners. It answers with the JSON that a test gives it, or with what it
/// got.
#[derive(Clone, Default)]
struct Merchant {
    got: Arc<Mutex<Vec<Got>>>,
    answer: Arc<Mutex<Option<(HeaderMap, String)>>>,
}

impl Merchant {
    async fn listen(&self) -> String {
        let merchant = self.clone();
        let app = Router::new()
            .route("/slow", any(async || tokio::time::sleep(Duration::from_secs(30)).await))
            .route("/stream", any(stream))
            .fallback(any(move |request: Request| async move { merchant.serve(request).await }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}")
    }

    async fn serve(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
        let body = String::from_utf8_lossy(&body).into_owned();
        let got = Got { address: head.uri.to_string(), headers: head.headers, body: body.clone() };
        self.got.lock().unwrap().push(got);
        let (headers, body) = self.answer.lock().unwrap().clone().unwrap_or_else(|| (HeaderMap::new(), body));
        let mut response = Response::new(Body::from(body));
        *response.headers_mut() = headers;
        response
    }

    fn says(&self, headers: &[(&'static str, &str)], body: &str) {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        *self.answer.lock().unwrap() = Some((headers, body.to_owned()));
    }

    fn last(&self) -> Got {
        self.got.lock().unwrap().last().cloned().unwrap_or_default()
    }

    fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }
}

/// Hands each part of a body back as soon as it is there.
async fn stream(request: Request) -> Response {
    Response::new(Body::from_stream(request.into_body().into_data_stream()))
}

/// A merchant behind a proxy, and users of both MiniApps: alice agrees, bob does not.
struct Shop {
    scene: Scene,
    app: berth_tests::Api,
    merchant: Merchant,
    proxy: SocketAddr,
    /// The OpenIDs of alice: in the partner `mall`, and in `coffee`, whose server the merchant is.
    alice: [String; 2],
    bob: [String; 2],
    mall_secret: String,
    _stop: oneshot::Sender<()>,
}

/// The settings of a proxy in front of this server, with places of each kind.
fn args(upstream: &str) -> SwapArgs {
    let places = |all: &[&str]| all.iter().map(|place| place.parse().unwrap()).collect();
    SwapArgs {
        app: "mall".parse().unwrap(),
        to: "coffee".parse().unwrap(),
        upstream: upstream.parse().unwrap(),
        listen: "127.0.0.1:0".parse().unwrap(),
        requests: places(&["header:x-open-id", "query:openid", "path:/users/*", "form:openid", "json:/open_id"]),
        answers: places(&["header:x-open-id", "json:/open_id", "json:/items/*/open_id"]),
        remember: Duration::from_secs(5),
        max_document: 64 << 10,
        patience: Duration::from_secs(5),
    }
}

impl Shop {
    async fn open(host: Host, change: impl FnOnce(&mut SwapArgs)) -> Self {
        let scene = Scene::set(host).await;
        let Servers { app, secret, .. } = scene.servers().await;
        let team = text(&scene.admin.post("/v1/teams", json!({"name": "mall"})).await.good()["id"]);
        let mall_secret = scene.another("mall", &team).await;
        scene.admin.put("/v1/mini-apps/coffee/partners/mall", json!(null)).await.good();
        let open_id = async |mini_app: &str, secret: &str, account: &str| {
            text(&scene.log_in(&app, mini_app, secret, account).await["open_id"])
        };
        let [mut alice, mut bob] = <[[String; 2]; 2]>::default();
        for (account, open_ids) in [("alice", &mut alice), ("bob", &mut bob)] {
            *open_ids = [open_id("mall", &mall_secret, account).await, open_id("coffee", &secret, account).await];
        }
        app.post("/v1/host-apps/super-app/links", linked("alice")).await.good();
        let merchant = Merchant::default();
        let mut args = args(&merchant.listen().await);
        change(&mut args);
        let asker = Asker { server: scene.host.url.clone(), secret: mall_secret.clone().into() };
        let (listener, doubt) = berth_swap::listen(args, asker).await.unwrap();
        assert_eq!(doubt, None);
        let (stop, stopped) = oneshot::channel();
        let proxy = listener.address().unwrap();
        tokio::spawn(listener.serve(async { drop(stopped.await) }));
        Self { scene, app, merchant, proxy, alice, bob, mall_secret, _stop: stop }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        http().request(method.parse().unwrap(), format!("http://{}{path}", self.proxy))
    }

    async fn post_json(&self, body: &str) -> reqwest::Response {
        let request = self.request("POST", "/orders").header("Content-Type", "application/json");
        request.body(body.to_owned()).send().await.unwrap()
    }
}

fn linked(account: &str) -> Value {
    json!({"account": account, "mini_app": "coffee", "partner": "mall"})
}

/// The status and the type of a refusal.
async fn refused(answer: reqwest::Response) -> (u16, String) {
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["status"], status);
    (status, text(&problem["type"]))
}

/// Takes one connection and lets it become a WebSocket; answers it with the head of its request.
async fn upgraded(socket: TcpListener) -> (TcpStream, Vec<u8>) {
    let (mut stream, _) = socket.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    stream.write_all(answer.as_bytes()).await.unwrap();
    (stream, head)
}

on_both! {
    async fn u4_u9_the_merchant_sees_its_own_open_ids_and_the_partner_its_own(host) {
        let shop = Shop::open(host, |_| {}).await;
        let [there, here] = &shop.alice;
        shop.merchant.says(&[], "ok");
        let path = format!("/a/../users/{there}/orders?openid={there}&x=%20y&openid=guest");
        shop.request("GET", &path).header("X-Open-Id", there).header("X-Other", "1").send().await.unwrap();
        let got = shop.merchant.last();
        assert_eq!(got.address, format!("/users/{here}/orders?openid={here}&x=%20y&openid=guest"));
        assert_eq!((&got.headers["x-open-id"], &got.headers["x-other"]), (&here.parse().unwrap(), &"1".parse().unwrap()));
        assert_eq!((got.headers["x-forwarded-for"].as_bytes(), got.headers.contains_key("transfer-encoding")), (&b"127.0.0.1"[..], false));
        let body = |id: &str| format!("{{ \"n\": 1.50, \"open_id\" : \"{id}\",\n \"other\": \"{there}\" }}");
        shop.post_json(&body(there)).await;
        assert_eq!(shop.merchant.last().body, body(here), "all else is as it was, byte for byte");
        let plain = shop.request("POST", "/orders").header("Content-Type", "text/plain").body(body(there)).send();
        assert_eq!((plain.await.unwrap().status().as_u16(), shop.merchant.last().body), (200, body(here)), "JSON under another name");
        let form = shop.request("POST", "/orders").header("Content-Type", "application/x-www-form-urlencoded");
        form.body(format!("a=1&openid={there}")).send().await.unwrap();
        assert_eq!(shop.merchant.last().body, format!("a=1&openid={here}"));
        let items = format!("{{\"open_id\":\"{here}\",\"items\":[{{\"open_id\":\"{}\"}},{{\"open_id\":\"{here}\"}}]}}", shop.bob[1]);
        shop.merchant.says(&[("content-type", "application/json"), ("x-open-id", here), ("x-more", "1"), ("content-md5", "x")], &items);
        let answer = shop.request("GET", "/orders").send().await.unwrap();
        assert_eq!((answer.headers()["x-open-id"].to_str().unwrap(), answer.headers()["x-more"].as_bytes()), (there.as_str(), &b"1"[..]));
        assert!(!answer.headers().contains_key("content-md5"), "it is not true any more");
        let expected = format!("{{\"open_id\":\"{there}\",\"items\":[{{\"open_id\":null}},{{\"open_id\":\"{there}\"}}]}}");
        assert_eq!(answer.text().await.unwrap(), expected, "bob has not agreed");
        shop.merchant.says(&[("x-open-id", &shop.bob[1])], "");
        assert!(!shop.request("GET", "/").send().await.unwrap().headers().contains_key("x-open-id"));
        let head = shop.request("HEAD", "/").send().await.unwrap();
        assert_eq!(head.status(), 200);
    }

    async fn u9_a_user_who_has_not_agreed_does_not_reach_the_merchant(host) {
        let shop = Shop::open(host, |args| args.remember = Duration::from_millis(300)).await;
        let nobody = format!("o{}", "0".repeat(27));
        for open_id in [&shop.bob[0], &shop.alice[1], &shop.bob[1], &nobody] {
            let encoded = format!("%6f{}", &open_id[1..]);
            for request in [
                shop.request("GET", "/").header("X-Open-Id", open_id),
                shop.request("GET", &format!("/?openid={open_id}")),
                shop.request("GET", &format!("/?openid={encoded}")),
                shop.request("GET", &format!("/users/{encoded}")),
                shop.request("GET", &format!("/x/%2e%2e/users/{open_id}")),
                shop.request("POST", "/").json(&json!({"open_id": open_id})),
                shop.request("POST", "/").json(&json!({"open_id": shop.alice[0]})).header("X-Open-Id", open_id),
            ] {
                assert_eq!(refused(request.send().await.unwrap()).await, (403, "user-not-linked".into()));
            }
        }
        assert_eq!(shop.merchant.count(), 0, "nothing of it was handed on");
        let body = format!("{{\"open_id\":\"{}\"}}", shop.alice[0]);
        assert_eq!(shop.post_json(&body).await.status(), 200);
        shop.app.post("/v1/host-apps/super-app/links/end", linked("alice")).await.good();
        tokio::time::sleep(Duration::from_millis(350)).await;
        assert_eq!(refused(shop.post_json(&body).await).await, (403, "user-not-linked".into()), "what is remembered is forgotten");
        shop.app.post("/v1/host-apps/super-app/links", linked("alice")).await.good();
        tokio::time::sleep(Duration::from_millis(350)).await;
        assert_eq!(shop.post_json(&body).await.status(), 200);
    }

    async fn u9_what_cannot_be_looked_through_is_refused_with_the_reason(host) {
        let shop = Shop::open(host, |args| args.patience = Duration::from_millis(500)).await;
        assert_eq!(refused(shop.post_json("{\"open_id\": ").await).await, (400, "malformed".into()));
        let large = format!("{{\"a\": \"{}\"}}", "x".repeat(64 << 10));
        assert_eq!(refused(shop.post_json(&large).await).await, (413, "body-too-large".into()));
        let packed = shop.request("POST", "/").header("Content-Encoding", "gzip").json(&json!({}));
        assert_eq!(refused(packed.send().await.unwrap()).await, (415, "unsupported-media-type".into()));
        assert_eq!(shop.merchant.count(), 0);
        let free = shop.request("POST", "/").header("Content-Type", "text/plain").body("{ no JSON");
        assert_eq!(free.send().await.unwrap().text().await.unwrap(), "{ no JSON");
        shop.merchant.says(&[("content-type", "application/json")], "{");
        assert_eq!(refused(shop.request("GET", "/").send().await.unwrap()).await, (502, "upstream-answer".into()));
        shop.merchant.says(&[("content-type", "application/json"), ("content-encoding", "br")], "{}");
        assert_eq!(refused(shop.request("GET", "/").send().await.unwrap()).await, (502, "upstream-answer".into()));
        shop.merchant.says(&[("content-type", "application/json")], &large);
        assert_eq!(refused(shop.request("GET", "/").send().await.unwrap()).await, (502, "upstream-answer".into()));
        shop.merchant.says(&[("content-type", "application/json")], "");
        assert_eq!(shop.request("GET", "/").send().await.unwrap().status(), 200, "nothing is nothing to swap");
        assert_eq!(refused(shop.request("GET", "/slow").send().await.unwrap()).await, (504, "upstream-timeout".into()));
    }

    async fn u9_when_the_host_or_the_merchant_is_away_it_is_said_which(host) {
        let mut shop = Shop::open(host, |args| args.remember = Duration::ZERO).await;
        let body = format!("{{\"open_id\":\"{}\"}}", shop.alice[0]);
        assert_eq!(shop.post_json(&body).await.status(), 200);
        let reset = shop.scene.admin.post("/v1/mini-apps/mall/secret/reset", json!(null)).await.good();
        assert_ne!(text(&reset["secret"]), shop.mall_secret);
        let answer = shop.post_json(&body).await;
        assert_eq!(answer.headers()["retry-after"], "1");
        assert_eq!(refused(answer).await, (503, "swap-unavailable".into()), "the AppSecret is another one now");
        assert_eq!(shop.request("GET", "/").send().await.unwrap().status(), 200, "where nothing is swapped nobody is asked");
        let away = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let asker = Asker { server: format!("http://{away}"), secret: shop.mall_secret.clone().into() };
        let (listener, doubt) = berth_swap::listen(args(&format!("http://{away}")), asker).await.unwrap();
        assert!(doubt.unwrap().contains("cannot be reached"));
        shop.proxy = listener.address().unwrap();
        tokio::spawn(listener.serve(std::future::pending()));
        assert_eq!(refused(shop.post_json(&body).await).await, (503, "swap-unavailable".into()));
        assert_eq!(refused(shop.request("GET", "/").send().await.unwrap()).await, (502, "upstream-unreachable".into()));
    }

    async fn u9_a_user_who_goes_on_is_renewed_before_being_forgotten(host) {
        let shop = Shop::open(host, |args| args.remember = Duration::from_secs(4)).await;
        let body = format!("{{\"open_id\":\"{}\"}}", shop.alice[0]);
        let start = tokio::time::Instant::now();
        assert_eq!(shop.post_json(&body).await.status(), 200);
        tokio::time::sleep_until(start + Duration::from_millis(2200)).await;
        assert_eq!(shop.post_json(&body).await.status(), 200);
        tokio::time::sleep(Duration::from_millis(500)).await;
        // From now on the host tells the proxy nothing.
        shop.scene.admin.post("/v1/mini-apps/mall/secret/reset", json!(null)).await.good();
        tokio::time::sleep_until(start + Duration::from_millis(4400)).await;
        assert_eq!(shop.post_json(&body).await.status(), 200, "it was asked again when half of the time was over");
        tokio::time::sleep_until(start + Duration::from_millis(8800)).await;
        assert_eq!(refused(shop.post_json(&body).await).await, (503, "swap-unavailable".into()), "and not kept longer than said");
    }

    async fn u9_bodies_that_are_not_looked_through_are_streamed_both_ways(host) {
        let shop = Shop::open(host, |args| args.patience = Duration::from_millis(300)).await;
        let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
        let parts = futures_util::stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
        let request = shop.request("POST", "/stream").header("Content-Type", "application/octet-stream");
        let answer = tokio::spawn(request.body(reqwest::Body::wrap_stream(parts)).send());
        sender.send(Ok(b"first".to_vec())).await.unwrap();
        let mut answer = answer.await.unwrap().unwrap().bytes_stream();
        assert_eq!(&answer.next().await.unwrap().unwrap()[..], b"first", "it is there before the request has ended");
        tokio::time::sleep(Duration::from_millis(600)).await;
        sender.send(Ok(vec![7; 1 << 20])).await.unwrap();
        drop(sender);
        let mut rest = 0;
        while let Some(part) = answer.next().await {
            rest += part.unwrap().len();
        }
        assert_eq!(rest, 1 << 20, "a pause and a size beyond the limits of documents do not matter");
    }

    async fn u9_a_web_socket_goes_through_and_its_handshake_is_swapped(host) {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = format!("http://{}", socket.local_addr().unwrap());
        let shop = Shop::open(host, |args| args.upstream = upstream.parse().unwrap()).await;
        let merchant = tokio::spawn(async move {
            let (mut stream, head) = upgraded(socket).await;
            let mut bytes = [0; 4];
            stream.read_exact(&mut bytes).await.unwrap();
            bytes.reverse();
            stream.write_all(&bytes).await.unwrap();
            String::from_utf8(head).unwrap()
        });
        let mut client = TcpStream::connect(shop.proxy).await.unwrap();
        let head = format!(
            "GET /live?openid={} HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\nping",
            shop.alice[0]
        );
        client.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 101") && answer.to_lowercase().contains("upgrade: websocket"), "{answer}");
        assert!(answer.ends_with("\r\n\r\ngnip"), "{answer}");
        let head = merchant.await.unwrap().to_lowercase();
        assert!(head.contains(&format!("get /live?openid={} ", shop.alice[1])) && head.contains("upgrade: websocket"), "{head}");
        assert!(head.contains("sec-websocket-key"), "{head}");
    }

    async fn u9_a_web_socket_ends_with_the_proxy(host) {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = format!("http://{}", socket.local_addr().unwrap());
        let shop = Shop::open(host, |args| args.upstream = upstream.parse().unwrap()).await;
        let merchant = tokio::spawn(async move {
            let (mut stream, _) = upgraded(socket).await;
            let mut bytes = [0; 4];
            stream.read_exact(&mut bytes).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
            stream.read(&mut bytes).await.unwrap()
        });
        let mut client = TcpStream::connect(shop.proxy).await.unwrap();
        let head = "GET /live HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\nping";
        client.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"ping") {
            answer.push(client.read_u8().await.unwrap());
        }
        drop(shop._stop);
        let both = async { (client.read(&mut [0]).await.unwrap(), merchant.await.unwrap()) };
        let ended = tokio::time::timeout(Duration::from_secs(30), both).await;
        assert_eq!(ended.expect("neither side has said that it goes"), (0, 0));
    }

    async fn u9_text_messages_of_a_web_socket_that_are_json_are_swapped_both_ways(host) {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = format!("http://{}", socket.local_addr().unwrap());
        let shop = Shop::open(host, |args| args.upstream = upstream.parse().unwrap()).await;
        let merchant = tokio::spawn(async move {
            let (mut stream, head) = upgraded(socket).await;
            let (mut said, mut opcode) = (Vec::new(), 0x81);
            while opcode == 0x81 {
                let (got, text) = frame_from(&mut stream).await;
                opcode = got;
                stream.write_all(&[&[opcode, text.len() as u8][..], &text].concat()).await.unwrap();
                said.push(text);
            }
            (String::from_utf8(head).unwrap(), said)
        });
        let mut client = TcpStream::connect(shop.proxy).await.unwrap();
        let head = "GET /live HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
        client.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(client.read_u8().await.unwrap());
        }
        let texts = [json!({"open_id": shop.alice[0]}).to_string(), "no JSON".into(), json!({"open_id": shop.bob[0]}).to_string()];
        let mut heard = Vec::new();
        for text in &texts {
            let mask = [7, 8, 9, 10];
            let masked = text.bytes().enumerate().map(|(place, byte)| byte ^ mask[place % 4]);
            let frame: Vec<u8> = [0x81, 0x80 | text.len() as u8].into_iter().chain(mask).chain(masked).collect();
            client.write_all(&frame).await.unwrap();
            heard.push(frame_from(&mut client).await);
        }
        let (head, said) = merchant.await.unwrap();
        assert!(!head.to_lowercase().contains("sec-websocket-extensions"), "{head}");
        let swapped = json!({"open_id": shop.alice[1]}).to_string();
        assert_eq!(said, [swapped.as_bytes(), b"no JSON", &1008u16.to_be_bytes()]);
        let back = [(0x81, texts[0].clone().into_bytes()), (0x81, b"no JSON".to_vec()), (0x88, vec![3, 0xf0])];
        assert_eq!(heard, back);
    }
}

/// Reads a frame of at most 125 bytes: its first byte, and what it says.
async fn frame_from(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let (opcode, length) = (stream.read_u8().await.unwrap(), stream.read_u8().await.unwrap());
    let mut mask = [0; 4];
    if length & 0x80 != 0 {
        stream.read_exact(&mut mask).await.unwrap();
    }
    let mut says = vec![0; (length & 0x7f).into()];
    stream.read_exact(&mut says).await.unwrap();
    (opcode, says.iter().enumerate().map(|(place, byte)| byte ^ mask[place % 4]).collect())
}
