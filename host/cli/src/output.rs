//! Prints for all commands: answers to stdout, everything else to stderr, and with `--json` exactly one document to
//! stdout.

use std::{
    io::{self, Write},
    sync::Arc,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    answer::read,
    failure::{Done, Failure},
    paint::Paint,
    table::Table,
};
use berth_base::clock::Clock;

/// The output of a command.
pub struct Output {
    /// Whether answers are printed as JSON.
    pub json: bool,
    /// The look of answers for people.
    pub paint: Paint,
    /// Tells the present time when an answer is printed, which may be long after the command began.
    clock: Arc<dyn Clock>,
    /// Whether stderr may have colours.
    pub styled_errors: bool,
    stdout: Box<dyn Write + Send>,
    stderr: Box<dyn Write + Send>,
    answered: bool,
}

impl Output {
    pub fn new(
        json: bool,
        paint: Paint,
        clock: Arc<dyn Clock>,
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
    ) -> Self {
        Self { json, paint, clock, styled_errors: false, stdout, stderr, answered: false }
    }

    /// Prints a line of the answer for people; nothing with `--json`.
    pub fn line(&mut self, text: impl AsRef<str>) -> Done {
        if self.json { Ok(()) } else { self.write(text.as_ref()) }
    }

    /// Prints a remark to stderr.
    pub fn note(&mut self, text: impl AsRef<str>) {
        // A remark that nobody can read any more is no reason to fail.
        let _ = writeln!(self.stderr, "{}", text.as_ref());
    }

    /// Prints the command that mostly follows, ready to paste, to stderr; nothing with `--json`.
    pub fn next(&mut self, command: impl AsRef<str>) {
        if !self.json {
            self.note(format!("next: {}", super::paint::clean(command.as_ref())));
        }
    }

    /// As [`Output::next`], for a command that depends on the answer.
    pub fn then<T: DeserializeOwned>(&mut self, answer: &Value, command: impl FnOnce(T) -> Option<String>) {
        if !self.json
            && let Some(command) = read(answer).ok().and_then(command)
        {
            self.next(command);
        }
    }

    /// Prints an answer that is the same text with and without `--json`, such as a SARIF file or a completion script.
    pub fn verbatim(&mut self, text: &str) -> Done {
        self.answered = true;
        self.write(text.trim_end_matches('\n'))
    }

    /// Whether people read what is printed, on a terminal.
    pub fn is_on_terminal(&self) -> bool {
        self.paint.width.is_some()
    }

    /// Prints the bytes of a file as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> Done {
        self.answered = true;
        printed(self.stdout.write_all(bytes).and_then(|()| self.stdout.flush()))
    }

    /// Prints the answer: the host's own document with `--json`, else what `human` makes of it.
    pub fn show<T: DeserializeOwned>(&mut self, answer: &Value, human: impl FnOnce(T, &Paint) -> String) -> Done {
        self.answer(answer, |paint| Ok(human(read(answer)?, paint)))
    }

    /// Prints the answer to a call that the host answers with nothing: `document` with `--json`, else the sentence.
    pub fn done(&mut self, document: &impl Serialize, sentence: impl Into<String>) -> Done {
        let document = serde_json::to_value(document).unwrap_or_default();
        self.answer(&document, |_| Ok(sentence.into()))
    }

    /// Prints a list: `{"items": […]}` with `--json`, else a table, or `when_empty`.
    pub fn list<T: DeserializeOwned, const N: usize>(
        &mut self,
        items: Vec<Value>,
        head: [&str; N],
        when_empty: &str,
        row: impl Fn(T, &Paint) -> [super::table::Cell; N],
    ) -> Done {
        let document = json!({ "items": items });
        self.answer(&document, |paint| {
            if items.is_empty() {
                return Ok(when_empty.to_owned());
            }
            let mut table = Table::new(head);
            for item in &items {
                table.row(row(read(item)?, paint));
            }
            Ok(table.render(paint))
        })
    }

    /// Prints a line of NDJSON, for commands that print more than one document.
    pub fn stream(&mut self, item: &Value) -> Done {
        self.answered = true;
        self.write(&item.to_string())
    }

    /// Prints why the command failed: in words to stderr, and with `--json` the problem as the one document on stdout.
    pub fn failure(&mut self, failure: &Failure) {
        if matches!(failure, Failure::ReaderGone) {
            return;
        }
        let label = console::Style::new().red().bold().force_styling(self.styled_errors).apply_to("error:");
        self.note(format!("{label} {}", super::paint::clean_lines(&failure.to_string())));
        if self.json && !self.answered {
            let _ = self.write(&pretty(&failure.document()));
        }
    }

    fn answer(&mut self, document: &Value, human: impl FnOnce(&Paint) -> Result<String, Failure>) -> Done {
        self.answered = true;
        self.paint.now = self.clock.now();
        let text = if self.json { pretty(document) } else { human(&self.paint)? };
        self.write(&text)
    }

    fn write(&mut self, text: &str) -> Done {
        printed(writeln!(self.stdout, "{text}").and_then(|()| self.stdout.flush()))
    }
}

fn printed(written: io::Result<()>) -> Done {
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ReaderGone,
        _ => Failure::refused("output", format!("Cannot print: {error}.")),
    })
}

fn pretty(document: &Value) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}
