//! The valid turns of a cell, sorted by participant and block, and what is read off them.
//!
//! Participants are compared inside rounds alone: each turn less the mean of its round. What the
//! rounds of a block say together is one datum; a block in which either has no valid turn is left
//! out of that pair. What only a whole stay shows, such as memory, is a datum of its own.

use std::collections::BTreeMap;

use record::{Run, StayRecord, TurnRecord};
use rules::{CPU, MEMORY, Metric, WALL};
use stats::rounds::{self, Turn};
use stats::{Estimate, Paired, Sample, session, signed_rank};

use crate::counts::{median, real};

/// Halvings until a p-value is known to a millionth.
const HALVINGS: usize = 20;

/// A quantity of a turn or of a stay, if it reports it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Quantity {
    /// Of a turn.
    Turn(Read),
    /// Of all turns of a stay together, in the order in which they were taken.
    Turns(fn(&[&TurnRecord]) -> Option<f64>),
    /// Of a stay in a block.
    Stay(fn(&StayRecord) -> Option<f64>),
    /// A metric, which is of either.
    Of(Metric),
}

/// How a quantity is read off a turn.
pub(crate) type Read = fn(&TurnRecord) -> Option<f64>;

impl Quantity {
    /// Returns whether it is of stays and not of turns.
    fn is_of_stays(self) -> bool {
        match self {
            Self::Turn(_) => false,
            Self::Turns(_) | Self::Stay(_) => true,
            Self::Of(metric) => metric.is_of_stays(),
        }
    }

    /// Returns it of a turn, if it is reported.
    fn of_turn(self, turn: &TurnRecord) -> Option<f64> {
        match self {
            Self::Turn(read) => read(turn),
            Self::Turns(_) | Self::Stay(_) => None,
            Self::Of(metric) => metric.of_window(&turn.valid()?.window),
        }
    }

    /// Returns it of a stay and its turns, if it is reported.
    fn of_stay(self, stay: &StayRecord, turns: &[&TurnRecord]) -> Option<f64> {
        match self {
            Self::Turn(_) => None,
            Self::Turns(read) => read(turns),
            Self::Stay(read) => read(stay),
            Self::Of(metric) => metric.of_stay(stay.memory_peak_kib),
        }
    }
}

/// The valid turns of a cell.
#[derive(Debug)]
pub(crate) struct Turns<'a> {
    /// The turns of a block in the order in which they were taken, by participant and block.
    by_model: BTreeMap<&'a str, BTreeMap<u32, Vec<&'a TurnRecord>>>,
    /// The stays to which they belong.
    stays: BTreeMap<(&'a str, u32), &'a StayRecord>,
    /// The session of each block.
    sessions: BTreeMap<u32, u32>,
    /// The name under which the baseline has a second process in each block, if it has.
    copy: Option<&'a str>,
}

/// A quantity of two participants in the blocks that both have.
pub(crate) struct Pairs {
    /// The quantity, block by block.
    pub(crate) paired: Paired,
    /// The session of each of these blocks.
    sessions: Vec<u32>,
}

