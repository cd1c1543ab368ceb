//! What each command takes beside its name.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use harness::Workers;
use model_kit::{Cell, DelayRange};
use record::{Allocator, OriginKind};

use crate::arguments::{delay, names_of_presets, origin, percent, size};

/// What to measure.
#[derive(Clone, Debug, Args)]
pub(crate) struct Request {
    /// Which models and cells.
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// All models, those too that are measured only by name.
    #[arg(long, conflicts_with = "models")]
    pub(crate) all: bool,
    /// How much: smoke, primitives, ideas, quick, origins, churn, sweep, hold, hold-100k, load,
    /// hold-1m, scaling, standard or citable.
    #[arg(long, default_value = "quick", value_parser = names_of_presets())]
    pub(crate) preset: String,
    /// Blocks a cell, instead of the preset's.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) blocks: Option<u32>,
    /// Decides everything that is drawn.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Who serves: wiremock, or fast, an event loop of our own, to see whether it matters.
    #[arg(long, value_name = "KIND", default_value = "wiremock", value_parser = origin())]
    pub(crate) origin: OriginKind,
    /// Workers.
    #[command(flatten)]
    pub(crate) workers: WorkersAsked,
    /// Levers.
    #[command(flatten)]
    pub(crate) levers: LeversAsked,
    /// Goes on with a run that was cut short: the one named, or the newest.
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "",
          conflicts_with_all = ["models", "all", "cell", "preset", "blocks", "seed", "dry_run",
                                "supersedes", "origin", "workers", "feature", "cfg",
                                "allocator"])]
    pub(crate) resume: Option<String>,
    /// Where the run is written, instead of `results/`.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The run that this one corrects; it is named in the schedule and in every table.
    #[arg(long, value_name = "RUN")]
    pub(crate) supersedes: Option<String>,
    /// Prints what would be measured, how long it takes and what it could show.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Prints every table and check before the answer.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// What to verify.
#[derive(Clone, Debug, Args)]
pub(crate) struct Verification {
    /// Which models and cells.
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Holds them against an origin that misbehaves: that each failure is counted once, and alike.
    #[arg(long, conflicts_with = "cell")]
    pub(crate) faults: bool,
}

/// Which models and cells.
#[derive(Clone, Debug, Args)]
pub(crate) struct Selection {
    /// The models by name; all of the preset if none. Baseline and floor are measured with them.
    /// `run` takes rows of `compare` too, such as tokio+mimalloc.
    pub(crate) models: Vec<String>,
    /// The cells by name; all of the preset if none.
    #[arg(long, value_name = "NAME")]
    pub(crate) cell: Vec<String>,
    /// A folder of a model outside the repository, or of several; may be given again.
    #[arg(long = "models", value_name = "DIR")]
    pub(crate) outside: Vec<PathBuf>,
}

impl Selection {
    /// Returns whether nothing was named, so that everything is meant.
    pub(crate) fn names_all(&self) -> bool {
        self.models.is_empty() && self.cell.is_empty()
    }
}

/// What to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listed {
    /// The models that were found.
    Models,
    /// The cells of the presets.
    Cells,
    /// The runs below `results/`.
    Runs,
    /// What an origin does to a model in `verify --faults`, and what a bare model says of it.
    Faults,
}

/// What to rank.
#[derive(Clone, Debug, Args)]
pub(crate) struct Ranking {
    /// The run: its folder, the beginning of its name, or `latest`.
    #[arg(default_value = "latest")]
    pub(crate) run: String,
    /// By what.
    #[arg(long, default_value = rules::CPU.key,
          value_parser = rules::METRICS.map(|metric| metric.key))]
    pub(crate) metric: String,
    /// One cell; all if none.
    #[arg(long, value_name = "NAME")]
    pub(crate) cell: Option<String>,
}

/// On how many threads a runtime runs its units.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct WorkersAsked {
    /// Threads on which a runtime runs its tasks, each with a CPU; one if none is said, and
    /// several in a cell that asks for them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_024))]
    workers: Option<u32>,
    /// Allows more workers than there are CPUs.
    #[arg(long, requires = "workers")]
    oversubscribe: bool,
}

impl WorkersAsked {
    /// Returns what the harness is asked for.
    pub(crate) fn workers(self) -> Workers {
        Workers { count: self.workers, oversubscribe: self.oversubscribe }
    }
}

/// What every row that is named is built with, beside what it says itself.
#[derive(Clone, Debug, Args)]
pub(crate) struct LeversAsked {
    /// Builds every model named with this feature of its runtime, or of another package as in
    /// PACKAGE/NAME; may be given again. For one row: MODEL+feature=NAME.
    #[arg(long, value_name = "NAME")]
    feature: Vec<String>,
    /// Builds every model named with this flag, such as `tokio_unstable`; may be given again. For
    /// one row: MODEL+cfg=FLAG.
    #[arg(long, value_name = "FLAG")]
    cfg: Vec<String>,
    /// Builds every model named with this allocator. For one row: MODEL+mimalloc.
    #[arg(long, value_name = "NAME", value_parser = Allocator::ALL.map(Allocator::name))]
    allocator: Option<String>,
}

