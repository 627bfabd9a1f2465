//! Lists of devices or accounts, uploaded as text, one a line (G4).
//!
//! Excel, Notepad and shell scripts all write such files, each in its way: a byte order mark, CRLF, blank lines,
//! spaces and duplicates are tolerated and counted.

use crate::blob::Blobs;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::{
    access::{Action, Caller},
    clock::Millis,
    error::{Code, Error, Result},
    event::kind,
    ids::{CohortId, Digest, MiniAppId},
    mini_app,
    store::Db,
    text,
};

/// Bytes that one list may have.
pub const MAX_COHORT_BYTES: usize = 64 * 1024 * 1024;
/// Distinct members that one list may have.
pub const MAX_COHORT_MEMBERS: usize = 1_000_000;
/// Lines with a member that one list may have: it is in memory while it is sorted.
const MAX_LINES: usize = 2 * MAX_COHORT_MEMBERS;
/// Bytes that one member may have.
const MAX_MEMBER: usize = 255;

/// An uploaded list.
#[derive(Clone, Debug, Deserialize, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Cohort {
    /// Names it in conditions and in configs of policies.
    pub id: CohortId,
    /// For people.
    pub name: String,
    /// Distinct members.
    #[sqlx(try_from = "i64")]
    pub members: u64,
    /// Lines of the file, the blank ones included.
    #[sqlx(try_from = "i64")]
    pub lines: u64,
    /// Blank lines.
    #[sqlx(try_from = "i64")]
    pub blanks: u64,
    /// Lines that said again what another line had said.
    #[sqlx(try_from = "i64")]
    pub duplicates: u64,
    /// SHA-256 of the members, sorted, one a line: equal for equal lists, whatever the files looked like.
    pub sha256: Digest,
    /// The account that uploaded it.
    pub created_by: String,
    /// When it was uploaded.
    pub created_at: Millis,
}

/// The members of a file, one after the other in one text: a million small allocations would take three times as much.
#[derive(Default)]
struct List {
    text: String,
    ends: Vec<u32>,
    lines: u64,
    blanks: u64,
}

/// Cuts chunks of bytes into lines.
#[derive(Default)]
struct Cutter {
    /// The line that the last chunk left open.
    open: Vec<u8>,
    list: List,
}

impl Cutter {
    fn push(&mut self, chunk: &[u8]) -> Result<()> {
        let mut parts = chunk.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            self.open.extend_from_slice(part);
            if parts.peek().is_some() {
                self.close()?;
            } else if self.open.len() > MAX_MEMBER + 16 {
                // Blanks around a member are rare; a file without line ends must not gather here.
                self.list.check_length(self.open.trim_ascii().len())?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let line = std::mem::take(&mut self.open);
        let done = self.list.add(&line);
        self.open = line;
        self.open.clear();
        done
    }

    fn finish(mut self) -> Result<List> {
        if !self.open.is_empty() {
            self.close()?;
        }
        Ok(self.list)
    }
}

impl List {
    fn refuse(&self, reason: impl std::fmt::Display) -> Error {
        Error::new(Code::CohortInvalid, format!("Line {}: {reason}", self.lines)).with("line", self.lines)
    }

    fn check_length(&self, length: usize) -> Result<()> {
        if length <= MAX_MEMBER {
            return Ok(());
        }
        Err(self.refuse(format!("more than {MAX_MEMBER} bytes. Write one guid, device id or account on each line.")))
    }

    fn add(&mut self, line: &[u8]) -> Result<()> {
        self.lines += 1;
        let line = if self.lines == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let member = std::str::from_utf8(line).map_err(|_| self.not_text(line))?.trim();
        if member.is_empty() {
            self.blanks += 1;
            return Ok(());
        }
        self.check_length(member.len())?;
        if self.ends.len() == MAX_LINES {
            let why = format!("more than {MAX_LINES} lines, duplicates counted. Split the list into several.");
            return Err(self.refuse(why));
        }
        if let Some(control) = member.chars().find(|c| c.is_control()) {
            return Err(self.refuse(format!("the control character U+{:04X}.", control as u32)));
        }
        self.text.push_str(member);
        self.ends.push(self.text.len() as u32);
        Ok(())
    }

