//! The figures of a run: for each cell and model what a fetch cost, and how that compares.
//!
//! Models are compared inside blocks alone. A pair is two valid trials of one block; a block in
//! which either is missing is left out of that pair. `benches/README.md` gives the reasons.

use std::collections::BTreeMap;

use model_kit::{Cell, Workload};
use record::{Model, Run, State, TrialRecord};
use stats::verdict::{Criteria, Evidence, Verdict};
use stats::{Estimate, Paired, Sample, effect, hodges_lehmann, holm, median, signed_rank};

/// The chance of any false difference that is accepted in a family of comparisons.
const ALPHA: f64 = 0.05;
/// The least relative difference that is called one. It is fixed before anything is measured: a
/// margin that grew with the noise would make a noisy run find models equivalent.
const MARGIN: f64 = 0.02;
/// Costs are compared at equal rate: walls that differ by more than this are marked.
const UNEQUAL_RATE: f64 = 0.02;

/// The figures of a run, cell by cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The model that ratios are taken against.
    pub baseline: String,
    /// The model that excess is taken over.
    pub floor: String,
    /// In the order of the schedule.
    pub cells: Vec<CellFigures>,
}

/// The figures of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CellFigures {
    /// The cell.
    pub cell: Cell,
    /// The cheapest first, then those without figures.
    pub rows: Vec<Row>,
    /// What the usual clients cost on top, by the order of the models.
    pub prices: Vec<Price>,
    /// What the baseline differs from itself.
    pub noise: Option<Noise>,
}

/// What the baseline differs from itself, which is nothing but noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    /// The ratio of its second trial of a block to its first, with the 95 % interval.
    pub ratio: Estimate,
    /// The smallest relative difference that this many blocks of such noise would show, three
    /// times out of four.
    pub can_show: Option<f64>,
}

/// A model in a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The model's name.
    pub model: String,
    /// Valid trials.
    pub valid: usize,
    /// All trials.
    pub trials: usize,
    /// Fetches that failed, over all trials, by code.
    pub errors: BTreeMap<String, u64>,
    /// Why there are no figures, or why some trials do not count.
    pub reason: Option<String>,
    /// The figures, if a trial was valid.
    pub figures: Option<RowFigures>,
}

/// What a fetch cost.
#[derive(Clone, Debug, PartialEq)]
pub struct RowFigures {
    /// CPU time of the model's process per fetch, in microseconds: median over blocks.
    pub cpu_us: Estimate,
    /// The ratio of CPU time to the baseline's, with the simultaneous interval of the family.
    pub ratio: Option<Estimate>,
    /// What may be said of that ratio.
    pub verdict: Option<Verdict>,
    /// CPU time over the floor's, in microseconds per fetch, with its 95 % interval.
    pub excess_us: Option<Estimate>,
    /// Wall time of the window, in milliseconds: median over blocks.
    pub wall_ms: Estimate,
    /// Context switches per fetch: median over blocks.
    pub switches: f64,
    /// Whether the rate was not the baseline's, so that the costs are not comparable like for like.
    pub unequal_rate: bool,
}

/// What a usual client costs on top of the bare core, under the same model.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// The model with the usual client.
    pub model: String,
    /// The ratio of CPU time per fetch, with its 95 % interval.
    pub ratio: Estimate,
}

/// A quantity of a trial.
type Quantity = fn(&TrialRecord) -> Option<f64>;

/// The valid trials of a cell, by model and block, in the order of their positions. The baseline
/// runs twice in a block; its cost there is the geometric mean of the two.
struct Trials<'a>(BTreeMap<&'a str, BTreeMap<u32, Vec<&'a TrialRecord>>>);

/// Returns the figures of a run; `baseline` and `floor` name models.
pub fn figures(run: &Run, baseline: &str, floor: &str) -> Figures {
    let cell = |cell: &Cell| CellFigures::of(run, cell, (baseline, floor));
    Figures {
        baseline: baseline.to_owned(),
        floor: floor.to_owned(),
        cells: run.schedule.cells.iter().map(cell).collect(),
    }
}

impl CellFigures {
    /// Computes the figures of a cell.
    fn of(run: &Run, cell: &Cell, (baseline, floor): (&str, &str)) -> Self {
        let all: Vec<_> = run.trials.iter().filter(|trial| trial.cell == cell.name).collect();
        let trials = Trials::valid(&all);
        let mut rows: Vec<Row> = run
            .schedule
            .models
            .iter()
            .map(|model| {
                let absent = run.schedule.absent.iter();
                let mut absent = absent.filter(|a| a.cell == cell.name && a.model == model.name);
                Row::of(model, &all, (&trials, absent.next().map(|absent| absent.reason.clone())))
            })
            .collect();
        for row in &mut rows {
            row.compare(&trials, (baseline, floor), cell.workload);
        }
        judge(&mut rows, &trials, baseline);
        let noise = noise(&trials, baseline, rows.len().saturating_sub(1));
        rows.sort_by(|a, b| a.cost().total_cmp(&b.cost()));
        let prices = run.schedule.models.iter().filter_map(|model| price(model, &trials));
        let prices = prices.collect();
        Self { cell: cell.clone(), rows, prices, noise }
    }
}

