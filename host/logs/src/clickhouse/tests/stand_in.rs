//! A server that misbehaves: it answers each request as a test says, as far as it says.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What is done with a request.
#[derive(Clone, Debug)]
pub enum Does {
    /// Answers with a status and a body.
    Answers(u16, String),
    /// Answers as an old server does to which no tables and no entries are new.
    Well,
    /// Announces a longer body than it sends, and closes the connection.
    Half(String),
    /// Closes the connection without an answer.
    Closes,
    /// Says nothing.
    Hangs,
}

type Plan = Box<dyn FnMut(&str) -> Does + Send>;

/// The stand-in; it ends when the value is dropped.
pub struct StandIn {
    pub url: String,
    /// How many requests there were.
    pub asked: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Begins to answer: `plan` sees the first line and the body of each request.
pub async fn stand_in(plan: impl FnMut(&str) -> Does + Send + 'static) -> StandIn {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://berth:canary@{}/logs", listener.local_addr().unwrap());
    let (plan, asked) = (Arc::new(Mutex::new(Box::new(plan) as Plan)), Arc::new(AtomicUsize::new(0)));
    let count = asked.clone();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (plan, count) = (plan.clone(), count.clone());
            tokio::spawn(async move {
                let _ = serve(stream, plan, &count).await;
            });
        }
    });
    StandIn { url, asked, task }
}

async fn serve(mut stream: TcpStream, plan: Arc<Mutex<Plan>>, count: &AtomicUsize) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let request = loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0_usize) {
            break format!("{} {body}", head.lines().next().unwrap_or_default());
        }
    };
    count.fetch_add(1, Ordering::SeqCst);
    let does = (plan.lock().unwrap())(&request);
    let (status, body, length) = match does {
        Does::Hangs => return std::future::pending().await,
        Does::Closes => return Ok(()),
        Does::Well => {
            let body = well(&request);
            (200, body.clone(), body.len())
        }
        Does::Answers(status, body) => (status, body.clone(), body.len()),
        Does::Half(body) => (200, body.clone(), body.len() + 100),
    };
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await
}

/// The rows of an answer, as a server gives them.
pub fn rows(rows: &str) -> String {
    let count = serde_json::from_str::<Vec<serde_json::Value>>(rows).unwrap().len();
    format!(r#"{{"meta":[],"data":{rows},"rows":{count},"statistics":{{"elapsed":0.1,"rows_read":1,"bytes_read":1}}}}"#)
}

fn well(request: &str) -> String {
    match request {
        text if text.contains("version()") => rows(r#"[["18.16.1", 1900000000]]"#),
        text if text.contains("max(id)") => rows("[[0]]"),
        text if text.contains("system.parts") => rows(r#"[["21990", 1000]]"#),
        text if text.contains("SELECT") && text.contains("FORMAT JSONCompact") => rows("[]"),
        _ => String::new(),
    }
}
