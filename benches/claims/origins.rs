//! The origin is not what is compared: the ratios to the baseline of all compiled models at each
//! kind of origin, beside each other, row by row, and what a fetch costs the origin itself.

use anyhow::Result;
use harness::{Preset, Program};
use record::{Model, OriginKind, Placement, Run};

use crate::collect::{measured, ratio_lines};
use crate::runner::say;
use crate::{Bench, cell, real};

/// Measures all compiled models that can hold the cell at each kind, and prints their ratios.
pub(crate) fn print(bench: &Bench) -> Result<()> {
    let models: Vec<(Model, Program)> = bench.compiled()?;
    let models: Vec<&(Model, Program)> = models.iter().collect();
    for (seed, kind) in (1..).zip(OriginKind::ALL) {
        let placement = Placement { origin: kind, ..bench.placement.clone() };
        let bench = &Bench { placement, ..bench.clone() };
        let preset = Preset { name: "origins", cells: vec![cell()], ..harness::quick() };
        let run = measured(bench, (preset, seed), &models, &mut |_| {})?;
        let name = kind.name();
        for line in ratio_lines(&run) {
            say(&format!("{name:>8}: {line}"))?;
        }
        say(&format!("{name:>8}: {:.2} us of its CPU time for each fetch", origin_us(&run)))?;
    }
    Ok(())
}

/// Returns what a fetch cost the origin in the middle turn, in microseconds.
fn origin_us(run: &Run) -> f64 {
    let receipts = run.turns.iter().filter_map(|turn| turn.valid().and(turn.receipt.as_ref()));
    let mut costs: Vec<f64> =
        receipts.map(|receipt| real(receipt.cpu_ns) / real(receipt.answered) / 1e3).collect();
    costs.sort_by(f64::total_cmp);
    costs.get(costs.len() / 2).copied().unwrap_or(f64::NAN)
}
