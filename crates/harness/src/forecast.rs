//! What a schedule will take, and what this machine lets it claim, reported before the first trial.

use record::{Block, Family, Run, Schedule, TurnRecord};
use stats::capacity::{HEADROOM, MODEL_BOUND};
use stats::{Sample, effect, rounds};
use workload::{Cell, Datum};

use crate::cells::{copy, presets};
use crate::language;
use crate::load::rate_text;
use crate::run::{CONNECT_OPEN_MS, held};
use crate::stop::by_block;
use crate::{BASELINE, baseline_of};

/// What a turn takes beyond its fetches, in seconds: the mount, the end of its last fetch, the
/// receipt.
const TURN_S: f64 = 0.012;
/// What a process takes to start, to connect and to leave, in seconds.
const START_S: f64 = 0.08;
/// What holding all fetches takes beside the time in which they are held, in seconds: until the
/// kernel has given back what the last process had, and for each fetch to arrive and to end.
const HOLD_S: f64 = 0.3;
const ARRIVAL_S: f64 = 2e-4;
/// What a connection takes where there are many, in seconds, and the most fetches a second that an
/// origin serves then.
const CONNECT_S: f64 = 3e-4;
const RATE_MAX: f64 = 15_000.0;
/// What a block takes beyond its turns, in seconds: a new origin.
const BLOCK_S: f64 = 0.2;
/// What a turn of operations takes beyond them, and a process to start and to leave, in seconds.
const OPERATIONS_S: (f64, f64) = (0.001, 0.03);
/// Turns of the least length that a turn of operations has in the mean, those that find out how
/// many it takes included.
const BATCHES: f64 = 5.5;
/// What a timer or an event takes beside, in seconds.
const EACH_S: f64 = 50e-6;
/// Chance of a false difference in a family.
const ALPHA: f64 = 0.05;

/// What a schedule will take, and what it may claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// Minutes of measuring, at most.
    pub minutes_max: f64,
    /// All of it in sentences.
    pub lines: Vec<String>,
}

/// Returns the forecast of a schedule; earlier runs on this machine, the newest first, show how
/// noisy it is.
pub fn forecast(schedule: &Schedule, earlier: &[Run]) -> Forecast {
    let minutes = |fetches: bool| {
        let own = schedule.blocks.iter().filter(|b| schedule.fetches(&b.cell) == fetches);
        own.map(|block| block_s(schedule, block)).sum::<f64>() / 60.0
    };
    let limit = schedule.stop.as_ref().map_or(f64::INFINITY, |rule| f64::from(rule.minutes_max));
    let minutes_max = minutes(true).min(limit) + minutes(false);
    let turns: usize = schedule.blocks.iter().map(Block::turns).sum();
    let mut lines = vec![format!(
        "{} blocks, {turns} turns, about {} of measuring{}",
        schedule.blocks.len(),
        duration(minutes_max),
        match &schedule.stop {
            Some(rule) => format!(
                "; a cell ends earlier when each ratio's own 95 % interval is within {:.1} % to \
                 either side",
                f64::from(rule.half_width_permille) / 10.0
            ),
            None => String::new(),
        }
    )];
    if schedule.blocks.is_empty() {
        lines.clear();
    }
    for cell in &schedule.cells {
        lines.extend(claims(schedule, cell));
        lines.extend(takes(schedule, cell));
        let known = earlier.iter().find(|run| knows(run, cell));
        lines.extend(known.and_then(|run| can_show(schedule, cell, run)));
    }
    Forecast { minutes_max, lines }
}

/// Writes a duration given in minutes.
fn duration(minutes: f64) -> String {
    match minutes < 2.0 {
        true => format!("{:.0} seconds", 60.0 * minutes),
        false => format!("{minutes:.0} minutes"),
    }
}

/// Returns what a block takes, in seconds.
pub(crate) fn block_s(schedule: &Schedule, block: &Block) -> f64 {
    let Some(cell) = schedule.cell(&block.cell) else { return 0.0 };
    let of_operations = |turn_s: f64| {
        let (beside_s, start_s) = OPERATIONS_S;
        let (turns, processes) = (block.turns() as u64, block.participants().len() as u64);
        real(turns) * (turn_s + beside_s) + real(processes) * start_s
    };
    match cell.workload.datum() {
        Datum::Turn => {}
        Datum::Slope => return of_operations(BATCHES * real(schedule.batch_ns) / 1e9),
        Datum::Timed(after) => {
            return of_operations(real(cell.dealt()) * (after.as_secs_f64() + EACH_S));
        }
    }
    let holding_s = match cell.workload.is_held() {
        true => HOLD_S + real(cell.dealt()) * ARRIVAL_S,
        false => 0.0,
    };
    let again_s = if cell.is_large() { connecting_s(cell) } else { 0.0 };
    let turn_s = |name: &String| {
        let own = schedule.model(name).map_or_else(|| cell.clone(), |model| held(cell, model));
        TURN_S + holding_s + real(own.dealt()) / rate(&own) + again_s
    };
    let start_s = |name: &str| {
        START_S + connecting_s(cell) + schedule.model(name).map_or(0.0, language::start_s)
    };
    let taking: f64 = block.rounds.iter().flatten().map(turn_s).sum();
    let starting: f64 = match cell.stays() {
        true => block.participants().into_iter().map(start_s).sum(),
        false => block.rounds.iter().flatten().map(|name| start_s(name)).sum(),
    };
    BLOCK_S + taking + starting
}

