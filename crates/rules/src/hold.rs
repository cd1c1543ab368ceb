//! What is expected where the origin holds every reply.

use crate::expected::Expected;
use crate::metric::{CPU, MEMORY};

/// Nobody's rate is asked for, only that every slot was in flight at one moment, which a law of its
/// own holds each turn to.
pub(crate) const EXPECTED: Expected = Expected {
    keeps_slots_busy: false,
    is_paced_by_delays: true,
    includes_start: true,
    late_ms_max: 8.0,
    // Memory was read before the replies were released. A million of them, from dozens of origins
    // that share one CPU, take half a second.
    latest_ms_max: None,
    metrics: &[CPU, MEMORY],
    in_flight: |_| "all at once".to_owned(),
    wall: "From the first slot to the last reply, the time included in which all were held",
    wall_bound: |ms| format!("All fetches are held for {ms} ms."),
};