impl Row {
    /// Collects what happened to a model.
    fn of(
        model: &Model,
        all: &[&TrialRecord],
        (trials, absent): (&Trials<'_>, Option<String>),
    ) -> Self {
        let own: Vec<_> = all.iter().filter(|trial| trial.model == model.name).collect();
        let mut errors = BTreeMap::new();
        for (code, count) in
            own.iter().filter_map(|t| t.trial.as_ref()).flat_map(|t| &t.total.errors)
        {
            *errors.entry(code.clone()).or_insert(0) += count;
        }
        let valid = trials.count(&model.name);
        let reason = absent.map(|reason| format!("n/a: {reason}"));
        let row = Self {
            model: model.name.clone(),
            valid,
            trials: own.len(),
            errors,
            reason: reason.or_else(|| first_reason(&own)),
            figures: None,
        };
        let quantities = [cpu_us as Quantity, wall_ms, switches];
        let samples = quantities.map(|quantity| trials.sample(&model.name, quantity));
        let [Some(cpu), Some(wall), Some(switches)] = samples else { return row };
        let figures = RowFigures {
            cpu_us: median::estimate(&cpu, ALPHA),
            ratio: None,
            verdict: None,
            excess_us: None,
            wall_ms: median::estimate(&wall, ALPHA),
            switches: median::estimate(&switches, ALPHA).value,
            unequal_rate: false,
        };
        Self { figures: Some(figures), ..row }
    }

    /// Compares with the floor, and the wall with the baseline's.
    fn compare(
        &mut self,
        trials: &Trials<'_>,
        (baseline, floor): (&str, &str),
        workload: Workload,
    ) {
        let Some(figures) = &mut self.figures else { return };
        if let Some(pairs) = trials.paired((&self.model, floor), cpu_us) {
            figures.excess_us = Some(hodges_lehmann::difference(&pairs.differences(), ALPHA));
        }
        // A batch is run at each model's own rate; a steady cell should be at the same.
        let pairs = trials.paired((&self.model, baseline), wall_ms);
        if let Some(pairs) = pairs.filter(|_| workload == Workload::Steady) {
            let ratio = hodges_lehmann::ratio(&pairs.log_ratios(), ALPHA).value;
            figures.unequal_rate = (ratio - 1.0).abs() > UNEQUAL_RATE;
        }
    }

    /// Returns what rows are sorted by: those without figures come last.
    fn cost(&self) -> f64 {
        self.figures.as_ref().map_or(f64::INFINITY, |figures| figures.cpu_us.value)
    }
}

/// Judges every model against the baseline, as one family (Holm).
fn judge(rows: &mut [Row], trials: &Trials<'_>, baseline: &str) {
    let mut family: Vec<(&mut RowFigures, Sample)> = Vec::new();
    for row in rows.iter_mut().filter(|row| row.model != baseline) {
        let pairs = trials.paired((&row.model, baseline), cpu_us);
        if let (Some(figures), Some(pairs)) = (&mut row.figures, pairs) {
            family.push((figures, pairs.log_ratios()));
        }
    }

    let p_values: Vec<f64> = family.iter().map(|(_, d)| signed_rank::p_value(d)).collect();
    let adjusted = holm::adjust(&p_values);
    let count = u32::try_from(family.len()).map_or(1.0, f64::from);
    for ((figures, differences), adjusted_p) in family.into_iter().zip(adjusted) {
        let ratio = hodges_lehmann::ratio(&differences, ALPHA / count);
        let criteria = Criteria { alpha: ALPHA, margin: MARGIN };
        figures.verdict = Some(Evidence { adjusted_p, ratio }.verdict(&criteria));
        figures.ratio = Some(ratio);
    }
}

/// Returns what the baseline differs from itself, if it ran twice, and what can be shown in a
/// family of so many comparisons.
fn noise(trials: &Trials<'_>, baseline: &str, family: usize) -> Option<Noise> {
    let logarithms = trials.against_itself(baseline, cpu_us)?.log_ratios();
    let alpha = ALPHA / u32::try_from(family.max(1)).map_or(1.0, f64::from);
    Some(Noise {
        ratio: hodges_lehmann::ratio(&logarithms, ALPHA),
        can_show: effect::smallest_detectable(&logarithms, alpha).map(f64::exp_m1),
    })
}

/// Returns what a usual client costs, if the model has one and both have figures.
fn price(model: &Model, trials: &Trials<'_>) -> Option<Price> {
    let bare = model.bare_name()?;
    let pairs = trials.paired((&model.name, bare), cpu_us)?;
    let ratio = hodges_lehmann::ratio(&pairs.log_ratios(), ALPHA);
    Some(Price { model: model.name.clone(), ratio })
}

impl<'a> Trials<'a> {
    /// Sorts out the valid trials.
    fn valid(all: &[&'a TrialRecord]) -> Self {
        let mut sorted: BTreeMap<&str, BTreeMap<u32, Vec<&TrialRecord>>> = BTreeMap::new();
        for trial in all.iter().filter(|trial| trial.valid().is_some()) {
            sorted.entry(&trial.model).or_default().entry(trial.block).or_default().push(trial);
        }
        for trials in sorted.values_mut().flat_map(BTreeMap::values_mut) {
            trials.sort_by_key(|trial| trial.position);
        }
        Self(sorted)
    }

    /// Returns how many a model has.
    fn count(&self, model: &str) -> usize {
        self.0.get(model).into_iter().flat_map(BTreeMap::values).map(Vec::len).sum()
    }

    /// Returns a quantity of a model, block by block.
    fn by_block(&self, model: &str, quantity: Quantity) -> BTreeMap<u32, f64> {
        let blocks = self.0.get(model).into_iter().flatten();
        let mean = |trials: &Vec<&TrialRecord>| {
            let logarithms = trials.iter().filter_map(|trial| Some(quantity(trial)?.ln()));
            let (sum, count) = logarithms.fold((0.0, 0.0), |(s, n), x: f64| (s + x, n + 1.0));
            (sum / count).exp()
        };
        blocks.map(|(&block, trials)| (block, mean(trials))).collect()
    }

    /// Returns a quantity of a model as a sample of blocks.
    fn sample(&self, model: &str, quantity: Quantity) -> Option<Sample> {
        Sample::new(self.by_block(model, quantity).into_values().collect())
    }

    /// Returns a quantity of two models in the blocks that both have.
    fn paired(&self, (model, other): (&str, &str), quantity: Quantity) -> Option<Paired> {
        let others = self.by_block(other, quantity);
        let pairs = self.by_block(model, quantity).into_iter();
        let pairs = pairs.filter_map(|(block, own)| Some((own, *others.get(&block)?)));
        let (own, reference): (Vec<_>, Vec<_>) = pairs.unzip();
        Paired::new(&own, &reference)
    }

    /// Returns a quantity of a model's second trial of a block beside its first, in the blocks that
    /// have both.
    fn against_itself(&self, model: &str, quantity: Quantity) -> Option<Paired> {
        let blocks = self.0.get(model)?.values().filter(|trials| trials.len() == 2);
        let both = blocks.filter_map(|trials| Some((quantity(trials[1])?, quantity(trials[0])?)));
        let (second, first): (Vec<_>, Vec<_>) = both.unzip();
        Paired::new(&second, &first)
    }
}

/// Returns why trials do not count: the first reason, and how many trials do not.
fn first_reason(own: &[&&TrialRecord]) -> Option<String> {
    let reasons: Vec<String> = own
        .iter()
        .filter_map(|trial| match &trial.state {
            State::Valid => None,
            State::Void(reasons) => Some(format!("void: {}", reasons.join("; "))),
            State::Failed(reason) => Some(format!("failed: {reason}")),
        })
        .collect();
    let first = reasons.first()?;
    Some(format!("{first} ({} of {} trials)", reasons.len(), own.len()))
}

/// Returns CPU time per fetch, in microseconds.
fn cpu_us(trial: &TrialRecord) -> Option<f64> {
    let window = &trial.valid()?.window;
    Some(real(window.cpu_ns) / real(window.ended) / 1e3)
}

/// Returns the wall time of the window, in milliseconds.
fn wall_ms(trial: &TrialRecord) -> Option<f64> {
    Some(real(trial.valid()?.window.wall_ns) / 1e6)
}

/// Returns context switches per fetch.
fn switches(trial: &TrialRecord) -> Option<f64> {
    let window = &trial.valid()?.window;
    Some(real(window.switches_voluntary + window.switches_involuntary) / real(window.ended))
}

/// Returns a count as a real number.
#[expect(clippy::cast_precision_loss, reason = "counts of a trial are far below 2^52")]
fn real(count: u64) -> f64 {
    count as f64
}
