//! What is expected of a batch.

use crate::expected::Expected;
use crate::metric::{CPU, FAULTS, MEMORY, SWITCHES, WALL};
use crate::turn::STALLED_MS;

/// Its slots leave as its fetches run out, each model at its own rate, so that neither the peak of
/// each turn nor the mean is asked for: a connection a slot shows how many places there were, and
/// the best turn of a stay that they fetched at once. Its replies are due
/// together while one thread sends them in turn, so the last are late.
pub(crate) const EXPECTED: Expected = Expected {
    keeps_slots_busy: false,
    is_paced_by_delays: false,
    includes_start: true,
    late_ms_max: 8.0,
    latest_ms_max: Some(STALLED_MS),
    metrics: &[CPU, WALL, SWITCHES, FAULTS, MEMORY],
    in_flight: |cell| format!("{} fetches, at most", cell.fetches),
    wall: "From the first slot to the last reply, connecting included",
    wall_bound: |ms| format!("The delays alone take {ms} ms at least, whatever the model does."),
};
