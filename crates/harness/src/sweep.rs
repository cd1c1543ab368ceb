//! The presets `sweep` and `scaling`: from how many in flight on, and from which delay on, does one
//! model cost less than another; and what does a fetch cost with ten thousand in flight?
//!
//! Each level is a steady cell. The cells along the number in flight have the delays of the main
//! steady cell, so that the level 64 is that cell; those along the delay have one number in flight.
//! A model that holds fewer in flight takes part with the slots that it has.

use record::{Along, Model, OriginKind, Sweep};
use workload::{Cell, DelayRange};

use crate::cells::{Takes, elsewhere, steady};
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

/// The levels of the number in flight at one rate, which is 2 fetches a millisecond: well below
/// half of what the fast origin can serve on one CPU. With one in flight the delay is half a
/// millisecond in the mean.
const AT_RATE: [u32; 5] = [1, 10, 100, 1_000, 10_000];
const RATE_PER_MS: u32 = 2;
/// The levels of the number in flight at one delay, until well beyond what the origin can serve.
const AT_DELAY: [u32; 6] = [1, 10, 100, 300, 1_000, 10_000];
/// That delay: the mean, in milliseconds.
const SCALING_DELAY_MS: u64 = 20;
/// Its blocks: with fewer than eight, the signed ranks of a family of six levels reject nothing.
const SCALING_BLOCKS: u32 = 9;
/// How often a probe task wakes at one rate, in microseconds: as in `steady-probe`. That adds 200
/// wake-ups a second, a tenth of the fetches, so that it has cells of its own, as there: what tells
/// CPU time has none. Where a plan has a probe task, the floor moreover sets its timer and looks at
/// all of its slots at each wait, which would be charged to its fetches.
const PROBE_PERIOD_US: u32 = 5_000;
/// What has fewer blocks: six are the fewest whose median has an interval, and all that a level
/// needs which lies beyond what any origin serves, and is of no crossover. With 10,000 in flight at
/// one rate a block takes minutes, and the one beside a probe task shows an order of magnitude.
const SCALING_FEWER: [(&str, u32); 6] = [
    ("at-delay-10000", 6),
    ("at-rate-1-probe", 6),
    ("at-rate-10-probe", 6),
    ("at-rate-100-probe", 6),
    ("at-rate-1000-probe", 6),
    ("at-rate-10000-probe", 1),
];

