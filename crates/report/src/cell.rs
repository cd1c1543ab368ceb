//! The figures of one cell, computed from its valid trials.

use std::collections::{BTreeMap, BTreeSet};

use model_kit::{Cell, Workload};
use record::{Absent, Model, Run, State, TrialRecord};
use stats::{Estimate, Sample, effect, mean_cost, median};

use crate::beats::beats;
use crate::family::{self, ALPHA, Family, Pair};
use crate::figures::{
    CellFigures, ControlFigures, LanguageFigures, Noise, Price, Row, RowFigures, Standing,
};
use crate::trials::{self, Pairs, Quantity, Trials, cpu_us, switches, wall_each_us, wall_ms};

/// Costs are compared at equal rate: walls per fetch that differ by more than this are marked.
const UNEQUAL_RATE: f64 = 0.02;

/// What the figures of a cell are computed from.
pub(crate) struct Source<'a> {
    /// The run.
    run: &'a Run,
    /// The cell.
    cell: &'a Cell,
    /// The model that ratios are taken against.
    baseline: &'a str,
    /// The model that excess is taken over.
    floor: &'a str,
    /// Every trial of whole blocks of the cell.
    all: Vec<&'a TrialRecord>,
    /// Those that are valid.
    trials: Trials<'a>,
}

impl<'a> Source<'a> {
    /// Gathers the trials of a cell.
    pub(crate) fn of(run: &'a Run, cell: &'a Cell, (baseline, floor): (&'a str, &'a str)) -> Self {
        let all: Vec<_> = run.trials.iter().filter(|trial| trial.cell == cell.name).collect();
        let trials = Trials::valid(run, &all);
        Self { run, cell, baseline, floor, all, trials }
    }

    /// Computes the figures of the cell.
    pub(crate) fn figures(&self, family: Family) -> CellFigures {
        let (mut rows, pairs) = self.judged(family, (None, self.baseline));
        if family == Family::AllPairs {
            self.rank(&mut rows, &pairs);
        }
        rows.sort_by(Row::order);

        let (prices, languages) = (self.prices(None), self.languages());
        let (controls, controls_lost) = self.controls();
        let noise = self.noise(pairs.len());
        let (blocks, blocks_planned) = self.blocks();
        let stop = self.stop().filter(|_| blocks < blocks_planned);
        let models = self.run.schedule.models.iter().map(|model| model.name.as_str());
        let beats = beats(&self.trials, models);
        let cell = self.cell.clone();
        CellFigures {
            cell,
            blocks,
            blocks_planned,
            stop,
            rows,
            pairs,
            prices,
            languages,
            controls,
            controls_lost,
            noise,
            beats,
        }
    }

    /// Returns the figures of each other language of the run, in the order of its first model.
    fn languages(&self) -> Vec<LanguageFigures> {
        let mut languages: Vec<LanguageFigures> = Vec::new();
        for model in &self.run.schedule.models {
            let (Some(language), Some(baseline)) = (&model.language, &model.baseline) else {
                continue;
            };
            if languages.iter().any(|known| known.language == *language) {
                continue;
            }

            let of = (Some(language.as_str()), baseline.as_str());
            let (mut rows, pairs) = self.judged(Family::AgainstBaseline, of);
            rows.sort_by(Row::order);
            let context = self.trials.paired((baseline, self.baseline), cpu_us);
            languages.push(LanguageFigures {
                language: language.clone(),
                baseline: baseline.clone(),
                context: context.map(|pairs| pairs.ratio(ALPHA)),
                rows,
                pairs,
                prices: self.prices(Some(language)),
            });
        }
        languages
    }

