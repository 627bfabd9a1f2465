//! The files of a version with what policies object to, and what differs between two versions.
//!
//! What is in a package is hostile: it is only ever shown as escaped text, in pages of the console's own.

mod diff;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use berth_base::page::Page as ListPage;
use berth_model::{
    audit::{Findings, NamedFinding},
    mini_app::MiniApp,
    version::{Comparison, Version, VersionFile},
};
use serde::Deserialize;

use super::super::mini_apps::{head, mini_app};
use crate::{
    Console,
    api::file,
    parts::Shown,
    path::{at, escape, with_query},
    refused::Refused,
    show,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};
use diff::Line;

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/versions/{version}/files", get(files))
        .route("/ui/mini-apps/{id}/versions/{version}/package", get(package))
        .route("/ui/mini-apps/{id}/compare", get(compare))
}

/// The longest file that is shown, in bytes.
const LONGEST: u64 = 1 << 20;

/// The text of a file; `None` when it is no text, or too long to be shown.
async fn text(visit: &Visit, id: &str, number: &str, path: &str) -> Result<Option<String>, Refused> {
    let path = path.split('/').map(escape).collect::<Vec<_>>().join("/");
    let address = at!("/v1/mini-apps/{}/versions/{}/files", id, number) + "/" + &path;
    let response = visit.api.ask(Method::GET, &address, Body::empty(), None).await?;
    let bytes = to_bytes(response.into_body(), LONGEST as usize).await;
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes.into()).ok());
    Ok(text.filter(|text| !text.contains('\0')))
}

/// The package of a version, as it was uploaded, as a file.
async fn package(visit: Visit, Path((id, number)): Path<(String, String)>) -> Answer {
    let address = at!("/v1/packages/{}_{}.apkg", id, number);
    Ok(file(visit.api.ask(Method::GET, &address, Body::empty(), None).await.or_show(&visit)?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FileQuery {
    path: String,
}

#[derive(askama::Template)]
#[template(path = "versions/files.html")]
struct Files<'a> {
    t: Texts,
    app: &'a MiniApp,
    number: &'a str,
    files: &'a [VersionFile],
    found: &'a Findings,
    path: &'a str,
    /// The open file, if one is open that can be shown.
    text: Option<&'a str>,
}

impl Files<'_> {
    fn here(&self) -> String {
        at!("/ui/mini-apps/{}/versions/{}/files", self.app.id, self.number)
    }

    fn address(&self, file: &VersionFile) -> String {
        with_query(&self.here(), [("path", Some(file.path.as_str()))])
    }

    /// How many findings a file has.
    fn count(&self, file: &VersionFile) -> usize {
        self.of(&file.path).count()
    }

    fn of<'b>(&'b self, path: &'b str) -> impl Iterator<Item = &'b NamedFinding> {
        let is_there =
            move |named: &&NamedFinding| named.finding.place.as_ref().is_some_and(|place| place.path == path);
        self.found.findings.iter().filter(is_there)
    }

    /// The findings in a line of the open file.
    fn in_line<'b>(&'b self, line: &usize) -> impl Iterator<Item = &'b NamedFinding> + use<'b> {
        let line = *line;
        self.of(self.path)
            .filter(move |named| named.finding.place.as_ref().is_some_and(|place| place.line as usize == line))
    }

    fn is_marked(&self, line: &usize) -> bool {
        self.in_line(line).next().is_some()
    }
}

async fn files(visit: Visit, Path((id, number)): Path<(String, String)>, Query(query): Query<FileQuery>) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let version = at!("/v1/mini-apps/{}/versions/{}", id, number);
    let files: Vec<VersionFile> = visit.api.list(&format!("{version}/files")).await.or_show(&visit)?;
    let found: Option<Findings> = visit.api.find(&format!("{version}/findings")).await.or_show(&visit)?;
    let found = found.unwrap_or_else(|| Findings::of([]));
    let size = files.iter().find(|file| file.path == query.path).map(|file| file.size);
    let text = match size {
        Some(size) if size <= LONGEST => text(&visit, &id, &number, &query.path).await.or_show(&visit)?,
        _ => None,
    };
    let path = &query.path;
    let page =
        Files { t: visit.t, app: &app, number: &number, files: &files, found: &found, path, text: text.as_deref() };
    let title = if path.is_empty() { visit.t.file_list() } else { path };
    let mut head = head(&visit, title, Some(&app));
    head.above.push((number.clone(), at!("/ui/mini-apps/{}/versions/{}", id, number)));
    visit.page(head, &page)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CompareQuery {
    from: String,
    to: String,
    path: String,
}

