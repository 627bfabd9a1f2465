//! Whatever is accepted is extracted to the same bytes by other readers (F22).
//!
//! Python and Info-ZIP are used where they are installed. Set `BERTH_TEST_YAUZL` to a folder in which Node.js finds
//! `yauzl` to try that one too.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::*;
use crate::evil::{Zip64, extra, u64s};

type Files = BTreeMap<String, Vec<u8>>;

/// Archives with everything that is allowed but unusual.
fn unusual() -> Vec<Evil> {
    let text = b"some text, some text, some text".as_slice();
    let zip64 = Item::stored("z", text).both(|h| {
        (h.packed, h.size, h.needed) = (u32::MAX, u32::MAX, 45);
        h.extra = extra(1, &u64s(&[31, 31]));
    });
    let streamed = |signed, wide| Item::deflated("s", text).streamed(signed, wide);
    let nested = Item::stored("inner.zip", &Evil::of([Item::stored("app.json", b"[]")]).build());
    let mut backwards = honest();
    backwards.entries.reverse();
    vec![
        honest(),
        backwards,
        Evil::of([zip64]),
        Evil { zip64: Some(Zip64::default()), ..honest() },
        Evil { zip64: Some(Zip64 { unsaturated: true, ..Zip64::default() }), ..honest() },
        Evil::of([streamed(true, false), Item::stored("t", text).streamed(true, false)]),
        Evil::of([streamed(false, false)]),
        Evil::of([streamed(true, true)]),
        Evil::of([streamed(false, true)]),
        Evil { comment: b"a comment".to_vec(), ..honest() },
        Evil::of([Item::folder("a/"), Item::stored("a/b", text), Item::deflated("empty", b"")]),
        Evil::of([nested, Item::stored("app.json", b"{}")]),
        Evil::of([
            Item::stored("图片/首页 😀.png", text),
            Item::deflated("café.js", text),
            Item::stored("-x [1]{2}^%$!~'`", text),
        ]),
        first(|item| item.both(|h| (h.attributes, h.made_by) = (0x20, 0))),
        first(|item| item.both(|h| h.attributes = 0)),
        first(|item| item.both(|h| h.needed = 3 << 8 | 10)),
        first(|item| item.both(|h| h.extra = vec![0; 3])),
        first(|item| item.local(|h| h.extra = [extra(0x5455, &[1, 0, 0, 0, 0]), vec![0; 2]].concat())),
        Evil { disk: u16::MAX, zip64: Some(Zip64::default()), ..honest() },
        Evil::of([Item::stored("w", text).both(|h| h.extra = extra(1, &u64s(&[31, 31])))]),
        Evil::of([Item::stored("w", text).both(|h| {
            (h.size, h.needed) = (u32::MAX, 45);
            h.extra = extra(1, &[u64s(&[31, 31, 0]), vec![0; 4]].concat());
        })]),
        first(|item| item.central(|h| (h.comment, h.extra) = (b"note".to_vec(), extra(0x5455, &[1, 0, 0, 0, 0])))),
    ]
}

/// Copies of an archive with one bit flipped, one for each byte. Most are refused; those that are not must be harmless.
fn mutated(bytes: Vec<u8>) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).map(move |at| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        bytes
    })
}

fn ours(archive: &Archive) -> Files {
    let files = archive.files().iter();
    files.map(|file| (file.path.clone(), archive.read_whole(&file.path).expect("accepted").to_vec())).collect()
}

fn on_disk(root: &Path) -> Files {
    let mut files = Files::new();
    for entry in walk(root) {
        let name = entry.strip_prefix(root).expect("below").to_str().expect("UTF-8").to_owned();
        files.insert(name, fs::read(&entry).expect("a file"));
    }
    files
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// Runs a reader in `dir`.
fn run(dir: &Path, program: &str, args: &[&str]) {
    let mut command = Command::new(program);
    command.args(args).current_dir(dir).env("LC_ALL", "C.UTF-8").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().expect(program);
}

fn is_installed(program: &str, arg: &str) -> bool {
    Command::new(program).arg(arg).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

const PYTHON: &str = "import sys, zipfile\nfor name in sys.argv[1:]: zipfile.ZipFile(name + '.zip').extractall(name)";

/// Extracts `cases` by `reader`, and compares the result with what [`Archive`] reads.
fn agree(cases: Vec<Vec<u8>>, reader: impl Fn(&Path, &[String])) {
    let dir = tempfile::tempdir().expect("a folder");
    let names: Vec<String> = (0..cases.len()).map(|i| format!("case{i}")).collect();
    for (name, bytes) in names.iter().zip(&cases) {
        fs::write(dir.path().join(format!("{name}.zip")), bytes).expect("a file");
        fs::create_dir(dir.path().join(name)).expect("a folder");
    }
    reader(dir.path(), &names);
    for (name, bytes) in names.iter().zip(cases) {
        let expected = ours(&open(bytes).expect("accepted"));
        assert_eq!(on_disk(&dir.path().join(name)), expected, "{name}");
    }
}

fn cases() -> Vec<Vec<u8>> {
    let unusual: Vec<_> = unusual().iter().map(Evil::build).collect();
    let mutated = unusual.iter().cloned().flat_map(mutated).filter(|bytes| open(bytes.clone()).is_ok());
    unusual.iter().cloned().chain(mutated).collect()
}

#[test]
fn f22_python_extracts_the_same_bytes() {
    if !is_installed("python3", "--version") {
        return;
    }
    agree(cases(), |dir, names| {
        let args: Vec<&str> = ["-c", PYTHON].into_iter().chain(names.iter().map(String::as_str)).collect();
        run(dir, "python3", &args);
    });
}

#[test]
fn f22_unzip_extracts_the_same_bytes() {
    if !is_installed("unzip", "-v") {
        return;
    }
    agree(cases(), |dir, names| {
        names.iter().for_each(|name| run(dir, "unzip", &["-qq", "-n", &format!("{name}.zip"), "-d", name]));
    });
}

const YAUZL: &str = "
const fs = require('fs'), path = require('path'), yauzl = require(path.join(process.env.BERTH_TEST_YAUZL, 'node_modules/yauzl'));
for (const name of process.argv.slice(1)) yauzl.open(name + '.zip', { lazyEntries: true }, (error, zip) => {
  if (error) throw error;
  zip.on('entry', entry => {
    const to = path.join(name, entry.fileName);
    if (entry.fileName.endsWith('/')) { fs.mkdirSync(to, { recursive: true }); return zip.readEntry(); }
    fs.mkdirSync(path.dirname(to), { recursive: true });
    zip.openReadStream(entry, (error, from) => {
      if (error) throw error;
      from.pipe(fs.createWriteStream(to)).on('close', () => zip.readEntry());
    });
  });
  zip.readEntry();
});";

#[test]
fn f22_yauzl_extracts_the_same_bytes() {
    if std::env::var_os("BERTH_TEST_YAUZL").is_none() {
        return;
    }
    agree(cases(), |dir, names| {
        let args: Vec<&str> = ["-e", YAUZL].into_iter().chain(names.iter().map(String::as_str)).collect();
        run(dir, "node", &args);
    });
}
