//! What can be asked for on the command line.

use std::path::PathBuf;
use std::process::ExitCode;

use anstream::ColorChoice;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};
use clap_complete::Shell;
use model_kit::DelayRange;
use record::OriginKind;
use serde_json::json;

use crate::asked::{Comparison, Explanation, Listed, Ranking, Request, Verification, Versions};
use crate::new_model;
use crate::output::{self, Output};
use crate::pictures::PICTURES;

/// Compares concurrency models by what a fetch costs, in turns, against a local server.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "inflight",
    version,
    verbatim_doc_comment,
    before_help = "\
Examples:
  inflight run                          measure the usual models
  inflight run tokio smol --blocks 20   measure two, with baseline and floor beside them
  inflight doctor                       what this machine would do to a result
  inflight check latest                 is this run what was measured?
  inflight diff OLD NEW --fail-if-slower 5%
  inflight cite latest                  BibTeX, and a sentence on the method
",
    after_help = "\
Exit codes: 0 all is well, 1 internal, 2 wrong use, 3 a model failed its verification, 4 a model did
something wrong in a run, 5 slower than allowed, 6 refused before measuring, 7 a file is corrupt,
altered or of an unknown schema, 8 input or output failed, 129, 130 and 143 hang-up, Ctrl-C and
termination: what was measured is kept.

Where inflight is not installed, type cargo run --release -- instead of it."
)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Prints one JSON document instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Reports no progress on stderr; errors are reported all the same.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// When to colour words: where stdout is a terminal, always, or never.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_parser = color())]
    pub(crate) color: ColorChoice,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Builds, measures in turns, writes a run, prints the answer.
    #[command(before_help = "\
Examples:
  inflight run                          the usual models, preset quick
  inflight run --preset standard        more cells, about half an hour
  inflight run smol --cell steady       one model, one cell
  inflight run smol smol+mimalloc       with an allocator and without, beside tokio
  inflight run --dry-run                what it would take, and what it could show
  inflight run --resume                 go on with the newest run that was cut short
")]
    Run(Request),
    /// Verifies each model on each cell: one OK or FAIL line each.
    #[command(before_help = "\
Examples:
  inflight verify                       every model
  inflight verify my-model              the one being written
  inflight verify mine --models ../my-runtime/bench     one outside the repository
  inflight verify --faults my-model     the same against an origin that misbehaves
")]
    Verify(Verification),
    /// Reports what this machine would do to a result, and what fixes it.
    #[command(before_help = "\
Examples:
  inflight doctor                       good, doubt or BAD, and the command that fixes it
  inflight doctor --json                the same for programs
")]
    Doctor,
    /// Lists what there is.
    #[command(before_help = "\
Examples:
  inflight list models                  what `run` measures
  inflight list runs                    what was measured, the oldest first
")]
    List {
        /// Of what.
        what: Listed,
        /// A folder of a model outside the repository, or of several; may be given again.
        #[arg(long = "models", value_name = "DIR")]
        outside: Vec<PathBuf>,
    },
    /// Prints the table of a run again, by another metric.
    #[command(before_help = "\
Examples:
  inflight rank latest
  inflight rank latest --metric wall --cell batch
")]
    Rank(Ranking),
    /// Compares versions of a package, or levers, on this machine, in turns of one run: a minute.
    #[command(before_help = "\
Examples:
  inflight compare tokio@1.50.0 tokio@1.54.1         what an upgrade costs
  inflight compare tokio tokio@../tokio              a checkout of yours against the locked one
  inflight compare tokio-reqwest tokio-reqwest@reqwest=0.12.28
  inflight compare tokio tokio+mimalloc              with an allocator and without
  inflight compare tokio@1.50.0 tokio --cfg tokio_unstable     both with a flag
  inflight compare tokio smol --in-flight 8 --delay 1..3 --body 16KiB    a cell of your own
  inflight compare smol@2.0.0 smol --fail-if-slower 3% --md
")]
    Compare(Versions),
    /// Shows where the time of a fetch goes: user or kernel, which system calls, which functions.
    #[command(before_help = "\
Examples:
  inflight explain smol                 beside tokio, which ratios are taken against
  inflight explain threads rayon --cell steady-low
  inflight explain tokio@1.50.0 tokio   a version beside the locked one