/// A file that differs.
struct Row<'a> {
    path: &'a str,
    what: &'static str,
    size: String,
    address: String,
}

#[derive(askama::Template)]
#[template(path = "versions/compare.html")]
struct Compare<'a> {
    t: Texts,
    app: &'a MiniApp,
    query: &'a CompareQuery,
    versions: &'a [Version],
    found: Option<&'a Comparison>,
    rows: Vec<Row<'a>>,
    lines: Option<Vec<Line>>,
}

impl Compare<'_> {
    /// The two sides: the name of the field, what marks its lines, and what is chosen.
    fn sides(&self) -> [(&'static str, &'static str, String); 2] {
        [("from", "−", self.query.from.clone()), ("to", "+", self.query.to.clone())]
    }

    fn counts(&self, lines: &[Line]) -> String {
        let count = |class: &str| show::grouped(lines.iter().filter(|line| line.class == class).count() as u64);
        self.t.lines_differ(count("plus"), count("minus"))
    }
}

fn rows<'a>(t: Texts, here: &str, query: &CompareQuery, found: &'a Comparison) -> Vec<Row<'a>> {
    let row = |path: &'a str, what, size| {
        let members = [("from", Some(query.from.as_str())), ("to", Some(query.to.as_str())), ("path", Some(path))];
        Row { path, what, size, address: with_query(here, members) }
    };
    let changed = found.changed.iter().map(|file| {
        row(&file.path, t.changed(), format!("{} → {}", show::bytes(file.size.before), show::bytes(file.size.after)))
    });
    let added = found.added.iter().map(|file| row(&file.path, t.added(), show::bytes(file.size)));
    let removed = found.removed.iter().map(|file| row(&file.path, t.removed(), show::bytes(file.size)));
    changed.chain(added).chain(removed).collect()
}

async fn compare(visit: Visit, Path(id): Path<String>, Query(query): Query<CompareQuery>) -> Answer {
    let app = mini_app(&visit, &id).await?;
    let versions: ListPage<Version> =
        visit.api.page(&at!("/v1/mini-apps/{}/versions?limit=200", id)).await.or_show(&visit)?;
    let chosen = !query.from.is_empty() && !query.to.is_empty();
    let found: Option<Comparison> = if chosen {
        let members = [("from", Some(query.from.as_str())), ("to", Some(query.to.as_str()))];
        Some(visit.api.get(&with_query(&at!("/v1/mini-apps/{}/compare", id), members)).await.or_show(&visit)?)
    } else {
        None
    };
    let lines = match &found {
        Some(found) if !query.path.is_empty() => lines(&visit, &id, &query, found).await.or_show(&visit)?,
        _ => None,
    };
    let here = at!("/ui/mini-apps/{}/compare", id);
    let page = Compare {
        t: visit.t,
        app: &app,
        query: &query,
        versions: &versions.items,
        rows: found.as_ref().map(|found| rows(visit.t, &here, &query, found)).unwrap_or_default(),
        found: found.as_ref(),
        lines,
    };
    let title = if chosen { visit.t.compare_title(&query.from, &query.to) } else { visit.t.compare().into() };
    visit.page(head(&visit, &title, Some(&app)), &page)
}

/// The lines of one file that differ, with some around them; `None` when one side is no text.
async fn lines(
    visit: &Visit,
    id: &str,
    query: &CompareQuery,
    found: &Comparison,
) -> Result<Option<Vec<Line>>, Refused> {
    let path = &query.path;
    let is_new = found.added.iter().any(|file| file.path == *path);
    let is_gone = found.removed.iter().any(|file| file.path == *path);
    let before = if is_new { Some(String::new()) } else { text(visit, id, &query.from, path).await? };
    let after = if is_gone { Some(String::new()) } else { text(visit, id, &query.to, path).await? };
    Ok(before.zip(after).map(|(before, after)| diff::lines(&before, &after)))
}
