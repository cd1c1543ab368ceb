//! What fetches in flight take as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use stats::Estimate;
use stats::block_line::BlockLine;

use crate::figure::{Figure, UNREPORTED, rounded};
use crate::hold::{HoldFigures, HoldLevel, HoldRow};
use crate::span::Span;

/// Why there is no line.
const NO_LINE: &str = "fewer than two levels were held, or the machine did not report it";
/// Bytes of a KiB.
const KIB: f64 = 1024.0;

/// What fetches in flight take.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct HoldSummary<'a> {
    /// How many were held, ascending.
    levels: &'a [u32],
    /// Blocks that every level has.
    blocks: usize,
    /// How long they were held, in milliseconds.
    held_ms: u64,
    /// What each fetch in flight adds to the memory of the process, in bytes, from the model of
    /// which it is the least to the one of which it is the most.
    user_bytes_per_fetch: Option<Span>,
    /// The models, in the order of the schedule.
    models: Vec<HoldModel<'a>>,
}

/// A model.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct HoldModel<'a> {
    /// Its name.
    model: &'a str,
    /// Memory of the process without fetches in flight, in MiB: the line at 0.
    user_base_mib: Figure,
    /// What each fetch in flight adds, in bytes.
    user_bytes_per_fetch: Figure,
    /// What the kernel has for the process without fetches in flight, in MiB.
    kernel_base_mib: Figure,
    /// What each fetch in flight adds, both ends of its connection included, in bytes.
    kernel_bytes_per_fetch: Figure,
    /// Objects of the kernel at the highest level held, in bytes a fetch, by their kind.
    kernel_objects_bytes_per_fetch: BTreeMap<&'a str, Option<f64>>,
    /// What was found at each level.
    levels: Vec<HoldLevelSummary<'a>>,
}

/// A level: medians over the turns that count.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct HoldLevelSummary<'a> {
    /// How many were held.
    in_flight: u32,
    /// In how many processes, whose memory is added up; one if it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    processes: Option<u32>,
    /// Turns that count.
    turns: usize,
    /// Memory of the process, in KiB.
    user_kib: Option<f64>,
    /// The part of it that nobody shares, in KiB.
    private_kib: Option<f64>,
    /// What the kernel has for it, in KiB.
    kernel_kib: Option<f64>,
    /// The part of it that is page tables, in KiB.
    page_tables_kib: Option<f64>,
    /// By how many KiB the stacks grew that the kernel has for all threads of the system.
    kernel_stacks_grown_kib: Option<f64>,
    /// By how many pages the data grew that waits in TCP sockets of the network namespace.
    tcp_grown_pages: Option<f64>,
    /// Threads of the process.
    threads: Option<f64>,
    /// The share of one CPU that it used while all were held.
    cpu_share: Option<f64>,
    /// Why there is nothing, or why not every turn counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> HoldSummary<'a> {
    /// Writes it.
    pub(crate) fn of(figures: &'a HoldFigures) -> Self {
        Self {
            levels: &figures.levels,
            blocks: figures.blocks,
            held_ms: figures.held_ms,
            user_bytes_per_fetch: figures.user_kib_per_fetch.map(in_bytes),
            models: figures.rows.iter().map(HoldModel::of).collect(),
        }
    }
}

/// Returns a span of KiB in bytes.
fn in_bytes(kib: Span) -> Span {
    Span { least: kib.least * KIB, most: kib.most * KIB }.rounded()
}

impl<'a> HoldModel<'a> {
    /// Writes a model.
    fn of(row: &'a HoldRow) -> Self {
        let kernel = if row.user.is_some() { UNREPORTED } else { NO_LINE };
        let of = |line: Option<&BlockLine>, reason: &'static str| {
            let base = line.map(|line| line.height.times(1.0 / KIB));
            let slope = line.map(|line| line.slope.times(KIB));
            let figure = |estimate: Option<Estimate>| Figure::or(estimate.as_ref(), reason);
            (figure(base), figure(slope))
        };
        let (user_base_mib, user_bytes_per_fetch) = of(row.user.as_ref(), NO_LINE);
        let (kernel_base_mib, kernel_bytes_per_fetch) = of(row.kernel.as_ref(), kernel);
        let objects = row.objects.iter().map(|(kind, bytes)| (kind.as_str(), rounded(*bytes)));
        Self {
            model: &row.model,
            user_base_mib,
            user_bytes_per_fetch,
            kernel_base_mib,
            kernel_bytes_per_fetch,
            kernel_objects_bytes_per_fetch: objects.collect(),
            levels: row.levels.iter().map(HoldLevelSummary::of).collect(),
        }
    }
}

impl<'a> HoldLevelSummary<'a> {
    /// Writes a level.
    fn of(level: &'a HoldLevel) -> Self {
        Self {
            in_flight: level.in_flight,
            processes: Some(level.processes).filter(|processes| *processes > 1),
            turns: level.turns,
            user_kib: level.user_kib.and_then(rounded),
            private_kib: level.private_kib.and_then(rounded),
            kernel_kib: level.kernel_kib.and_then(rounded),
            page_tables_kib: level.page_tables_kib.and_then(rounded),
            kernel_stacks_grown_kib: level.kernel_stacks_grown_kib.and_then(rounded),
            tcp_grown_pages: level.tcp_grown_pages.and_then(rounded),
            threads: level.threads.and_then(rounded),
            cpu_share: level.cpu_share.and_then(rounded),
            reason: level.reason.as_deref(),
        }
    }
}