")]
    Explain(Explanation),
    /// Compares the same models across two runs of one machine: slower, faster, same or unknown.
    #[command(before_help = "\
Examples:
  inflight diff 20261122T210020Z latest
  inflight diff OLD NEW --fail-if-slower 5%     exit 5 if a model is slower by more than that
  inflight diff OLD NEW --as markdown           a table for a pull request
  inflight diff OLD NEW --as html > diff.html   a page that works from disk
")]
    Diff(Comparison),
    /// Puts runs of several machines side by side; nothing is averaged.
    #[command(before_help = "\
Examples:
  inflight merge RUN-HERE RUN-THERE --out merged/      writes merge.html, merge.md, merge.json
")]
    Merge {
        /// The runs: their folders, the beginnings of their names, or `latest`.
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<String>,
        /// The folder that is written.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Checks that a run is what was measured: schema, hashes, laws of counting, derived files.
    #[command(before_help = "\
Examples:
  inflight check latest                 exit 7 if a byte is not what was measured
")]
    Check {
        /// The run: its folder, the beginning of its name, or `latest`.
        #[arg(default_value = "latest")]
        run: String,
    },
    /// Cites a run: BibTeX and a sentence on the method, or one form that is asked for.
    #[command(before_help = "\
Examples:
  inflight cite latest
  inflight cite latest --as latex       the tables with their captions, for booktabs
  inflight cite latest --as cff         a CITATION.cff of the run
")]
    Cite {
        /// The run: its folder, the beginning of its name, or `latest`.
        #[arg(default_value = "latest")]
        run: String,
        /// In which form.
        #[arg(long = "as", value_name = "FORM",
              value_parser = report::CiteForm::ALL.map(report::CiteForm::name))]
        form: Option<String>,
    },
    /// Prints a run for another program: every turn as CSV, or the costs in its format.
    #[command(before_help = "\
Examples:
  inflight export latest --to csv > turns.csv
  inflight export latest --to bencher | bencher run --adapter json --file -
  inflight export latest --to github-action-benchmark > output.json
")]
    Export {
        /// The run: its folder, the beginning of its name, or `latest`.
        #[arg(default_value = "latest")]
        run: String,
        /// In which format.
        #[arg(long, value_name = "FORMAT",
              value_parser = report::ExportForm::ALL.map(report::ExportForm::name))]
        to: String,
    },
    /// Writes the package of a new model, which compiles.
    #[command(before_help = "\
Examples:
  inflight new-model my-model           crates/model-my-model, whose loop is still to be written
  inflight new-model mine --like async  a copy of the model on smol, which works, to be changed
  inflight new-model mine --models ../my-runtime/bench     the same outside the repository
  inflight verify my-model              FAIL, until its loop is written
")]
    NewModel {
        /// The name, such as my-model.
        name: String,
        /// Copies a model that waits in this way.
        #[arg(long, value_name = "WAY", value_parser = new_model::ways())]
        like: Option<String>,
        /// The folder outside the repository that gets it, such as one of your own.
        #[arg(long = "models", value_name = "DIR")]
        outside: Option<PathBuf>,
    },
    /// Prints the completions for a shell.
    #[command(before_help = "\
Examples:
  inflight completions bash > ~/.local/share/bash-completion/completions/inflight
  inflight completions fish > ~/.config/fish/completions/inflight.fish
")]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Prints the page of the manual on the program, or on one of its commands.
    #[command(before_help = "\
Examples:
  inflight man | man -l -
  inflight man run > inflight-run.1
")]
    Man {
        /// The command; the whole program if none.
        command: Option<String>,
    },
    /// Prints the answer of runs, and rebuilds every derived file from what was measured.
    #[command(before_help = "\
Examples:
  inflight report latest                tables, summary and citation again, byte for byte
  inflight report latest --verbose      and every table in the terminal
  inflight report latest --figures pdf  and each figure as a picture beside it, for a paper
  inflight report --site public         a static site of the published runs
")]
    Report {
        /// The runs, each by its folder, the beginning of its name, or `latest`, which is meant if
        /// none is named; for a site, those that `results/README.md` links are.
        runs: Vec<String>,
        /// Makes a picture of each figure too.
        #[arg(long, value_name = "FORMAT", value_parser = PICTURES)]
        figures: Option<String>,
        /// Writes a static site of the runs into this folder instead.
        #[arg(long, value_name = "DIR", conflicts_with_all = ["figures", "verbose"])]
        site: Option<PathBuf>,
        /// Prints every table, check and file before the answer.
        #[arg(long, short)]
        verbose: bool,
    },
}

