//! Measures checks per second: of a MiniApp without a gray task, when one grayscale policy is asked for each check, in an instance
//! that serves many of them and in one of its own, when six are asked, and of 50 MiniApps at once. Beside each runs the limit: a bare axum handler that parses the same JSON and answers a constant
//! of the same size. Both run as processes of their own, in turns, under the same wrk.
//!
//! `bench-check path/to/berth` measures; `bench-check --bare ADDR ANSWER` is the bare handler.

use std::{
    env,
    error::Error,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use axum::{Json, Router, http::header::CONTENT_TYPE, routing::post};
use berth_tests::bench::{Readings, Server, free_addr, say};
use serde_json::{Value, json};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const ROUNDS: usize = 5;
const SECONDS: u32 = 4;
const CONNECTIONS: u32 = 32;
/// How many MiniApps the largest question is about.
const BATCH: usize = 50;

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

fn spawn(command: &mut Command) -> Result<Server> {
    Ok(Server(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?))
}

/// Reads what `berth demo` prints up to the key of its host app, and returns the key. What it prints afterwards is read
/// too: a host whose output nobody takes ends.
fn key_of(server: &mut Server) -> Result<String> {
    let mut lines = BufReader::new(server.0.stdout.take().ok_or("no stdout")?).lines();
    let key = loop {
        let line = lines.next().ok_or("the demo ended before it was ready")??;
        if let Some((_, rest)) = line.split_once("X-Host-App-Key: ") {
            break rest.split('\'').next().unwrap_or_default().to_owned();
        }
    };
    std::thread::spawn(move || lines.for_each(drop));
    Ok(key)
}

fn ask(addr: &str, key: &str, body: &Value) -> Result<String> {
    let curl = Command::new("curl")
        .args(["-sf", "-H", &format!("X-Host-App-Key: {key}"), "-H", "Content-Type: application/json", "-d"])
        .args([&body.to_string(), &format!("http://{addr}/v1/check")])
        .output()?;
    if curl.status.success() { Ok(String::from_utf8(curl.stdout)?) } else { Err("the check was refused".into()) }
}

/// What one row asks, and the answer to it.
struct Row {
    name: &'static str,
    question: Value,
    answer: String,
}

impl Row {
    fn of(name: &'static str, addr: &str, key: &str, question: Value) -> Result<Self> {
        Ok(Self { name, answer: ask(addr, key, &question)?, question })
    }
}

fn question<'a>(guid: &str, mini_apps: impl IntoIterator<Item = &'a str>) -> Value {
    let apps: Vec<_> = mini_apps.into_iter().map(|id| json!({"mini_app": id})).collect();
    json!({
        "host_app": "demo-app", "host_version": "3.2.1", "sdk_version": "1.0.0", "platform": "android",
        "os_version": "14", "guid": guid, "network": "wifi", "apps": apps,
    })
}

/// Asks as a device that the 50 % policy of this MiniApp's task refuses. The policy judges such a device anew on every check,
/// while an admitted one is only looked up.
fn refused_by_a_policy(name: &'static str, addr: &str, key: &str, mini_app: &str) -> Result<Row> {
    for number in 0..64 {
        let row = Row::of(name, addr, key, question(&format!("bench-device-{number}"), [mini_app]))?;
        if row.answer.contains(r#""reason":"online""#) {
            return Ok(row);
        }
    }
    Err("no device of 64 was refused by a policy of 50 %".into())
}

/// The command line of the host under test, as its admin.
struct Admin<'a> {
    berth: &'a Path,
    server: String,
    token: String,
    folder: PathBuf,
}

impl<'a> Admin<'a> {
    fn new(berth: &'a Path, addr: &str, folder: &Path) -> Result<Self> {
        let out = Command::new(berth).args(["admin", "token", "--data-dir"]).arg(folder.join("data")).output()?;
        let token = String::from_utf8(out.stdout)?.trim().to_owned();
        Ok(Self { berth, server: format!("http://{addr}"), token, folder: folder.to_owned() })
    }

