//! A turn equals sustained running: the ratios to the baseline of turns of 128 and 1,024 fetches,
//! and of ten seconds without a pause, beside each other, row by row.

use anyhow::Result;
use harness::{Preset, Program};
use model_kit::Cell;
use record::Model;

use crate::Bench;
use crate::collect::{measured, ratio_lines};
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
        for line in ratio_lines(&run) {
            say(&format!("{fetches:>6} fetches a turn: {line}"))?;
        }
    }
    Ok(())
}
