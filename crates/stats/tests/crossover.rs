//! Simulated sweeps whose crossover is known: does its interval hold the truth as often as it says?
//!
//! At each level two models are compared over blocks of their own, with noise of which a tenth is
//! five times as large. All draws come from fixed seeds.

use std::ops::RangeInclusive;

use stats::crossover::{Crossover, Sure};
use stats::random::SplitMix64;
use stats::verdict::{Criteria, Evidence};
use stats::{Sample, hodges_lehmann, holm, signed_rank};

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

/// Judges a sweep whose levels have these true logarithmic ratios.
fn judged(truths: &[f64], random: &mut SplitMix64) -> Crossover {
    let mut sample = |truth: &f64| {
        Sample::new((0..BLOCKS).map(|_| log_ratio(*truth, random)).collect()).expect("finite")
    };
    let samples: Vec<Sample> = truths.iter().map(&mut sample).collect();
    let p_values: Vec<f64> = samples.iter().map(signed_rank::p_value).collect();
    let sure = |(sample, adjusted_p): (&Sample, f64)| {
        let ratio = hodges_lehmann::ratio(sample, CRITERIA.alpha);
        Sure::of(&Evidence { adjusted_p, ratio }, &CRITERIA)
    };
    let sure: Vec<Sure> = samples.iter().zip(holm::adjust(&p_values)).map(sure).collect();

    Crossover::of(&sure)
}

/// Checks in which share of the sweeps the interval holds the true crossover, and in which it is
/// found at that level itself.
fn check(truths: &[f64], held: RangeInclusive<f64>, found: RangeInclusive<f64>) {
    let truth = truths.iter().rposition(|truth| *truth >= 0.0).map_or(0, |last| last + 1);
    let mut random = SplitMix64::new(5);
    let crossovers: Vec<Crossover> = (0..RUNS).map(|_| judged(truths, &mut random)).collect();
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
