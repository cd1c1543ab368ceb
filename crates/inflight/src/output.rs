//! What a command says on stdout: lines of text, or one JSON document.
//!
//! Colour is taken away again where nobody sees it: by `--color`, `NO_COLOR`, `TERM=dumb`, and
//! where stdout is no terminal. It never says anything that the words do not.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use anyhow::{Context, Error, Result};
use model_kit::{plain, plain_line};
use record::Unwritable;
use serde::Serialize;
use serde_json::{Value, json};

/// The most letters of an error that are reported: it may quote what a stranger wrote.
const MESSAGE_MAX: usize = 2_000;

/// What is said on stdout: text as it comes, or one document at the end.
#[derive(Debug)]
pub(crate) struct Output {
    document: Option<Value>,
    /// The first write that failed: whoever reads has had enough, or there is no room.
    failed: Option<(io::Error, usize)>,
}

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// All is well.
    Good,
    /// To be looked at.
    Doubtful,
    /// Wrong.
    Bad,
}

impl Output {
    /// Begins with nothing said.
    pub(crate) fn new(json: bool) -> Self {
        Self { document: json.then_some(Value::Null), failed: None }
    }

    /// Says something to people, who may have it from strangers: whatever a terminal would obey is
    /// spelled out.
    pub(crate) fn say(&mut self, text: &str) {
        if self.document.is_none() && self.failed.is_none() {
            self.write(&plain(text.trim_end_matches('\n')));
        }
    }

    /// Writes a line, colours and all.
    fn write(&mut self, line: &str) {
        let mut stdout = anstream::stdout().lock();
        let said = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
        self.failed = said.err().map(|error| (error, line.len()));
    }

    /// Says something to people that begins with a word in the colour of what it means.
    pub(crate) fn mark(&mut self, tone: Tone, text: &str) {
        if self.document.is_none() && self.failed.is_none() {
            let text = plain(text.trim_end_matches('\n'));
            let (word, rest) = text.split_at(text.find(' ').unwrap_or(text.len()));
            let style = tone.style();
            self.write(&format!("{style}{word}{style:#}{rest}"));
        }
    }

    /// Says something to programs.
    pub(crate) fn document(&mut self, value: &impl Serialize) {
        if let Some(document) = &mut self.document {
            *document = serde_json::to_value(value).unwrap_or_default();
        }
    }

    /// Says on stderr why the command failed, and to programs on stdout too.
    pub(crate) fn fail(&mut self, error: &Error, code: u8) {
        let message = complain(&format!("{error:#}"));
        self.document(&json!({ "error": { "exit_code": code, "message": message } }));
    }

    /// Ends what is said, and returns what the program exits with: the code of the command, unless
    /// its answer is lost.
    pub(crate) fn exit(self, code: u8) -> ExitCode {
        ExitCode::from(match self.end() {
            Ok(()) => code,
            Err(error) => {
                complain(&format!("{error:#}"));
                harness::exit_code(&error)
            }
        })
    }

    /// Ends what is said.
    fn end(self) -> Result<()> {
        match (self.document, self.failed) {
            (Some(document), _) => said(&format!("{document:#}\n")),
            (None, Some((error, bytes))) => written(Err(error), bytes),
            (None, None) => Ok(()),
        }
    }
}

impl Tone {
    /// Returns its style.
    fn style(self) -> Style {
        let color = match self {
            Self::Good => AnsiColor::Green,
            Self::Doubtful => AnsiColor::Yellow,
            Self::Bad => AnsiColor::Red,
        };
        Style::new().bold().fg_color(Some(color.into()))
    }
}

/// Says on stderr that something failed, and returns how it is said.
pub(crate) fn complain(message: &str) -> String {
    let message = plain_line(message, MESSAGE_MAX);
    let style = Tone::Bad.style();
    let _ = writeln!(anstream::stderr(), "{style}error:{style:#} {message}");
    message
}

/// Writes a text on stdout.
fn said(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()), text.len())
}

/// Returns whether so many bytes were said on stdout. That a reader has had enough is no failure:
/// what was said was said.
pub(crate) fn written(said: io::Result<()>, bytes: usize) -> Result<()> {
    match said {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        said => said.with_context(|| Unwritable::of(Path::new("stdout"), bytes)),
    }
}
