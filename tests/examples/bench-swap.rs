//! Measures what the proxy that swaps OpenIDs adds to a request, beside nginx as a plain proxy in front of the same server. Both
//! run as processes of their own, in turns, under the same wrk: one connection, which waits for each answer, so that times are
//! those of the way and not of a queue.
//!
//! `bench-swap path/to/berth`

#![allow(clippy::unwrap_used, reason = "a failure is its end")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use axum::{Router, body::Body, extract::Request, response::Response, routing::any};
use berth_tests::{
    Database, Host,
    bench::{Readings, Server, free_addr, say},
    scene::{Scene, Servers, text},
};
use serde_json::json;
use tokio::{net::TcpListener, time::Duration};

const ROUNDS: usize = 7;
const SECONDS: u32 = 3;
/// How many users take turns. What was swapped is remembered for five seconds, so that some requests ask the host and most do not.
const USERS: usize = 500;

fn spawn(command: &mut Command) -> Server {
    Server(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// The merchant's server: it hands back the body and the header that it got.
async fn merchant() -> String {
    let echo = async |request: Request| {
        let (head, body) = request.into_parts();
        let mut response = Response::new(Body::new(body));
        for name in ["content-type", "x-open-id"] {
            if let Some(value) = head.headers.get(name) {
                response.headers_mut().insert(axum::http::HeaderName::from_static(name), value.clone());
            }
        }
        response
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(echo))).await });
    addr
}

/// nginx as a plain proxy with connections that stay open.
fn nginx(folder: &Path, upstream: &str) -> (Server, String) {
    let (addr, dir) = (free_addr().unwrap(), folder.display());
    let conf = format!(
        "daemon off; master_process off; pid {dir}/nginx.pid; error_log {dir}/error.log;
         events {{ worker_connections 256; }}
         http {{
             access_log off; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;
             fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
             upstream merchant {{ server {upstream}; keepalive 64; }}
             server {{ listen {addr}; keepalive_requests 1000000;
                 location / {{ proxy_pass http://merchant; proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }}
         }}"
    );
    let path = folder.join("nginx.conf");
    fs::write(&path, conf).unwrap();
    let child = spawn(Command::new("nginx").arg("-p").arg(folder).arg("-c").arg(&path));
    (child, addr)
}

/// Users of `mall` who agree that it is told who they are in `coffee`; returns their OpenIDs in `mall` and the AppSecret of `mall`.
async fn users(scene: &Scene) -> (Vec<String>, String) {
    let Servers { app, .. } = scene.servers().await;
    let secret = scene.another("mall", &scene.team).await;
    scene.admin.put("/v1/mini-apps/coffee/partners/mall", json!(null)).await.good();
    let mut open_ids = Vec::with_capacity(USERS);
    for number in 0..USERS {
        let account = format!("user-{number}");
        open_ids.push(text(&scene.log_in(&app, "mall", &secret, &account).await["open_id"]));
        let said = json!({"account": account, "mini_app": "coffee", "partner": "mall"});
        app.post("/v1/host-apps/super-app/links", said).await.good();
    }
    (open_ids, secret)
}

/// The times of requests in milliseconds: half of them were faster, 99 of 100 were.
fn wrk(addr: &str, script: &Path) -> (f64, f64) {
    let duration = format!("-d{SECONDS}s");
    let out = Command::new("wrk")
        .args(["-t1", "-c1", "--latency", &duration, "-s"])
        .arg(script)
        .arg(format!("http://{addr}/"))
        .output();
    let out = out.expect("wrk could not be run: install it (Debian: apt-get install wrk nginx)");
    let out = String::from_utf8(out.stdout).unwrap();
    assert!(!out.contains("Non-2xx"), "{out}");
    let after = |name: &str| {
        let time = out.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap().trim();
        let (number, unit) = time.split_at(time.find(|c: char| c.is_alphabetic()).unwrap());
        number.parse::<f64>().unwrap() * if unit == "us" { 0.001 } else { 1.0 }
    };
    (after("50%"), after("99%"))
}

#[tokio::main]
async fn main() {
    let berth = std::env::args().nth(1).expect("usage: bench-swap path/to/berth");
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    let (open_ids, secret) = users(&scene).await;
    let (upstream, addr) = (merchant().await, free_addr().unwrap());
    let _ours = spawn(
        Command::new(&berth)
            .args(["swap", "mall", "--to", "coffee", "--upstream", &format!("http://{upstream}"), "--listen", &addr])
            .args(["--request", "header:x-open-id", "--request", "json:/user/open_id"])
            .args(["--answer", "header:x-open-id", "--answer", "json:/user/open_id"])
            .env("BERTH_SERVER", &scene.host.url)
            .env("BERTH_APP_SECRET", &secret),
    );
    let (_nginx, beside) = nginx(folder.path(), &upstream);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let list = open_ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    let head = format!(
        "local ids = {{{list}}}\nlocal turn = 0\nlocal function id() turn = turn % #ids + 1 return ids[turn] end\n"
    );
    let bodies = format!(
        "{{\"order\": [{}], \"user\": {{\"open_id\": \"' .. id() .. '\"}}}}",
        vec!["{\"sku\": 12345, \"count\": 1}"; 40].join(",")
    );
    for (row, request) in [
        ("swap-header", "function request() return wrk.format('GET', '/', {['X-Open-Id'] = id()}) end\n".to_owned()),
        (
            "swap-json-of-1-kB",
            format!(
                "function request() return wrk.format('POST', '/', {{['Content-Type'] = 'application/json'}}, '{bodies}') end\n"
            ),
        ),
    ] {
        let script = folder.path().join(format!("{row}.lua"));
        fs::write(&script, format!("{head}{request}")).unwrap();
        let (mut half, mut most) = (Readings::default(), Readings::default());
        for round in 0..=ROUNDS {
            let (us, them) = tokio::task::block_in_place(|| (wrk(&addr, &script), wrk(&beside, &script)));
            say(format!(
                "{row:18} berth p50 {:.3} ms p99 {:.3} ms   nginx p50 {:.3} ms p99 {:.3} ms",
                us.0, us.1, them.0, them.1
            ));
            if round > 0 {
                half.push(us.0, them.0);
                most.push(us.1, them.1);
            }
        }
        let load = format!("wrk -t1 -c1 -d{SECONDS}s, {USERS} users");
        say(half.row(&format!("{row}-p50"), "ms", &load));
        say(most.row(&format!("{row}-p99"), "ms", &load));
    }
}
