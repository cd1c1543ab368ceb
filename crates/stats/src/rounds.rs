//! The datum of a block: what two participants that took turns in it differ by.
//!
//! In a round each turn is paired with the nearest turn of the other participant, since the noise
//! of a shared machine is correlated over tenths of a second to seconds. The datum of the block is
//! the Hodges–Lehmann estimate over these pairs: under the heavy upward tails of such noise the
//! mean scatters by half as much again. It is blind to what happens in fewer than 29 % of the
//! turns, which is the breakdown point of the estimator; the ratio of sums ([`crate::mean_cost`])
//! sees that.

use std::collections::BTreeMap;

use crate::{Sample, hodges_lehmann};

/// The level of an interval that is not looked at.
const ALPHA: f64 = 0.05;

/// What a turn cost, and when it was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// Its round in the block.
    pub round: u32,
    /// Its place in the order of the round.
    pub place: u32,
    /// What it cost; a positive number.
    pub cost: f64,
}

/// Returns the natural logarithm of the typical ratio of the costs of one participant to those of
/// another, over the rounds of a block in which both took a turn; nothing if there is none.
#[must_use]
pub fn log_ratio(own: &[Turn], other: &[Turn]) -> Option<f64> {
    let logarithms = pairs(own, other).into_iter().map(|(own, other)| (own / other).ln());
    let sample = Sample::new(logarithms.filter(|value| value.is_finite()).collect())?;
    Some(hodges_lehmann::difference(&sample, ALPHA).value)
}

/// Returns the costs of the turns that are paired, round by round: whoever has fewer turns in a
/// round has each paired with the nearest of the other's, of two equally near ones the earlier.
#[must_use]
pub fn pairs(own: &[Turn], other: &[Turn]) -> Vec<(f64, f64)> {
    let (own, other) = (by_round(own), by_round(other));
    let mut pairs = Vec::new();
    for (round, own) in &own {
        let Some(other) = other.get(round) else { continue };
        match own.len() <= other.len() {
            true => pairs.extend(own.iter().filter_map(|t| Some((t.cost, nearest(t, other)?)))),
            false => pairs.extend(other.iter().filter_map(|t| Some((nearest(t, own)?, t.cost)))),
        }
    }
    pairs
}

/// Returns the cost of the turn that was taken nearest to another.
fn nearest(turn: &Turn, others: &[&Turn]) -> Option<f64> {
    let distance = |other: &&&Turn| (other.place.abs_diff(turn.place), other.place);
    others.iter().min_by_key(distance).map(|other| other.cost)
}

/// Sorts turns by their rounds.
fn by_round(turns: &[Turn]) -> BTreeMap<u32, Vec<&Turn>> {
    let mut rounds: BTreeMap<u32, Vec<&Turn>> = BTreeMap::new();
    for turn in turns {
        rounds.entry(turn.round).or_default().push(turn);
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns turns from rounds, places and costs.
    fn turns(told: &[(u32, u32, f64)]) -> Vec<Turn> {
        told.iter().map(|&(round, place, cost)| Turn { round, place, cost }).collect()
    }

    #[test]
    fn each_turn_is_paired_with_the_nearest_of_its_round_alone() {
        let baseline = turns(&[(0, 0, 10.0), (0, 4, 20.0), (1, 3, 30.0)]);
        let model = turns(&[(0, 1, 11.0), (0, 3, 22.0), (1, 0, 33.0), (2, 0, 99.0)]);
        assert_eq!(pairs(&model, &baseline), [(11.0, 10.0), (22.0, 20.0), (33.0, 30.0)]);
        // Of two that are equally near the earlier one is taken.
        let middle = turns(&[(0, 2, 15.0)]);
        assert_eq!(pairs(&middle, &baseline), [(15.0, 10.0)]);
        assert_eq!(pairs(&baseline, &middle), [(10.0, 15.0)]);
    }

    #[test]
    fn exchanging_the_participants_changes_the_sign_and_nothing_else() {
        let one = turns(&[(0, 0, 10.0), (0, 4, 11.0), (1, 2, 12.0), (2, 1, 9.0)]);
        let other = turns(&[(0, 1, 12.0), (1, 0, 15.0), (2, 0, 9.5)]);
        let there = log_ratio(&one, &other).unwrap();
        let back = log_ratio(&other, &one).unwrap();
        assert!((there + back).abs() < 1e-12, "{there} {back}");
    }

    #[test]
    fn a_stall_in_one_turn_of_eight_moves_the_datum_little() {
        let quiet: Vec<Turn> =
            (0..8).map(|round| Turn { round, place: 0, cost: 10.0 + f64::from(round) }).collect();
        let mut other = quiet.clone();
        for turn in &mut other {
            (turn.place, turn.cost) = (1, turn.cost * 1.1);
        }
        let clean = log_ratio(&other, &quiet).unwrap();
        other[3].cost *= 10.0;
        let stalled = log_ratio(&other, &quiet).unwrap();
        assert!((clean - 1.1_f64.ln()).abs() < 1e-12 && (stalled - clean).abs() < 1e-9);
    }

    #[test]
    fn without_a_common_round_there_is_no_datum() {
        assert_eq!(log_ratio(&turns(&[(0, 0, 1.0)]), &turns(&[(1, 0, 1.0)])), None);
        assert_eq!(log_ratio(&[], &[]), None);
    }
}