impl<'a> Turns<'a> {
    /// Sorts out the valid turns among those of a cell.
    pub(crate) fn valid(run: &'a Run, all: &[&'a TurnRecord]) -> Self {
        let mut by_model: BTreeMap<&str, BTreeMap<u32, Vec<&TurnRecord>>> = BTreeMap::new();
        for turn in all.iter().filter(|turn| turn.valid().is_some()) {
            by_model.entry(&turn.model).or_default().entry(turn.block).or_default().push(turn);
        }
        for turns in by_model.values_mut().flat_map(BTreeMap::values_mut) {
            turns.sort_by_key(|turn| (turn.round, turn.position));
        }
        let mut stays = BTreeMap::new();
        for block in &run.blocks {
            for (model, stay) in &block.stays {
                let own = by_model.get(model.as_str());
                if own.is_some_and(|own| own.contains_key(&block.block)) {
                    stays.insert((model.as_str(), block.block), stay);
                }
            }
        }
        let blocks = run.schedule.blocks.iter();
        let sessions = blocks.map(|block| (block.number, block.session)).collect();
        let mut copies = run.schedule.controls.iter().filter(|control| control.percent == 0);
        let copy = copies.next().map(|control| control.name.as_str());
        Self { by_model, stays, sessions, copy }
    }

    /// Returns those of a participant.
    pub(crate) fn of(&self, model: &str) -> impl Iterator<Item = &'a TurnRecord> {
        self.by_model.get(model).into_iter().flat_map(BTreeMap::values).flatten().copied()
    }

    /// Returns those of a participant, block by block.
    pub(crate) fn in_blocks(&self, model: &str) -> impl Iterator<Item = (u32, &[&'a TurnRecord])> {
        let blocks = self.by_model.get(model).into_iter().flatten();
        blocks.map(|(block, turns)| (*block, turns.as_slice()))
    }

    /// Returns a quantity of the stay of a participant in a block.
    fn of_stay(&self, (model, block): (&str, u32), quantity: Quantity) -> Option<f64> {
        let turns = self.by_model.get(model)?.get(&block)?;
        quantity.of_stay(self.stays.get(&(model, block))?, turns)
    }

    /// Returns how many a participant has.
    pub(crate) fn count(&self, model: &str) -> usize {
        self.of(model).count()
    }

    /// Returns the stays of a participant, by block.
    pub(crate) fn stays(&self, model: &str) -> Vec<&'a StayRecord> {
        let own = self.stays.iter().filter(|((name, _), _)| *name == model);
        own.map(|(_, stay)| *stay).collect()
    }

    /// Returns a quantity of a participant as a sample of blocks.
    pub(crate) fn sample(&self, model: &str, quantity: Quantity) -> Option<Sample> {
        Sample::new(self.by_block(model, quantity).into_values().collect())
    }

    /// Returns a quantity of two participants in the blocks that both have. The second figure of a
    /// block is the other's median over its turns, and the first is that in times the datum of the
    /// block, so that ratio and difference are those of turns which were taken side by side.
    pub(crate) fn paired(&self, (model, other): (&str, &str), quantity: Quantity) -> Option<Pairs> {
        let others = self.by_block(other, quantity);
        let ratio = |block: u32| match quantity.is_of_stays() {
            false => {
                let turns = |name| self.turns((name, block), |turn| quantity.of_turn(turn));
                rounds::log_ratio(&turns(model), &turns(other)).map(f64::exp)
            }
            true => {
                let of = |name| self.of_stay((name, block), quantity);
                Some(of(model)? / of(other)?)
            }
        };
        let pair = |(block, other)| Some((block, (other * ratio(block)?, other)));
        self.pairs(others.into_iter().filter_map(pair))
    }

    /// Returns the means of a quantity over the rounds of each block that both took part in: the
    /// ratio of their sums sees what is rare and expensive.
    pub(crate) fn means(&self, (model, other): (&str, &str), read: Read) -> Option<Paired> {
        let blocks = self.by_model.get(model)?.keys();
        let mean = |block: &u32| {
            let [own, other] = [model, other].map(|name| self.turns((name, *block), read));
            let pairs = rounds::means(&own, &other);
            let count = real(pairs.len() as u64);
            let sum = pairs.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
            (count > 0.0).then(|| (sum.0 / count, sum.1 / count))
        };
        let (own, others): (Vec<f64>, Vec<f64>) = blocks.filter_map(mean).unzip();
        Paired::new(&own, &others)
    }

    /// Returns a quantity of the second process of the baseline beside the first, in the blocks
    /// that have both.
    pub(crate) fn against_itself(&self, model: &str, quantity: Quantity) -> Option<Pairs> {
        self.paired((self.copy?, model), quantity)
    }

    /// Returns the same as ratios, by block.
    pub(crate) fn twice(&self, model: &str, read: Read) -> Vec<(u32, f64)> {
        let Some(copy) = self.copy else { return Vec::new() };
        let blocks = self.by_model.get(model).into_iter().flat_map(BTreeMap::keys);
        let ratio = |&block: &u32| {
            let [copy, own] = [copy, model].map(|name| self.turns((name, block), read));
            Some((block, rounds::log_ratio(&copy, &own)?.exp()))
        };
        blocks.filter_map(ratio).collect()
    }

    /// Returns a quantity of a participant, block by block: the median over its turns.
    pub(crate) fn by_block(&self, model: &str, quantity: Quantity) -> BTreeMap<u32, f64> {
        let blocks = self.by_model.get(model).into_iter().flatten();
        let level = |(&block, turns): (&u32, &Vec<&'a TurnRecord>)| {
            let level = match quantity.is_of_stays() {
                false => median(turns.iter().filter_map(|turn| quantity.of_turn(turn)).collect()),
                true => self.of_stay((model, block), quantity),
            };
            Some((block, level?))
        };
        blocks.filter_map(level).collect()
    }

    /// Returns a quantity of the turns that a participant took in a block.
    fn turns(
        &self,
        (model, block): (&str, u32),
        read: impl Fn(&TurnRecord) -> Option<f64>,
    ) -> Vec<Turn> {
        let own = self.by_model.get(model).and_then(|blocks| blocks.get(&block));
        let turn = |turn: &&TurnRecord| Some(Turn { round: turn.round, cost: read(turn)? });
        own.into_iter().flatten().filter_map(turn).collect()
    }

    /// Returns costs of two participants, block by block, as pairs.
    fn pairs(&self, costs: impl Iterator<Item = (u32, (f64, f64))>) -> Option<Pairs> {
        Pairs::of(costs, &self.sessions)
    }
}

