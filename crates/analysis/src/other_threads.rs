//! How many threads a row had that is built apart, where that is not what its manifest says: the
//! manifest describes the locked version.

use record::{Model, Run, State, TurnRecord};
use rules::{Sizes, is_upper_bound, threads_of};
use workload::Cell;

/// Returns both numbers in words, if they differ; all turns that count have the same number.
pub(crate) fn other_threads(
    run: &Run,
    (cell, model): (&Cell, &Model),
    own: &[&TurnRecord],
) -> Option<String> {
    if !model.is_apart() || !cell.workload.is_resident() || is_upper_bound(&model.threads) {
        return None;
    }
    let counts = own.iter().find(|turn| turn.state == State::Valid)?;
    let turned = counts.turned.as_ref()?;
    let (workers, _) = run.schedule.placement.of_models(cell);
    let sizes =
        Sizes { workers, in_flight: model.within(cell).slots(), issued: turned.total.issued };
    let stays = run.stays(&cell.name, &model.name);
    let has_probe = stays.iter().any(|(_, stay)| !stay.wake_up_delays_ns.is_empty());
    let (had, stated) = (turned.threads, threads_of(&model.threads, sizes, has_probe));
    (![0, stated].contains(&had))
        .then(|| format!("{had} threads; the manifest, of the locked version, says {stated}"))
}

#[cfg(test)]
mod tests {
    use record::Lever;

    use crate::figures::figures;
    use crate::fixture::{BASELINE, FLOOR, Fixture, corrupt};

    #[test]
    fn a_row_that_is_built_apart_says_which_threads_it_had_if_not_those_of_its_manifest() {
        let mut run = Fixture::good().run();
        let notes = |run: &record::Run| -> Vec<(String, String)> {
            let cells = figures(run, BASELINE, FLOOR).cells;
            let rows = cells.into_iter().flat_map(|cell| cell.rows);
            rows.filter_map(|row| Some((row.model, row.threads?))).collect()
        };
        let models = run.schedule.models.iter_mut();
        for model in models.filter(|model| ["smol", "threads"].contains(&&*model.name)) {
            model.levers = vec![Lever::Cfg("mine".to_owned())];
        }
        assert_eq!(notes(&run), []);
        // A batch is not held to its threads, and so says nothing of them.
        for cell in ["batch", "steady"] {
            for model in ["smol", BASELINE] {
                for turn in corrupt(&mut run, (model, cell)) {
                    turn.turned.as_mut().unwrap().threads = 2;
                }
            }
        }
        let note = "2 threads; the manifest, of the locked version, says 1".to_owned();
        assert_eq!(notes(&run), [("smol".to_owned(), note)]);
    }
}
