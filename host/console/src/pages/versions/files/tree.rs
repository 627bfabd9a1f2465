//! The files of a package as a tree of folders, as far as a page has room for it.
//!
//! What is asked for and what has findings is listed first; other folders as long as there is room. What is not listed is
//! a link to the page of its folder.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use berth_model::version::VersionFile;

/// How many lines a tree has, besides those of the folders on the way to what is open.
const LINES: usize = 150;

/// How many folders, and how many files, of one folder a tree shows.
const OF_FOLDER: usize = 40;

/// A folder with what is below it.
#[derive(Default)]
pub struct Folder<'a> {
    /// Its path; empty for that of the package.
    pub path: String,
    pub folders: BTreeMap<&'a str, Folder<'a>>,
    pub files: Vec<File<'a>>,
    pub sum: Sum,
}

/// A file in a folder.
#[derive(Clone, Copy)]
pub struct File<'a> {
    pub name: &'a str,
    pub file: &'a VersionFile,
    pub findings: usize,
}

/// What all files below a folder come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub files: u64,
    /// Their size in bytes.
    pub size: u64,
    pub findings: usize,
}

/// A piece of the tree, in the order in which it is written.
pub enum Piece<'a> {
    /// A folder with its lines, which follow until [`Piece::End`].
    Begin {
        name: &'a str,
        folder: &'a Folder<'a>,
        is_open: bool,
    },
    /// A folder whose lines are on a page of its own.
    Elsewhere {
        name: &'a str,
        folder: &'a Folder<'a>,
    },
    File(File<'a>),
    /// The folder that is being written has so many more folders and files.
    More {
        folder: &'a Folder<'a>,
        count: usize,
    },
    End,
}

impl<'a> Folder<'a> {
    /// The folder of a package. `findings` tells how many there are in the file at a path.
    pub fn of(files: &'a [VersionFile], findings: impl Fn(&str) -> usize) -> Self {
        let mut root = Self::default();
        for file in files {
            root.add(&file.path, file, findings(&file.path));
        }
        root
    }

