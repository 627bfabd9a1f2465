//! Cohorts: lists of devices or accounts, uploaded as text with one member on each line (G4).
//!
//! Such files come from Excel, Notepad and shell scripts. A byte order mark, CRLF, blank lines, surrounding spaces and
//! duplicates are therefore tolerated, and blank lines and duplicates are counted.

use berth_base::{
    error::{Code, Error, Result},
    ids::{CohortId, MiniAppId},
    text,
};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    rollout::{Cohort, Reader, Take, UploadedCohort},
};
use berth_store::{Db, blob::Blobs};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::Semaphore;

use crate::mini_app;

/// Size of an uploaded list in bytes, at most.
pub const MAX_COHORT_BYTES: usize = 64 * 1024 * 1024;

/// Distinct members of one list, at most.
pub const MAX_COHORT_MEMBERS: usize = 1_000_000;

/// Lines of one list that have a member, at most: all of them are in memory while they are sorted.
const MAX_LINES: usize = 2 * MAX_COHORT_MEMBERS;

/// Length of one member in bytes, at most.
const MAX_MEMBER: usize = 255;

/// Length of one row of a table in bytes, at most.
const MAX_ROW: usize = 64 * 1024;

/// Length in bytes of a line whose end is still to come, the blanks around it included, at most.
const MAX_OPEN: usize = 2 * MAX_ROW;

/// The members of a file, one after the other in one string, which takes a third of the memory of a million strings.
struct List {
    text: String,
    ends: Vec<u32>,
    lines: u64,
    blanks: u64,
    reader: Reader,
}

/// Cuts the chunks of an upload into lines.
struct Cutter {
    /// The start of a line whose end is still to come.
    open: Vec<u8>,
    list: List,
}

impl Cutter {
    fn new(take: Take) -> Self {
        let list = List { text: String::new(), ends: Vec::new(), lines: 0, blanks: 0, reader: Reader::new(take) };
        Self { open: Vec::new(), list }
    }

