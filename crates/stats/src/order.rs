//! Order: whether a trial's place in its block, or the model before it, changes its cost.
//!
//! A balanced random order keeps such effects out of the comparison; these tests say whether there
//! was anything to keep out. An effect is the range of the group centres of what remains of a trial
//! after its model and its block are taken out, and its p-value comes from exchanging the trials of
//! every block at random, which is how they were ordered in the first place (R. A. Fisher, *The
//! Design of Experiments*, 1935, chapter 3).
//!
//! A centre is the mean of the middle half (J. W. Tukey's midmean, *Exploratory Data Analysis*,
//! 1977). A mean follows every stalled trial; a median does not move until half of its group does,
//! so that exchanges too often reach a true effect by chance.

use std::collections::BTreeMap;

use crate::{Sample, number, random::SplitMix64, resample};

/// One trial of a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// Which model ran, by its index.
    pub model: usize,
    /// The natural logarithm of its cost, or any other value in which effects add.
    pub log_cost: f64,
}

/// How much the order of trials matters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// The greatest group centre less the least, in the unit of `log_cost`; never negative, so
    /// that it is to be read together with `p`.
    pub range: f64,
    /// The chance of at least that range if the order is of no account; at least 1 / 2000.
    pub p: f64,
}

/// A trial without what its model and its block explain, and the group it is sorted into.
#[derive(Clone, Copy, Debug)]
struct Residual {
    /// The position in the block, or the model that ran before.
    group: usize,
    /// What remains of the logarithmic cost.
    value: f64,
}

/// Returns how much the position in the block matters; each block lists its trials in the order
/// in which they ran.
///
/// `None` means that a value is not finite or that there are fewer than two positions.
#[must_use]
pub fn position(blocks: &[Vec<Trial>], seed: u64) -> Option<Effect> {
    effect(grouped(blocks, |_, index| Some(index))?, seed)
}

/// Returns how much the model that ran before matters; each block lists its trials in the order in
/// which they ran.
///
/// The first trial of a block has no predecessor and is left out. `None` means that a value is not
/// finite or that there are fewer than two predecessors.
#[must_use]
pub fn predecessor(blocks: &[Vec<Trial>], seed: u64) -> Option<Effect> {
    let before = |block: &[Trial], index: usize| Some(block[index.checked_sub(1)?].model);

    effect(grouped(blocks, before)?, seed)
}

/// Returns the residuals of every block with their groups; trials without a group are left out.
fn grouped(
    blocks: &[Vec<Trial>],
    group: impl Fn(&[Trial], usize) -> Option<usize>,
) -> Option<Vec<Vec<Residual>>> {
    let costs = || blocks.iter().flatten().map(|trial| (trial.model, trial.log_cost));
    Sample::new(costs().map(|(_, cost)| cost).collect())?;
    let levels = centres(costs());

    let residuals = blocks.iter().map(|block| {
        let values = without_centre(block.iter().map(|t| t.log_cost - levels[&t.model]).collect());
        let grouped = values.into_iter().enumerate();
        grouped.filter_map(|(i, value)| Some(Residual { group: group(block, i)?, value })).collect()
    });

    Some(residuals.collect())
}

/// Returns the values less their centre, in their order.
fn without_centre(values: Vec<f64>) -> Vec<f64> {
    let centre = midmean(values.clone());

    values.into_iter().map(|value| value - centre).collect()
}

/// Returns the effect of the groups and its p-value among exchanges within the blocks.
fn effect(mut blocks: Vec<Vec<Residual>>, seed: u64) -> Option<Effect> {
    let range = range(&blocks)?;
    let mut random = SplitMix64::new(seed);

    let p = resample::permutation_p(range, || {
        for block in &mut blocks {
            exchange(block, &mut random);
        }
        self::range(&blocks).expect("exchanging values keeps the groups")
    });

    Some(Effect { range, p })
}

/// Puts the values of a block in random order and leaves the groups in place.
fn exchange(block: &mut [Residual], random: &mut SplitMix64) {
    let mut values: Vec<f64> = block.iter().map(|residual| residual.value).collect();
    random.shuffle(&mut values);

    for (residual, value) in block.iter_mut().zip(values) {
        residual.value = value;
    }
}

/// Returns the greatest centre of a group less the least; `None` for fewer than two groups.
fn range(blocks: &[Vec<Residual>]) -> Option<f64> {
    let centres = centres(blocks.iter().flatten().map(|residual| (residual.group, residual.value)));
    let centres = number::sorted(centres.into_values().collect());

    (centres.len() >= 2).then(|| centres[centres.len() - 1] - centres[0])
}

