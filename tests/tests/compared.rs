//! The page `plugins/compared.md` says what commands say. Here they say it.

use std::{process::Command, sync::LazyLock};

use berth_tests::{
    Database,
    process::{Installation, berth},
    shell, walkthrough,
};
use clap::Parser;
use regex::Regex;

const PAGE: &str = include_str!("../../plugins/compared.md");

static CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new("`([^`]+)`").unwrap());

/// A row of the page's table.
struct Row {
    name: &'static str,
    commands: Vec<&'static str>,
    /// What the commands say, one after another.
    says: Vec<&'static str>,
    /// Whether it needs what a test may not have, such as a registry.
    needs_more: bool,
}

fn codes(cell: &'static str) -> Vec<&'static str> {
    CODE.captures_iter(cell).map(|found| found.get(1).unwrap().as_str()).collect()
}

fn rows() -> Vec<Row> {
    let lines = PAGE.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit());
    let row = |line: &'static str| {
        let [_, name, commands, says, _] = line.trim_matches('|').split(" | ").collect::<Vec<_>>()[..] else {
            panic!("a row has five cells: {line}")
        };
        Row { name, commands: codes(commands), says: codes(says), needs_more: commands.contains("(needs ") }
    };
    lines.map(row).collect()
}

#[test]
fn every_command_beside_kubewarden_is_one_of_berth() {
    let rows = rows();
    assert!(rows.len() >= 20, "{}", rows.len());
    for row in &rows {
        assert!(!row.commands.is_empty() && !row.says.is_empty(), "{}", row.name);
        for command in row.commands.iter().filter(|command| command.starts_with("berth ")) {
            let read = berth::program::Cli::try_parse_from(shell::words(command));
            let fault = read.err().filter(|error| error.kind() != clap::error::ErrorKind::DisplayHelp);
            assert!(fault.is_none(), "{command}: {}", fault.unwrap());
        }
    }
}

/// A folder as the page wants it: with the samples, and what its first lines make.
fn folder() -> tempfile::TempDir {
    let (folder, blocks) = (walkthrough::folder(), walkthrough::blocks(PAGE));
    let (_, made) = blocks[0].commands.split_once('\n').unwrap();
    let done = Command::new("sh").args(["-ec", made]).current_dir(folder.path()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_beside_kubewarden_says_what_the_page_says() {
    let installation = Installation::new(Database::Sqlite).await;
    let (demo, folder) = (installation.demo().await, folder());
    let api = &demo.admin;
    for row in rows().iter().filter(|row| !row.needs_more) {
        let mut said = String::new();
        for line in &row.commands {
            let words = shell::words(line);
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let mut command = match words[0] {
                "berth" => berth(api, &words[1..]),
                other => {
                    let mut command = tokio::process::Command::new(other);
                    command.args(&words[1..]);
                    command
                }
            };
            let done = command.current_dir(folder.path()).output().await.unwrap();
            assert_ne!(done.status.code(), Some(2), "{line}: {}", String::from_utf8_lossy(&done.stderr));
            said += &(String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr));
        }
        for expected in &row.says {
            assert!(said.contains(expected), "{}: {expected:?} is not in\n{said}", row.name);
        }
    }
}
