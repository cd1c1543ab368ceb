//! Criterion's arguments, which keep their meaning, read before anything is measured.

use clap::Parser;
use harness::Failure;

use crate::runner::Runner;

/// Folders that criterion keeps beside results: none of them can be a name of results.
const OF_CRITERION: [&str; 3] = ["new", "change", "report"];
/// The most bytes of a name under which results are kept.
const NAME_MAX: usize = 100;

/// Measures every concurrency model against a local server and shows what a fetch costs.
///
/// Examples:
///   cargo bench                            measure all, print the answer
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
    /// What may be said to every bench.
    #[command(flatten)]
    pub(crate) runner: Runner,
    /// Keeps criterion's results under this name.
    #[arg(long, short, value_name = "NAME", value_parser = name,
          conflicts_with_all = ["baseline", "baseline_lenient"])]
    save_baseline: Option<String>,
    /// Lets criterion compare with the results kept under this name; benchmarks without such
    /// results are left out.
    #[arg(long, short, value_name = "NAME", value_parser = name,
          conflicts_with = "baseline_lenient")]
    pub(crate) baseline: Option<String>,
    /// As --baseline, where benchmarks without such results are taken in, and results are kept.
    #[arg(long, value_name = "NAME", value_parser = name)]
    baseline_lenient: Option<String>,
    /// Lets criterion compare results kept under this name; measures nothing.
    #[arg(long, value_name = "NAME", value_parser = name, requires = "baseline")]
    pub(crate) load_baseline: Option<String>,
    /// Lets criterion keep nothing.
    #[arg(long)]
    discard_baseline: bool,
    /// Prints every table and check before the answer, and lets criterion say more.
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Lets criterion draw nothing.
    #[arg(long, short)]
    pub(crate) noplot: bool,
    /// How criterion draws.
    #[arg(long, value_parser = ["gnuplot", "plotters"])]
    plotting_backend: Option<String>,
    /// How criterion prints.
    #[arg(long, value_parser = ["criterion", "bencher"])]
    output_format: Option<String>,
    /// Resamples of criterion's bootstrap.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    nresamples: Option<u32>,
    /// Criterion's noise threshold.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    noise_threshold: Option<f64>,
    /// Criterion's confidence level.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    confidence_level: Option<f64>,
    /// Criterion's significance level.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    significance_level: Option<f64>,
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
}

impl Arguments {
    /// Returns whether stored results of criterion's are compared, and nothing is measured.
    pub(crate) fn compares(&self) -> bool {
        self.load_baseline.is_some()
    }

    /// Returns whether criterion's words are asked for: the table says what a run found, and what
    /// criterion prints beside it is longer.
    pub(crate) fn names_criterion(&self) -> bool {
        let names = [&self.save_baseline, &self.baseline, &self.baseline_lenient];
        let is_named = names.into_iter().chain([&self.load_baseline, &self.output_format]);
        self.verbose || self.filter.is_some() || is_named.flatten().next().is_some()
    }

    /// Checks that nothing is asked for that would change the schedule.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let refusal = match () {
            () if self.quick => "--quick is refused: one sample decides nothing; leave it out",
            () if self.profile_time.is_some() => {
                "--profile-time is refused: each model is a process of its own; profile \
                 `target/release/model-NAME` instead"
            }
            () if self.sample_size.is_some() => {
                "--sample-size is refused: the preset decides the number of blocks"
            }
            () if self.warm_up_time.is_some() || self.measurement_time.is_some() => {
                "times are refused: the cell decides warm-up and window by fetches"
            }
            () => return Ok(()),
        };
        Err(Failure::Usage(refusal.to_owned()))
    }
}

/// Reads the name of a folder for results: criterion takes it for a path.
fn name(text: &str) -> Result<String, String> {
    let is_folder = !text.is_empty()
        && text.len() <= NAME_MAX
        && !text.starts_with('.')
        && !text.contains(|c: char| c == '/' || c.is_control());
    match is_folder && !OF_CRITERION.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "expected the name of a folder, such as before: at most {NAME_MAX} letters, no slash, \
             no dot first, and none of criterion's own: {}",
            OF_CRITERION.join(", ")
        )),
    }
}

/// Reads a share that criterion takes.
fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if 0.0 < share && share < 1.0 => Ok(share),
        _ => Err("expected a number between 0 and 1, both left out, such as 0.05".to_owned()),
    }
}
