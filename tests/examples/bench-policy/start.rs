//! The start of a host with many installed policies, all of them compiled before, beside that of a host without.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use berth_tests::{
    bench::{Server, say},
    guests::{self, Manner},
};
use reqwest::Client;

use super::{Counts, Result, Row, millis};

/// A host that has said where it serves.
struct Running {
    _server: Server,
    url: String,
    token: Option<String>,
}

/// Starts a host on the data of this folder, and reads what it prints up to its address and, at the first start, its token.
fn serve(berth: &str, data: &Path, first: bool) -> Result<Running> {
    let mut command = Command::new(berth);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
    let mut server = Server(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?);
    let mut lines = BufReader::new(server.0.stdout.take().ok_or("no stdout")?).lines();
    let (mut url, mut token) = (None, None);
    while url.is_none() || (first && token.is_none()) {
        let line = lines.next().ok_or("the host ended before it was ready")??;
        if let Some(address) = line.strip_prefix("Berth serves on ") {
            url = Some(address.to_owned());
        } else if line.trim().starts_with("berth_") {
            token = Some(line.trim().to_owned());
        }
    }
    // What it still prints must find a reader.
    std::thread::spawn(move || lines.for_each(drop));
    Ok(Running { _server: server, url: url.ok_or("no address")?, token })
}

async fn ready(client: &Client, url: &str) -> Result<()> {
    let start = Instant::now();
    while !client.get(format!("{url}/readyz")).send().await.is_ok_and(|answer| answer.status().is_success()) {
        if start.elapsed() > Duration::from_secs(120) {
            return Err("the host was not ready within two minutes".into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// Installs small policies of all kinds.
async fn install(client: &Client, host: &Running, count: usize) -> Result<()> {
    let kinds = [guests::auditor, guests::grayscale, guests::guard];
    for number in 0..count {
        let wasm = kinds[number % kinds.len()](&format!("policy-{number}"), Manner::Agrees);
        let request = client.post(format!("{}/v1/policies", host.url)).header("Content-Type", "application/wasm");
        let answer = request.bearer_auth(host.token.as_deref().unwrap_or_default()).body(wasm).send().await?;
        if !answer.status().is_success() {
            return Err(format!("policy {number} was refused: {}", answer.text().await?).into());
        }
        if (number + 1) % 100 == 0 {
            say(format!("{} of {count} policies are installed", number + 1));
        }
    }
    Ok(())
}

/// Milliseconds until a host is ready.
async fn start(client: &Client, berth: &str, data: &Path) -> Result<f64> {
    let begin = Instant::now();
    let host = serve(berth, data, false)?;
    ready(client, &host.url).await?;
    Ok(millis(begin.elapsed()))
}

pub async fn measure(berth: &str, counts: &Counts) -> Result<()> {
    // One of them has no policies but those that come with Berth.
    let (full, empty, client) = (tempfile::tempdir()?, tempfile::tempdir()?, Client::new());
    for (folder, policies) in [(&full, counts.policies), (&empty, 0)] {
        let host = serve(berth, folder.path(), true)?;
        ready(&client, &host.url).await?;
        install(&client, &host, policies).await?;
    }
    let load = format!("until /readyz answers, {} policies installed and compiled; goal ≤ 2,000 ms", counts.policies);
    let mut row = Row::new("start-with-policies", "ms", load);
    for round in 0..=counts.rounds {
        let (ours, beside) = (start(&client, berth, full.path()).await?, start(&client, berth, empty.path()).await?);
        row.note(round, ours, beside);
    }
    row.end();
    Ok(())
}
