//! Lists of devices and accounts, which gray tasks take by name.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Multipart, Path},
    http::Method,
    routing::get,
};
use berth_model::{
    access::Action,
    mini_app::MiniApp,
    rollout::{Cohort, UploadedCohort},
};

use super::super::mini_apps::{Tab, head, mini_app, tabs};
use crate::{
    Console,
    frame::done,
    parts::{Filled, Names},
    path::{at, with_query},
    refused::{Refused, invalid},
    show,
    texts::{Texts, grouped},
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    // The API has a limit of its own for lists, and says it.
    Router::new().route("/ui/mini-apps/{id}/lists", get(all).post(upload)).layer(DefaultBodyLimit::disable())
}

#[derive(askama::Template)]
#[template(path = "gray/lists.html")]
struct Page<'a> {
    t: Texts,
    visit: &'a Visit,
    app: &'a MiniApp,
    tabs: Vec<Tab>,
    lists: &'a [Cohort],
    names: &'a Names,
    may_upload: bool,
    filled: &'a Filled,
}

async fn all(visit: Visit, Path(id): Path<String>) -> Answer {
    show_with(&visit, &id, &Filled::default()).await
}

async fn show_with(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let app = mini_app(visit, id).await?;
    let lists: Vec<Cohort> = visit.api.list(&at!("/v1/mini-apps/{}/cohorts", id)).await.or_show(visit)?;
    let names = Names::of(&visit.api, lists.iter().map(|list| list.created_by.as_str())).await;
    let page = Page {
        t,
        visit,
        app: &app,
        tabs: tabs(visit, &app, "/gray"),
        lists: &lists,
        names: &names,
        may_upload: visit.can(Action::Release, &app.scope()),
        filled,
    };
    let mut head = head(visit, t.lists(), Some(&app));
    head.above.push((t.gray_tasks().into(), at!("/ui/mini-apps/{}/gray", id)));
    visit.page(head, &page)
}

/// What the form said before its file.
#[derive(Default)]
struct Said {
    name: String,
    column: String,
    as_is: bool,
}

impl Said {
    fn filled(self) -> Filled {
        let mut values = vec![("name".to_owned(), self.name), ("column".to_owned(), self.column)];
        values.extend(self.as_is.then(|| ("as_is".to_owned(), "on".to_owned())));
        Filled::with(values)
    }
}

async fn upload(visit: Visit, Path(id): Path<String>, form: Multipart) -> Answer {
    let mut said = Said::default();
    match send(&visit, &id, form, &mut said).await {
        Ok(list) => done(&at!("/ui/mini-apps/{}/lists", id), &told(visit.t, &list)),
        Err(refused) => show_with(&visit, &id, &said.filled().refused(refused).or_show(&visit)?).await,
    }
}

/// Reads the form as it comes, and passes its file on without keeping it.
async fn send(visit: &Visit, id: &str, mut form: Multipart, said: &mut Said) -> Result<UploadedCohort, Refused> {
    while let Some(field) = form.next_field().await? {
        match field.name().unwrap_or_default() {
            "name" => said.name = field.text().await?.trim().to_owned(),
            "column" => said.column = field.text().await?.trim().to_owned(),
            "as_is" => said.as_is = true,
            "list" => {
                let file = field.file_name().unwrap_or_default().to_owned();
                if file.is_empty() {
                    break;
                }
                let name = if said.name.is_empty() { name_of(&file) } else { &said.name };
                let as_is = said.as_is.then_some("true");
                let members = [("name", Some(name)), ("column", Some(said.column.as_str())), ("as_is", as_is)];
                let path = with_query(&at!("/v1/mini-apps/{}/cohorts", id), members);
                return visit.api.pass_on(Method::POST, &path, field, "text/plain").await;
            }
            _ => {}
        }
    }
    Err(invalid(visit.t, "list", visit.t.list_no_file()))
}

/// The name of a file without its folder and its ending.
fn name_of(file: &str) -> &str {
    let file = file.rsplit(['/', '\\']).next().unwrap_or_default();
    file.rsplit_once('.').map_or(file, |(name, _)| name)
}

/// What was read of a list, in words.
fn told(t: Texts, UploadedCohort { cohort, read }: &UploadedCohort) -> String {
    let first = read.first.join(", ");
    let said =
        t.list_read(&cohort.name, grouped(cohort.members), first, grouped(cohort.duplicates), grouped(cohort.blanks));
    match read.odd.len() as u64 + read.more_odd {
        0 => said,
        odd => format!("{said} {}", t.list_odd(grouped(odd))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_named_by_its_file() {
        assert_eq!(
            ["testers.txt", "C:\\lists\\vip.guids.txt", "plain"].map(name_of),
            ["testers", "vip.guids", "plain"]
        );
    }
}
