//! A turn equals sustained running: the ratios to the baseline of turns of 128 and 1,024 fetches,
//! and of ten seconds without a pause, beside each other, row by row.

use anyhow::{Context, Result};
use harness::{BASELINE, FLOOR, Preset, Program};
use model_kit::Cell;
use record::Model;

use crate::Bench;
use crate::collect::measured;
use crate::runner::say;

/// Fetches of a window, rounds of a block, and blocks.
const LENGTHS: [(u64, u32, u32); 3] = [(128, 12, 14), (1_024, 4, 14), (75_000, 1, 6)];

/// Measures all compiled models that can hold the cell with each length, and prints their ratios.
pub(crate) fn print(bench: &Bench) -> Result<()> {
    let models: Vec<(Model, Program)> = bench.compiled()?;
    let models: Vec<&(Model, Program)> = models.iter().collect();
    for (fetches, rounds, blocks) in LENGTHS {
        let cell = Cell { fetches, ..super::cell() };
        let preset =
            Preset { name: "sustained", cells: vec![cell], rounds, blocks, ..harness::quick() };
        let run = measured(bench, (preset, fetches), &models, &mut |_| {})?;
        let figures = analysis::figures(&run, BASELINE, FLOOR);
        let cell = figures.cells.first().context("failed to find the cell")?;
        for row in &cell.rows {
            let ratio = row.figures.as_ref().and_then(|figures| figures.ratio);
            let Some(ratio) = ratio.filter(|_| row.model != BASELINE) else { continue };
            let interval = ratio.interval.map_or_else(
                || "too few blocks for an interval".to_owned(),
                |interval| format!("{:.3} to {:.3}", interval.low, interval.high),
            );
            say(&format!(
                "{fetches:>6} fetches a turn: {:<18} {:.3} ({interval})",
                row.model, ratio.value
            ))?;
        }
    }
    Ok(())
}
