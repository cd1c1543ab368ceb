//! Every stay in a block by its middle turn, in the order of the blocks, and what the machine did
//! meanwhile.

use std::collections::BTreeMap;

use record::{Host, RoundRecord, Run, State, TurnRecord};
use serde::Serialize;

use crate::cell_figures::{CellFigures, RowFigures};
use crate::checks::machine::{foreign_share, stolen_share};
use crate::counts::real;
use crate::figure::rounded;
use crate::turns::cpu_us;

/// What happened in the course of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// Each stay, in the order of the blocks: the place of the first is 1.
    pub stays: Vec<StayPoint>,
    /// How far stays lie from what their model costs, cell by cell.
    pub drifts: Vec<Drift>,
    /// What the machine did during the rounds of these stays, as far as it was watched.
    pub machine: Vec<MachinePoint>,
    /// The worst of that.
    pub worst: Worst,
}

/// How far the stays of a cell lie from what their model costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// The name of the cell.
    pub cell: String,
    /// The share, to either side, within which nine of ten lie, if any counts.
    pub within: Option<f64>,
}

/// The worst that the machine did during the rounds of the stays' middle turns, as shares between 0
/// and 1; none where it was not watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Worst {
    /// The most CPU time that the hypervisor gave to others.
    pub stolen: Option<f64>,
    /// The most CPU time that other processes used.
    pub foreign: Option<f64>,
    /// The slowest that a fixed loop ran, of the fastest.
    pub speed: Option<f64>,
}

/// A stay in a block, by its middle turn.
#[derive(Clone, Debug, PartialEq)]
pub struct StayPoint {
    /// Its place in the order of the blocks, from 1.
    pub place: f64,
    /// The number of the block.
    pub block: u32,
    /// The name of the cell.
    pub cell: String,
    /// The model, or the control.
    pub model: String,
    /// Whether the turn counts.
    pub state: StayState,
    /// CPU time per fetch of the turn, in microseconds, if it counts.
    pub cpu_us: Option<f64>,
    /// The same in times what the model costs in the cell, if it counts and that is known.
    pub of_typical: Option<f64>,
}

/// Whether the turn of a stay counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StayState {
    /// It does.
    Valid,
    /// It broke a validity rule.
    Invalid,
    /// It did not end as it should have.
    Failed,
}

/// What the machine did during a round, as shares between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MachinePoint {
    /// The place of the stay.
    pub place: f64,
    /// CPU time that the hypervisor gave to others.
    pub stolen: Option<f64>,
    /// CPU time that other processes used.
    pub foreign: Option<f64>,
    /// How fast a fixed loop ran, of the fastest.
    pub speed: Option<f64>,
}

impl Timeline {
    /// Gathers it from a run and the figures of its cells.
    pub(crate) fn of(run: &Run, cells: &[CellFigures]) -> Self {
        let turns: Vec<(f64, &TurnRecord)> = in_order(run).collect();
        let hosts: Vec<(f64, &Host)> = turns
            .iter()
            .filter_map(|(place, turn)| {
                let of_turn =
                    |round: &&RoundRecord| (round.block, round.round) == (turn.block, turn.round);
                Some((*place, run.rounds.iter().find(of_turn)?.host.as_ref()?))
            })
            .collect();
        let speed = |host: &Host| Some(real(host.probe_per_ms)).filter(|speed| *speed > 0.0);
        let fastest = hosts.iter().filter_map(|(_, host)| speed(host)).fold(0.0, f64::max);
        let machine = hosts.iter().map(|&(place, host)| MachinePoint {
            place,
            stolen: stolen_share(host),
            foreign: foreign_share(host),
            speed: speed(host).map(|speed| speed / fastest),
        });
        let machine: Vec<MachinePoint> = machine.collect();
        let stays = turns.iter().map(|(place, turn)| StayPoint::of(*place, turn, cells));
        let stays: Vec<StayPoint> = stays.collect();
        let drifts = cells.iter().map(|cell| Drift::of(&cell.cell.name, &stays)).collect();
        Self { worst: Worst::of(&machine), stays, drifts, machine }
    }
}

impl Drift {
    /// Returns how far the stays of a cell lie from what their model costs.
    fn of(cell: &str, stays: &[StayPoint]) -> Self {
        let own = stays.iter().filter(|stay| stay.cell == cell);
        let mut aways: Vec<f64> =
            own.filter_map(|stay| Some(stay.of_typical?.ln().abs())).collect();
        aways.sort_by(f64::total_cmp);
        let ninth = aways.get(aways.len() * 9 / 10);
        Self { cell: cell.to_owned(), within: ninth.map(|away| away.exp_m1()) }
    }
}

