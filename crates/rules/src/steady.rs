//! What is expected of a steady cell.

use crate::expected::Expected;
use crate::metric::{CPU, FAULTS, MEMORY, SWITCHES};
use crate::turn::STALLED_MS;

/// Every slot is busy, and the origin's delays set the pace: wall time is no figure of a model.
pub(crate) const EXPECTED: Expected = Expected {
    keeps_slots_busy: true,
    is_paced_by_delays: true,
    includes_start: false,
    late_ms_max: 3.0,
    latest_ms_max: Some(STALLED_MS),
    metrics: &[CPU, SWITCHES, FAULTS, MEMORY],
    in_flight: |_| "always".to_owned(),
    wall: "Length of the window",
    wall_bound: |ms| format!("The origin's delays set the pace: {ms} ms at least."),
};
