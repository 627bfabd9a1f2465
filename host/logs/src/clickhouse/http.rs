//! Requests to ClickHouse's HTTP interface. Every one has an end in time, and an answer counts only when it is whole.

use std::{fmt, time::Duration};

use anyhow::anyhow;
use berth_base::error::{Code, Error, Result};
use reqwest::{Client, Response, header::HeaderValue};
use serde::{Deserialize, de::DeserializeOwned};

use super::{address::Address, schema::Abilities};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(2);
/// How much longer a request is waited for than the server may work at it.
const GRACE: Duration = Duration::from_millis(250);
/// How many bytes of a refusal are read.
const SAID: usize = 4096;

/// Settings of every request: an answer begins when its work is done, so that a failure has a status of its own; and whole
/// numbers are numbers.
const SETTINGS: [(&str, &str); 2] = [("wait_end_of_query", "1"), ("output_format_json_quote_64bit_integers", "0")];

/// Asks one server about one database.
pub struct Http {
    client: Client,
    address: Address,
    user: Option<HeaderValue>,
    password: Option<HeaderValue>,
    abilities: Abilities,
}

/// Why there is no answer.
pub enum Failure {
    /// It did not come in time.
    Late,
    /// The server refused, with the number of its exception; 0 when it named none.
    Refused(u32),
    /// The server cannot be reached, or broke off, or answered what it never answers.
    Broken(anyhow::Error),
}

/// The rows that a SELECT has found.
pub struct Rows<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// How many rows were read to find them.
    pub read: u64,
}

#[derive(Deserialize)]
struct Table<R> {
    data: Vec<R>,
    rows: usize,
    statistics: Statistics,
}

#[derive(Deserialize)]
struct Statistics {
    rows_read: u64,
}

impl Http {
    /// A client of the server at this address.
    pub fn new(address: Address) -> Result<Self> {
        // Fails only when a provider is installed already, which is then the one that is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A redirect would carry the password elsewhere.
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT).no_proxy();
        let client = client.build().map_err(Error::internal)?;
        let user = address.user.as_deref().map(secret_header).transpose()?;
        let password = address.password.as_ref().map(|password| secret_header(password.expose())).transpose()?;
        Ok(Self { client, address, user, password, abilities: Abilities { is_modern: false } })
    }

    /// The same for a server that can do this.
    pub fn with(self, abilities: Abilities) -> Self {
        Self { abilities, ..self }
    }

    /// What the server can do.
    pub fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// The database in which the tables are.
    pub fn database(&self) -> &str {
        &self.address.database
    }

    /// Reads rows, whose columns have the order of the members of `R`.
    pub async fn select<R: DeserializeOwned>(&self, sql: &str, patience: Duration) -> Result<Rows<R>, Failure> {
        let body = self.ask(None, format!("{sql} FORMAT JSONCompact"), patience).await?;
        let table: Table<R> = serde_json::from_str(&body)
            .map_err(|error| Failure::Broken(anyhow!("an answer could not be read: {:?}", error.classify())))?;
        if table.rows != table.data.len() {
            return Err(Failure::Broken(anyhow!("an answer names {} rows and has {}", table.rows, table.data.len())));
        }
        Ok(Rows { rows: table.data, read: table.statistics.rows_read })
    }

    /// Runs a statement that answers nothing.
    pub async fn run(&self, sql: &str, patience: Duration) -> Result<(), Failure> {
        nothing(&self.ask(None, sql.to_owned(), patience).await?)
    }

    /// Inserts lines of JSON into a table. Once it answers, they are stored, and every SELECT that begins sees them.
    pub async fn insert(&self, table: &str, lines: String, patience: Duration) -> Result<(), Failure> {
        let sql = format!("INSERT INTO {table} FORMAT JSONEachRow");
        nothing(&self.ask(Some(&sql), lines, patience).await?)
    }

    async fn ask(&self, query: Option<&str>, body: String, patience: Duration) -> Result<String, Failure> {
        let mut url = self.address.server.clone();
        // The server counts in whole seconds, and 0 is for ever.
        let seconds = patience.as_secs_f64().ceil().max(1.0).to_string();
        url.query_pairs_mut()
            .append_pair("database", &self.address.database)
            .append_pair("max_execution_time", &seconds)
            .extend_pairs(SETTINGS)
            .extend_pairs(self.abilities.settings())
            .extend_pairs(query.map(|query| ("query", query)));
        let mut request = self.client.post(url).timeout(patience.saturating_add(GRACE)).body(body);
        for (name, value) in [("X-ClickHouse-User", &self.user), ("X-ClickHouse-Key", &self.password)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let answer = request.send().await?;
        if !answer.status().is_success() {
            return Err(refused(answer).await);
        }
        Ok(answer.text().await?)
    }
}