    fn push(&mut self, chunk: &[u8]) -> Result<()> {
        let mut parts = chunk.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            self.open.extend_from_slice(part);
            if parts.peek().is_some() {
                self.close()?;
            } else if self.open.len() > self.list.longest() + 16 {
                self.check_open()?;
            }
        }
        Ok(())
    }

    /// A file without line ends must not gather here. Blanks around a member are rare; they are looked through with each
    /// chunk, so that there is a limit of them, too.
    fn check_open(&self) -> Result<()> {
        let (line, longest) = (self.list.lines + 1, self.list.longest());
        check_length(line, self.open.len(), MAX_OPEN)?;
        check_length(line, self.open.trim_ascii().len(), longest)
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

fn refused(line: u64, reason: impl std::fmt::Display) -> Error {
    Error::new(Code::CohortInvalid, format!("Line {line}: {reason}")).with("line", line)
}

fn check_length(line: u64, length: usize, most: usize) -> Result<()> {
    if length <= most {
        return Ok(());
    }
    let cure = "Write one guid, device id or account on each line; of a table, name the column to take: column=1.";
    Err(refused(line, format!("more than {most} bytes. {cure}")))
}

impl List {
    fn refuse(&self, reason: impl std::fmt::Display) -> Error {
        refused(self.lines, reason)
    }

    /// Length of a line in bytes, at most.
    fn longest(&self) -> usize {
        if self.reader.takes_column() { MAX_ROW } else { MAX_MEMBER }
    }

    fn add(&mut self, line: &[u8]) -> Result<()> {
        self.lines += 1;
        let line = if self.lines == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let text = std::str::from_utf8(line).map_err(|_| self.not_text(line))?.trim();
        if text.is_empty() {
            self.blanks += 1;
            return Ok(());
        }
        check_length(self.lines, text.len(), self.longest())?;
        let Some(member) = self.reader.member(self.lines, text)? else { return Ok(()) };
        if member.is_empty() {
            self.blanks += 1;
            return Ok(());
        }
        check_length(self.lines, member.len(), MAX_MEMBER)?;
        if self.ends.len() == MAX_LINES {
            let why = format!("more than {MAX_LINES} lines, duplicates counted. Split the list into several.");
            return Err(self.refuse(why));
        }
        if let Some(control) = member.chars().find(|c| c.is_control()) {
            return Err(self.refuse(format!("the control character U+{:04X}.", control as u32)));
        }
        self.text.push_str(&member);
        self.ends.push(self.text.len() as u32);
        Ok(())
    }

    fn not_text(&self, line: &[u8]) -> Error {
        let utf16 = self.lines == 1 && (line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff"));
        let what = if utf16 { "this is UTF-16." } else { "this is not UTF-8." };
        self.refuse(format!("{what} Save the file as UTF-8 and upload it again."))
    }

    /// The distinct members in byte order.
    ///
    /// # Errors
    /// `cohort-invalid` when there are none, or too many.
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

async fn read<E: Into<Error>>(body: impl Stream<Item = Result<Bytes, E>>, take: Take) -> Result<List> {
    let (mut cutter, mut size) = (Cutter::new(take), 0);
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

/// The members as they are stored (sorted, one on each line), and their number.
fn canonical(list: &List) -> Result<(Bytes, usize)> {
    let members = list.sorted()?;
    let mut text = String::with_capacity(list.text.len() + members.len());
    for member in &members {
        text.push_str(member);
        text.push('\n');
    }
    Ok((text.into(), members.len()))
}

/// Limits the uploads that this host reads at a time, because each is in memory until it is stored.
static PLACES: Semaphore = Semaphore::const_new(8);

fn busy() -> Error {
    let detail = "Other lists are being uploaded. Try again in a moment.";
    Error::new(Code::TooManyRequests, detail).retry_after(5)
}

/// Stores an uploaded list, for the conditions and policies of a MiniApp's gray tasks. The caller must be allowed to
/// release versions of the MiniApp.
///
/// # Errors
/// `cohort-invalid`, with the line, for what is not a list, and with the lines for what looks like a table (G17); `body-too-large`; `too-many-requests` while 8 others are
/// being uploaded to this host; `invalid-field` for the name; `not-found` and `missing-grant`; the error of the body,
/// when it ends with one.
#[tracing::instrument(name = "cohort.upload", skip_all, fields(mini_app = %mini_app))]
pub async fn upload_cohort<E: Into<Error>>(
    db: &Db,
    blobs: &Blobs,
    caller: &Caller,
    mini_app: &MiniAppId,
    name: &str,
    take: Take,
    body: impl Stream<Item = Result<Bytes, E>>,
) -> Result<UploadedCohort> {
    let name = text::name("name", name, 64)?;
    mini_app::authorise(&mut db.read().await?, caller, mini_app, Action::Release).await?;
    let _place = PLACES.try_acquire().map_err(|_| busy())?;
    let mut list = read(body, take).await?;
    let read = list.reader.finish()?;
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
        sha256: blobs.keep_bytes(members.clone()).await?,
        created_by: caller.account.to_string(),
        created_at: now,
    };
    store(db, caller, mini_app, &cohort).await?;
    blobs.keep_bytes_still(members).await?;
    Ok(UploadedCohort { cohort, read })
}

async fn store(db: &Db, caller: &Caller, mini_app: &MiniAppId, cohort: &Cohort) -> Result<()> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, mini_app, Action::Release).await?;
    tx.insert_cohort(mini_app, cohort).await?;
    tx.tell(kind::COHORT_CREATED, &cohort.id, &cohort.created_by, cohort).for_mini_app(mini_app);
    tx.commit().await
}

/// All lists of a MiniApp, newest first, for a caller who may read the MiniApp.
pub async fn cohorts(db: &Db, caller: &Caller, mini_app: &MiniAppId) -> Result<Vec<Cohort>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, mini_app, Action::Read).await?;
    tx.cohorts(mini_app).await
}
