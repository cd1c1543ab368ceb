//! What a cell shows of its controls: models that ran once more with busy work added.

use record::{Absent, Run, TurnRecord};
use workload::Cell;

use crate::cell_figures::ControlFigures;
use crate::family::ALPHA;
use crate::lost::why_lost;
use crate::turns::{Quantity, Turns, cpu_us};

/// Returns what was seen of the controls in a cell, whose valid turns these are, and which of them
/// have no figures.
pub(crate) fn controls(
    run: &Run,
    cell: &Cell,
    turns: &Turns<'_>,
) -> (Vec<ControlFigures>, Vec<Absent>) {
    let (mut seen, mut lost) = (Vec::new(), Vec::new());
    for control in run.schedule.controls.iter().filter(|control| control.percent > 0) {
        let name = control.name.as_str();
        match turns.paired((name, &control.model), Quantity::Turn(cpu_us)) {
            Some(pairs) => seen.push(ControlFigures::of(control, pairs.ratio(ALPHA))),
            None if schedules(run, cell, name) => {
                let own = run.turns.iter();
                let own = own.filter(|turn| turn.cell == cell.name && turn.model == name);
                let why = why_lost(&own.collect::<Vec<&TurnRecord>>());
                lost.push(Absent {
                    cell: cell.name.clone(),
                    model: name.to_owned(),
                    reason: why.unwrap_or_else(|| "not measured".to_owned()),
                });
            }
            None => {}
        }
    }
    (seen, lost)
}

/// Returns whether a block of the cell has a turn of that name.
fn schedules(run: &Run, cell: &Cell, name: &str) -> bool {
    let mut blocks = run.schedule.blocks.iter();
    blocks.any(|block| block.cell == cell.name && block.participants().contains(&name))
}
