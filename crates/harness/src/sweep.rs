//! The preset `sweep`: from how many in flight on, and from which delay on, does one model cost
//! less than another?
//!
//! Each level is a steady cell. The cells along the number in flight have the delays of the main
//! steady cell, so that the level 64 is that cell; those along the delay have one number in flight.
//! A model that holds fewer in flight takes part with the slots that it has.

use record::{Along, Model, Sweep};
use workload::{Cell, DelayRange};

use crate::cells::{Takes, steady};
use crate::{BASELINE, FLOOR, Preset, PrimitiveBlocks, quick};

/// The levels of the number in flight.
const IN_FLIGHT: [u32; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/// The levels of the delay: the mean, in milliseconds. Without any the origin is never idle, and is
/// what is measured: such turns are invalid.
const DELAYS_MS: [u64; 6] = [1, 2, 5, 10, 20, 50];
/// The number in flight along the delays: with more, replies that come at the same tick wait for
/// each other, and at a millisecond of delay too few requests are at the origin.
const ALONG_DELAYS: u32 = 8;
/// How much longer than its delay a fetch takes, about: the origin's timers tick once a
/// millisecond.
const LATE_MS: u64 = 1;
/// The length of a window, in milliseconds.
const WINDOW_MS: u64 = 100;
/// The fewest fetches of each slot in a window, which long delays make longer for that: a model
/// with one slot has no more.
const WAVES_MIN: u64 = 4;
/// The fewest fetches of a window.
const FETCHES_MIN: u64 = 12;
/// Fetches of each slot before the window opens.
const WARM_UP_WAVES: u64 = 2;

/// Returns the preset: both sweeps in one run, level by level in random order.
pub fn sweep() -> Preset {
    let delay_ms = steady().delay_ms;
    let in_flight = IN_FLIGHT.map(|slots| level(format!("in-flight-{slots}"), slots, delay_ms));
    let around =
        |mean: u64| DelayRange { lo: mean - mean.div_ceil(2), hi: mean + mean.div_ceil(2) };
    let delay = DELAYS_MS.map(|mean| level(format!("delay-{mean}"), ALONG_DELAYS, around(mean)));
    let names = |cells: &[Cell]| cells.iter().map(|cell| cell.name.clone()).collect();
    let sweeps = vec![
        Sweep { along: Along::InFlight, cells: names(&in_flight) },
        Sweep { along: Along::DelayMs, cells: names(&delay) },
    ];
    Preset {
        name: "sweep",
        blocks: 14,
        rounds: 3,
        controls: Vec::new(),
        cells: in_flight.into_iter().chain(delay).collect(),
        primitives: PrimitiveBlocks::NONE,
        sweeps,
        takes: Takes::Representative,
        ..quick()
    }
}

/// Returns whether a model is the baseline, the floor, or a bare one in Rust that stands for
/// threads or for one fetch after the other.
pub(crate) fn is_representative(model: &Model) -> bool {
    let stands = model.unit == "thread" || model.max_in_flight == Some(1);
    [BASELINE, FLOOR].contains(&model.name.as_str()) || (model.uses_core() && stands)
}

/// Returns the part of a steady cell that a model with fewer slots carries out in the same time.
pub(crate) fn part(cell: &Cell, in_flight: u32) -> Cell {
    let share = |fetches: u64| {
        let share = u128::from(fetches) * u128::from(in_flight);
        let share = share.div_ceil(u128::from(cell.in_flight.max(1)));
        u64::try_from(share).unwrap_or(u64::MAX)
    };
    Cell { in_flight, warmup: share(cell.warmup), fetches: share(cell.fetches), ..cell.clone() }
}

/// Returns a cell of a sweep.
fn level(name: String, in_flight: u32, delay_ms: DelayRange) -> Cell {
    let each_ms = delay_ms.lo.midpoint(delay_ms.hi) + LATE_MS;
    let slots = u64::from(in_flight);
    let fetches = (slots * WINDOW_MS).div_ceil(each_ms).max(slots * WAVES_MIN).max(FETCHES_MIN);
    Cell { name, in_flight, warmup: WARM_UP_WAVES * slots, fetches, delay_ms, ..steady() }
}

#[cfg(test)]
mod tests {
    use record::Schedule;

    use super::*;
    use crate::fixture::{model, placement};
    use crate::{Basis, draw, forecast};

    /// Returns the four models that the preset takes.
    fn models() -> Vec<Model> {
        let one = Model { max_in_flight: Some(1), ..model("one") };
        vec![model(BASELINE), model(FLOOR), one, threads()]
    }

    /// Returns the model whose units are threads.
    fn threads() -> Model {
        Model { unit: "thread".to_owned(), ..model("threads") }
    }

    /// Draws the schedule of a preset on two CPUs.
    fn drawn(preset: Preset) -> Schedule {
        let placement = placement(1);
        let (missing, probes) = (Vec::new(), Vec::new());
        draw(Basis {
            preset,
            models: models(),
            missing,
            programs: Vec::new(),
            seed: 1,
            placement,
            probes,
        })
    }

    #[test]
    fn both_sweeps_together_take_less_than_ten_minutes() {
        // A minute is left for the probes, which are no part of the forecast.
        let minutes = forecast(&drawn(sweep()), &[]).minutes_max;
        assert!((5.0..9.0).contains(&minutes), "{minutes}");
    }

    #[test]
    fn one_of_each_kind_is_measured_unless_others_are_named() {
        let mut found = models();
        found.push(model("smol"));
        found.push(Model { client: "ureq".to_owned(), ..threads() });
        let language = Some("Python".to_owned());
        found.push(Model { language, ..threads() });
        assert_eq!(sweep().takes(&found), models());
        assert_eq!(quick().takes(&found), found);
    }

    #[test]
    fn cells_of_a_sweep_differ_in_their_level_and_in_the_number_of_fetches_alone() {
        let schedule = drawn(sweep());
        for (sweep, levels) in schedule.sweeps.iter().zip([IN_FLIGHT.len(), DELAYS_MS.len()]) {
            let cell = |name: &String| schedule.cell(name).unwrap().clone();
            let cells: Vec<Cell> = sweep.cells.iter().map(cell).collect();
            assert_eq!(cells.len(), levels);
            assert!(cells.is_sorted_by_key(|cell| sweep.along.level(cell)));
            for cell in cells {
                let level = sweep.along.level(&cell);
                assert!(cell.name.ends_with(&format!("-{level}")), "{cell:?}");
                let first = schedule.cell(&sweep.cells[0]).unwrap();
                let (name, warmup, fetches) = (first.name.clone(), first.warmup, first.fetches);
                let like = match sweep.along {
                    Along::InFlight => Cell { in_flight: first.in_flight, ..cell },
                    Along::DelayMs => Cell { delay_ms: first.delay_ms, ..cell },
                };
                assert_eq!(Cell { name, warmup, fetches, ..like }, *first);
            }
        }
    }

    #[test]
    fn a_model_with_one_slot_takes_part_in_every_level_for_as_long_as_the_others() {
        let schedule = drawn(sweep());
        assert!(schedule.absent.is_empty());
        for block in &schedule.blocks {
            let reported =
                |name| crate::run::planned(&schedule, (block, name), Vec::new()).unwrap();
            let (one, whole) = (reported("one").cell, reported("threads").cell);
            assert_eq!((one.in_flight, &whole), (1, schedule.cell(&block.cell).unwrap()));
            let rounds = whole.fetches.div_ceil(u64::from(whole.in_flight));
            assert!(one.fetches == rounds && rounds >= WAVES_MIN, "{one:?}");
        }
    }

    #[test]
    fn levels_that_are_not_asked_for_are_in_no_sweep() {
        let mut preset = sweep();
        preset.cells.retain(|cell| ["in-flight-2", "in-flight-64"].contains(&cell.name.as_str()));
        let sweeps = drawn(preset).sweeps;
        assert_eq!((sweeps.len(), sweeps[0].along), (1, Along::InFlight));
        assert_eq!(sweeps[0].cells, ["in-flight-2", "in-flight-64"]);
    }
}
