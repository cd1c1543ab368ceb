//! The valid trials of a cell, sorted by model and block, and what is read off them.
//!
//! Models are compared inside blocks alone. A pair is two valid trials of one block; a block in
//! which either is missing is left out of that pair.

use std::collections::BTreeMap;

use record::{Run, State, TrialRecord};
use stats::{Estimate, Paired, Sample, signed_rank, sitting};

use crate::cell_trials::real;

/// How reasons begin, as the journal words them, that a busy machine or the origin alone can bring
/// about. A reason that is worded otherwise counts as the model's own.
const NOT_OF_THE_MODEL: [&str; 4] =
    ["the origin was late by", "the origin failed", "the origin was busy", "the clock jumped by"];

/// Halvings until a p-value is known to a millionth.
const HALVINGS: usize = 20;

/// A quantity of a trial, if the trial tells it.
pub(crate) type Quantity = fn(&TrialRecord) -> Option<f64>;

/// The valid trials of a cell. The baseline runs twice in a block; its cost there is the geometric
/// mean of the two.
pub(crate) struct Trials<'a> {
    /// The trials of a block in the order of their positions, by model and block.
    by_model: BTreeMap<&'a str, BTreeMap<u32, Vec<&'a TrialRecord>>>,
    /// The sitting of each block.
    sittings: BTreeMap<u32, u32>,
}

/// A quantity of two models in the blocks that both have.
pub(crate) struct Pairs {
    /// The quantity, block by block.
    pub(crate) paired: Paired,
    /// The sitting of each of these blocks.
    sittings: Vec<u32>,
}

impl<'a> Trials<'a> {
    /// Sorts out the valid trials among those of a cell.
    pub(crate) fn valid(run: &Run, all: &[&'a TrialRecord]) -> Self {
        let mut by_model: BTreeMap<&str, BTreeMap<u32, Vec<&TrialRecord>>> = BTreeMap::new();
        for trial in all.iter().filter(|trial| trial.valid().is_some()) {
            by_model.entry(&trial.model).or_default().entry(trial.block).or_default().push(trial);
        }
        for trials in by_model.values_mut().flat_map(BTreeMap::values_mut) {
            trials.sort_by_key(|trial| trial.position);
        }
        let blocks = run.schedule.blocks.iter();
        Self { by_model, sittings: blocks.map(|block| (block.number, block.sitting)).collect() }
    }

    /// Returns those of a model.
    pub(crate) fn of(&self, model: &str) -> impl Iterator<Item = &'a TrialRecord> {
        self.by_model.get(model).into_iter().flat_map(BTreeMap::values).flatten().copied()
    }

    /// Returns how many a model has.
    pub(crate) fn count(&self, model: &str) -> usize {
        self.of(model).count()
    }

    /// Returns a quantity of a model as a sample of blocks.
    pub(crate) fn sample(&self, model: &str, quantity: Quantity) -> Option<Sample> {
        Sample::new(self.by_block(model, quantity).into_values().collect())
    }

    /// Returns a quantity of two models in the blocks that both have.
    pub(crate) fn paired(&self, (model, other): (&str, &str), quantity: Quantity) -> Option<Pairs> {
        let others = self.by_block(other, quantity);
        let own = self.by_block(model, quantity).into_iter();
        self.pairs(own.filter_map(|(block, own)| Some((block, (own, *others.get(&block)?)))))
    }

    /// Returns a quantity of a model's second trial of a block beside its first, in the blocks that
    /// have both.
    pub(crate) fn against_itself(&self, model: &str, quantity: Quantity) -> Option<Pairs> {
        self.pairs(self.both(model, quantity).into_iter())
    }

    /// Returns the same as ratios, by block.
    pub(crate) fn twice(&self, model: &str, quantity: Quantity) -> Vec<(u32, f64)> {
        let both = self.both(model, quantity).into_iter();
        both.map(|(block, (second, first))| (block, second / first)).collect()
    }

    /// Returns a quantity of a model's second and first trial of each block that has both.
    fn both(&self, model: &str, quantity: Quantity) -> Vec<(u32, (f64, f64))> {
        let blocks = self.by_model.get(model).into_iter().flatten();
        let both = blocks.filter(|(_, trials)| trials.len() == 2).filter_map(|(&block, trials)| {
            Some((block, (quantity(trials[1])?, quantity(trials[0])?)))
        });
        both.collect()
    }

