//! Measures checks per second, when one grayscale policy is asked for each check. Beside it runs the limit: a bare axum
//! handler that parses the same JSON and answers a constant of the same size. Both run as processes of their own, in
//! turns, under the same wrk.
//!
//! `bench-check path/to/berth` measures; `bench-check --bare ADDR ANSWER` is the bare handler.

use std::{
    env,
    error::Error,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use axum::{Json, Router, http::header::CONTENT_TYPE, routing::post};
use serde_json::{Value, json};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const ROUNDS: usize = 5;
const SECONDS: u32 = 4;
const CONNECTIONS: u32 = 32;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("--bare") => bare(&arguments[2], arguments[3].clone()),
        Some(berth) => measure(Path::new(berth)),
        None => Err("usage: bench-check path/to/berth".into()),
    }
}

/// The fields of a check that the bare handler parses, as strictly as the host does.
#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "parsing them is the work")]
struct Question {
    host_app: String,
    guid: String,
    platform: String,
    os_version: String,
    network: String,
    apps: Vec<Having>,
}

#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "parsing them is the work")]
struct Having {
    mini_app: String,
    version: Option<String>,
}

/// Serves the bare handler, which shows the most that axum can do with such a request and such an answer.
fn bare(addr: &str, answer: String) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let answer: &'static str = Box::leak(answer.into_boxed_str());
        let handler = move |Json(_): Json<Question>| async move { ([(CONTENT_TYPE, "application/json")], answer) };
        let listener = tokio::net::TcpListener::bind(addr).await?;
        axum::serve(listener, Router::new().route("/v1/check", post(handler))).await?;
        Ok(())
    })
}

/// A child process that is killed when this value is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_addr() -> Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn spawn(command: &mut Command) -> Result<Server> {
    Ok(Server(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?))
}

/// Reads what `berth demo` prints up to the key of its host app, and returns the key.
fn key_of(server: &mut Server) -> Result<String> {
    use std::io::BufRead;
    let out = server.0.stdout.take().ok_or("no stdout")?;
    let lines = std::io::BufReader::new(out).lines();
    for line in lines {
        if let Some((_, rest)) = line?.split_once("X-Host-App-Key: ") {
            return Ok(rest.split('\'').next().unwrap_or_default().to_owned());
        }
    }
    Err("the demo ended before it was ready".into())
}

fn ask(addr: &str, key: &str, body: &Value) -> Result<String> {
    let curl = Command::new("curl")
        .args(["-sf", "-H", &format!("X-Host-App-Key: {key}"), "-H", "Content-Type: application/json", "-d"])
        .args([&body.to_string(), &format!("http://{addr}/v1/check")])
        .output()?;
    if curl.status.success() { Ok(String::from_utf8(curl.stdout)?) } else { Err("the check was refused".into()) }
}

/// Finds a device that the 50 % policy refuses, and what it is told. The policy judges such a device anew on every
/// check, while an admitted one is only looked up.
fn refused_device(addr: &str, key: &str) -> Result<(Value, String)> {
    for number in 0..64 {
        let question = json!({
            "host_app": "demo-app", "host_version": "3.2.1", "sdk_version": "1.0.0", "platform": "android",
            "os_version": "14", "guid": format!("bench-device-{number}"), "network": "wifi", "apps": [{"mini_app": "coffee"}],
        });
        let answer = ask(addr, key, &question)?;
        if answer.contains(r#""reason":"online""#) {
            return Ok((question, answer));
        }
    }
    Err("no device of 64 was refused by a policy of 50 %".into())
}

struct Reading {
    per_second: f64,
    p99: String,
}

fn wrk(addr: &str, script: &Path) -> Result<Reading> {
    let out = Command::new("wrk")
        .args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{SECONDS}s"), "--latency", "-s"])
        .arg(script)
        .arg(format!("http://{addr}/v1/check"))
        .output()
        .map_err(|error| format!("wrk could not be run ({error}). Install it (Debian: apt-get install wrk)."))?;
    let text = String::from_utf8(out.stdout)?;
    if text.contains("Non-2xx") {
        return Err(format!("some requests failed:\n{text}").into());
    }
    let after = |label: &str| text.lines().find_map(|line| line.trim().strip_prefix(label)).map(str::trim);
    let per_second = after("Requests/sec:").ok_or("wrk gave no rate")?.parse()?;
    Ok(Reading { per_second, p99: after("99%").unwrap_or("?").to_owned() })
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn wait_for(addr: &str) -> Result<()> {
    let start = Instant::now();
    while std::net::TcpStream::connect(addr).is_err() {
        if start.elapsed() > Duration::from_secs(10) {
            return Err("a server did not start".into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "its output is its purpose")]
fn measure(berth: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (ours, beside) = (free_addr()?, free_addr()?);
    let mut host =
        spawn(Command::new(berth).args(["demo", "--listen", &ours, "--data-dir"]).arg(folder.path().join("data")))?;
    let key = key_of(&mut host)?;
    let (question, answer) = refused_device(&ours, &key)?;
    let _limit = spawn(Command::new(env::current_exe()?).args(["--bare", &beside, &answer]))?;
    wait_for(&beside)?;
    let script = folder.path().join("post.lua");
    let body = question.to_string();
    fs::write(
        &script,
        format!(
            "wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.headers['X-Host-App-Key'] = '{key}'\n"
        ),
    )?;
    let (mut our_rates, mut their_rates) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (us, them) = (wrk(&ours, &script)?, wrk(&beside, &script)?);
        println!(
            "berth {:>9.0}/s p99 {:>8}   bare {:>9.0}/s p99 {:>8}{}",
            us.per_second,
            us.p99,
            them.per_second,
            them.p99,
            if round == 0 { "   (warm-up, not counted)" } else { "" }
        );
        if round > 0 {
            our_rates.push(us.per_second);
            their_rates.push(them.per_second);
        }
    }
    let spread = |rates: &[f64]| {
        let (low, high) =
            rates.iter().fold((f64::MAX, f64::MIN), |(low, high), rate| (low.min(*rate), high.max(*rate)));
        format!("{low:.0}..{high:.0}")
    };
    let (ours, beside) = (median(&mut our_rates), median(&mut their_rates));
    let commit =
        Command::new("git").args(["rev-parse", "--short", "HEAD"]).output().map(|out| out.stdout).unwrap_or_default();
    println!(
        "{}",
        json!({
            "bench": "check-one-policy", "ours": ours.round(), "beside": beside.round(), "ratio": (ours / beside * 100.0).round() / 100.0,
            "spread": {"ours": spread(&our_rates), "beside": spread(&their_rates)}, "unit": "req/s",
            "commit": String::from_utf8(commit)?.trim(), "load": format!("wrk -t1 -c{CONNECTIONS} -d{SECONDS}s"),
        })
    );
    Ok(())
}
