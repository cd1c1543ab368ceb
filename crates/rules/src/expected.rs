//! What is expected of a workload: the list of what each has to say.

use workload::{Cell, Workload};

use crate::metric::Metric;
use crate::{batch, churn, hold, paced, primitives, steady};

/// What is expected of the turns of a workload, and how reports speak of it.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// Whether every slot is busy from the beginning of the window to its end: the origin then sees
    /// them, at the peak and in the mean, and latencies fill the window.
    pub keeps_slots_busy: bool,
    /// Whether the delays decide how long a window takes. If so, models run at one rate, and one
    /// that does not is marked; the length of a window says nothing of a model.
    pub is_paced_by_delays: bool,
    /// Whether the window holds the start of the process and of its units.
    pub includes_start: bool,
    /// The most by which the origin's median delay may be late, in milliseconds. The shadow timer
    /// that estimates it is itself about 1.2 ms late.
    pub late_ms_max: f64,
    /// The most by which any delay may be late, in milliseconds, if what is measured depends on it.
    pub latest_ms_max: Option<f64>,
    /// The metrics that say something of a model.
    pub metrics: &'static [Metric],
    /// Says how many fetches are in flight, before the number: "always".
    pub in_flight: fn(&Cell) -> String,
    /// Says what the length of a window holds, before how it was computed.
    pub wall: &'static str,
    /// Says what the shortest possible window is, in milliseconds, which are given.
    pub wall_bound: fn(&str) -> String,
}

/// Returns what is expected of a workload.
pub fn expected(workload: Workload) -> &'static Expected {
    match workload {
        Workload::Batch => &batch::EXPECTED,
        Workload::Steady => &steady::EXPECTED,
        Workload::Paced => &paced::EXPECTED,
        Workload::Churn => &churn::EXPECTED,
        Workload::Hold => &hold::EXPECTED,
        _ => &primitives::EXPECTED,
    }
}

impl Expected {
    /// Returns whether a metric says something of a model.
    pub fn yields(&self, metric: &Metric) -> bool {
        self.metrics.contains(metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{CPU, WALL};

    #[test]
    fn every_workload_reports_what_a_fetch_costs_and_only_some_how_long_they_take() {
        for workload in Workload::ALL {
            assert!(expected(workload).yields(&CPU), "{workload:?}");
            let paced = expected(workload).is_paced_by_delays;
            assert_eq!(expected(workload).yields(&WALL), !paced, "{workload:?}");
        }
    }
}
