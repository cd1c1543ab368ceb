//! The placement: who runs on which CPU, and who serves.

use serde::{Deserialize, Serialize};
use workload::{Cell, OriginKind};

/// Who runs on which CPU, and who serves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Placement {
    /// CPUs of the model's process.
    pub model_cpus: Vec<usize>,
    /// CPUs of the origin's process; the same as the client's where there is only one.
    pub origin_cpus: Vec<usize>,
    /// CPUs of the model's process in cells that ask for several workers; none where no cell does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub several_cpus: Vec<usize>,
    /// Threads on which a runtime runs its units.
    pub workers: u32,
    /// Servers of the origin, each on a thread and a port of its own.
    pub shards: u32,
    /// Whether threads of the lowest priority keep the CPUs from falling asleep.
    pub awake: bool,
    /// Whether model and origin have cores of different kinds, since no kind has one for each.
    #[serde(default)]
    pub unequal_cores: bool,
    /// The kind of the origin.
    #[serde(default)]
    pub origin: OriginKind,
}

impl Placement {
    /// Returns it with the origin that serves a cell.
    #[must_use]
    pub fn serving(&self, cell: &Cell) -> Self {
        Self { origin: cell.served_by(self.origin), ..self.clone() }
    }

    /// Returns on how many threads a runtime runs its units in a cell of fetches, and the CPUs of
    /// the model's process: no more than there are threads.
    pub fn of_models(&self, cell: &Cell) -> (u32, &[usize]) {
        if cell.workers == 0 {
            return (self.workers, self.model_cpus.as_slice());
        }
        let cpus = match self.several_cpus.as_slice() {
            [] => self.model_cpus.as_slice(),
            several => several,
        };
        (cell.workers, &cpus[..cpus.len().min(cell.workers as usize)])
    }

    /// Returns the CPUs for operations on so many: the first of the model's, and one of the
    /// origin's, which is on another core, since no origin runs meanwhile, or the next of those
    /// that they share; fewer where there are no more.
    pub fn of_operations(&self, count: usize) -> Vec<usize> {
        let own = self.model_cpus.first().copied();
        let others = self.origin_cpus.iter().copied();
        let other = others.into_iter().find(|cpu| !self.model_cpus.contains(cpu));
        let other = other.or_else(|| self.model_cpus.get(1).copied());
        own.into_iter().chain(other).take(count).collect()
    }

    /// Returns whether model and origin have a CPU in common, for which each waits while the other
    /// has it.
    pub fn is_shared(&self) -> bool {
        self.model_cpus.iter().any(|cpu| self.origin_cpus.contains(cpu))
    }

    /// Returns every CPU that a run uses, once each, in ascending order.
    pub fn cpus(&self) -> Vec<usize> {
        let several = self.several_cpus.as_slice();
        let mut cpus = [self.model_cpus.as_slice(), several, &self.origin_cpus].concat();
        cpus.sort_unstable();
        cpus.dedup();
        cpus
    }
}

#[cfg(test)]
mod tests {
    use workload::Workload;

    use super::*;

    /// Returns the placement of a model and an origin on these CPUs.
    fn placement(model: &[usize], origin: &[usize]) -> Placement {
        let (model_cpus, origin_cpus) = (model.to_vec(), origin.to_vec());
        Placement { model_cpus, origin_cpus, workers: 1, shards: 1, ..Placement::default() }
    }

    #[test]
    fn a_cpu_that_serves_both_is_one_cpu() {
        assert_eq!(placement(&[3, 2], &[0, 1]).cpus(), [0, 1, 2, 3]);
        assert_eq!(placement(&[5], &[5]).cpus(), [5]);
        assert_eq!(placement(&[3, 2], &[0, 1]).of_operations(2), [3, 0]);
        assert_eq!(placement(&[5], &[5]).of_operations(2), [5]);
    }

    #[test]
    fn a_cell_that_asks_for_several_workers_has_as_many_cpus_of_its_own() {
        let placement = Placement { several_cpus: vec![2, 3, 4], ..placement(&[4], &[0, 1]) };
        let asking = |workers| Cell { workers, ..Cell::least(Workload::Steady) };
        assert_eq!(placement.of_models(&asking(0)), (1, &[4][..]));
        assert_eq!(placement.of_models(&asking(2)), (2, &[2, 3][..]));
        assert_eq!(placement.of_models(&asking(5)), (5, &[2, 3, 4][..]));
        assert_eq!(placement.cpus(), [0, 1, 2, 3, 4]);
        // Where none are set apart for it, its workers share those that there are.
        let small = Placement { several_cpus: Vec::new(), ..placement };
        assert_eq!(small.of_models(&asking(2)), (2, &[4][..]));
    }
}
