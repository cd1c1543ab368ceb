//! Simulated sweeps whose crossover is known: does its interval hold the truth as often as it says?
//!
//! At each level two models are compared over blocks of their own, with noise of which a tenth is
//! five times as large. All draws come from fixed seeds, so that the shares are the same each time.

use std::ops::RangeInclusive;

use stats::crossover::{Crossover, Sure};
use stats::random::SplitMix64;
use stats::verdict::{Criteria, Evidence};
use stats::{Sample, bonferroni, hodges_lehmann, signed_rank};

/// Sweeps that are simulated of each kind.
const RUNS: u32 = 400;
/// Blocks at each level.
const BLOCKS: usize = 12;
/// What is asked of each level.
const CRITERIA: Criteria = Criteria { alpha: 0.05, margin: 0.02 };

/// Draws from the standard normal distribution (Box & Muller, 1958).
fn normal(random: &mut SplitMix64) -> f64 {
    let mut unit = || {
        let word = u32::try_from(random.word() >> 32).expect("32 bits remain");
        (f64::from(word) + 0.5) / 2.0_f64.powi(32)
    };
    let radius = (-2.0 * unit().ln()).sqrt();

    radius * (std::f64::consts::TAU * unit()).cos()
}

/// Draws the logarithm of the ratio in a block, where the models truly differ by so much.
fn log_ratio(truth: f64, random: &mut SplitMix64) -> f64 {
    let factor = if random.below(10) == 0 { 5.0 } else { 1.0 };

    truth + 0.03 * factor * normal(random)
}

/// Draws a sweep whose levels have these true logarithmic ratios: a sample a level.
fn drawn(truths: &[f64], random: &mut SplitMix64) -> Vec<Sample> {
    let mut sample = |truth: &f64| {
        Sample::new((0..BLOCKS).map(|_| log_ratio(*truth, random)).collect()).expect("finite")
    };

    truths.iter().map(&mut sample).collect()
}

/// Draws blocks of each level again, some of them more than once.
fn resampled(samples: &[Sample], random: &mut SplitMix64) -> Vec<Sample> {
    let mut again = |sample: &Sample| {
        let values = sample.values();
        let drawn = (0..values.len()).map(|_| values[random.below(values.len())]);
        Sample::new(drawn.collect()).expect("finite")
    };

    samples.iter().map(&mut again).collect()
}

/// Judges a sweep.
fn compared(samples: &[Sample]) -> Crossover {
    let p_values: Vec<f64> = samples.iter().map(signed_rank::p_value).collect();
    let sure = |(sample, adjusted_p): (&Sample, f64)| {
        let ratio = hodges_lehmann::ratio(sample, CRITERIA.alpha);
        Sure::of(&Evidence { adjusted_p, ratio }, &CRITERIA)
    };
    let sure: Vec<Sure> = samples.iter().zip(bonferroni::adjust(&p_values)).map(sure).collect();

    Crossover::of(&sure)
}

/// Returns the true crossover of levels that have these true logarithmic ratios.
fn true_crossover(truths: &[f64]) -> usize {
    truths.iter().rposition(|truth| *truth >= 0.0).map_or(0, |last| last + 1)
}

/// Checks in which share of the sweeps the interval holds the true crossover, and in which it is
/// found at that level itself.
fn check(truths: &[f64], held: RangeInclusive<f64>, found: RangeInclusive<f64>) {
    let truth = true_crossover(truths);
    let mut random = SplitMix64::new(5);
    let crossovers: Vec<Crossover> =
        (0..RUNS).map(|_| compared(&drawn(truths, &mut random))).collect();
    let share = |holds: &dyn Fn(&&Crossover) -> bool| {
        let count = u32::try_from(crossovers.iter().filter(holds).count()).expect("few runs");
        f64::from(count) / f64::from(RUNS)
    };
    let shares = (
        share(&|crossover| (crossover.low..=crossover.high).contains(&truth)),
        share(&|crossover| crossover.high == truth),
    );

    eprintln!("{truths:?}: held {}, found {}", shares.0, shares.1);
    assert!(held.contains(&shares.0), "{truths:?} held in {}", shares.0);
    assert!(found.contains(&shares.1), "{truths:?} found in {}", shares.1);
}

#[test]
fn the_interval_of_a_crossing_in_the_middle_holds_the_truth_in_95_of_100_sweeps() {
    check(&[0.3, 0.2, 0.1, 0.02, -0.04, -0.1, -0.2, -0.3, -0.4], 0.95..=1.0, 0.0..=1.0);
    check(&[0.3, 0.2, 0.15, -0.15, -0.2, -0.3, -0.4, -0.4, -0.4], 0.95..=1.0, 0.9..=1.0);
}

#[test]
fn the_interval_holds_the_truth_where_models_are_equal_at_some_levels() {
    // Equal costs are not less: the crossover is the first level after them.
    check(&[0.0, 0.0, 0.0, 0.0, 0.0, -0.3, -0.3, -0.3, -0.3], 0.95..=1.0, 0.9..=1.0);
}

#[test]
fn noise_alone_shows_a_crossover_in_5_of_100_sweeps_at_most() {
    check(&[0.0; 9], 0.95..=1.0, 0.95..=1.0);
}

#[test]
fn what_always_costs_less_or_more_is_seen_to() {
    check(&[-0.2; 9], 0.95..=1.0, 0.95..=1.0);
    check(&[0.2; 9], 0.95..=1.0, 0.95..=1.0);
}

#[test]
fn a_ratio_that_comes_back_is_held_too() {
    check(&[-0.2, -0.2, 0.2, 0.2, -0.2, -0.2, -0.2, -0.2, -0.2], 0.95..=1.0, 0.9..=1.0);
}

#[test]
fn resampling_blocks_holds_a_shallow_crossing_less_often() {
    let truths = [0.3, 0.2, 0.1, 0.01, -0.02, -0.03, -0.2, -0.3, -0.4];
    let truth = true_crossover(&truths);
    let mut random = SplitMix64::new(5);
    let (runs, resamples) = (40, 79);
    let mut held = (0, 0);
    for _ in 0..runs {
        let samples = drawn(&truths, &mut random);
        let crossover = compared(&samples);
        held.0 += u32::from((crossover.low..=crossover.high).contains(&truth));
        let mut again = || compared(&resampled(&samples, &mut random)).high;
        let mut found: Vec<usize> = (0..resamples).map(|_| again()).collect();
        found.sort_unstable();
        // The second from either end: the percentile interval of 95 %.
        held.1 += u32::from((found[1]..=found[resamples - 2]).contains(&truth));
    }

    eprintln!("held by the tests in {} of {runs}, by resampling in {}", held.0, held.1);
    assert!(held.0 == runs && held.1 <= runs * 9 / 10, "{held:?}");
}