impl LeversAsked {
    /// Returns whether any is asked for.
    pub(crate) fn is_any(&self) -> bool {
        self.allocator.is_some() || !self.feature.is_empty() || !self.cfg.is_empty()
    }

    /// Returns rows with these levers behind their own.
    pub(crate) fn on(&self, rows: &[String]) -> Vec<String> {
        let features = self.feature.iter().map(|name| format!("+feature={name}"));
        let flags = self.cfg.iter().map(|flag| format!("+cfg={flag}"));
        let allocator = self.allocator.iter().map(|name| format!("+{name}"));
        let levers: String = allocator.chain(features).chain(flags).collect();
        rows.iter().map(|row| format!("{row}{levers}")).collect()
    }
}

/// A steady cell of one's own, by its numbers; what is left out is as in `steady`.
#[derive(Clone, Copy, Debug, Args)]
#[group(conflicts_with = "cell")]
pub(crate) struct Numbers {
    /// Fetches in flight, in a steady cell of your own.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    in_flight: Option<u32>,
    /// How long the server waits, in milliseconds: from where to where, such as 4..12.
    #[arg(long, value_name = "MS..MS", value_parser = delay)]
    delay: Option<DelayRange>,
    /// Bytes of a reply, such as 128 or 16KiB.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    body: Option<u32>,
}

impl Numbers {
    /// Returns the cell, if any of its numbers was given.
    pub(crate) fn cell(self) -> Option<Cell> {
        let is_given = self.in_flight.is_some() || self.delay.is_some() || self.body.is_some();
        is_given.then(|| harness::steady_of(self.in_flight, self.delay, self.body))
    }
}

/// Which versions to compare.
#[derive(Clone, Debug, Args)]
pub(crate) struct Versions {
    /// The rows, the first of which the others are held against: MODEL as it is locked,
    /// MODEL@VERSION, MODEL@FOLDER, or either with PACKAGE= before it for a package that is not the
    /// model's runtime. Behind any: +mimalloc, +jemalloc, +system, +feature=NAME, +cfg=FLAG.
    #[arg(value_name = "MODEL[@VERSION][+LEVER]", num_args = 2.., required = true)]
    pub(crate) rows: Vec<String>,
    /// Levers.
    #[command(flatten)]
    pub(crate) levers: LeversAsked,
    /// A folder of a model outside the repository, or of several; may be given again.
    #[arg(long = "models", value_name = "DIR")]
    pub(crate) outside: Vec<PathBuf>,
    /// The cells by name; steady if none.
    #[arg(long, value_name = "NAME")]
    pub(crate) cell: Vec<String>,
    /// Or a cell by its numbers.
    #[command(flatten)]
    pub(crate) numbers: Numbers,
    /// Workers.
    #[command(flatten)]
    pub(crate) workers: WorkersAsked,
    /// Blocks a cell.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) blocks: Option<u32>,
    /// Decides everything that is drawn.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Where the run is written, instead of `results/`.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Exits with 5 if a row is slower than the first by more than this, for sure.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(crate) fail_if_slower: Option<f64>,
    /// Prints a table in Markdown, for a pull request.
    #[arg(long)]
    pub(crate) md: bool,
}

/// What to explain.
#[derive(Clone, Debug, Args)]
pub(crate) struct Explanation {
    /// A row as `compare` takes it, and the row to show beside it; the baseline if none.
    #[arg(value_name = "MODEL[@VERSION][+LEVER]", num_args = 1..=2, required = true)]
    pub(crate) rows: Vec<String>,
    /// Levers.
    #[command(flatten)]
    pub(crate) levers: LeversAsked,
    /// A folder of a model outside the repository, or of several; may be given again.
    #[arg(long = "models", value_name = "DIR")]
    pub(crate) outside: Vec<PathBuf>,
    /// The cell by name; steady if none.
    #[arg(long, value_name = "NAME")]
    pub(crate) cell: Option<String>,
    /// Or a cell by its numbers.
    #[command(flatten)]
    pub(crate) numbers: Numbers,
    /// Workers.
    #[command(flatten)]
    pub(crate) workers: WorkersAsked,
}

/// What to compare.
#[derive(Clone, Debug, Args)]
pub(crate) struct Comparison {
    /// The earlier run.
    pub(crate) old: String,
    /// The later run.
    pub(crate) new: String,
    /// By what.
    #[arg(long, default_value = rules::CPU.key,
          value_parser = rules::METRICS.map(|metric| metric.key))]
    pub(crate) metric: String,
    /// In which form the tables are written.
    #[arg(long = "as", value_name = "FORM", default_value = "text",
          value_parser = ["text", "markdown", "html"])]
    pub(crate) form: String,
    /// Exits with 5 if a model is slower by more than this, for sure.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(crate) fail_if_slower: Option<f64>,
}
