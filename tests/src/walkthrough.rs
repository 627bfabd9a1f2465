//! The walkthroughs of documents, gone through as somebody does who has nothing but the documents: what stands in blocks of `sh` is
//! pasted into one shell, block after block.
//!
//! A block of `text` right behind says what is answered. Its lines have to come in that order; `…` stands for anything, and what comes
//! between, such as a server's log, is left aside.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::unix::fs::symlink,
    path::Path,
    process::Stdio,
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use regex::{Captures, Regex};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

use crate::{CACHE, or_skip, process::binary};

const PATIENCE: Duration = Duration::from_secs(300);

/// What the pages tell their readers to have.
const PROGRAMS: [&str; 5] = ["bash", "curl", "jq", "openssl", "python3"];

/// What a page tells its reader to paste in one go.
#[derive(Clone, Debug)]
pub struct Block {
    /// The heading above it.
    pub section: String,
    /// The commands.
    pub commands: String,
    /// What they say, if the page shows it.
    pub says: String,
}

/// The blocks of commands of a page, in their order.
pub fn blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut section, mut lines) = (Vec::<Block>::new(), String::new(), page.lines());
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            section = line.trim_start_matches('#').trim().to_owned();
        }
        let Some(kind) = line.trim_start().strip_prefix("```") else { continue };
        let indent = line.len() - line.trim_start().len();
        let inside = lines.by_ref().take_while(|line| line.trim_start() != "```");
        let text: String = inside.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect();
        match (kind, blocks.last_mut()) {
            ("sh", _) => blocks.push(Block { section: section.clone(), commands: text, says: String::new() }),
            ("text", Some(block)) => block.says = text,
            _ => {}
        }
    }
    blocks
}

/// An empty folder as somebody has it who has this repository: with the samples, and what the walkthroughs take of the tests.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for name in ["packages", "tests"] {
        symlink(repository.join(name), folder.path().join(name)).unwrap();
    }
    folder
}

/// Somebody who works through pages, one after another, in one terminal.
#[derive(Debug, Default)]
pub struct Reader {
    blocks: Vec<Block>,
}

impl Reader {
    /// Reads a page, or only these sections of it when some are named, after what was read before.
    #[must_use]
    pub fn reads(mut self, page: &str, sections: &[&str]) -> Self {
        let blocks = blocks(page);
        for section in sections {
            assert!(blocks.iter().any(|block| block.section == *section), "no commands are under {section:?}");
        }
        let is_read = |block: &Block| sections.is_empty() || sections.contains(&block.section.as_str());
        self.blocks.extend(blocks.into_iter().filter(is_read));
        self
    }

    /// Pastes everything, and looks whether each command succeeds and says what the pages show.
    pub async fn walks(self) {
        let absent = PROGRAMS.into_iter().find(|program| !is_installed(program));
        if !or_skip(absent.is_none(), &format!("{} is not installed", absent.unwrap_or_default())) {
            return;
        }
        let (folder, ports) = (folder(), Ports::default());
        equip(folder.path());
        let numbered = self.blocks.iter().enumerate();
        let script: String = numbered.map(|(number, block)| format!("#= {number}\n{}", block.commands)).collect();
        fs::write(folder.path().join("script"), ports.free(&script)).unwrap();
        let (is_good, all) = paste(folder.path()).await;
        // The first part is what was said before the first block, which is nothing.
        for (block, said) in self.blocks.iter().zip(all.split("#= ").skip(1)) {
            let (shown, at) = (ports.free(&block.says), &block.section);
            if let Some(missing) = missing(&shown, said) {
                panic!("{at}: after\n{}\nthe page shows {missing:?}, and this is said:\n{said}", block.commands);
            }
        }
        assert!(is_good, "{all}");
    }
}

fn is_installed(program: &str) -> bool {
    let mut asked = std::process::Command::new(program);
    asked.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Gives `berth` to the reader, and a `cargo` that has nothing to build.
fn equip(folder: &Path) {
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    symlink(binary(), bin.join("berth")).unwrap();
    symlink("/usr/bin/true", bin.join("cargo")).unwrap();
}

/// The ports that stand in for those of the pages, so that many may walk at once.
struct Ports(BTreeMap<&'static str, u16>);

impl Default for Ports {
    fn default() -> Self {
        Self(["7171", "7180", "7272", "7373", "7474", "9000"].map(|port| (port, free_port())).into())
    }
}

/// A port at which nobody listens and that no other walk has. Systems give away higher ones, which may be taken until it is used.
fn free_port() -> u16 {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(10_000 + (std::process::id() % 20_000) as u16));
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Ports {
    /// A text of a page with these ports in it.
    fn free(&self, text: &str) -> String {
        static PORT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[79]\d{3}\b").unwrap());
        let other = |found: &Captures<'_>| match self.0.get(&found[0]) {
            Some(free) => free.to_string(),
            None => found[0].to_owned(),
        };
        PORT.replace_all(text, other).into_owned()
    }
}

/// Whether all commands of the script in a folder succeed, and what they say.
async fn paste(folder: &Path) -> (bool, String) {
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-c", "exec bash tests/setup/walk.sh < script 2>&1"]).current_dir(folder);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BERTH_") || name.starts_with("XDG_")) {
        bash.env_remove(name);
    }
    // What is compiled for one walk is there for the next.
    bash.env("PATH", path).env("HOME", folder);
    bash.env("BERTH_CACHE_DIR", &*CACHE).env("XDG_CACHE_HOME", CACHE.join("walks"));
    let bash = bash.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let id = Pid::from_raw(bash.id().unwrap() as i32).unwrap();
    let Ok(done) = timeout(PATIENCE, bash.wait_with_output()).await else {
        kill_process(id, Signal::TERM).unwrap();
        panic!("{} did not come to an end", folder.display());
    };
    let done = done.unwrap();
    (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The first line of what a page shows that is not in what was said, after those before it.
fn missing<'a>(shown: &'a str, said: &str) -> Option<&'a str> {
    let mut said = said.lines();
    shown.lines().find(|line| !said.any(|one| is_like(line, one)))
}

/// Whether a line is the one that a page shows. Blanks count once.
fn is_like(shown: &str, line: &str) -> bool {
    let words = |text: &str| text.split_whitespace().map(regex::escape).collect::<Vec<_>>().join(r"\s+");
    let like = format!(r"^\s*{}\s*$", words(shown).replace('…', ".*"));
    Regex::new(&like).unwrap().is_match(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_with_their_section_and_what_they_say() {
        let page = "# A\n```sh\none\n```\n\n```text\nsaid\n```\n## B\n1. x\n\n   ```sh\n   two \\\n     three\n   ```\n```json\n{}\n```\n";
        let read: Vec<_> = blocks(page).into_iter().map(|block| (block.section, block.commands, block.says)).collect();
        let is = |section: &str, commands: &str, says: &str| (section.into(), commands.into(), says.into());
        assert_eq!(read, [is("A", "one\n", "said\n"), is("B", "two \\\n  three\n", "")]);
    }

    #[test]
    fn lines_come_in_their_order_and_others_may_come_between() {
        let said = "{\"log\": 1}\nID     NAME\nmem_1  Ann Lee\nlast\n";
        assert_eq!(missing("ID NAME\nmem_…  Ann Lee\n…\n", said), None);
        assert_eq!(missing("", said), None);
        assert_eq!(missing("last\nID NAME\n", said), Some("ID NAME"));
        assert_eq!(missing("mem_…  Ann\n", said), Some("mem_…  Ann"));
    }
}
