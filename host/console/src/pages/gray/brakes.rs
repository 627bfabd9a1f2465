//! The brakes of a gray task: suspend it, let it go on, end it. Each says first what devices will get.

use axum::{Router, extract::Path, http::Method, routing::get};
use berth_model::rollout::Note;
use serde::Deserialize;

use super::{
    super::mini_apps::{head, mini_app},
    one::task,
};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    parts::Filled,
    path::at,
    texts::grouped,
    visit::{Answer, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/gray/{id}/{brake}", get(confirm).post(pull))
}

/// What is done to the task; also the end of the address, and of the one of the API.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Brake {
    Suspend,
    Resume,
    End,
}

impl Brake {
    fn as_str(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::End => "end",
        }
    }
}

async fn confirm(visit: Visit, Path((id, brake)): Path<(String, Brake)>) -> Answer {
    show(&visit, &id, brake, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, brake: Brake, filled: &Filled) -> Answer {
    let t = visit.t;
    let task = task(visit, id).await?;
    let app = mini_app(visit, task.mini_app.as_str()).await?;
    let (version, count) = (&task.version, grouped(task.admitted));
    let (act, effects) = match brake {
        Brake::Suspend => (t.gray_suspend(), vec![t.gray_suspend_effect(version, count)]),
        Brake::Resume => (t.gray_resume(), vec![t.gray_resume_effect(version)]),
        Brake::End => (t.gray_end(), vec![t.gray_end_effect(count), t.gray_end_final().to_owned()]),
    };
    let confirm = Confirm {
        act: act.into(),
        effects,
        is_dangerous: matches!(brake, Brake::End),
        note: Some(t.note()),
        command: format!("berth gray {} {id} --note '…'", brake.as_str()),
        back: at!("/ui/gray/{}", id),
        ..Confirm::default()
    };
    let title = format!("{act}: {} · {version}", task.name);
    let mut head = head(visit, &title, Some(&app));
    head.above.push((task.name.clone(), at!("/ui/gray/{}", id)));
    confirm.show(visit, head, filled)
}

async fn pull(visit: Visit, Path((id, brake)): Path<(String, Brake)>, sent: Sent) -> Answer {
    let t = visit.t;
    let said = match brake {
        Brake::Suspend => t.gray_suspended_now(),
        Brake::Resume => t.gray_resumed(),
        Brake::End => t.gray_ended_now(),
    };
    let path = at!("/v1/gray-tasks/{}/{}", id, brake.as_str());
    match visit.api.act(Method::POST, &path, &Note { note: sent.get("note").into() }).await {
        Ok(()) => done(&at!("/ui/gray/{}", id), said),
        Err(refused) => show(&visit, &id, brake, &sent.again(&visit, refused)?).await,
    }
}
