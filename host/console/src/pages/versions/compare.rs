//! What differs between two versions: their sizes, their manifests, what the auditors say of them, and their files.

mod diff;

use axum::{
    Router,
    extract::{Path, Query},
    routing::get,
};
use berth_base::page::Page as ListPage;
use berth_model::{
    audit::NamedFinding,
    mini_app::MiniApp,
    version::{Comparison, SizeChange, Version},
};
use serde::Deserialize;

use super::{
    super::mini_apps::{head, mini_app},
    files::text,
};
use crate::{
    Console,
    parts::Shown,
    path::{at, with_query},
    refused::Refused,
    show,
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};
use diff::Line;

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/mini-apps/{id}/compare", get(compare))
}

/// How many files a page lists.
const OF_PAGE: usize = 100;

/// How many findings, pages, or members of the manifest are shown of each kind.
const MOST_SHOWN: usize = 50;

#[derive(Default, Deserialize)]
#[serde(default)]
struct CompareQuery {
    from: String,
    to: String,
    path: String,
    /// Which page of the files.
    page: usize,
}

impl CompareQuery {
    /// The same two versions with another file open, and another page of files.
    fn at(&self, id: &str, path: &str, page: usize) -> String {
        let page = if page == 0 { String::new() } else { page.to_string() };
        let members = [("from", self.from.as_str()), ("to", &self.to), ("path", path), ("page", &page)];
        with_query(&at!("/ui/mini-apps/{}/compare", id), members.map(|(name, value)| (name, Some(value))))
    }
}

/// A file that differs.
struct Row<'a> {
    path: &'a str,
    what: &'static str,
    size: String,
    address: String,
}

/// What one of the two versions has alone: how it is marked, what it is called, and what it is.
struct Alone<'a, T> {
    sign: &'static str,
    what: &'static str,
    all: &'a [T],
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

    /// A size in both versions.
    fn size(&self, size: &SizeChange) -> String {
        format!("{} → {}", show::bytes(size.before), show::bytes(size.after))
    }

    /// How many files are of each kind.
    fn files(&self, found: &Comparison) -> String {
        let count = |files: usize| show::grouped(files as u64);
        let (added, removed, changed) = (found.added.len(), found.removed.len(), found.changed.len());
        self.t.files_differ(count(added), count(removed), count(changed), show::grouped(found.unchanged))
    }

    /// The pages that one of the versions has alone.
    fn pages<'b>(&self, found: &'b Comparison) -> Vec<Alone<'b, String>> {
        self.alone(&found.pages_added, &found.pages_removed)
    }

    /// The findings in one of the versions alone.
    fn findings<'b>(&self, found: &'b Comparison) -> Vec<Alone<'b, NamedFinding>> {
        found.findings.as_ref().map(|findings| self.alone(&findings.added, &findings.removed)).unwrap_or_default()
    }

    fn alone<'b, T>(&self, added: &'b [T], removed: &'b [T]) -> Vec<Alone<'b, T>> {
        let added = Alone { sign: "+", what: self.t.added(), all: added };
        let removed = Alone { sign: "−", what: self.t.removed(), all: removed };
        [added, removed].into_iter().filter(|alone| !alone.all.is_empty()).collect()
    }

    /// The files of the page.
    fn shown(&self) -> impl Iterator<Item = &Row<'_>> {
        self.rows.iter().skip(self.query.page.saturating_mul(OF_PAGE)).take(OF_PAGE)
    }

    fn has_more(&self) -> bool {
        self.rows.len() > self.query.page.saturating_add(1).saturating_mul(OF_PAGE)
    }

    /// Another page of the files.
    fn of_page(&self, page: usize) -> String {
        self.query.at(self.app.id.as_str(), "", page) + "#files"
    }
}

fn rows<'a>(t: Texts, id: &str, query: &CompareQuery, found: &'a Comparison) -> Vec<Row<'a>> {
    let row = |path: &'a str, what, size| Row { path, what, size, address: query.at(id, path, query.page) };
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
    let page = Compare {
        t: visit.t,
        app: &app,
        query: &query,
        versions: &versions.items,
        rows: found.as_ref().map(|found| rows(visit.t, &id, &query, found)).unwrap_or_default(),
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
