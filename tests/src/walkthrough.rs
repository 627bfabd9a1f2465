//! The walkthroughs of documents, gone through as somebody does who has nothing but the documents: what stands in blocks of `sh` is
//! pasted into one shell, block after block.
//!
//! A block of `text` right behind says what is answered. Its lines have to come in that order; `…` stands for anything, and what comes
//! between, such as a server's log, is left aside.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Output, Stdio},
    sync::LazyLock,
    time::Duration,
};

use regex::{Captures, Regex};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{CACHE, process::binary};

const PATIENCE: Duration = Duration::from_secs(300);

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
        std::os::unix::fs::symlink(repository.join(name), folder.path().join(name)).unwrap();
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
            assert!(blocks.iter().any(|block| block.section == *section), "no section with commands is called {section:?}");
        }
        let is_read = |block: &Block| sections.is_empty() || sections.contains(&block.section.as_str());
        self.blocks.extend(blocks.into_iter().filter(is_read));
        self
    }

    /// Pastes everything, and looks whether each command succeeds and says what the pages show.
    pub async fn walks(self) {
        let folder = folder();
        equip(folder.path());
        let numbered = self.blocks.iter().enumerate();
        let script: String = numbered.map(|(number, block)| format!("#= {number}\n{}", block.commands)).collect();
        fs::write(folder.path().join("script"), with_free_ports(&script)).unwrap();
        let (status, said) = paste(folder.path()).await;
        for (block, said) in self.blocks.iter().zip(said.split("#= ").skip(1)) {
            if let Some(missing) = missing(&block.says, said) {
                panic!("{}: after\n{}\nthe page shows {missing:?}, and it says\n{said}", block.section, block.commands);
            }
        }
        assert!(status, "{said}");
    }
}

/// Gives to the reader the commands that are to be had by building.
fn equip(folder: &Path) {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    symlink(binary(), bin.join("berth")).unwrap();
    let built = binary();
    let built = built.parent().unwrap().display();
    let cargo = format!(
        "#!/bin/sh\n# What is to be built is built: `cargo run … NAME -- ARGUMENT…` runs NAME.\n[ \"$1\" = run ] || exit 0\n\
        while [ \"$1\" != -- ]; do name=$1; shift; done\nshift\nexec \"{built}/$name\" \"$@\"\n"
    );
    fs::write(bin.join("cargo"), cargo).unwrap();
    fs::set_permissions(bin.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
}

/// The same script with other ports than the pages have, which many may use at once.
fn with_free_ports(script: &str) -> String {
    static PORTS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(7171|7180|7272|7373|7474|9000)\b").unwrap());
    let mut free = std::collections::BTreeMap::new();
    // All are held until each is known, so that no two are one.
    let mut take = |port: &str| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        free.entry(port.to_owned()).or_insert(listener).local_addr().unwrap().port().to_string()
    };
    PORTS.replace_all(script, |found: &Captures<'_>| take(&found[1])).into_owned()
}

/// Whether all commands of the script succeed, and what they say.
async fn paste(folder: &Path) -> (bool, String) {
    let walk = concat!(env!("CARGO_MANIFEST_DIR"), "/setup/walk.sh");
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-c", "exec bash \"$0\" < script 2>&1", walk]).current_dir(folder);
    let ours = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("BERTH_"));
    for name in ours {
        bash.env_remove(name);
    }
    bash.env("PATH", path).env("HOME", folder).env_remove("XDG_CONFIG_HOME").env("BERTH_CACHE_DIR", &*CACHE);
    bash.stdin(Stdio::null()).stderr(Stdio::null());
    let Output { status, stdout, .. } = tokio::time::timeout(PATIENCE, bash.output()).await.expect("it comes to an end").unwrap();
    (status.success(), String::from_utf8_lossy(&stdout).into_owned())
}

/// The first line of what a page shows that is not in what was said, after those before it.
fn missing<'a>(shown: &'a str, said: &str) -> Option<&'a str> {
    let mut said = said.lines();
    shown.lines().find(|line| !said.any(|one| is_like(line, one)))
}

/// Whether a line is the one that a page shows. Blanks count once.
fn is_like(shown: &str, line: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (shown, line) = (plain(shown), plain(line));
    let Some((first, rest)) = shown.split_once('…') else { return shown == line };
    let Some(mut left) = line.strip_prefix(first) else { return false };
    let mut parts: Vec<_> = rest.split('…').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}
