//! `completions` and `man`: what shells and manuals know of the command line.

use anyhow::{Context, Result};
use clap::builder::StyledStr;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use harness::Failure;
use serde_json::json;

use crate::arguments::Arguments;
use crate::output::Output;

/// Prints the completions for a shell.
pub(crate) fn completions(shell: Shell, output: &mut Output) -> u8 {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "inflight", &mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    output.say(&text);
    output.document(&json!({ "shell": shell.to_string(), "text": text }));
    0
}

/// Prints the page of the manual on the program, or on one of its commands.
pub(crate) fn man(name: Option<&str>, output: &mut Output) -> Result<u8> {
    let mut all = Arguments::command();
    all.build();
    let command = match name {
        None => all,
        Some(name) => page_of(&all, name)?,
    };
    let examples = command.get_before_help().map(examples).unwrap_or_default();
    let mut bytes = Vec::new();
    clap_mangen::Man::new(command).render(&mut bytes).context("failed to write the page")?;
    let text = String::from_utf8_lossy(&bytes).into_owned() + &examples;
    output.say(&text);
    output.document(&json!({ "command": name, "text": text }));
    Ok(0)
}

/// Returns the section of a page on the examples that help begins with.
fn examples(help: &StyledStr) -> String {
    let help = help.to_string();
    let line =
        |line: &str| "\\&".to_owned() + &line.replace('\\', "\\\\").replace('-', "\\-") + "\n";
    let lines: String = help.lines().skip(1).map(line).collect();
    format!(".SH EXAMPLES\n.nf\n{lines}.fi\n")
}

/// Returns a command, named as its page is.
fn page_of(all: &Command, name: &str) -> Result<Command> {
    let command = all.find_subcommand(name).with_context(|| {
        let names: Vec<&str> = all.get_subcommands().map(Command::get_name).collect();
        Failure::Usage(format!("there is no command {name:?}, only: {}", names.join(", ")))
    })?;
    Ok(command.clone().name(format!("inflight-{name}")).display_name(format!("inflight-{name}")))
}