/// Says what is wrong with the command line, and returns the exit code.
pub(crate) fn refuse(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    if let (false, Err(why)) =
        (error.use_stderr(), output::written(printed, error.to_string().len()))
    {
        output::complain(&format!("{why:#}"));
        return ExitCode::from(harness::exit_code(&why));
    }
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    if !error.use_stderr() || std::env::args_os().all(|argument| argument != "--json") {
        return ExitCode::from(code);
    }
    let mut output = Output::new(true);
    output.document(&json!({ "error": { "exit_code": code, "message": error.to_string() } }));
    output.exit(code)
}

/// Colours words from here on as was asked. A dumb terminal gets none by itself, in continuous
/// integration neither, where anstream would colour whatever the terminal can show.
pub(crate) fn choose_color(asked: ColorChoice) {
    let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    let chosen = if dumb && asked == ColorChoice::Auto { ColorChoice::Never } else { asked };
    chosen.write_global();
}

/// Returns the names of the presets.
pub(crate) fn names_of_presets() -> PossibleValuesParser {
    PossibleValuesParser::new(harness::presets().map(|preset| preset.name))
}

/// Reads the kind of an origin.
pub(crate) fn origin() -> impl TypedValueParser<Value = OriginKind> {
    PossibleValuesParser::new(OriginKind::ALL.map(OriginKind::name)).map(|name| {
        let is_named = |kind: &OriginKind| kind.name() == name;
        OriginKind::ALL.into_iter().find(is_named).unwrap_or_default()
    })
}

/// Reads when to colour words.
fn color() -> impl TypedValueParser<Value = ColorChoice> {
    PossibleValuesParser::new(["auto", "always", "never"]).map(|when| match when.as_str() {
        "always" => ColorChoice::Always,
        "never" => ColorChoice::Never,
        _ => ColorChoice::Auto,
    })
}

/// Reads a share such as `5%` or `5`.
pub(crate) fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse::<f64>();
    match number {
        Ok(percent) if percent.is_finite() && percent >= 0.0 => Ok(percent),
        _ => Err("expected a percentage that is not negative, such as 5%".to_owned()),
    }
}

/// Reads delays such as `4..12` or `8`.
pub(crate) fn delay(text: &str) -> Result<DelayRange, String> {
    let (lo, hi) = text.split_once("..").unwrap_or((text, text));
    match (lo.parse::<u64>(), hi.parse::<u64>()) {
        (Ok(lo), Ok(hi)) if lo <= hi && hi <= 10_000 => Ok(DelayRange { lo, hi }),
        _ => Err("expected milliseconds such as 8 or 4..12, at most 10000".to_owned()),
    }
}

/// Reads a size such as `128` or `16KiB`.
pub(crate) fn size(text: &str) -> Result<u32, String> {
    let (number, unit) = match text.strip_suffix("KiB") {
        Some(number) => (number, 1024),
        None => (text, 1),
    };
    let bytes = number.parse::<u32>().ok().and_then(|number| number.checked_mul(unit));
    let bytes = bytes.filter(|bytes| *bytes <= 1024 * 1024);
    bytes.ok_or_else(|| "expected bytes such as 128 or 16KiB, at most 1024KiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_may_be_written_with_or_without_its_sign() {
        assert_eq!((percent("5%"), percent("2.5")), (Ok(5.0), Ok(2.5)));
        for wrong in ["", "%", "five", "-1", "NaN", "inf%"] {
            assert!(percent(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_cell_may_be_given_by_its_numbers() {
        assert_eq!(delay("4..12"), Ok(DelayRange { lo: 4, hi: 12 }));
        assert_eq!(delay("8"), Ok(DelayRange { lo: 8, hi: 8 }));
        assert_eq!((size("128"), size("16KiB")), (Ok(128), Ok(16 * 1024)));
        for wrong in ["", "12..4", "4..", "1ms", "1..99999"] {
            assert!(delay(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "-1", "2MiB", "1025KiB", "KiB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }
}
