//! Criterion's arguments, which keep their meaning, read before anything is measured.

use std::process::ExitCode;

use clap::Parser;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Measure, and report.
    Measure,
    /// Run each model once on each cell, verified.
    Test,
    /// Name the benchmarks.
    List,
    /// Compare stored criterion baselines; measure nothing.
    Compare,
}

/// Measures every concurrency model against a local server and shows what a fetch costs.
///
/// Examples:
///   cargo bench                            measure all, print a table
///   cargo bench -- --test                  run each model once, verified
///   cargo bench -- steady/smol             report smol's steady cell alone
///   cargo bench -- --save-baseline before  keep criterion's results under a name
#[derive(Clone, Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of criterion's")]
#[command(name = "cargo bench", bin_name = "cargo bench --", verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Reports only benchmarks whose name matches this regular expression, such as `steady/smol`;
    /// baseline and floor are measured with them all the same.
    pub(crate) filter: Option<String>,
    /// Takes the filter for a whole name.
    #[arg(long)]
    pub(crate) exact: bool,
    /// Names the benchmarks.
    #[arg(long)]
    pub(crate) list: bool,
    /// Runs each model once on each cell, verified, and measures nothing.
    #[arg(long)]
    pub(crate) test: bool,
    /// Keeps criterion's results under this name.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["baseline", "baseline_lenient"])]
    pub(crate) save_baseline: Option<String>,
    /// Lets criterion compare with the results kept under this name.
    #[arg(long, value_name = "NAME", conflicts_with = "baseline_lenient")]
    pub(crate) baseline: Option<String>,
    /// As --baseline, where results that are missing are no error.
    #[arg(long, value_name = "NAME")]
    pub(crate) baseline_lenient: Option<String>,
    /// Lets criterion compare results kept under this name; measures nothing.
    #[arg(long, value_name = "NAME", requires = "baseline")]
    pub(crate) load_baseline: Option<String>,
    /// Lets criterion keep nothing.
    #[arg(long)]
    pub(crate) discard_baseline: bool,
    /// When criterion colours its output.
    #[arg(long, value_parser = ["auto", "always", "never"])]
    pub(crate) color: Option<String>,
    /// Lets criterion say more.
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Lets criterion say less.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Lets criterion draw nothing.
    #[arg(long, short)]
    pub(crate) noplot: bool,
    /// How criterion draws.
    #[arg(long, value_parser = ["gnuplot", "plotters"])]
    pub(crate) plotting_backend: Option<String>,
    /// How criterion prints.
    #[arg(long, value_parser = ["criterion", "bencher"])]
    pub(crate) output_format: Option<String>,
    /// How criterion names the benchmarks.
    #[arg(long, value_parser = ["pretty", "terse"])]
    pub(crate) format: Option<String>,
    /// Resamples of criterion's bootstrap.
    #[arg(long, value_name = "N")]
    pub(crate) nresamples: Option<usize>,
    /// Criterion's noise threshold.
    #[arg(long, value_name = "SHARE")]
    pub(crate) noise_threshold: Option<f64>,
    /// Criterion's confidence level.
    #[arg(long, value_name = "SHARE")]
    pub(crate) confidence_level: Option<f64>,
    /// Criterion's significance level.
    #[arg(long, value_name = "SHARE")]
    pub(crate) significance_level: Option<f64>,
    /// Refused: one sample decides nothing.
    #[arg(long, hide = true)]
    quick: bool,
    /// Refused: a model is a process of its own.
    #[arg(long, hide = true)]
    profile_time: Option<f64>,
    /// Refused: the schedule decides.
    #[arg(long, hide = true)]
    sample_size: Option<usize>,
    /// Refused: the cell decides.
    #[arg(long, hide = true)]
    warm_up_time: Option<f64>,
    /// Refused: the cell decides.
    #[arg(long, hide = true)]
    measurement_time: Option<f64>,
    /// What cargo says when it benches rather than tests.
    #[arg(long, hide = true)]
    bench: bool,
    /// What test runners say; it changes nothing here.
    #[arg(long, hide = true)]
    nocapture: bool,
}

impl Arguments {
    /// Returns what is to be done. Without cargo's `--bench` this is a test.
    pub(crate) fn action(&self) -> Action {
        match () {
            () if self.list => Action::List,
            () if self.test || !self.bench => Action::Test,
            () if self.load_baseline.is_some() => Action::Compare,
            () => Action::Measure,
        }
    }

    /// Returns why the arguments are refused, if they are.
    fn refusal(&self) -> Option<&'static str> {
        match () {
            () if self.quick => {
                Some("--quick is refused: one sample decides nothing; leave it out")
            }
            () if self.profile_time.is_some() => Some(
                "--profile-time is refused: each model is a process of its own; profile \
                 `target/release/model-NAME` instead",
            ),
            () if self.sample_size.is_some() => {
                Some("--sample-size is refused: the preset decides the number of blocks")
            }
            () if [self.noise_threshold, self.confidence_level, self.significance_level]
                .into_iter()
                .flatten()
                .any(|share| !(0.0..1.0).contains(&share))
                || self.nresamples == Some(0) =>
            {
                Some("criterion's levels are shares from 0 to 1, and its resamples at least 1")
            }
            () if self.warm_up_time.is_some() || self.measurement_time.is_some() => {
                Some("times are refused: the cell decides warm-up and window by fetches")
            }
            () => None,
        }
    }
}

/// Reads the arguments, or returns the exit code after saying what is wrong with them.
pub(crate) fn read() -> Result<Arguments, ExitCode> {
    let arguments = Arguments::try_parse().map_err(|error| {
        let _ = error.print();
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })?;
    match arguments.refusal() {
        None => Ok(arguments),
        Some(why) => {
            eprintln!("error: {why}");
            Err(ExitCode::from(2))
        }
    }
}