    /// Returns a quantity of a model, block by block.
    pub(crate) fn by_block(&self, model: &str, quantity: Quantity) -> BTreeMap<u32, f64> {
        let mut costs = BTreeMap::new();
        for (&block, trials) in self.by_model.get(model).into_iter().flatten() {
            let told = trials.iter().filter_map(|trial| quantity(trial));
            let (sum, count) = told.fold((0.0, 0.0), |(sum, count), x| (sum + x.ln(), count + 1.0));
            if count > 0.0 {
                costs.insert(block, (sum / count).exp());
            }
        }
        costs
    }

    /// Returns costs of two trials, block by block, as pairs.
    fn pairs(&self, costs: impl Iterator<Item = (u32, (f64, f64))>) -> Option<Pairs> {
        Pairs::of(costs, &self.sittings)
    }
}

impl Pairs {
    /// Returns costs of two trials, block by block, as pairs; each block is of a sitting.
    pub(crate) fn of(
        costs: impl Iterator<Item = (u32, (f64, f64))>,
        sittings: &BTreeMap<u32, u32>,
    ) -> Option<Self> {
        let (blocks, costs): (Vec<u32>, Vec<(f64, f64)>) = costs.unzip();
        let (own, reference): (Vec<_>, Vec<_>) = costs.into_iter().unzip();
        let sitting = |block: &u32| sittings.get(block).copied().unwrap_or_default();
        let sittings = blocks.iter().map(sitting).collect();
        Some(Self { paired: Paired::new(&own, &reference)?, sittings })
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
    /// and, where there are several sittings, by what scatters between them if that is likelier.
    pub(crate) fn p_value(&self) -> f64 {
        let pooled = signed_rank::p_value(&self.paired.log_ratios());
        let mut sittings = self.sittings.clone();
        sittings.dedup();
        if sittings.len() < 2 {
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

    /// Returns what the sittings say together; of one sitting, what it says.
    fn combined(&self, differences: &Sample, alpha: f64) -> Estimate {
        let mut sittings: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for (sitting, &difference) in self.sittings.iter().zip(differences.values()) {
            sittings.entry(*sitting).or_default().push(difference);
        }
        let sittings: Vec<Sample> = sittings.into_values().filter_map(Sample::new).collect();
        sitting::combine(&sittings, alpha).expect("pairs have at least one block")
    }
}

/// Returns whether nothing can be held against the model in any of these trials: those that do not
/// count are void because of the machine or the origin, and for no other reason.
pub(crate) fn faultless(own: &[&TrialRecord]) -> bool {
    let excused = |reason: &String| NOT_OF_THE_MODEL.iter().any(|way| reason.starts_with(way));
    own.iter().all(|trial| match &trial.state {
        State::Valid => true,
        State::Void(reasons) => reasons.iter().all(excused),
        State::Failed(_) => false,
    })
}

/// Returns CPU time per fetch, in microseconds.
pub(crate) fn cpu_us(trial: &TrialRecord) -> Option<f64> {
    let window = &trial.valid()?.window;
    Some(real(window.cpu_ns) / real(window.ended) / 1e3)
}

/// Returns the wall time of the window, in milliseconds.
pub(crate) fn wall_ms(trial: &TrialRecord) -> Option<f64> {
    Some(real(trial.valid()?.window.wall_ns) / 1e6)
}

/// Returns the wall time of the window for each of its fetches, in microseconds.
pub(crate) fn wall_each_us(trial: &TrialRecord) -> Option<f64> {
    let window = &trial.valid()?.window;
    Some(real(window.wall_ns) / real(window.ended) / 1e3)
}

/// Returns context switches per fetch.
pub(crate) fn switches(trial: &TrialRecord) -> Option<f64> {
    let window = &trial.valid()?.window;
    Some(real(window.switches_voluntary + window.switches_involuntary) / real(window.ended))
}

/// Returns pages mapped per fetch, without those that were read from disk.
pub(crate) fn faults(trial: &TrialRecord) -> Option<f64> {
    let window = &trial.valid()?.window;
    Some(real(window.faults_minor) / real(window.ended))
}

/// Returns the most memory that the process held at once, in MiB, where the machine told it.
pub(crate) fn memory_mib(trial: &TrialRecord) -> Option<f64> {
    let host = trial.host.as_ref().filter(|host| host.memory_peak_kib > 0)?;
    Some(real(host.memory_peak_kib) / 1024.0)
}
