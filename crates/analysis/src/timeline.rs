//! Every stay in a block by its middle turn, in the order of the blocks, and what the machine did
//! meanwhile.

use std::collections::BTreeMap;

use record::{Host, RoundRecord, Run, State, TurnRecord};

use crate::checks::machine::{foreign_share, stolen_share};
use crate::counts::real;
use crate::turns::cpu_us;

/// What happened in the course of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// Each stay, in the order of the blocks: the place of the first is 1.
    pub stays: Vec<StayPoint>,
    /// What the machine did during the rounds of these stays, as far as it was watched.
    pub machine: Vec<MachinePoint>,
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
    /// Gathers it from a run.
    pub(crate) fn of(run: &Run) -> Self {
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
        Self { stays: turns.iter().map(StayPoint::of).collect(), machine: machine.collect() }
    }
}

impl StayPoint {
    /// Takes over what a turn says.
    fn of((place, turn): &(f64, &TurnRecord)) -> Self {
        Self {
            place: *place,
            block: turn.block,
            cell: turn.cell.clone(),
            model: turn.model.clone(),
            state: match &turn.state {
                State::Valid => StayState::Valid,
                State::Invalid(_) => StayState::Invalid,
                State::Failed(_) | State::Out => StayState::Failed,
            },
            cpu_us: cpu_us(turn),
        }
    }
}

/// Returns the middle turn of each stay, with its place in the order of the blocks, from 1: of the
/// valid ones that with the median cost, else the first.
fn in_order(run: &Run) -> impl Iterator<Item = (f64, &TurnRecord)> {
    let mut stays: BTreeMap<u32, Vec<(&str, Vec<&TurnRecord>)>> = BTreeMap::new();
    for turn in &run.turns {
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
