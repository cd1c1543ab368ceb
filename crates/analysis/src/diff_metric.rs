//! By what two runs are compared.

use rules::{CPU, Metric, WALL, expected};
use serde::Serialize;
use workload::Workload;

/// What is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DiffMetric {
    /// CPU time per fetch, in microseconds.
    #[default]
    Cpu,
    /// Wall time of the window, in milliseconds: of batches alone.
    Wall,
}

impl DiffMetric {
    /// Returns the metric that it is.
    pub(crate) fn metric(self) -> Metric {
        match self {
            Self::Cpu => CPU,
            Self::Wall => WALL,
        }
    }

    /// Returns whether it says something about the models under this workload.
    pub(crate) fn fits(self, workload: Workload) -> bool {
        expected(workload).yields(&self.metric())
    }
}