/// Returns what the blocks of a cell take whose turns are long, since fetches arrive at a rate.
fn takes(schedule: &Schedule, cell: &Cell) -> Option<String> {
    let own = schedule.blocks.iter().filter(|block| block.cell == cell.name);
    let own_s: f64 = own.map(|block| block_s(schedule, block)).sum();
    cell.is_open().then(|| {
        let rate = rate_text(cell, schedule.probe(&cell.name).is_some());
        format!("{}: {rate}; it takes about {}", cell.name, duration(own_s / 60.0))
    })
}

/// Returns what may be claimed of a cell on this machine, if the cell was probed.
fn claims(schedule: &Schedule, cell: &Cell) -> Option<String> {
    let probe = schedule.probe(&cell.name)?;
    let (workers, _) = schedule.placement.of_models(cell);
    let rate = rate(cell);
    let share = rate / real(probe.ceiling_per_s).max(1.0);
    let busy = real(probe.baseline_ns) / 1e9 * rate / f64::from(workers);
    let origin = match share <= HEADROOM {
        true => format!("{:.0} % of what the origin can do", 100.0 * share),
        false => format!(
            "{:.0} % of what the origin can do, so the origin may be what is measured",
            100.0 * share
        ),
    };
    let is_bound = busy >= MODEL_BOUND && share <= HEADROOM;
    let claim = match (cell.is_open(), is_bound) {
        (true, _) => {
            "the arrivals set the pace: response times and CPU per fetch can be compared, \
             throughput cannot"
        }
        (false, true) => "the model's CPUs set the pace: throughput can be compared",
        (false, false) => {
            "the delay sets the pace: CPU per fetch can be compared, throughput cannot"
        }
    };
    Some(format!(
        "{}: about {rate:.0} fetches a second, {origin}; {} keeps {:.0} % of its CPUs busy, so \
         {claim}",
        cell.name,
        baseline_of(schedule),
        100.0 * busy
    ))
}

/// Returns why a schedule shows nothing: a cell of somebody's own numbers asks for more than the
/// origin can do, so that the origin is late whatever the model does. What a preset has is measured
/// all the same: its answer is about more than one cell.
pub(crate) fn beyond_origin(schedule: &Schedule) -> Option<String> {
    let is_own = |cell: &&Cell| {
        !presets().any(|preset| preset.cells.iter().any(|known| known.name == cell.name))
    };
    schedule.cells.iter().filter(is_own).find_map(|cell| {
        let ceiling = real(schedule.probe(&cell.name)?.ceiling_per_s).max(1.0);
        let asked = through(cell);
        let enough = (HEADROOM * ceiling * delay_s(cell)).floor().max(1.0);
        (asked > ceiling).then(|| {
            format!(
                "the cell {} asks for {asked:.0} fetches a second, {:.0} % of what the origin can \
                 do here: lower --in-flight to {enough:.0}, or make --delay longer",
                cell.name,
                100.0 * asked / ceiling
            )
        })
    })
}

/// Returns what the planned blocks could show if the noise were that of an earlier run.
fn can_show(schedule: &Schedule, cell: &Cell, earlier: &Run) -> Option<String> {
    let differences = against_itself(earlier, cell)?;
    let comparisons = f64::from(u32::try_from(comparisons(schedule, cell).max(1)).ok()?);
    let shown = effect::smallest_detectable(&differences, ALPHA / comparisons)?;
    let planned = schedule.blocks.iter().filter(|block| block.cell == cell.name).count();
    let scale = (count(differences.values().len()) / count(planned.max(1))).sqrt();
    Some(format!(
        "{}: with the noise of {}, {planned} blocks show differences from {:.1} % on",
        cell.name,
        earlier.id,
        100.0 * (shown * scale).exp_m1()
    ))
}

