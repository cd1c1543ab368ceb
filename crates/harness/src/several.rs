//! The cells whose runtimes have several workers: as many as a machine has CPUs for models.
//!
//! A preset cannot know how many those are. Its cells say that they ask for several, and learn how
//! many when a machine is chosen; where it has too few, they go.

use anyhow::{Context, Result};
use record::Placement;

use crate::machine::SEVERAL_MIN;
use crate::{Failure, Preset};

/// The workers that a cell asks for which is to have several: the fewest that it may get.
pub(crate) const SEVERAL: u32 = 2;
/// How much longer all cells may take together where one of them asks for several, in minutes.
const MINUTES: u32 = 3;

impl Preset {
    /// Returns it as a machine measures it that is divided so: cells that ask for several workers
    /// have one for each CPU that is set apart for them and the time that they take, and go where
    /// no CPU is.
    ///
    /// # Errors
    ///
    /// Says that no cell is left, and what to type.
    pub(crate) fn on(mut self, placement: Placement) -> Result<(Self, Placement)> {
        let asking = self.cells.iter().find(|cell| cell.workers > 0);
        let Some(asking) = asking.map(|cell| cell.name.clone()) else {
            return Ok((self, Placement { several_cpus: Vec::new(), ..placement }));
        };
        let several = placement.several_cpus.len();
        let workers = u32::try_from(several).context("failed to count the CPUs")?;
        self.cells.retain(|cell| cell.workers == 0 || workers >= SEVERAL);
        for cell in self.cells.iter_mut().filter(|cell| cell.workers > 0) {
            cell.workers = workers;
        }
        if let Some(stop) = self.stop.as_mut().filter(|_| workers >= SEVERAL) {
            stop.minutes_max += MINUTES;
        }
        match self.cells.is_empty() {
            true => Err(Failure::Usage(too_few(&asking, &placement)).into()),
            false => Ok((self, placement)),
        }
    }
}

/// Says why a cell cannot be measured that was asked for alone, and what to type.
fn too_few(cell: &str, placement: &Placement) -> String {
    let cpus = placement.cpus().len();
    format!(
        "the cell {cell} has a worker for each CPU that is set apart for models, so it takes no \
         --workers and needs {SEVERAL_MIN} CPUs or more, and {cpus} may be used: type `--cell \
         steady --workers {SEVERAL}`"
    )
}

#[cfg(test)]
mod tests {
    use workload::Cell;

    use super::*;
    use crate::fixture::{model, placement};
    use crate::run::{places, planned};
    use crate::{Basis, draw, exit_code, preset};

    /// Returns the placement of a machine with four CPUs for the origin and four for models.
    fn eight_cpus() -> Placement {
        let (model_cpus, several_cpus) = (vec![7], vec![4, 5, 6, 7]);
        Placement { model_cpus, several_cpus, workers: 1, ..placement(4) }
    }

    /// Returns the names of a preset's cells, with those that a machine leaves of them.
    fn cells_on(placement: Placement) -> (Vec<String>, Vec<Cell>) {
        let standard = preset("standard").unwrap();
        let all = standard.cells.iter().map(|cell| cell.name.clone()).collect();
        (all, standard.on(placement).unwrap().0.cells)
    }

    #[test]
    fn standard_has_a_cell_with_a_worker_for_each_cpu_that_models_may_have() {
        let (all, cells) = cells_on(eight_cpus());
        assert_eq!(all, cells.iter().map(|cell| cell.name.clone()).collect::<Vec<_>>());
        let several: Vec<&Cell> = cells.iter().filter(|cell| cell.workers > 0).collect();
        let [cell] = several[..] else { panic!("{several:?}") };
        // Nothing but the workers differs from the main cell.
        let steady =
            Cell { name: "steady-workers".to_owned(), workers: 4, ..crate::cells::steady() };
        assert_eq!(cell, &steady);
    }

    #[test]
    fn where_too_few_cpus_are_left_for_models_that_cell_goes_and_no_other() {
        let (all, cells) = cells_on(placement(1));
        let gone = all.iter().filter(|name| cells.iter().all(|cell| cell.name != **name));
        assert_eq!(gone.collect::<Vec<_>>(), ["steady-workers"]);
        assert!(cells.iter().all(|cell| cell.workers == 0));
    }

    #[test]
    fn whoever_asks_for_that_cell_alone_is_told_what_to_type() {
        let mut alone = preset("standard").unwrap();
        alone.cells.retain(|cell| cell.workers > 0);
        let refusal = alone.clone().on(placement(1)).unwrap_err();
        assert_eq!(exit_code(&refusal), 2);
        let words = "needs 4 CPUs or more, and 2 may be used: type `--cell steady --workers 2`";
        assert!(format!("{refusal:#}").ends_with(words), "{refusal:#}");
        assert_eq!(alone.on(eight_cpus()).unwrap().0.cells.len(), 1);
    }

    #[test]
    fn no_cpu_is_set_apart_where_no_cell_asks_for_several_workers() {
        let (quick, placement) = crate::quick().on(eight_cpus()).unwrap();
        assert_eq!(placement, Placement { several_cpus: Vec::new(), ..eight_cpus() });
        assert_eq!(quick.cells, crate::quick().cells);
    }

    #[test]
    fn the_plan_and_the_process_of_a_model_have_the_workers_that_a_cell_asks_for() {
        let (preset, placement) = preset("standard").unwrap().on(eight_cpus()).unwrap();
        let (missing, programs, probes) = (Vec::new(), Vec::new(), Vec::new());
        let models = vec![model("tokio")];
        let schedule =
            draw(Basis { preset, models, missing, programs, seed: 1, placement, probes });
        for block in schedule.blocks.iter().filter(|block| schedule.fetches(&block.cell)) {
            let plan = planned(&schedule, (block, "tokio"), Vec::new()).unwrap();
            let expected = match block.cell.as_str() {
                "steady-workers" => (4, vec![4, 5, 6, 7]),
                _ => (1, vec![7]),
            };
            let cell = schedule.cell(&block.cell).unwrap();
            assert_eq!(places(&schedule, cell), expected, "{}", block.cell);
            assert_eq!(plan.workers, expected.0, "{}", block.cell);
        }
    }
}