impl Pairs {
    /// Returns costs of two turns, block by block, as pairs; each block is of a session.
    pub(crate) fn of(
        costs: impl Iterator<Item = (u32, (f64, f64))>,
        sessions: &BTreeMap<u32, u32>,
    ) -> Option<Self> {
        let (blocks, costs): (Vec<u32>, Vec<(f64, f64)>) = costs.unzip();
        let (own, reference): (Vec<_>, Vec<_>) = costs.into_iter().unzip();
        let session = |block: &u32| sessions.get(block).copied().unwrap_or_default();
        let sessions = blocks.iter().map(session).collect();
        Some(Self { paired: Paired::new(&own, &reference)?, sessions })
    }

    /// Returns the typical ratio with its interval of confidence 1 - `alpha`.
    pub(crate) fn ratio(&self, alpha: f64) -> Estimate {
        self.combined(&self.paired.log_ratios(), alpha).exp()
    }

    /// Returns the typical difference, in the unit of the costs, with its interval.
    pub(crate) fn difference(&self, alpha: f64) -> Estimate {
        self.combined(&self.paired.differences(), alpha)
    }

    /// Returns how likely chance is to make so great a difference: by the exact test over blocks,
    /// and, where there are several sessions, by what scatters between them if that is likelier.
    pub(crate) fn p_value(&self) -> f64 {
        let pooled = signed_rank::p_value(&self.paired.log_ratios());
        let mut sessions = self.sessions.clone();
        sessions.dedup();
        if sessions.len() < 2 {
            return pooled;
        }

        // The interval of confidence 1 - p just touches 0.
        let touches = |alpha: f64| {
            let interval = self.combined(&self.paired.log_ratios(), alpha).interval;
            interval.is_none_or(|interval| interval.contains(0.0))
        };
        let (mut low, mut high) = (0.0_f64, 1.0_f64);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if touches(middle) { low = middle } else { high = middle }
        }
        pooled.max(high)
    }

    /// Returns what the sessions say together; of one session, what it says.
    fn combined(&self, differences: &Sample, alpha: f64) -> Estimate {
        let mut sessions: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for (session, &difference) in self.sessions.iter().zip(differences.values()) {
            sessions.entry(*session).or_default().push(difference);
        }
        let sessions: Vec<Sample> = sessions.into_values().filter_map(Sample::new).collect();
        session::combine(&sessions, alpha).expect("pairs have at least one block")
    }
}

/// Returns whether nothing can be held against the model in any of these turns: those that do not
/// count are invalid because of the machine or the origin, and for no other reason.
pub(crate) fn faultless(own: &[&TurnRecord]) -> bool {
    own.iter().all(|turn| !turn.state.blames_the_model())
}

/// Returns CPU time per fetch, in microseconds.
pub(crate) fn cpu_us(turn: &TurnRecord) -> Option<f64> {
    CPU.of_window(&turn.valid()?.window)
}

/// Returns the wall time of the window, in milliseconds.
pub(crate) fn wall_ms(turn: &TurnRecord) -> Option<f64> {
    WALL.of_window(&turn.valid()?.window)
}

/// Returns the wall time of the window for each of its fetches, in microseconds.
pub(crate) fn wall_each_us(turn: &TurnRecord) -> Option<f64> {
    let window = &turn.valid()?.window;
    Some(real(window.wall_ns) / real(window.ended) / 1e3)
}

/// Returns how long a fetch of a stay was in flight in the mean, in milliseconds: from the moment
/// that it was sent to its verified end.
pub(crate) fn in_flight_ms(stay: &StayRecord) -> Option<f64> {
    let counts = || stay.latencies_ns.iter();
    let fetches: u64 = counts().map(|(_, count)| count).sum();
    let sum: f64 = counts().map(|&(ns, count)| real(ns) * real(count)).sum();
    (fetches > 0).then(|| sum / real(fetches) / 1e6)
}

/// Returns the most memory that the process held at once, in MiB, where the machine reported it.
pub(crate) fn memory_mib(stay: &StayRecord) -> Option<f64> {
    MEMORY.of_stay(stay.memory_peak_kib)
}
