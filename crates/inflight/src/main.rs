//! The command line of Inflight: everything that measures, checks, compares and explains runs.
//!
//! stdout is data, stderr is progress and warnings. `--json` makes stdout one JSON document, on
//! error paths too. Exit codes are those of [`harness::exit_code`], and 3, 4, 5 as documented in
//! `crates/inflight/README.md`.

mod answer;
mod arguments;
mod asked;
mod check;
mod cite;
mod compare;
mod explain;
mod list;
mod machine;
mod measure;
mod merge;
mod new_model;
mod output;
mod pages;
mod pictures;
mod place;
mod rows;
mod site;
mod versions;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::output::Output;

fn main() -> ExitCode {
    harness::settle_signals();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return arguments::refuse(&error),
    };
    arguments::choose_color(arguments.color);
    if arguments.quiet {
        harness::be_quiet();
    }
    let mut output = Output::new(arguments.json);
    let code = run(&arguments, &mut output).unwrap_or_else(|error| {
        let code = harness::exit_code(&error);
        output.fail(&error, code);
        code
    });
    output.exit(code)
}

/// Carries out a command and returns the exit code.
fn run(arguments: &Arguments, output: &mut Output) -> Result<u8> {
    match &arguments.command {
        Command::Run(request) => measure::run(request, output),
        Command::Verify(request) => measure::verify(request, output),
        Command::Doctor => machine::doctor(output),
        Command::List { what, outside } => list::list(*what, outside, output),
        Command::Rank(asked) => compare::rank(asked, output),
        Command::Compare(asked) => versions::compare(asked, output),
        Command::Explain(asked) => explain::explain(asked, output),
        Command::Diff(asked) => compare::diff(asked, output),
        Command::Merge { runs, out } => merge::merge(runs, out, output),
        Command::NewModel { name, like, outside } => {
            new_model::new_model((name, like.as_deref()), outside.as_deref(), output)
        }
        Command::Completions { shell } => Ok(pages::completions(*shell, output)),
        Command::Man { command } => pages::man(command.as_deref(), output),
        Command::Check { run } => check::check(run, output),
        Command::Cite { run, form } => cite::cite(run, form.as_deref(), output),
        Command::Export { run, to } => cite::export(run, to, output),
        Command::Report { runs, site: Some(folder), .. } => site::write(runs, folder, output),
        Command::Report { runs, figures, verbose, site: None } => {
            check::rebuild(runs, (figures.as_deref(), *verbose), output)
        }
    }
}
