//! Lists of devices and accounts: those that are uploaded, and those that the host has already.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    paint::Paint,
    push::progress,
    session::Session,
    table::{Card, Cell},
};
use berth_base::ids::{CohortId, MiniAppId};
use berth_model::rollout::{ObjectKind, ObjectList, Reading, UploadedCohort};

/// The arguments of `berth gray upload-list`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  berth gray upload-list mp-shop testers.txt
  berth gray upload-list mp-shop customers.csv --column guid --name customers")]
pub struct Upload {
    /// The MiniApp
    pub app: MiniAppId,
    /// A text file with one guid, device id or account per line, in UTF-8; blank lines and duplicates are counted
    pub file: PathBuf,
    /// The name of the list; that of the file when absent
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub take: Take,
}

/// What of each line of a file is taken.
#[derive(Args, Clone, Debug, Default)]
pub struct Take {
    /// The column to take of a table such as a CSV file: its number from 1, or its heading
    #[arg(long, value_name = "NUMBER|HEADING")]
    pub column: Option<String>,
    /// Take every line as it is, even if it looks like a row of a table
    #[arg(long, conflicts_with = "column")]
    pub as_is: bool,
}

/// A list and what its members are, such as `guid=testers.txt` or `account=coh_01…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListChoice {
    /// What its members are.
    pub kind: ObjectKind,
    /// Where they are.
    pub from: ListFrom,
}

/// Where a list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListFrom {
    /// On the host.
    Uploaded(CohortId),
    /// In a file that is still to be uploaded.
    File(PathBuf),
}

impl std::str::FromStr for ListChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, from) = text.split_once('=').ok_or("expected KIND=FILE or KIND=coh_…, such as guid=devices.txt")?;
        let kind = kind.replace('-', "_").parse();
        let Some(kind) = kind.ok().filter(|_| !from.is_empty()) else {
            return Err(format!("{text:?}: expected guid, device-id or account, then = and a file or coh_…"));
        };
        let from = from.parse().map_or_else(|_| ListFrom::File(from.into()), ListFrom::Uploaded);
        Ok(Self { kind, from })
    }
}

/// Runs `berth gray upload-list`.
pub async fn run(client: &Client, session: &mut Session, args: Upload) -> Done {
    let answer = upload(client, session, &args.app, &args.file, args.name, &args.take).await?;
    session.out.show(&answer, |list: UploadedCohort, paint| view(&list, paint))
}

/// The lists as conditions, after those in files were uploaded.
pub async fn objects(
    client: &Client,
    session: &mut Session,
    app: &MiniAppId,
    lists: Vec<ListChoice>,
    take: &Take,
) -> Result<Vec<ObjectList>, Failure> {
    let mut objects = Vec::new();
    for ListChoice { kind, from } in lists {
        let id = match from {
            ListFrom::Uploaded(id) => id,
            ListFrom::File(path) => {
                let answer = upload(client, session, app, &path, None, take).await?;
                let list: UploadedCohort = read(&answer)?;
                let told = view(&list, &session.out.paint);
                session.out.note(format!("{told}\n"));
                list.cohort.id
            }
        };
        objects.push(ObjectList { kind, values: Vec::new(), cohort: Some(id) });
    }
    Ok(objects)
}

/// Streams a list to the host.
async fn upload(
    client: &Client,
    session: &Session,
    app: &MiniAppId,
    file: &Path,
    name: Option<String>,
    take: &Take,
) -> Result<Value, Failure> {
    let stem = || file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.unwrap_or_else(stem);
    let bar = progress(session, &name);
    let call = Call::post(format!("/v1/mini-apps/{app}/cohorts"))
        .query("name", Some(&name))
        .query("column", take.column.as_ref())
        .query("as_is", take.as_is.then_some(true));
    let sent = client.value(call.file(file, "text/plain; charset=utf-8", bar)).await;
    sent.map_err(|failure| with_column(failure, app, file))
}

/// Names the command that takes a column, after the refusal of a file that looks like a table.
fn with_column(mut failure: Failure, app: &MiniAppId, file: &Path) -> Failure {
    if let Failure::Refused(problem) = &mut failure
        && problem.kind == "cohort-invalid"
        && problem.fields.contains_key("lines")
    {
        let file = file.display();
        let upload = format!("berth gray upload-list {app} {file}");
        problem.next = Some(format!("{upload} --column 1 (or --column HEADING; or --as-is)"));
    }
    failure
}

/// The card of a list, with what the host counted in it and how it was read.
pub fn view(list: &UploadedCohort, paint: &Paint) -> String {
    let UploadedCohort { cohort, read } = list;
    let counted = format!("{} lines, {} blank, {} duplicate", cohort.lines, cohort.blanks, cohort.duplicates);
    let mut card = Card::default()
        .field("id", Cell::strong(&cohort.id))
        .field("name", cohort.name.as_str())
        .field("members", Cell::of(cohort.members))
        .field("counted", counted)
        .maybe("column", column(read))
        .field("begins", read.first.join(", "));
    for odd in &read.odd {
        card = card.field("looks odd", odd.to_string());
    }
    if read.more_odd > 0 {
        card = card.field("looks odd", format!("and {} more", read.more_odd));
    }
    card.render(paint)
}

fn column(read: &Reading) -> Option<String> {
    let number = read.column?;
    Some(read.heading.as_ref().map_or_else(|| number.to_string(), |heading| format!("{number}, {heading}")))
}