    /// Returns the models of a language; without one, those in Rust.
    fn models(&self, language: Option<&str>) -> impl Iterator<Item = &'a Model> {
        let models = self.run.schedule.models.iter();
        models.filter(move |model| model.language.as_deref() == language)
    }

    /// Judges the models of a language as one family, and takes that into their rows.
    fn judged(
        &self,
        family: Family,
        (language, baseline): (Option<&str>, &str),
    ) -> (Vec<Row>, Vec<Pair>) {
        let mut rows: Vec<Row> = self.models(language).map(|model| self.row(model)).collect();
        let measured = rows.iter().filter(|row| row.figures.is_some());
        let names: BTreeSet<&str> = measured.map(|row| row.model.as_str()).collect();
        let pairs = family::judge(family, (&names, baseline), &self.trials);
        self.compare(&mut rows, (&pairs, baseline));
        (rows, pairs)
    }

    /// Returns a quantity of a model, as a sample of blocks.
    pub(crate) fn sample(&self, model: &str, quantity: Quantity) -> Option<Sample> {
        self.trials.sample(model, quantity)
    }

    /// Returns what one model costs over another, in microseconds per fetch, with its 95 %
    /// interval.
    pub(crate) fn difference(&self, models: (&str, &str)) -> Option<Estimate> {
        Some(self.trials.paired(models, cpu_us)?.difference(ALPHA))
    }

    /// Returns a quantity of one model in times another's, with its 95 % interval.
    pub(crate) fn ratio(&self, models: (&str, &str), quantity: Quantity) -> Option<Estimate> {
        Some(self.trials.paired(models, quantity)?.ratio(ALPHA))
    }

    /// Returns the name of the cell.
    pub(crate) fn name(&self) -> &'a str {
        &self.cell.name
    }

    /// Returns CPU time per fetch of two models in the blocks that both have.
    pub(crate) fn paired(&self, models: (&str, &str)) -> Option<Pairs> {
        self.trials.paired(models, cpu_us)
    }

    /// Returns the latencies of all valid trials of a model, in nanoseconds with their counts:
    /// percentiles are those of all fetches, never a mean of percentiles.
    pub(crate) fn latencies(&self, model: &str) -> Vec<(u64, u64)> {
        let mut pooled = BTreeMap::new();
        for &(value, count) in
            self.valid(model).filter_map(|t| t.valid()).flat_map(|t| &t.latencies_ns)
        {
            *pooled.entry(value).or_insert(0) += count;
        }
        pooled.into_iter().collect()
    }

    /// Returns a quantity of the baseline's second trial of a block in times the first, by block.
    pub(crate) fn against_itself(&self, quantity: Quantity) -> Vec<(u32, f64)> {
        self.trials.twice(self.baseline, quantity)
    }

    /// Returns the valid trials of a model.
    pub(crate) fn valid(&self, model: &str) -> impl Iterator<Item = &'a TrialRecord> {
        self.all.iter().copied().filter(move |t| t.model == model && t.valid().is_some())
    }

    /// Returns how many blocks were measured, and how many the schedule has.
    fn blocks(&self) -> (usize, usize) {
        let measured: BTreeSet<u32> = self.all.iter().map(|trial| trial.block).collect();
        let planned = self.run.schedule.blocks.iter().filter(|block| block.cell == self.cell.name);
        (measured.len(), planned.count())
    }

    /// Returns why the cell has fewer blocks than planned: its own reason, else that of the run.
    fn stop(&self) -> Option<String> {
        let stops = &self.run.stops;
        let own = stops.iter().find(|stop| stop.cell.as_ref() == Some(&self.cell.name));
        let stop = own.or_else(|| stops.iter().find(|stop| stop.cell.is_none()));
        stop.map(|stop| stop.reason.clone())
    }

    /// Returns the trials of a model, or of a control.
    fn own(&self, name: &str) -> Vec<&TrialRecord> {
        self.all.iter().copied().filter(|trial| trial.model == name).collect()
    }

    /// Collects what happened to a model.
    fn row(&self, model: &Model) -> Row {
        let own = self.own(&model.name);
        let absent = self.run.schedule.absent.iter();
        let mut absent = absent.filter(|a| a.cell == self.cell.name && a.model == model.name);
        let absent = absent.next().map(|absent| format!("n/a: {}", absent.reason));
        let missing = self.run.schedule.missing(&model.name).map(ToString::to_string);
        let figures = self.row_figures(&model.name);
        let standing = match own.first().map(|trial| &trial.state) {
            _ if figures.is_some() => Standing::Measured,
            _ if absent.is_some() => Standing::NotApplicable,
            None if missing.is_some() => Standing::Missing,
            Some(State::Valid | State::Void(_)) => Standing::Void,
            Some(State::Failed(_)) => Standing::Failed,
            None => Standing::NotMeasured,
        };
        Row {
            model: model.name.clone(),
            valid: self.trials.count(&model.name),
            trials: own.len(),
            errors: errors(&own),
            standing,
            reason: absent.or(missing).or_else(|| first_reason(&own)),
            rank: None,
            figures,
        }
    }

    /// Returns the figures of a model, if a trial was valid.
    fn row_figures(&self, model: &str) -> Option<RowFigures> {
        let level =
            |quantity: Quantity| Some(median::estimate(&self.sample(model, quantity)?, ALPHA));
        let excess = self.trials.paired((model, self.floor), cpu_us);
        Some(RowFigures {
            cpu_us: level(cpu_us)?,
            ratio: None,
            verdict: None,
            mean_ratio: None,
            tail_sensitive: false,
            excess_us: excess.map(|pairs| pairs.difference(ALPHA)),
            wall_ms: level(wall_ms)?,
            switches: level(switches)?,
            unequal_rate: self.unequal_rate(model),
        })
    }

    /// Returns whether a model ran at another rate than the baseline. A batch is run at each
    /// model's own rate; a steady cell should be at the same.
    fn unequal_rate(&self, model: &str) -> bool {
        // Per fetch: a model with fewer slots makes fewer fetches in a window as long.
        let pairs = self.trials.paired((model, self.baseline), wall_each_us);
        let pairs = pairs.filter(|_| self.cell.workload == Workload::Steady);
        pairs.is_some_and(|pairs| (pairs.ratio(ALPHA).value - 1.0).abs() > UNEQUAL_RATE)
    }

    /// Takes what the pairs with the baseline say into the rows.
    fn compare(&self, rows: &mut [Row], (pairs, baseline): (&[Pair], &str)) {
        for row in rows {
            let with_baseline = |pair: &&Pair| pair.model == row.model && pair.other == baseline;
            let pair = pairs.iter().find(with_baseline);
            let (Some(figures), Some(pair)) = (&mut row.figures, pair) else { continue };
            figures.ratio = Some(pair.ratio);
            figures.verdict = Some(pair.verdict);
            if let Some((mean, is_sensitive)) = self.mean_ratio((&row.model, baseline)) {
                figures.mean_ratio = Some(mean);
                figures.tail_sensitive = is_sensitive;
            }
        }
    }

    /// Returns the ratio of the sums of a model's costs and the baseline's, where the blocks are
    /// enough for its interval, and whether it lies outside the 95 % interval of the typical ratio.
    /// The interval of a family would hide the more stalls, the more models there are.
    fn mean_ratio(&self, names: (&str, &str)) -> Option<(Estimate, bool)> {
        let pairs = self.trials.paired(names, cpu_us)?;
        let enough = pairs.paired.pairs().len() >= mean_cost::LEAST_BLOCKS;
        enough.then(|| {
            let mean = mean_cost::ratio(&pairs.paired, ALPHA, self.run.schedule.seed);
            (mean, mean_cost::tail_sensitive(&mean, &pairs.ratio(ALPHA)))
        })
    }

    /// Gives the rows their places. A model that told another story than the origin has none, even
    /// if most of its trials count.
    fn rank(&self, rows: &mut [Row], pairs: &[Pair]) {
        let ranked =
            |row: &&mut Row| row.figures.is_some() && trials::faultless(&self.own(&row.model));
        let mut rows: Vec<&mut Row> = rows.iter_mut().filter(ranked).collect();
        let names: Vec<&str> = rows.iter().map(|row| row.model.as_str()).collect();
        let places = family::places(&names, pairs);
        for (row, place) in rows.iter_mut().zip(places) {
            row.rank = place;
        }
    }

    /// Returns what the usual clients cost on top of the models of a language.
    fn prices(&self, language: Option<&str>) -> Vec<Price> {
        let prices = self.models(language).filter_map(|model| self.price(model));
        let mut prices: Vec<Price> = prices.collect();
        prices.sort_by(|a, b| a.model.cmp(&b.model));
        prices
    }

    /// Returns what a usual client costs, if the model has one and both have figures.
    fn price(&self, model: &Model) -> Option<Price> {
        let pairs = self.trials.paired((&model.name, model.bare_name()?), cpu_us)?;
        Some(Price { model: model.name.clone(), ratio: pairs.ratio(ALPHA) })
    }

    /// Returns what was seen of the controls, and which of them have no figures.
    fn controls(&self) -> (Vec<ControlFigures>, Vec<Absent>) {
        let (mut seen, mut lost) = (Vec::new(), Vec::new());
        for control in &self.run.schedule.controls {
            let own = self.own(&control.name);
            match self.trials.paired((&control.name, &control.model), cpu_us) {
                Some(pairs) => seen.push(ControlFigures::of(control, pairs.ratio(ALPHA))),
                None if self.schedules(&control.name) => lost.push(Absent {
                    cell: self.cell.name.clone(),
                    model: control.name.clone(),
                    reason: first_reason(&own).unwrap_or_else(|| "not measured".to_owned()),
                }),
                None => {}
            }
        }
        (seen, lost)
    }

    /// Returns whether a block of the cell has a trial of that name.
    fn schedules(&self, name: &str) -> bool {
        let mut blocks = self.run.schedule.blocks.iter();
        blocks.any(|block| block.cell == self.cell.name && block.order.iter().any(|n| n == name))
    }

    /// Returns what the baseline differs from itself, if it ran twice, and what can be shown in a
    /// family of so many pairs.
    fn noise(&self, family: usize) -> Option<Noise> {
        let pairs = self.trials.against_itself(self.baseline, cpu_us)?;
        let logarithms = pairs.paired.log_ratios();
        let least = effect::smallest_detectable(&logarithms, family::level(family));
        Some(Noise { ratio: pairs.ratio(ALPHA), can_show: least.map(f64::exp_m1) })
    }
}

/// Returns the fetches that failed over all trials, by code.
fn errors(own: &[&TrialRecord]) -> BTreeMap<String, u64> {
    let mut errors = BTreeMap::new();
    for (code, count) in own.iter().filter_map(|t| t.trial.as_ref()).flat_map(|t| &t.total.errors) {
        *errors.entry(code.clone()).or_insert(0) += count;
    }
    errors
}

/// Returns why trials do not count: the first reason, and how many trials do not.
fn first_reason(own: &[&TrialRecord]) -> Option<String> {
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