/// Returns whether a run has this very cell, in blocks enough to show how noisy it is.
pub(crate) fn knows(run: &Run, cell: &Cell) -> bool {
    let differences = || against_itself(run, cell);
    run.schedule.cell(&cell.name) == Some(cell)
        && differences().is_some_and(|found| effect::smallest_detectable(&found, ALPHA).is_some())
}

/// Returns how many pairs of models are judged together: those with the baseline, or all where the
/// preset ranks.
fn comparisons(schedule: &Schedule, cell: &Cell) -> usize {
    let absent =
        |name: &str| schedule.absent.iter().any(|a| a.cell == cell.name && a.model == name);
    let counts = |model: &&record::Model| model.language.is_none() && !absent(&model.name);
    let models = schedule.models.iter().filter(counts).count();
    match schedule.family {
        Family::AllPairs => models * models.saturating_sub(1) / 2,
        Family::AgainstBaseline => models.saturating_sub(1),
    }
}

/// Returns the logarithms of the baseline's copy over the baseline, block by block.
fn against_itself(run: &Run, cell: &Cell) -> Option<Sample> {
    let turns: Vec<&TurnRecord> = run.turns.iter().filter(|t| t.cell == cell.name).collect();
    let [copies, own] = [&copy().name, BASELINE].map(|name| by_block(&turns, name));
    let ratios = copies.iter().filter_map(|(b, copy)| rounds::log_ratio(copy, own.get(b)?));
    Sample::new(ratios.collect())
}

/// Returns the CPU time per fetch of a valid turn, in nanoseconds.
pub(crate) fn cost(turn: &TurnRecord) -> Option<f64> {
    Some(turn.valid()?.window.cpu_ns_each())
}

/// Returns what a turn takes that connects where turns are long, which every process takes as it
/// starts, and with many slots before each of its turns; of others, what a process takes to start
/// has it.
fn connecting_s(cell: &Cell) -> f64 {
    match cell.is_open() {
        true => f64::from(cell.slots()) / rate(cell) + real(CONNECT_OPEN_MS) / 1e3,
        // It is in both, and taken once.
        false if cell.is_large() => f64::from(cell.slots()) * CONNECT_S / 2.0,
        false => 0.0,
    }
}

/// Returns how many fetches a cell makes a second: those that arrive, or as many as its delays let
/// through.
fn rate(cell: &Cell) -> f64 {
    match cell.is_open() {
        true => f64::from(cell.rate_per_s),
        false if cell.is_large() => through(cell).min(RATE_MAX),
        false => through(cell),
    }
}

/// Returns how many fetches a second the delays of a cell let through.
fn through(cell: &Cell) -> f64 {
    f64::from(cell.in_flight.max(1)) / delay_s(cell)
}

/// Returns the mean delay of a cell, in seconds, with what a shared loop adds.
fn delay_s(cell: &Cell) -> f64 {
    // Timers of a millisecond round up: half of one in the mean.
    (real(cell.delay_ms.lo + cell.delay_ms.hi) / 2.0 + 0.5) / 1e3
}

/// Returns a count as a real number.
#[expect(clippy::cast_precision_loss, reason = "counts of a schedule are far below 2^52")]
fn real(count: u64) -> f64 {
    count as f64
}

