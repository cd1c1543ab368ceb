//! Every turn of a run as a row, as it was measured: those of repeated rounds and cut blocks too.

use record::{Run, State, TurnRecord};
use workload::pipe::Window;

use crate::turns::cpu_us;

/// A turn.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnRow {
    /// The name of the cell.
    pub cell: String,
    /// The number of the block.
    pub block: u32,
    /// Its session, if the schedule has the block.
    pub session: Option<u32>,
    /// The round in the block.
    pub round: u32,
    /// The place in the round.
    pub position: u32,
    /// The model, or the control.
    pub model: String,
    /// Whether it is of a round and a block that count.
    pub counts: bool,
    /// `valid`, `invalid`, `failed` or `out`.
    pub state: &'static str,
    /// Why it is not valid.
    pub reason: String,
    /// When it began.
    pub started_utc: String,
    /// What the model counted in the window, if it reported the turn.
    pub window: Option<Window>,
    /// CPU time per fetch in microseconds, if it is valid.
    pub cpu_us: Option<f64>,
    /// Fetches that failed.
    pub errors: Option<u64>,
    /// Threads of the process; it has at least one, so that none means that nobody counted.
    pub threads: Option<u64>,
    /// The most fetches in flight at once.
    pub in_flight_peak: Option<u64>,
    /// CPU time by the kernel's own clock of the process, in nanoseconds.
    pub charged_ns: Option<u64>,
    /// Wall time of the whole turn, in microseconds.
    pub spent_us: u64,
}

/// Returns every turn, those that enter no figure last.
pub fn turn_table(run: &Run) -> Vec<TurnRow> {
    let counting = run.turns.iter().map(|turn| (turn, true));
    let others = run.repeated.iter().chain(&run.cut).map(|turn| (turn, false));
    counting.chain(others).map(|(turn, counts)| TurnRow::of(run, turn, counts)).collect()
}

impl TurnRow {
    /// Takes over what a turn says.
    fn of(run: &Run, turn: &TurnRecord, counts: bool) -> Self {
        let (state, reason) = match &turn.state {
            State::Valid => ("valid", String::new()),
            State::Invalid(_) => ("invalid", turn.state.why()),
            State::Failed(reason) => ("failed", reason.clone()),
            State::Out => ("out", turn.state.why()),
        };
        let turned = turn.turned.as_ref();
        Self {
            cell: turn.cell.clone(),
            block: turn.block,
            session: run.schedule.block(turn.block).map(|block| block.session),
            round: turn.round,
            position: turn.position,
            model: turn.model.clone(),
            counts,
            state,
            reason,
            started_utc: turn.started_utc.clone(),
            window: turned.map(|turned| turned.window.clone()),
            cpu_us: cpu_us(turn),
            errors: turned.map(|turned| turned.total.errors.values().sum()),
            threads: turned.map(|turned| turned.threads).filter(|count| *count > 0),
            in_flight_peak: turned.map(|turned| turned.in_flight_peak),
            charged_ns: turn.charged_ns,
            spent_us: turn.spent_us,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, corrupt};

    #[test]
    fn threads_that_the_kernel_hid_are_unknown_and_not_none() {
        let mut run = Fixture::good().run();
        corrupt(&mut run, ("smol", "steady")).next().unwrap().turned.as_mut().unwrap().threads = 0;
        let rows = turn_table(&run);
        let unknown: Vec<&TurnRow> = rows.iter().filter(|row| row.threads.is_none()).collect();
        assert_eq!(unknown.len(), 1);
        assert_eq!((&*unknown[0].model, &*unknown[0].cell), ("smol", "steady"));
    }
}