    fn add(&mut self, rest: &'a str, file: &'a VersionFile, findings: usize) {
        self.sum.files += 1;
        self.sum.size += file.size;
        self.sum.findings += findings;
        match rest.split_once('/') {
            None => self.files.push(File { name: rest, file, findings }),
            Some((name, below)) => {
                let path = if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) };
                let folder = self.folders.entry(name).or_insert_with(|| Self { path, ..Self::default() });
                folder.add(below, file, findings);
            }
        }
    }

    /// The folder at a path below this one.
    pub fn at(&self, path: &str) -> Option<&Self> {
        path.split('/').filter(|name| !name.is_empty()).try_fold(self, |folder, name| folder.folders.get(name))
    }

    /// Whether a path is this folder, or leads through it.
    fn is_above(&self, path: &str) -> bool {
        self.path.is_empty()
            || path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// How many lines a tree has of it.
    fn lines(&self) -> usize {
        self.folders.len().min(OF_FOLDER) + self.files.len().min(OF_FOLDER)
    }

    /// The tree, where the file or folder `open` is open.
    pub fn pieces(&'a self, open: &str) -> Vec<Piece<'a>> {
        let listed = self.listed(open);
        let mut pieces = Vec::new();
        self.write(open, &listed, &mut pieces);
        pieces
    }

    /// The paths of the folders whose lines are in the tree: those on the way to what is open, those on the way to findings, and
    /// as many of the others as there is room for, from the top.
    fn listed(&self, open: &str) -> BTreeSet<&str> {
        let (mut listed, mut room) = (BTreeSet::new(), LINES);
        let asks: [&dyn Fn(&Self) -> bool; 3] =
            [&|folder| folder.is_above(open), &|folder| folder.sum.findings > 0, &|_| true];
        for is_asked in asks {
            let mut waiting = VecDeque::from([self]);
            while let Some(folder) = waiting.pop_front() {
                let is_new = !listed.contains(folder.path.as_str());
                let must = folder.is_above(open);
                if is_new && (!is_asked(folder) || !must && folder.lines() > room) {
                    continue;
                }
                if is_new {
                    room = room.saturating_sub(folder.lines());
                    listed.insert(folder.path.as_str());
                }
                waiting.extend(folder.folders.values());
            }
        }
        listed
    }

    fn write(&'a self, open: &str, listed: &BTreeSet<&str>, pieces: &mut Vec<Piece<'a>>) {
        let folders =
            first(self.folders.iter(), |(_, folder)| folder.is_above(open), |(_, folder)| folder.sum.findings > 0);
        let files = first(self.files.iter(), |file| file.file.path == open, |file| file.findings > 0);
        let count = self.folders.len() + self.files.len() - folders.len() - files.len();
        for (name, folder) in folders {
            if !listed.contains(folder.path.as_str()) {
                pieces.push(Piece::Elsewhere { name, folder });
                continue;
            }
            let is_open = folder.is_above(open) || folder.sum.findings > 0;
            pieces.push(Piece::Begin { name, folder, is_open });
            folder.write(open, listed, pieces);
            pieces.push(Piece::End);
        }
        pieces.extend(files.into_iter().copied().map(Piece::File));
        if count > 0 {
            pieces.push(Piece::More { folder: self, count });
        }
    }
}

/// As many as a tree shows of one folder, in their order: the open one, those with findings, and the first ones.
fn first<T>(all: impl Iterator<Item = T>, is_open: impl Fn(&T) -> bool, is_found: impl Fn(&T) -> bool) -> Vec<T> {
    let mut all: Vec<(usize, T)> = all.enumerate().collect();
    if all.len() > OF_FOLDER {
        all.sort_by_key(|(_, one)| (!is_open(one), !is_found(one)));
        all.truncate(OF_FOLDER);
        all.sort_by_key(|(place, _)| *place);
    }
    all.into_iter().map(|(_, one)| one).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use berth_base::ids::Digest;

    use super::*;

    fn files(paths: &[&str]) -> Vec<VersionFile> {
        let file = |path: &&str| VersionFile { path: (*path).into(), size: 10, sha256: Digest::of(b"") };
        paths.iter().map(file).collect()
    }

    /// A tree in one line: folders that are open in brackets, closed ones in braces, those elsewhere with a slash.
    fn written(folder: &Folder, open: &str) -> String {
        let (mut text, mut ends) = (String::new(), Vec::new());
        for piece in folder.pieces(open) {
            match piece {
                Piece::Begin { name, is_open, .. } => {
                    let (begin, end) = if is_open { ("[", "]") } else { ("{", "}") };
                    text += &format!("{name}{begin}");
                    ends.push(end);
                }
                Piece::End => text += ends.pop().unwrap(),
                Piece::Elsewhere { name, .. } => text += &format!("{name}/ "),
                Piece::File(file) => text += &format!("{} ", file.name),
                Piece::More { count, .. } => text += &format!("+{count}"),
            }
        }
        text
    }

    #[test]
    fn folders_are_open_down_to_what_is_asked_for_and_to_findings() {
        let all = files(&["app.js", "lib/a.js", "lib/deep/b.js", "libs/c.js", "pages/p.js"]);
        let root = Folder::of(&all, |path| usize::from(path == "pages/p.js"));
        for (open, expected) in [
            ("", "lib{deep{b.js }a.js }libs{c.js }pages[p.js ]app.js "),
            ("lib/deep/b.js", "lib[deep[b.js ]a.js ]libs{c.js }pages[p.js ]app.js "),
            ("lib", "lib[deep{b.js }a.js ]libs{c.js }pages[p.js ]app.js "),
            ("gone", "lib{deep{b.js }a.js }libs{c.js }pages[p.js ]app.js "),
        ] {
            assert_eq!(written(&root, open), expected, "{open}");
        }
        assert_eq!(root.sum, Sum { files: 5, size: 50, findings: 1 });
        assert_eq!(root.at("lib").unwrap().sum, Sum { files: 2, size: 20, findings: 0 });
        assert_eq!((root.at("lib/deep").unwrap().path.as_str(), root.at("lib/a.js").is_none()), ("lib/deep", true));
    }

    #[test]
    fn a_tree_of_thousands_shows_what_is_asked_for_what_is_found_and_little_else() {
        let folder = |name: &str, count: usize| -> Vec<String> {
            (0..count).map(|number| format!("{name}/{number:04}.js")).collect()
        };
        let mut paths = folder("big", 5000);
        (0..200).for_each(|number| paths.extend(folder(&format!("many/{number:03}"), 25)));
        let all = files(&paths.iter().map(String::as_str).collect::<Vec<_>>());
        let root = Folder::of(&all, |path| usize::from(path == "many/150/0007.js"));
        let tree = written(&root, "big/4711.js");
        for expected in ["4711.js ", "+4960", "150[", "0007.js ", "+160"] {
            assert!(tree.contains(expected), "{expected}: {tree}");
        }
        assert!(root.pieces("big/4711.js").len() < 300, "{}", root.pieces("big/4711.js").len());
    }
}