/// Returns a length as a real number.
fn count(length: usize) -> f64 {
    real(length as u64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use record::Probe;
    use workload::DelayRange;

    use super::*;
    use crate::fixture::placement;
    use crate::{Basis, draw, quick};

    /// Returns the steady cell of a preset.
    fn steady() -> Cell {
        quick().cells.into_iter().find(|cell| cell.name == "steady").unwrap()
    }

    /// Returns the schedule of a cell on two workers, after a probe that found the most fetches a
    /// second and what one costs the baseline.
    fn probed(cell: Cell, (ceiling_per_s, baseline_ns): (u64, u64)) -> Schedule {
        let probes = vec![Probe {
            cell: cell.name.clone(),
            ceiling_per_s,
            floor_ns: 10_000,
            baseline_ns,
            origin_ns: 10_000,
        }];
        let preset = crate::Preset { cells: vec![cell], ..quick() };
        draw(Basis {
            preset,
            models: Vec::new(),
            missing: Vec::new(),
            programs: Vec::new(),
            seed: 1,
            placement: placement(2),
            probes,
        })
    }

    /// Returns what is forecast of the steady cell, which asks for 7 500 fetches a second from two
    /// workers at 8.5 ms, when a fetch costs the baseline so much.
    fn forecast_of(baseline_ns: u64) -> String {
        let cell = Cell { in_flight: 64, ..steady() };
        forecast(&probed(cell, (40_000, baseline_ns)), &[]).lines.join("\n")
    }

    #[test]
    fn numbers_beyond_what_the_origin_can_do_are_refused_with_those_that_are_not() {
        let of = |slots, ceiling| {
            let delay_ms = Some(DelayRange { lo: 1, hi: 3 });
            let cell = crate::steady_of(Some(slots), delay_ms, Some(16 * 1024));
            beyond_origin(&probed(cell, (ceiling, 10_000)))
        };
        // At 2.5 ms each slot asks for 400 a second.
        let said = of(256, 20_000).unwrap();
        let whole = "the cell steady-256-1-3ms-16384B asks for 102400 fetches a second, 512 % of \
                     what the origin can do here: lower --in-flight to 25, or make --delay longer";
        assert_eq!(said, whole);
        assert_eq!([of(25, 20_000), of(49, 20_000)], [None, None]);
        // Many slots are no less beyond it, and one is the least that can be proposed.
        assert!(of(20_000, 20_000).unwrap().contains(" 40000 % of "));
        assert!(of(2, 100).unwrap().contains("lower --in-flight to 1,"));
        // What a preset has is measured.
        assert_eq!(beyond_origin(&probed(steady(), (100, 10_000))), None);
        // So is one of which a machine decides how many workers it has.
        let name = "steady-workers".to_owned();
        let several = Cell { name, workers: 16, ..steady() };
        assert_eq!(beyond_origin(&probed(several, (100, 10_000))), None);
    }

    #[test]
    fn a_model_sets_the_pace_from_the_share_from_which_the_report_says_so() {
        // 64 in flight at 8.5 ms are 7 529 a second; two CPUs at 90 % have 239 us for each.
        let (below, above) = (forecast_of(236_000), forecast_of(242_000));
        assert!(below.contains("the delay sets the pace"), "{below}");
        assert!(above.contains("the model's CPUs set the pace"), "{above}");
    }

    #[test]
    fn a_cell_of_response_times_says_how_long_it_takes_and_that_the_arrivals_set_the_pace() {
        for cell in crate::preset("load").unwrap().cells {
            let rate = cell.rate_per_s;
            let takes = format!("{}: {rate} fetches arrive a second; it takes about ", cell.name);
            let said = forecast(&probed(cell, (40_000, 20_000)), &[]).lines.join("\n");
            assert!(said.contains(&takes) && said.contains("the arrivals set the pace"), "{said}");
        }
    }

    #[test]
    fn all_that_standard_plans_fits_the_time_that_it_may_take() {
        let workspace = crate::Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let mut models = crate::find(&workspace, "crates").unwrap();
        models.retain(record::Model::is_core);
        let large = record::Placement { several_cpus: vec![2, 3], ..placement(2) };
        for placement in [placement(1), large] {
            let (preset, placement) = crate::preset("standard").unwrap().on(placement).unwrap();
            let limit = f64::from(preset.stop.clone().unwrap().minutes_max);
            let schedule = draw(Basis {
                preset,
                models: models.clone(),
                missing: Vec::new(),
                programs: Vec::new(),
                seed: 1,
                placement,
                probes: Vec::new(),
            });
            // What is held comes after that time.
            let timed = schedule.blocks.iter().filter(|block| schedule.fetches(&block.cell));
            let seconds: f64 = timed.map(|block| block_s(&schedule, block)).sum();
            assert!((0.75 * limit..limit).contains(&(seconds / 60.0)), "{seconds} s");
            let open = schedule.blocks.iter().filter(|block| block.cell == crate::cells::PACED);
            let seconds: f64 = open.map(|block| block_s(&schedule, block)).sum();
            assert!(seconds <= 360.0, "{seconds} s of open load");
        }
    }

    #[test]
    fn the_first_block_of_every_cell_of_quick_is_planned_for_the_first_two_minutes() {
        let workspace = crate::Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let models = crate::find(&workspace, "crates").unwrap();
        for seed in 0..20 {
            let (missing, probes, models) = (Vec::new(), Vec::new(), models.clone());
            let (preset, placement) = (quick(), placement(1));
            let mut schedule = draw(Basis {
                preset,
                models,
                missing,
                programs: Vec::new(),
                seed,
                placement,
                probes,
            });
            let cells = schedule.cells.len();
            schedule.blocks.truncate(cells);
            let first: BTreeSet<&String> = schedule.blocks.iter().map(|b| &b.cell).collect();
            assert_eq!(first.len(), cells, "every cell once before any comes again");

            let minutes = forecast(&schedule, &[]).minutes_max;
            assert!(minutes < 2.0, "{minutes} minutes");
        }
    }
}