/// Returns the preset `sweep`: both sweeps in one run, level by level in random order.
pub fn sweep() -> Preset {
    let delay_ms = steady().delay_ms;
    let in_flight = IN_FLIGHT.map(|slots| level(format!("in-flight-{slots}"), slots, delay_ms));
    let delay = DELAYS_MS.map(|mean| level(format!("delay-{mean}"), ALONG_DELAYS, around(mean)));
    let sweeps = vec![
        Sweep { along: Along::InFlight, cells: names(&in_flight), scales: false },
        Sweep { along: Along::DelayMs, cells: names(&delay), scales: false },
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

/// Returns the preset `scaling`: the number in flight from 1 to 10,000, once at one rate, so that
/// only the number grows, and once at one delay, so that the rate grows with it. The headline is of
/// another origin than these curves, so that its cell is measured at both.
pub(crate) fn scaling() -> Preset {
    let at_rate = AT_RATE.map(|slots| {
        let (twice_the_mean, lo) = (2 * slots / RATE_PER_MS, slots / RATE_PER_MS / 2);
        let delay_ms = DelayRange { lo: lo.into(), hi: (twice_the_mean - lo).into() };
        at_fast(format!("at-rate-{slots}"), slots, delay_ms)
    });
    let at_rate: Vec<Cell> = at_rate.into_iter().flat_map(with_probe).collect();
    let delay_ms = around(SCALING_DELAY_MS);
    let at_delay = AT_DELAY.map(|slots| at_fast(format!("at-delay-{slots}"), slots, delay_ms));
    let sweeps = vec![
        Sweep { along: Along::InFlightAtRate, cells: names(&at_rate), scales: true },
        Sweep { along: Along::InFlight, cells: names(&at_delay), scales: true },
    ];
    Preset {
        name: "scaling",
        blocks: SCALING_BLOCKS,
        fewer_blocks: SCALING_FEWER.to_vec(),
        cells: [&at_rate[..], &at_delay, &[steady(), elsewhere()]].concat(),
        sweeps,
        takes: Takes::Concurrent,
        ..sweep()
    }
}

/// Returns a level at the fast origin, few in flight or many.
fn at_fast(name: String, slots: u32, delay_ms: DelayRange) -> Cell {
    Cell { origin: OriginKind::Fast, ..level(name, slots, delay_ms) }
}

/// Returns a cell, and the same with a probe task.
pub(crate) fn with_probe(cell: Cell) -> [Cell; 2] {
    let name = format!("{}-probe", cell.name);
    let probed = Cell { name, probe_period_us: PROBE_PERIOD_US, ..cell.clone() };
    [cell, probed]
}

/// Returns the range of delays with that mean, from half to one and a half times as long.
fn around(mean: u64) -> DelayRange {
    DelayRange { lo: mean - mean.div_ceil(2), hi: mean + mean.div_ceil(2) }
}

/// Returns the names of cells.
fn names(cells: &[Cell]) -> Vec<String> {
    cells.iter().map(|cell| cell.name.clone()).collect()
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
    let cell =
        Cell { name, in_flight, warmup: WARM_UP_WAVES * slots, fetches, delay_ms, ..steady() };
    // Many slots make a window long enough, and a wave of them would take seconds.
    if cell.is_large() { Cell { fetches: slots.div_ceil(2), ..cell } } else { cell }
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
        drawn_of(preset, models())
    }

    /// Draws it for some models.
    fn drawn_of(preset: Preset, models: Vec<Model>) -> Schedule {
        let placement = placement(1);
        let (missing, probes) = (Vec::new(), Vec::new());
        draw(Basis { preset, models, missing, programs: Vec::new(), seed: 1, placement, probes })
    }

    #[test]
    fn both_sweeps_together_take_less_than_ten_minutes() {
        // A minute is left for the probes, which are no part of the forecast.
        let minutes = forecast(&drawn(sweep()), &[]).minutes_max;
        assert!((5.0..9.0).contains(&minutes), "{minutes}");
    }

    #[test]
    fn scaling_takes_less_than_forty_minutes_and_keeps_its_rate_or_its_delay() {
        let preset = scaling();
        for sweep in &preset.sweeps {
            let cell = |name: &String| preset.cells.iter().find(|cell| cell.name == *name).unwrap();
            let cells: Vec<&Cell> = sweep.cells.iter().map(cell).collect();
            assert_eq!(cells.last().unwrap().in_flight, 10_000);
            let is_alike = |cell: &&Cell| match sweep.along {
                Along::InFlightAtRate => cell.asked_per_s() == 2_000,
                _ => cell.delay_ms == cells[0].delay_ms,
            };
            assert!(cells.iter().all(is_alike), "{cells:?}");
        }
        let models = [BASELINE, FLOOR, "smol", "async-std", "rayon"].map(model);
        let models = models.into_iter().chain([threads()]).collect();
        let schedule = drawn_of(preset, models);
        // What the machine has too little for would be left out.
        assert_eq!(schedule.absent, []);
        let minutes = forecast(&schedule, &[]).minutes_max;
        assert!((25.0..40.0).contains(&minutes), "{minutes}");
    }

    #[test]
    fn scaling_has_each_level_at_one_rate_once_more_with_a_probe_task_and_nothing_else_changed() {
        let preset = scaling();
        let cell = |name: &str| preset.cells.iter().find(|cell| cell.name == name).unwrap();
        for slots in AT_RATE {
            let (level, probed) = (format!("at-rate-{slots}"), format!("at-rate-{slots}-probe"));
            assert!([&level, &probed].iter().all(|name| preset.sweeps[0].cells.contains(name)));
            let (level, probed) = (cell(&level), cell(&probed));
            assert_eq!((level.probe_period_us, probed.probe_period_us), (0, PROBE_PERIOD_US));
            let name = level.name.clone();
            assert_eq!(Cell { name, probe_period_us: 0, ..probed.clone() }, *level);
        }
        // What has fewer blocks is there, by that name.
        assert!(SCALING_FEWER.iter().all(|(name, blocks)| preset.blocks_of(cell(name)) == *blocks));
    }

    #[test]
    fn scaling_measures_the_cell_of_the_headline_at_both_origins() {
        let cells = scaling().cells;
        let both = [steady(), elsewhere()];
        assert!(both.iter().all(|cell| cells.contains(cell)), "{cells:?}");
        assert_ne!(both[0].origin, both[1].origin);
    }

    #[test]
    fn scaling_takes_bare_models_that_hold_more_than_one_in_flight() {
        let mut found = models();
        found.push(Model { client: "ureq".to_owned(), ..threads() });
        let taken = scaling().takes(&found);
        assert!(taken.iter().map(|model| model.name.as_str()).eq([BASELINE, FLOOR, "threads"]));
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
                    Along::InFlight | Along::InFlightAtRate => {
                        Cell { in_flight: first.in_flight, ..cell }
                    }
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