    fn run(&self, words: &str) -> Result<()> {
        let mut command = Command::new(self.berth);
        command.args(words.split(' ')).env("BERTH_SERVER", &self.server).env("BERTH_TOKEN", &self.token);
        let out = command.output()?;
        if out.status.success() {
            return Ok(());
        }
        Err(format!("berth {words}: {}", String::from_utf8_lossy(&out.stderr)).into())
    }

    /// Publishes a MiniApp that has no gray task.
    fn publish(&self, id: &str) -> Result<()> {
        self.run(&format!("app create {id} --id {id}"))?;
        self.run(&format!("host-app bind demo-app {id}"))?;
        self.approve(id, "1.0.0")?;
        self.run(&format!("version publish {id} 1.0.0"))
    }

    /// Publishes a MiniApp and starts a gray task with these options.
    fn release(&self, id: &str, options: &str) -> Result<()> {
        self.publish(id)?;
        self.approve(id, "1.1.0")?;
        self.run(&format!("gray create {id} --name bench --version 1.1.0 --for 1d {options}"))
    }

    fn approve(&self, id: &str, version: &str) -> Result<()> {
        let package = format!("{}/{id}_{version}.apkg", self.folder.display());
        self.run(&format!("pack packages/coffee/{version} --id {id} --out {package}"))?;
        self.run(&format!("push {package} --submit --wait"))?;
        self.run(&format!("version decide {id} {version} --host-app demo-app --approve"))
    }
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

fn measure(berth: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let addr = free_addr()?;
    let mut host =
        spawn(Command::new(berth).args(["demo", "--listen", &addr, "--data-dir"]).arg(folder.path().join("data")))?;
    let key = key_of(&mut host)?;
    let admin = Admin::new(berth, &addr, folder.path())?;
    let plain: Vec<_> = (0..BATCH).map(|number| format!("plain-{number}")).collect();
    plain.iter().try_for_each(|id| admin.publish(id))?;
    admin.release("fresh", "--percent 50 --limits percentage={\"judgements_per_instance\":1}")?;
    // Five that admit everybody, and the one that refuses after them.
    let five: String = (1..6).map(|at| format!("--policy all-{at}:percentage={{\"percent\":100}} ")).collect();
    admin.release("six", &format!("{five}--policy half:percentage={{\"percent\":50}}"))?;
    std::thread::sleep(Duration::from_secs(2)); // the index follows within one
    let all = question("bench-device", plain.iter().map(String::as_str));
    for row in [
        Row::of("check-no-policy", &addr, &key, question("bench-device", ["plain-0"]))?,
        refused_by_a_policy("check-one-policy", &addr, &key, "coffee")?,
        refused_by_a_policy("check-fresh-instance", &addr, &key, "fresh")?,
        refused_by_a_policy("check-six-policies", &addr, &key, "six")?,
        Row::of("check-batch-of-50", &addr, &key, all)?,
    ] {
        read(&row, &addr, &key, folder.path())?;
    }
    Ok(())
}

/// Measures one row, and prints it.
fn read(row: &Row, addr: &str, key: &str, folder: &Path) -> Result<()> {
    let beside = free_addr()?;
    let _limit = spawn(Command::new(env::current_exe()?).args(["--bare", &beside, &row.answer]))?;
    wait_for(&beside)?;
    let (script, body) = (folder.join("post.lua"), &row.question);
    fs::write(
        &script,
        format!(
            "wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.headers['X-Host-App-Key'] = '{key}'\n"
        ),
    )?;
    let mut readings = Readings::default();
    for round in 0..=ROUNDS {
        let (us, them) = (wrk(addr, &script)?, wrk(&beside, &script)?);
        say(format!(
            "{:<20} berth {:>9.0}/s p99 {:>8}   bare {:>9.0}/s p99 {:>8}{}",
            row.name,
            us.per_second,
            us.p99,
            them.per_second,
            them.p99,
            if round == 0 { "   (warm-up, not counted)" } else { "" }
        ));
        if round > 0 {
            readings.push(us.per_second, them.per_second);
        }
    }
    say(readings.row(row.name, "req/s", &format!("wrk -t1 -c{CONNECTIONS} -d{SECONDS}s")));
    Ok(())
}
