//! Promises about turns: participants are compared inside rounds alone, what does not count enters
//! nothing, and what only a whole stay shows is read off stays.

use analysis::CellFigures;
use record::{Entry, RoundRecord, Run, State, TurnRecord};
use rules::Reason;
use rules::{CPU, MEMORY};
use stats::Estimate;

use crate::fixture::{BASELINE, CONNECTIONS, FLOOR, RunFixture, figures, invalid, row};

/// Blocks of each run.
const BLOCKS: u32 = 14;

/// Multiplies what every turn of a fixture costs by a factor.
fn costlier(fixture: &mut RunFixture, factor: impl Fn(&TurnRecord) -> u64) {
    for entry in &mut fixture.entries {
        if let Entry::Turn(turn) = entry {
            let factor = factor(turn);
            turn.turned.as_mut().unwrap().window.cpu_ns *= factor;
        }
    }
}

/// Returns the ratio of a model to the baseline.
fn ratio(run: &Run, model: &str) -> Estimate {
    row(&figures(run), model).figures.as_ref().unwrap().ratio.unwrap()
}

/// Checks that two ratios are the same but for the rounding of nanoseconds.
fn check_same(one: Estimate, other: Estimate) {
    let [one, other] = [one, other].map(|ratio| {
        let interval = ratio.interval.unwrap();
        [ratio.value, interval.low, interval.high]
    });
    for (one, other) in one.into_iter().zip(other) {
        assert!((one / other - 1.0).abs() < 1e-6, "{one} {other}");
    }
}

#[test]
fn a_drift_inside_a_block_that_moves_all_costs_leaves_ratios_alone() {
    let quiet = RunFixture::of("standard", BLOCKS).run();
    let mut fixture = RunFixture::of("standard", BLOCKS);
    // What a fetch costs doubles from round to round, in some blocks trebles.
    costlier(&mut fixture, |turn| 1 + u64::from(turn.round) * (1 + u64::from(turn.block % 2)));
    let drifted = fixture.run();
    for model in ["event-loop", "rayon", "smol", "smol-hyper", "threads", "tokio-reqwest"] {
        check_same(ratio(&drifted, model), ratio(&quiet, model));
    }
    let cost = |run| row(&figures(run), "smol").figures.as_ref().unwrap().cpu_us.value;
    assert!(cost(&drifted) > 1.4 * cost(&quiet), "{}", cost(&drifted));
}

#[test]
fn an_invalid_turn_leaves_its_round_out_for_that_pair_alone() {
    let fixture = |is_broken: bool| {
        let mut fixture = RunFixture::of("standard", BLOCKS);
        costlier(&mut fixture, |turn| if turn.round == 0 { 3 } else { 1 });
        for turn in fixture.turns("smol", "steady") {
            if turn.round == 0 && is_broken {
                turn.turned.as_mut().unwrap().window.cpu_ns *= 100;
                invalid(turn, CONNECTIONS);
            }
        }
        fixture.run()
    };
    let (whole, broken) = (fixture(false), fixture(true));
    // The turns of the baseline in that round would make smol a third of what it costs.
    let smol = ratio(&broken, "smol").value;
    assert!((smol - 15_020.0 / 15_000.0).abs() < 0.01, "{smol}");
    assert_eq!(row(&figures(&broken), "smol").valid, 14);
    for model in ["event-loop", "rayon", "smol-hyper", "threads", "tokio-reqwest"] {
        assert_eq!(ratio(&broken, model), ratio(&whole, model), "{model}");
    }
}

