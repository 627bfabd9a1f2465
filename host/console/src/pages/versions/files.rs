//! The files of a version with what policies object to.
//!
//! What is in a package is hostile: it is only ever shown as escaped text, in pages of the console's own.

mod tree;

use std::collections::BTreeMap;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Query},
    http::Method,
    routing::get,
};
use berth_model::{
    audit::{Findings, NamedFinding},
    mini_app::MiniApp,
    version::VersionFile,
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
use tree::{Folder, Piece, Sum};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/mini-apps/{id}/versions/{version}/files", get(files))
        .route("/ui/mini-apps/{id}/versions/{version}/package", get(package))
}

/// The longest file that is shown, in bytes.
const LONGEST: u64 = 1 << 20;

/// The text of a file; `None` when it is no text, or too long to be shown.
pub async fn text(visit: &Visit, id: &str, number: &str, path: &str) -> Result<Option<String>, Refused> {
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

/// What of a package is open: a file, or a folder and which page of what is in it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct FileQuery {
    path: String,
    #[serde(rename = "in")]
    folder: String,
    page: usize,
}

/// How many folders and files a page of a folder lists.
const OF_PAGE: usize = 100;

#[derive(askama::Template)]
#[template(path = "versions/files.html")]
struct Files<'a> {
    t: Texts,
    app: &'a MiniApp,
    number: &'a str,
    root: &'a Folder<'a>,
    /// The folder that is open, where no file is.
    folder: Option<&'a Folder<'a>>,
    found: &'a Findings,
    query: &'a FileQuery,
    /// The open file, if one is open that can be shown.
    text: Option<&'a str>,
}

impl Files<'_> {
    fn at(&self, members: [(&str, &str); 2]) -> String {
        let here = at!("/ui/mini-apps/{}/versions/{}/files", self.app.id, self.number);
        with_query(&here, members.map(|(name, value)| (name, Some(value))))
    }

    fn file(&self, path: &str) -> String {
        self.at([("path", path), ("", "")])
    }

    /// The page of a folder.
    fn of_folder(&self, path: &str) -> String {
        self.at([("in", path), ("", "")])
    }

    /// Another page of the open folder.
    fn of_page(&self, page: usize) -> String {
        let page = if page == 0 { String::new() } else { page.to_string() };
        self.at([("in", &self.query.folder), ("page", &page)])
    }

    /// The folders above what is open, each with its path, and then what is open itself.
    fn way(&self) -> (Vec<(&str, &str)>, &str) {
        let open = if self.query.path.is_empty() { &self.query.folder } else { &self.query.path };
        let slashes = open.match_indices('/').map(|(end, _)| end);
        let name = |path: &'_ str| path.rfind('/').map_or(0, |slash| slash + 1);
        (slashes.map(|end| (&open[name(&open[..end])..end], &open[..end])).collect(), &open[name(open)..])
    }

    /// The tree of the package, where what is open is seen.
    fn pieces(&self) -> Vec<Piece<'_>> {
        self.root.pieces(if self.query.path.is_empty() { &self.query.folder } else { &self.query.path })
    }

    /// A page of what is in a folder.
    fn rows<'b>(&'b self, folder: &'b Folder<'b>) -> Vec<Row<'b>> {
        let folders = folder.folders.iter().map(|(name, below)| Row {
            name,
            is_folder: true,
            address: self.of_folder(&below.path),
            sum: below.sum,
        });
        let files = folder.files.iter().map(|one| Row {
            name: one.name,
            is_folder: false,
            address: self.file(&one.file.path),
            sum: Sum { files: 1, size: one.file.size, findings: one.findings },
        });
        folders.chain(files).skip(self.query.page.saturating_mul(OF_PAGE)).take(OF_PAGE).collect()
    }

    /// Whether a folder has more than is listed.
    fn has_more(&self, folder: &Folder) -> bool {
        folder.folders.len() + folder.files.len() > self.query.page.saturating_add(1).saturating_mul(OF_PAGE)
    }

    /// The findings in a line of the open file.
    fn in_line<'b>(&'b self, line: &usize) -> impl Iterator<Item = &'b NamedFinding> + use<'b> {
        let line = *line;
        let is_there = move |named: &&NamedFinding| {
            let place = named.finding.place.as_ref();
            place.is_some_and(|place| place.path == self.query.path && place.line as usize == line)
        };
        self.found.findings.iter().filter(is_there)
    }

    fn is_marked(&self, line: &usize) -> bool {
        self.in_line(line).next().is_some()
    }
}

/// A folder or a file in a folder.
struct Row<'a> {
    name: &'a str,
    is_folder: bool,
    address: String,
    sum: Sum,
}

/// How many findings each file has.
fn counts(found: &Findings) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for place in found.findings.iter().filter_map(|named| named.finding.place.as_ref()) {
        *counts.entry(place.path.as_str()).or_default() += 1;
    }
    counts
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
    let counts = counts(&found);
    let root = Folder::of(&files, |path| counts.get(path).copied().unwrap_or_default());
    let folder = root.at(&query.folder).filter(|_| query.path.is_empty());
    let page = Files {
        t: visit.t,
        app: &app,
        number: &number,
        root: &root,
        folder,
        found: &found,
        query: &query,
        text: text.as_deref(),
    };
    let (_, open) = page.way();
    let title = if open.is_empty() { visit.t.file_list() } else { open };
    let mut head = head(&visit, title, Some(&app));
    head.above.push((number.clone(), at!("/ui/mini-apps/{}/versions/{}", id, number)));
    visit.page(head, &page)
}