fn secret_header(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(Error::internal)?;
    value.set_sensitive(true);
    Ok(value)
}

/// An INSERT and a change of tables answer nothing; whatever says something else is not the server, or it says that it failed.
fn nothing(answer: &str) -> Result<(), Failure> {
    match answer.trim().is_empty() {
        true => Ok(()),
        false => {
            Err(exception(answer)
                .unwrap_or_else(|| Failure::Broken(anyhow!("something else than ClickHouse answered"))))
        }
    }
}

async fn refused(mut answer: Response) -> Failure {
    let status = answer.status();
    let mut said = Vec::new();
    while let (Ok(Some(chunk)), true) = (answer.chunk().await, said.len() < SAID) {
        said.extend_from_slice(&chunk);
    }
    let said = String::from_utf8_lossy(&said);
    exception(&said)
        .unwrap_or_else(|| Failure::Broken(anyhow!("the answer was {status}, and no exception of ClickHouse")))
}

/// Only the number is taken from what a server says: the rest may repeat what was asked for, or what was to be stored.
fn exception(said: &str) -> Option<Failure> {
    let number = said.trim_start().strip_prefix("Code: ")?;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    match number[..digits].parse().ok()? {
        TIMEOUT_EXCEEDED => Some(Failure::Late),
        code => Some(Failure::Refused(code)),
    }
}

const TIMEOUT_EXCEEDED: u32 = 159;

/// What some exceptions mean, and what to do about them.
fn meaning(code: u32) -> &'static str {
    match code {
        60 => "A table is missing there: start the host anew, which makes it.",
        81 => "There is no such database: make it (CREATE DATABASE), or name another one in --log-url.",
        164 | 497 => {
            "The user may not do this: give it SELECT, INSERT, ALTER, CREATE TABLE and CREATE VIEW on the database."
        }
        192..=194 | 516 => "The server takes neither this user nor password: look at --log-url.",
        202 => "The server has too many queries at a time.",
        241 => "The server has no memory for it: ask for less, or raise max_memory_usage.",
        252 => "The server is behind with its merges.",
        359 => "The day is larger than the server drops: raise max_partition_size_to_drop there.",
        _ => "The server's own log says why.",
    }
}

/// Exceptions that say that a disk is full.
const FULL: [u32; 2] = [243, 1001];

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() && !error.is_connect() {
            return Self::Late;
        }
        Self::Broken(error.without_url().into())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => f.write_str("late"),
            Self::Refused(code) => write!(f, "exception {code}"),
            Self::Broken(why) => write!(f, "{why:#}"),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Late => Self::new(Code::Unavailable, "The log store did not answer in time."),
            Failure::Refused(code) if FULL.contains(&code) => {
                Self::new(Code::StorageFull, "The log store has no room left.").caused_by(anyhow!("exception {code}"))
            }
            Failure::Refused(code) => {
                let text = format!("The log store refused (ClickHouse's exception {code}). {}", meaning(code));
                Self::new(Code::Unavailable, text)
            }
            Failure::Broken(why) => {
                let text = "The log store cannot be reached, or broke off.";
                Self::new(Code::Unavailable, text).caused_by(why)
            }
        }
    }
}