    fn not_text(&self, line: &[u8]) -> Error {
        let utf16 = self.lines == 1 && (line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff"));
        let what = if utf16 { "this is UTF-16." } else { "this is not UTF-8." };
        self.refuse(format!("{what} Save the file as UTF-8 and upload it again."))
    }

    /// The members in byte order, each once.
    fn sorted(&self) -> Result<Vec<&str>> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|end| *end as usize));
        let mut members: Vec<_> = starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end as usize]).collect();
        members.sort_unstable();
        members.dedup();
        match members.len() {
            0 => Err(Error::new(Code::CohortInvalid, "The list has no members. Write one on each line.")),
            count if count > MAX_COHORT_MEMBERS => Err(Error::new(
                Code::CohortInvalid,
                format!(
                    "The list has {count} members, the limit is {MAX_COHORT_MEMBERS}. Split it into several lists."
                ),
            )
            .with("limit", MAX_COHORT_MEMBERS)),
            _ => Ok(members),
        }
    }
}

async fn read<E: Into<Error>>(body: impl Stream<Item = Result<Bytes, E>>) -> Result<List> {
    let (mut cutter, mut size) = (Cutter::default(), 0);
    let mut body = std::pin::pin!(body);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(Into::into)?;
        size += chunk.len();
        if size > MAX_COHORT_BYTES {
            let detail = format!("The list has more than {MAX_COHORT_BYTES} bytes, which is the limit. Split it.");
            return Err(Error::new(Code::BodyTooLarge, detail).with("limit", MAX_COHORT_BYTES));
        }
        cutter.push(&chunk)?;
    }
    cutter.finish()
}

/// The members as they are kept: sorted, one a line; and how many they are.
fn canonical(list: &List) -> Result<(Bytes, usize)> {
    let members = list.sorted()?;
    let mut text = String::with_capacity(list.text.len() + members.len());
    for member in &members {
        text.push_str(member);
        text.push('\n');
    }
    Ok((text.into(), members.len()))
}

/// Lists that are being uploaded to this host: each is in memory until it is kept.
static PLACES: Semaphore = Semaphore::const_new(8);

fn busy() -> Error {
    let detail = "Other lists are being uploaded. Try again in a moment.";
    Error::new(Code::TooManyRequests, detail).with("retry_after_seconds", 5)
}

/// Uploads a list for the conditions of a MiniApp's tasks.
///
/// # Errors
/// `cohort-invalid`, with the line; `body-too-large`; whatever the body ends with.
#[tracing::instrument(name = "cohort.upload", skip_all, fields(mini_app = %mini_app))]
pub async fn upload_cohort<E: Into<Error>>(
    db: &Db,
    blobs: &Blobs,
    caller: &Caller,
    mini_app: &MiniAppId,
    name: &str,
    body: impl Stream<Item = Result<Bytes, E>>,
) -> Result<Cohort> {
    let name = text::name("name", name, 64)?;
    mini_app::authorise(&mut db.read().await?, caller, mini_app, Action::Release).await?;
    let _place = PLACES.try_acquire().map_err(|_| busy())?;
    let list = read(body).await?;
    let (lines, blanks, entries) = (list.lines, list.blanks, list.ends.len() as u64);
    let (members, count) = tokio::task::spawn_blocking(move || canonical(&list)).await.map_err(Error::internal)??;
    let now = db.now();
    let cohort = Cohort {
        id: CohortId::generate(now, db.random()),
        name,
        members: count as u64,
        lines,
        blanks,
        duplicates: entries - count as u64,
        sha256: blobs.keep_bytes(members).await?,
        created_by: caller.account.to_string(),
        created_at: now,
    };
    store(db, caller, mini_app, &cohort).await?;
    Ok(cohort)
}

async fn store(db: &Db, caller: &Caller, mini_app: &MiniAppId, cohort: &Cohort) -> Result<()> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, mini_app, Action::Release).await?;
    tx.insert_cohort(mini_app, cohort).await?;
    tx.tell(kind::COHORT_CREATED, &cohort.id, &cohort.created_by, cohort).for_mini_app(mini_app);
    tx.commit().await
}

/// The lists of a MiniApp, newest first.
pub async fn cohorts(db: &Db, caller: &Caller, mini_app: &MiniAppId) -> Result<Vec<Cohort>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, mini_app, Action::Read).await?;
    tx.cohorts(mini_app).await
}
