//! `berth gray`: grayscale releases.

use clap::{Args, Subcommand};

use super::{
    call::Call, client::Client, failure::Done, gray_create::Create, gray_edit::Edit, gray_lists::Upload,
    gray_record::Record, gray_view::admitted, handle::task_id, paint::state, session::Session, table::Cell,
};
use crate::{gray_create, gray_edit, gray_lists, gray_record, gray_view as view};
use berth_base::ids::MiniAppId;
use berth_model::rollout::{GrayTask, Note, Progress, State};

/// The subcommands of `berth gray`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth gray create mp-shop --name canary --version 1.3.0 --for 7d --percent 10
  berth gray create mp-shop --name beta --version 1.3.0 --end 2030-01-31T08:00:00Z --max-users 500 \\
      --host-app ha-super:3.0.0.. --platform android:12.. --list guid=testers.txt
  berth gray edit mp-shop/canary --percent 30 --note \"no crashes for a day\"
  berth gray suspend mp-shop/canary --note \"crash reports\"
  berth gray list --state delivering
  berth gray progress gray_01…

A task is given by its id, or by its MiniApp and its name, MINI_APP/NAME.")]
pub enum Gray {
    /// Start a grayscale release of an approved version
    Create(Box<Create>),
    /// List tasks, newest first
    List(Which),
    /// Show a task, its conditions in words, and the history of its states
    Show {
        /// The grayscale task: its id, or MINI_APP/NAME
        task: String,
    },
    /// Admit no new devices for now, and do not start
    Suspend(ByHand),
    /// Admit new devices again, or wait for the start again
    Resume(ByHand),
    /// End a task: its devices return to the online version
    End(ByHand),
    /// Show how many devices were offered, downloaded, run and failed, and why they failed
    Progress {
        /// The grayscale task: its id, or MINI_APP/NAME
        task: String,
    },
    /// Change a task before its start, and widen it afterwards
    Edit(Box<Edit>),
    /// Upload a list of devices or accounts for later tasks
    UploadList(Upload),
    /// Record which devices ask, without their names, to replay grayscale policies on them
    Record(Record),
}

/// Which tasks to list.
#[derive(Args, Debug)]
pub struct Which {
    /// Only those of this MiniApp
    app: Option<MiniAppId>,
    /// Only those in this state: pending, delivering, suspended or ended
    #[arg(long)]
    state: Option<State>,
}

/// A change of a task's state by hand.
#[derive(Args, Debug)]
pub struct ByHand {
    /// The grayscale task: its id, or MINI_APP/NAME
    pub task: String,
    /// Why, for the history
    #[arg(long, default_value = "")]
    pub note: String,
}

pub async fn run(command: Gray, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Gray::Create(args) => gray_create::run(&client, session, *args).await,
        Gray::List(which) => list(&client, session, which).await,
        Gray::Show { task } => {
            let id = task_id(&client, &task).await?;
            let answer = client.value(Call::get(format!("/v1/gray-tasks/{id}"))).await?;
            session.out.show(&answer, |task: GrayTask, paint| view::task(&task, paint))
        }
        Gray::Suspend(step) => take(&client, session, step, "suspend").await,
        Gray::Resume(step) => take(&client, session, step, "resume").await,
        Gray::End(step) => {
            session.confirm(&format!(
                "End {}? Nothing leaves that state, and its devices return to the online version.",
                step.task
            ))?;
            take(&client, session, step, "end").await
        }
        Gray::Progress { task } => {
            let id = task_id(&client, &task).await?;
            let answer = client.value(Call::get(format!("/v1/gray-tasks/{id}/progress"))).await?;
            session.out.show(&answer, |progress: Progress, paint| view::progress(&progress, paint))
        }
        Gray::Edit(args) => gray_edit::run(&client, session, *args).await,
        Gray::UploadList(args) => gray_lists::run(&client, session, args).await,
        Gray::Record(args) => gray_record::run(&client, session, args).await,
    }
}

async fn list(client: &Client, session: &mut Session, which: Which) -> Done {
    let path = which.app.map_or_else(|| "/v1/gray-tasks".into(), |app| format!("/v1/mini-apps/{app}/gray-tasks"));
    let items = client.items(Call::get(path).query("state", which.state)).await?;
    let head = ["ID", "MINI APP", "NAME", "VERSION", "STATE", "ADMITTED", "START", "END"];
    session.out.list(items, head, "No grayscale tasks.", |task: GrayTask, paint| {
        [
            Cell::strong(&task.id),
            Cell::of(&task.mini_app),
            Cell::of(&task.name),
            Cell::of(&task.version),
            state(task.state.as_str()),
            admitted(&task).into(),
            paint.when(task.start),
            task.ended_by.map_or_else(|| paint.when(task.end), |cause| format!("by {cause}").into()),
        ]
    })
}

async fn take(client: &Client, session: &mut Session, step: ByHand, verb: &str) -> Done {
    let (id, body) = (task_id(client, &step.task).await?, Note { note: step.note });
    let answer = client.value(Call::post(format!("/v1/gray-tasks/{id}/{verb}")).json(&body)).await?;
    session.out.show(&answer, |task: GrayTask, paint| view::task(&task, paint))?;
    if verb == "suspend" {
        session.out.next(format!("berth gray resume {}", step.task));
    }
    Ok(())
}
