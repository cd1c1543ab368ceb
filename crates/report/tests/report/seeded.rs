//! Differences that were put in on purpose, under simulated noise (`cargo bench --bench claims --
//! controls` puts 5 % into real processes): what is there is found, what is too small
//! to matter is not called a difference, and a neighbour that comes halfway changes no ratio.

use stats::random::SplitMix64;
use stats::verdict::Verdict;

use crate::fixture::{BASELINE, RunFixture, figures, row};

/// The model whose cost is changed.
const CHANGED: &str = "smol";
/// Runs of each kind.
const RUNS: u64 = 40;
/// Blocks of each run.
const BLOCKS: u32 = 20;
/// The scatter of single turns, as a share: that of a quiet machine. With twice as much, a model
/// that costs 1 % more is called different in one run of eight: the margin is held against the
/// estimate, which scatters too.
const SCATTER: f64 = 0.015;

/// Returns a factor that scatters around 1, by the sum of twelve uniform draws.
fn scatter(random: &mut SplitMix64) -> f64 {
    let sum: f64 = (0..12).map(|_| f64::from(u32::try_from(random.below(1 << 20)).unwrap())).sum();
    (SCATTER * (sum / f64::from(1 << 20) - 6.0)).exp()
}

/// Returns a run in which one model costs so many times the baseline, and every turn `disturbed`
/// times what it would have cost, by its block.
fn fixture(factor: f64, seed: u64, disturbed: impl Fn(u32) -> f64) -> RunFixture {
    let mut random = SplitMix64::new(seed);
    let mut fixture = RunFixture::of("quick", BLOCKS);
    for (model, cost) in [(BASELINE, 15_000.0), (CHANGED, 15_000.0 * factor)] {
        for turn in fixture.turns(model, "steady") {
            let window = &mut turn.turned.as_mut().unwrap().window;
            let cost = cost * scatter(&mut random) * disturbed(turn.block);
            window.cpu_ns = window.ended * nanoseconds(cost);
        }
    }
    fixture
}

/// Returns a cost in whole nanoseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "costs are small")]
fn nanoseconds(cost: f64) -> u64 {
    cost as u64
}

/// Returns in how many runs the changed model is called different from the baseline.
fn called_different(factor: f64) -> u64 {
    let differs = |seed: &u64| {
        let cell = figures(&fixture(factor, *seed, |_| 1.0).run());
        let figures = row(&cell, CHANGED).figures.as_ref().unwrap();
        figures.verdict == Some(Verdict::Different)
    };
    (0..RUNS).filter(differs).count() as u64
}

#[test]
fn five_and_twenty_per_cent_are_found_and_one_per_cent_is_not_called_a_difference() {
    let [one, five, twenty] = [1.01, 1.05, 1.20].map(called_different);
    assert!(five >= RUNS * 95 / 100, "{five} of {RUNS}");
    assert_eq!(twenty, RUNS);
    assert!(one <= RUNS * 5 / 100, "{one} of {RUNS}");
}

#[test]
fn a_neighbour_that_comes_halfway_changes_no_ratio_where_one_model_after_the_other_would_differ() {
    let neighbour = |block: u32| if block < BLOCKS / 2 { 1.0 } else { 1.3 };
    let run = fixture(1.0, 1, neighbour).run();
    let cell = figures(&run);
    let figures = row(&cell, CHANGED).figures.as_ref().unwrap();
    let interval = figures.ratio.unwrap().interval.unwrap();
    assert!(interval.contains(1.0) && interval.half_width() < 0.05, "{interval:?}");
    assert_ne!(figures.verdict, Some(Verdict::Different));

    // The same turns, had the baseline been measured to its end before the other began.
    let mean = |model: &str, is_its_time: fn(u32) -> bool| {
        let own = run.turns.iter().filter(|t| t.model == model && is_its_time(t.block));
        let costs: Vec<f64> = own
            .map(|t| f64::from(u32::try_from(t.turned.as_ref().unwrap().window.cpu_ns).unwrap()))
            .collect();
        costs.iter().sum::<f64>() / f64::from(u32::try_from(costs.len()).unwrap())
    };
    let first = mean(BASELINE, |block| block < BLOCKS / 2);
    let second = mean(CHANGED, |block| block >= BLOCKS / 2);
    assert!(second / first > 1.2, "{}", second / first);
}