impl Worst {
    /// Returns the worst of some rounds.
    fn of(points: &[MachinePoint]) -> Self {
        let most = |share: fn(&MachinePoint) -> Option<f64>| {
            points.iter().filter_map(share).reduce(f64::max)
        };
        Self {
            stolen: most(|point| point.stolen),
            foreign: most(|point| point.foreign),
            speed: points.iter().filter_map(|point| point.speed).reduce(f64::min),
        }
    }

    /// Returns the same with six significant digits, as it is written down.
    pub(crate) fn rounded(self) -> Self {
        let [stolen, foreign, speed] =
            [self.stolen, self.foreign, self.speed].map(|share| share.and_then(rounded));
        Self { stolen, foreign, speed }
    }
}

impl StayPoint {
    /// Takes over what a turn says.
    fn of(place: f64, turn: &TurnRecord, cells: &[CellFigures]) -> Self {
        let cell = cells.iter().find(|cell| cell.cell.name == turn.cell);
        let typical = cell.and_then(|cell| cell.measured(&turn.model));
        let of_typical = |typical: &RowFigures| Some(cpu_us(turn)? / typical.cpu_us.value);
        Self {
            place,
            block: turn.block,
            cell: turn.cell.clone(),
            model: turn.model.clone(),
            state: match &turn.state {
                State::Valid => StayState::Valid,
                State::Invalid(_) => StayState::Invalid,
                State::Failed(_) | State::Out => StayState::Failed,
            },
            cpu_us: cpu_us(turn),
            of_typical: typical.and_then(of_typical),
        }
    }
}

/// Returns the middle turn of each stay, with its place in the order of the blocks, from 1: of the
/// valid ones that with the median cost, else the first.
fn in_order(run: &Run) -> impl Iterator<Item = (f64, &TurnRecord)> {
    let mut stays: BTreeMap<u32, Vec<(&str, Vec<&TurnRecord>)>> = BTreeMap::new();
    for turn in run.turns.iter().filter(|turn| run.schedule.fetches(&turn.cell)) {
        let stays = stays.entry(turn.block).or_default();
        match stays.iter_mut().find(|(model, _)| *model == turn.model) {
            Some((_, turns)) => turns.push(turn),
            None => stays.push((&turn.model, vec![turn])),
        }
    }
    let middles: Vec<&TurnRecord> =
        stays.into_values().flatten().filter_map(|(_, turns)| middle(turns)).collect();
    middles.into_iter().enumerate().map(|(index, turn)| (real(index as u64 + 1), turn))
}

/// Returns the valid turn of the median cost, else the first.
fn middle(turns: Vec<&TurnRecord>) -> Option<&TurnRecord> {
    let first = turns.first().copied();
    let mut valid: Vec<(f64, &TurnRecord)> =
        turns.into_iter().filter_map(|turn| Some((cpu_us(turn)?, turn))).collect();
    valid.sort_by(|a, b| a.0.total_cmp(&b.0));
    valid.get(valid.len() / 2).map(|(_, turn)| *turn).or(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BASELINE, FLOOR, Fixture, hosts};
    use crate::summary::summarize;

    #[test]
    fn nine_of_ten_stays_lie_within_the_drift_of_their_cell() {
        let run = Fixture { noise: 0.05, ..Fixture::good() }.run();
        let timeline = summarize(&run, BASELINE, FLOOR).figures.timeline;
        assert_eq!(timeline.drifts.len(), 2);
        for drift in &timeline.drifts {
            let own = timeline.stays.iter().filter(|stay| stay.cell == drift.cell);
            let own: Vec<f64> = own.filter_map(|stay| stay.of_typical).collect();
            let end = 1.0 + drift.within.unwrap();
            let inside = own.iter().filter(|times| **times <= end && **times >= 1.0 / end);
            let (inside, all) = (inside.count(), own.len());
            assert!(all > 20 && inside >= all * 9 / 10 && inside < all, "{inside} of {all}");
        }
    }

    #[test]
    fn the_worst_that_the_machine_did_is_reported_and_nothing_of_an_unwatched_run() {
        let mut run = Fixture::good().run();
        for host in hosts(&mut run, "steady") {
            host.probe_per_ms /= 2;
        }
        let worst = summarize(&run, BASELINE, FLOOR).figures.timeline.worst;
        assert!(worst.speed.is_some_and(|speed| speed < 0.6), "{worst:?}");
        run.rounds.iter_mut().for_each(|round| round.host = None);
        assert_eq!(summarize(&run, BASELINE, FLOOR).figures.timeline.worst, Worst::default());
    }
}
