//! What a command says on stdout: lines of text, or one JSON document.

use std::io::{self, Write};

use anyhow::Error;
use model_kit::{plain, plain_line};
use serde::Serialize;
use serde_json::{Value, json};

/// The most letters of an error that are told: it may quote what a stranger wrote.
const MESSAGE_MAX: usize = 2_000;

/// What is said on stdout: text as it comes, or one document at the end.
#[derive(Debug)]
pub(crate) struct Output {
    document: Option<Value>,
    /// The first write that failed: whoever reads has had enough.
    failed: Option<io::Error>,
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
            let mut stdout = io::stdout().lock();
            let written = writeln!(stdout, "{}", plain(text.trim_end_matches('\n')));
            self.failed = written.and_then(|()| stdout.flush()).err();
        }
    }

    /// Says something to programs.
    pub(crate) fn tell(&mut self, value: &impl Serialize) {
        if let Some(document) = &mut self.document {
            *document = serde_json::to_value(value).unwrap_or_default();
        }
    }

    /// Says on stderr why the command failed, and to programs on stdout too.
    pub(crate) fn fail(&mut self, error: &Error, code: u8) {
        let message = plain_line(&format!("{error:#}"), MESSAGE_MAX);
        let _ = writeln!(io::stderr(), "error: {message}");
        self.tell(&json!({ "error": { "exit_code": code, "message": message } }));
    }

    /// Ends what is said.
    pub(crate) fn end(self) -> io::Result<()> {
        if let Some(document) = self.document {
            let mut stdout = io::stdout().lock();
            serde_json::to_writer_pretty(&mut stdout, &document)?;
            writeln!(stdout)?;
            stdout.flush()?;
        }
        self.failed.map_or(Ok(()), Err)
    }
}