/// Returns the centre of the values of every group.
fn centres(values: impl Iterator<Item = (usize, f64)>) -> BTreeMap<usize, f64> {
    let mut groups: BTreeMap<usize, Vec<f64>> = BTreeMap::new();

    for (group, value) in values {
        groups.entry(group).or_default().push(value);
    }

    groups.into_iter().map(|(group, values)| (group, midmean(values))).collect()
}

/// Returns the mean of what remains without a quarter of the values at either end, rounded down;
/// NaN for no values.
fn midmean(values: Vec<f64>) -> f64 {
    let quarter = values.len() / 4;
    let sorted = number::sorted(values);

    number::mean(&sorted[quarter..sorted.len() - quarter])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{reference, williams};

    /// Returns twelve blocks of four models in balanced order, with noise of up to 1 % either way.
    fn blocks(extra: impl Fn(&[usize], usize) -> f64) -> Vec<Vec<Trial>> {
        let mut random = SplitMix64::new(9);
        let rows: Vec<Vec<usize>> = (0..3).flat_map(|_| williams::rows(4)).collect();
        let mut trial = |row: &[usize], block: usize, index: usize| {
            let noise = (number::real(random.below(2_001)) - 1_000.0) / 100_000.0;
            let level = 0.3 * number::real(row[index]) + 0.1 * number::real(block);

            Trial { model: row[index], log_cost: level + noise + extra(row, index) }
        };

        let block = |(block, row): (usize, &Vec<usize>)| {
            (0..row.len()).map(|index| trial(row, block, index)).collect()
        };
        rows.iter().enumerate().map(block).collect()
    }

    /// Checks that an effect of about `range` is found, or that none is.
    fn check(effect: Option<Effect>, range: f64, found: bool) {
        let effect = effect.unwrap();

        assert!((effect.range - range).abs() < 0.015, "{effect:?}");
        assert_eq!(effect.p < 0.01, found, "{effect:?}");
    }

    #[test]
    fn without_an_effect_none_is_found() {
        let blocks = blocks(|_, _| 0.0);

        check(position(&blocks, 1), 0.0, false);
        check(predecessor(&blocks, 1), 0.0, false);
    }

    #[test]
    fn a_first_trial_that_costs_more_is_found_by_its_position() {
        let blocks = blocks(|_, index| if index == 0 { 0.05 } else { 0.0 });

        check(position(&blocks, 1), 0.05, true);
    }

    #[test]
    fn the_range_of_effects_is_taken_from_the_greatest_to_the_least() {
        let extra = |index: usize| [0.05, 0.0, 0.0, -0.03][index];
        let trial = |(index, model): (usize, usize)| Trial { model, log_cost: extra(index) };
        let block = |row: &Vec<usize>| row.iter().copied().enumerate().map(trial).collect();
        let blocks: Vec<Vec<Trial>> = williams::rows(4).iter().map(block).collect();

        let effect = position(&blocks, 1).unwrap();

        reference::assert_close(effect.range, 0.08, 1e-12);
    }

    #[test]
    fn a_model_that_leaves_a_burden_is_found_as_predecessor() {
        let blocks = blocks(|row, index| if index > 0 && row[index - 1] == 2 { 0.05 } else { 0.0 });

        check(predecessor(&blocks, 1), 0.05, true);
    }

    #[test]
    fn the_first_trial_of_a_block_has_no_predecessor() {
        let blocks = blocks(|_, index| if index == 0 { 0.5 } else { 0.0 });

        check(predecessor(&blocks, 1), 0.0, false);
    }

    #[test]
    fn a_centre_is_the_mean_of_the_middle_half() {
        let cases = [(vec![9.0], 9.0), (vec![1.0, 2.0], 1.5), (vec![90.0, 1.0, 2.0, 4.0], 3.0)];

        for (values, centre) in cases {
            reference::assert_close(midmean(values), centre, 1e-15);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_p() {
        let blocks = blocks(|_, _| 0.0);

        assert_eq!(position(&blocks, 3), position(&blocks, 3));
        assert_ne!(position(&blocks, 3), position(&blocks, 4));
    }

    #[test]
    fn blocks_of_one_trial_have_no_order() {
        let alone = vec![vec![Trial { model: 0, log_cost: 1.0 }]; 5];

        assert_eq!(position(&alone, 1), None);
        assert_eq!(predecessor(&alone, 1), None);
    }

    #[test]
    fn no_trials_have_no_order() {
        assert_eq!(position(&[], 1), None);
    }

    #[test]
    fn a_cost_that_is_not_finite_is_refused() {
        let mut blocks = blocks(|_, _| 0.0);
        blocks[1][1].log_cost = f64::NAN;

        assert_eq!(position(&blocks, 1), None);
    }

    #[test]
    fn a_block_that_lost_a_trial_is_still_used() {
        let mut blocks = blocks(|_, index| if index == 0 { 0.05 } else { 0.0 });
        blocks[2].pop();

        check(position(&blocks, 1), 0.05, true);
    }
}
