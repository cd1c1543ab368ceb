//! What came of a turn, until it is written down.

use std::time::{Instant, SystemTime};

use record::{Block, State, TurnRecord};
use workload::Receipt;

use crate::participant::Taken;

/// What came of a turn.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Whether its figures may be used.
    pub(crate) state: State,
    /// What was asked for, if it was not what the cell says.
    pub(crate) asked: Option<u64>,
    /// What the participant reported, if it did.
    pub(crate) taken: Option<Taken>,
    /// What the origin saw, if one takes part.
    pub(crate) receipt: Option<Receipt>,
}

impl Outcome {
    /// Returns that of a turn of which there is nothing else to say.
    pub(crate) fn of(state: State) -> Self {
        Self { state, asked: None, taken: None, receipt: None }
    }

    /// Returns what is written down of it.
    pub(crate) fn record(
        self,
        (block, model): (&Block, &str),
        (round, position): (u32, u32),
        (began, started): (Instant, SystemTime),
    ) -> TurnRecord {
        let charged_ns = self.taken.as_ref().and_then(|taken| taken.charged_ns);
        let held = self.taken.as_ref().and_then(|taken| taken.held.clone());
        TurnRecord {
            block: block.number,
            round,
            position,
            cell: block.cell.clone(),
            model: model.to_owned(),
            started_utc: humantime::format_rfc3339_millis(started).to_string(),
            spent_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            state: self.state,
            asked: self.asked,
            turned: self.taken.map(|taken| taken.turned),
            receipt: self.receipt,
            charged_ns,
            held,
        }
    }
}
