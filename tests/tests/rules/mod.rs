//! Checks that `tests/RULES.md` has every number that a comment, a document or the name of a test cites. The page
//! itself says how numbers are cited.

mod citation;
mod number;
mod page;

use std::{collections::BTreeSet, ffi::OsStr, fs, path::Path};

use walkdir::{DirEntry, WalkDir};

const PAGE: &str = "tests/RULES.md";

/// A source or a document of the repository.
struct File {
    name: String,
    extension: String,
    text: String,
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let walk = WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(is_ours);
    walk.filter_map(|entry| read(root, entry.unwrap().path())).collect()
}

/// Not what tools keep for themselves, nor what is built, nor migrations: a database that has one knows it by its digest,
/// so that not even a comment of it may change.
fn is_ours(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.depth() == 0 || !(name.starts_with('.') || name == "target" || name == "migrations")
}

fn read(root: &Path, path: &Path) -> Option<File> {
    let extension = path.extension().and_then(OsStr::to_str)?.to_owned();
    let wanted = ["rs", "md", "wit", "toml", "sql", "sh"].contains(&extension.as_str()) && path.is_file();
    let name = path.strip_prefix(root).unwrap().display().to_string();
    wanted.then(|| File { name, extension, text: fs::read_to_string(path).unwrap() })
}

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("RULES.md")).unwrap()
}

#[test]
fn every_number_that_is_cited_is_on_the_page_once_and_in_its_place() {
    let (defined, wrong) = page::defined(&page());
    let mut found: Vec<_> = wrong.into_iter().map(|(at, mistake)| format!("{PAGE}:{at}: {mistake}")).collect();
    for File { name, extension, text } in files() {
        let mistakes = citation::mistakes(&defined, &extension, &text);
        found.extend(mistakes.into_iter().map(|(at, mistake)| format!("{name}:{at}: {mistake}")));
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn the_page_says_which_numbers_no_test_carries() {
    let sources = files().into_iter().filter(|file| file.extension == "rs");
    let proved: BTreeSet<_> = sources.flat_map(|file| citation::proved(&file.text)).map(|(_, number)| number).collect();
    let line = format!("No test carries these numbers: ({}).", page::others(&page::defined(&page()).0, &proved));
    assert!(page().lines().any(|have| have == line), "\nUnder \"What is proved\" {PAGE} has to say:\n{line}\n");
}