#[test]
fn an_invalid_stay_takes_its_turns_and_its_latencies_out() {
    let mut fixture = RunFixture::of("standard", BLOCKS);
    for turn in fixture.turns("smol", "steady").into_iter().filter(|turn| turn.block == 3) {
        turn.turned.as_mut().unwrap().window.cpu_ns *= 100;
    }
    let stay = fixture.stays("smol").remove(3);
    stay.invalid = vec![Reason::TooFast { took_ns: 9_000_000, least_ns: 16_000_000 }];
    stay.latencies_ns = vec![(9_000_000_000, 2_000)];
    stay.memory_peak_kib = 9_000_000;
    let run = fixture.run();
    let cell = figures(&run);
    let smol = row(&cell, "smol");
    assert_eq!((smol.valid, smol.turns), (26, 28));
    assert!(smol.reason.as_ref().unwrap().contains("a fetch took 9.0 ms of at least 16.0 ms"));
    assert!((smol.figures.as_ref().unwrap().ratio.unwrap().value - 1.0).abs() < 0.01);
    // Of every other participant the block stays.
    assert_eq!(row(&cell, "threads").valid, 28);
    let files = report::derive(&analysis::summarize(&run, BASELINE, FLOOR));
    let latency = String::from_utf8(files["figures/latency-steady.csv"].clone()).unwrap();
    let smol = latency.lines().find(|line| line.starts_with("smol,")).unwrap();
    assert!(smol.starts_with("smol,26000,31,31,48,"), "{smol}");
}

#[test]
fn repeated_rounds_enter_no_figure() {
    let whole = RunFixture::of("standard", BLOCKS);
    let mut fixture = RunFixture::of("standard", BLOCKS);
    let mut entries = Vec::new();
    for entry in std::mem::take(&mut fixture.entries) {
        if let Entry::Round(round) = &entry
            && round.round == 1
        {
            let of_round = |entry: &&Entry| match entry {
                Entry::Turn(turn) => (turn.block, turn.round) == (round.block, round.round),
                _ => false,
            };
            let turns: Vec<Entry> = entries.iter().filter(of_round).cloned().collect();
            let disturbed = vec![Reason::Stolen { percent: 12 }];
            entries.push(Entry::Round(RoundRecord { disturbed, ..round.clone() }));
            entries.extend(turns);
        }
        entries.push(entry);
    }
    fixture.entries = entries;
    // Those that were measured first, in each block nine times as expensive.
    let mut seen = std::collections::BTreeSet::new();
    for entry in &mut fixture.entries {
        if let Entry::Turn(turn) = entry
            && turn.round == 1
            && seen.insert((turn.block, turn.position))
        {
            turn.turned.as_mut().unwrap().window.cpu_ns *= 9;
        }
    }
    let run = fixture.run();
    assert_eq!((run.disturbed.len(), run.repeated.len()), (14, 14 * 10));
    let cell = figures(&run);
    assert_eq!(cell.repeated, BLOCKS as usize);
    assert_eq!(CellFigures { repeated: 0, ..cell }, figures(&whole.run()));
    let ranking = analysis::rank(&run, &analysis::figures(&run, BASELINE, FLOOR), CPU, None);
    let ranking = ranking.unwrap();
    let smol = ranking.cells[0].rows.iter().find(|row| row.row.model == "smol").unwrap();
    assert_eq!((smol.rounds, smol.repeated), (28, 14));
}

#[test]
fn memory_is_read_off_stays() {
    let mut fixture = RunFixture::of("standard", BLOCKS);
    for (number, stay) in (0..).zip(fixture.stays("smol")) {
        stay.memory_peak_kib = 1_024 * (10 + number);
    }
    let run = fixture.run();
    let all = analysis::figures(&run, BASELINE, FLOOR);
    let ranking = analysis::rank(&run, &all, MEMORY, None).unwrap();
    let rows = &ranking.cells[0].rows;
    let [smol, threads] = ["smol", "threads"]
        .map(|model| rows.iter().find(|row| row.row.model == model).unwrap().value);
    assert!((smol.unwrap().value - 16.5).abs() < 1e-9, "{smol:?}");
    assert_eq!(threads, None);
}

#[test]
fn turns_that_were_not_taken_after_a_failure_are_counted_with_it() {
    let mut fixture = RunFixture::of("standard", BLOCKS);
    let own = fixture.turns("smol", "steady").into_iter().filter(|turn| turn.block == 3);
    for (state, turn) in [State::Failed("it hung".to_owned()), State::Out].into_iter().zip(own) {
        turn.state = state;
        turn.turned = None;
    }
    let cell = figures(&fixture.run());
    let smol = row(&cell, "smol");
    assert_eq!(smol.reason.as_deref(), Some("failed: it hung (2 of 28 turns)"));
    assert_eq!((smol.valid, smol.rank), (26, None));
}
