//! The figures of one cell, computed from its valid turns.

use std::collections::{BTreeMap, BTreeSet};

use record::{Family, Model, RoundRecord, Run, State, TurnRecord};
use rules::{METRICS, Metric, expected};
use stats::{Estimate, Interval, Sample, effect, mean_cost, median};
use workload::Cell;

use crate::cell_figures::{
    CellFigures, Footprint, LanguageFigures, Noise, Row, RowFigures, RowState, paced_within,
};
use crate::controls::controls;
use crate::family::{self, ALPHA, MARGIN, Pair};
use crate::latency::Latencies;
use crate::lost::why_lost;
use crate::other_threads::other_threads;
use crate::responses::{Responses, responses, shortest_ns};
use crate::turns::{self, Pairs, Quantity, Turns, cpu_us, in_flight_ms, wall_each_us};
use crate::wake_ups::wake_ups;

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
    /// Every turn of whole blocks of the cell.
    all: Vec<&'a TurnRecord>,
    /// Those that are valid.
    turns: Turns<'a>,
}

impl<'a> Source<'a> {
    /// Gathers the turns of a cell.
    pub(crate) fn of(run: &'a Run, cell: &'a Cell, (baseline, floor): (&'a str, &'a str)) -> Self {
        let all: Vec<_> = run.turns.iter().filter(|turn| turn.cell == cell.name).collect();
        let turns = Turns::valid(run, &all);
        Self { run, cell, baseline, floor, all, turns }
    }

    /// Computes the figures of the cell.
    pub(crate) fn figures(&self, family: Family) -> CellFigures {
        let (mut rows, pairs) = self.compared(family, (None, self.baseline));
        if family == Family::AllPairs {
            self.rank(&mut rows, &pairs);
        }
        rows.sort_by(Row::order);

        let (footprints, languages) = (self.footprints(None, (&rows, &pairs)), self.languages());
        let (controls, controls_lost) = controls(self.run, self.cell, &self.turns);
        let noise = self.noise(pairs.len());
        let (blocks, blocks_planned) = self.blocks();
        let stop = self.stop().filter(|_| blocks < blocks_planned);
        let wake_ups = wake_ups(&self.turns, self.names());
        let measured = rows.iter().filter(|row| row.valid > 0);
        let latencies = measured.map(|row| Latencies::of(&self.turns, &row.model)).collect();
        let itself = self.turns.twice(self.baseline, cpu_us);
        let (rounds, repeated) = self.round_counts();
        let paced_within = paced_within(&rows);
        CellFigures {
            cell: self.cell.clone(),
            blocks,
            blocks_planned,
            rounds,
            repeated,
            stop,
            rows,
            pairs,
            footprints,
            languages,
            controls,
            controls_lost,
            noise,
            wake_ups,
            responses: self.responses(),
            latencies,
            itself,
            paced_within,
        }
    }

    /// Returns the names of all models of the run.
    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.run.schedule.models.iter().map(|model| model.name.as_str())
    }

    /// Returns what fetches waited for, if they arrive at a rate.
    fn responses(&self) -> Vec<Responses> {
        let shortest = |turn: &TurnRecord| {
            let block = self.run.schedule.block(turn.block)?;
            let delays = block.delay_seed(u64::from(turn.round) + 1);
            let arrivals = block.arrivals_seed(self.cell, turn.round);
            Some(shortest_ns(self.cell, arrivals, (block.seed, delays)))
        };
        responses((self.cell, self.run.schedule.seed), &self.turns, shortest, self.names())
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
            let (mut rows, pairs) = self.compared(Family::AgainstBaseline, of);
            rows.sort_by(Row::order);
            let footprints = self.footprints(Some(language), (&rows, &pairs));
            let context = (baseline.as_str(), self.baseline);
            let at_other_rate = self.unequal_rate(context);
            let context = self.turns.paired(context, Quantity::Turn(cpu_us));
            languages.push(LanguageFigures {
                language: language.clone(),
                baseline: baseline.clone(),
                context: context.map(|pairs| pairs.ratio(ALPHA)),
                at_other_rate,
                rows,
                pairs,
                footprints,
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
    fn compared(
        &self,
        family: Family,
        (language, baseline): (Option<&str>, &str),
    ) -> (Vec<Row>, Vec<Pair>) {
        let row = |model| self.row(model, baseline);
        let mut rows: Vec<Row> = self.models(language).map(row).collect();
        let measured = rows.iter().filter(|row| row.figures.is_some());
        let names: BTreeSet<&str> = measured.map(|row| row.model.as_str()).collect();
        let pairs = family::compare(family, (&names, baseline), &self.turns);
        self.compare(&mut rows, (&pairs, baseline));
        (rows, pairs)
    }

    /// Returns a quantity of a model, as a sample of blocks.
    pub(crate) fn sample(&self, model: &str, quantity: Quantity) -> Option<Sample> {
        self.turns.sample(model, quantity)
    }

    /// Returns a quantity of one model less another's, with its 95 % interval.
    pub(crate) fn difference(&self, models: (&str, &str), quantity: Quantity) -> Option<Estimate> {
        Some(self.turns.paired(models, quantity)?.difference(ALPHA))
    }

    /// Returns the rounds in which a model has a valid turn, and those that it took part in and
    /// that were measured again, of whole blocks.
    pub(crate) fn rounds(&self, model: &str) -> (usize, usize) {
        let counted = self.turns.of(model).map(|turn| (turn.block, turn.round));
        let whole: BTreeSet<u32> = self.run.blocks.iter().map(|block| block.block).collect();
        let takes_part = |disturbed: &&RoundRecord| {
            let mut blocks = self.run.schedule.blocks.iter();
            let block = blocks.find(|block| block.number == disturbed.block);
            let block = block.filter(|block| block.cell == self.cell.name);
            let order = block.and_then(|block| block.rounds.get(disturbed.round as usize));
            order.is_some_and(|order| order.iter().any(|name| name == model))
                && whole.contains(&disturbed.block)
        };
        let repeated = self.run.disturbed.iter().filter(takes_part);
        (counted.collect::<BTreeSet<_>>().len(), repeated.count())
    }

    /// Returns a quantity of one model in times another's, with its 95 % interval.
    pub(crate) fn ratio(&self, models: (&str, &str), quantity: Quantity) -> Option<Estimate> {
        Some(self.turns.paired(models, quantity)?.ratio(ALPHA))
    }

    /// Returns the name of the cell.
    pub(crate) fn name(&self) -> &'a str {
        &self.cell.name
    }

    /// Returns CPU time per fetch of two models in the blocks that both have.
    pub(crate) fn paired(&self, models: (&str, &str)) -> Option<Pairs> {
        self.turns.paired(models, Quantity::Turn(cpu_us))
    }

    /// Returns how many blocks were measured, and how many the schedule has.
    fn blocks(&self) -> (usize, usize) {
        let measured: BTreeSet<u32> = self.all.iter().map(|turn| turn.block).collect();
        let planned = self.run.schedule.blocks.iter().filter(|block| block.cell == self.cell.name);
        (measured.len(), planned.count())
    }

    /// Returns how many rounds count, and how many were measured again.
    fn round_counts(&self) -> (usize, usize) {
        let is_own = |block: u32| {
            let mut blocks = self.run.schedule.blocks.iter();
            blocks.any(|own| own.number == block && own.cell == self.cell.name)
        };
        let count = |rounds: &[RoundRecord]| rounds.iter().filter(|r| is_own(r.block)).count();
        (count(&self.run.rounds), count(&self.run.disturbed))
    }

    /// Returns why the cell has fewer blocks than planned: its own reason, else that of the run.
    fn stop(&self) -> Option<String> {
        let stops = &self.run.stops;
        let own = stops.iter().find(|stop| stop.cell.as_ref() == Some(&self.cell.name));
        let stop = own.or_else(|| stops.iter().find(|stop| stop.cell.is_none()));
        stop.map(|stop| stop.reason.clone())
    }

    /// Returns the turns of a model, or of a control.
    fn own(&self, name: &str) -> Vec<&TurnRecord> {
        self.all.iter().copied().filter(|turn| turn.model == name).collect()
    }

    /// Collects what happened to a model that is held against this baseline.
    fn row(&self, model: &Model, baseline: &str) -> Row {
        let own = self.own(&model.name);
        let absent = self.run.schedule.absent.iter();
        let mut absent = absent.filter(|a| a.cell == self.cell.name && a.model == model.name);
        let absent = absent.next().map(|absent| format!("n/a: {}", absent.reason));
        let missing = self.run.schedule.missing(&model.name).map(ToString::to_string);
        let figures = self.row_figures((&model.name, baseline));
        let state = match own.first().map(|turn| &turn.state) {
            _ if figures.is_some() => RowState::Measured,
            _ if absent.is_some() => RowState::NotApplicable,
            None if missing.is_some() => RowState::Missing,
            Some(State::Valid | State::Invalid(_)) => RowState::Invalid,
            Some(State::Failed(_) | State::Out) => RowState::Failed,
            None => RowState::NotMeasured,
        };
        Row {
            model: model.name.clone(),
            valid: self.turns.count(&model.name),
            turns: own.len(),
            errors: errors(&own),
            threads: other_threads(self.run, (self.cell, model), &own),
            state,
            reason: absent.or(missing).or_else(|| why_lost(&own)),
            rank: None,
            figures,
        }
    }

    /// Returns the figures of a model that is held against a baseline, if a turn was valid.
    fn row_figures(&self, (model, baseline): (&str, &str)) -> Option<RowFigures> {
        let level =
            |quantity: Quantity| Some(median::estimate(&self.sample(model, quantity)?, ALPHA));
        let other = |metric: Metric| Some((metric, level(Quantity::Of(metric))?));
        let others = METRICS.into_iter().filter(|metric| !metric.is_judged);
        let excess = self.turns.paired((model, self.floor), Quantity::Turn(cpu_us));
        Some(RowFigures {
            cpu_us: level(Quantity::Turn(cpu_us))?,
            ratio: None,
            verdict: None,
            mean_ratio: None,
            tail_sensitive: false,
            in_flight_ms: level(Quantity::Stay(in_flight_ms)),
            excess_us: excess.map(|pairs| pairs.difference(ALPHA)),
            others: others.filter_map(other).collect(),
            unequal_rate: self.unequal_rate((model, baseline)),
        })
    }

    /// Returns whether a model ran at another rate than the one that it is held against. A batch is
    /// run at each model's own rate; a steady cell should be at the same.
    fn unequal_rate(&self, models: (&str, &str)) -> bool {
        // Per fetch: a model with fewer slots makes fewer fetches in a window as long.
        let pairs = self.turns.paired(models, Quantity::Turn(wall_each_us));
        let pairs = pairs.filter(|_| expected(self.cell.workload).is_paced_by_delays);
        pairs.is_some_and(|pairs| (pairs.ratio(ALPHA).value - 1.0).abs() > UNEQUAL_RATE)
    }

    /// Takes what the pairs with the baseline say into the rows.
    fn compare(&self, rows: &mut [Row], (pairs, baseline): (&[Pair], &str)) {
        let against = rows.iter_mut().find(|row| row.model == baseline);
        let mut against = against.and_then(|row| row.figures.as_mut());
        // The baseline of a language costs what its ratio to the run's says, for the same reason.
        if let Some((own, cost)) = against.as_mut().zip(self.in_times_of_baseline(baseline)) {
            own.cpu_us = cost;
        }
        let against = against.map(|own| own.cpu_us.value);
        for row in rows {
            let with_baseline = |pair: &&Pair| pair.model == row.model && pair.other == baseline;
            let pair = pairs.iter().find(with_baseline);
            let (Some(figures), Some(pair)) = (&mut row.figures, pair) else { continue };
            figures.ratio = Some(pair.ratio);
            figures.cpu_us = against.map_or(figures.cpu_us, |cost| pair.ratio.times(cost));
            figures.verdict = Some(pair.verdict);
            if let Some((mean, is_sensitive)) = self.mean_ratio((&row.model, baseline)) {
                figures.mean_ratio = Some(mean);
                figures.tail_sensitive = is_sensitive;
            }
        }
    }

    /// Returns what the baseline of another language costs, in microseconds per fetch: the cost of
    /// the run's baseline times the ratio of the two.
    fn in_times_of_baseline(&self, model: &str) -> Option<Estimate> {
        let other = (model != self.baseline).then_some(self.baseline)?;
        let cost = median::estimate(&self.sample(other, Quantity::Turn(cpu_us))?, ALPHA);
        Some(self.ratio((model, other), Quantity::Turn(cpu_us))?.times(cost.value))
    }

    /// Returns the ratio of the sums of a model's costs and the baseline's, where the blocks are
    /// enough for its interval, and whether it lies outside the ratio's own 95 % interval. The
    /// printed interval, of the family, would hide the more stalls, the more models there are.
    fn mean_ratio(&self, names: (&str, &str)) -> Option<(Estimate, bool)> {
        let pairs = self.turns.paired(names, Quantity::Turn(cpu_us))?;
        let means = self.turns.means(names, cpu_us)?;
        let enough = means.pairs().len() >= mean_cost::LEAST_BLOCKS;
        enough.then(|| {
            let mean = mean_cost::ratio(&means, ALPHA, self.run.schedule.seed);
            (mean, mean_cost::tail_sensitive(&mean, &pairs.ratio(ALPHA)))
        })
    }

    /// Gives the rows their places. A model whose counts are not the origin's has none, even
    /// if most of its turns count.
    fn rank(&self, rows: &mut [Row], pairs: &[Pair]) {
        let ranked =
            |row: &&mut Row| row.figures.is_some() && turns::faultless(&self.own(&row.model));
        let mut rows: Vec<&mut Row> = rows.iter_mut().filter(ranked).collect();
        let names: Vec<&str> = rows.iter().map(|row| row.model.as_str()).collect();
        let places = family::places(&names, pairs);
        for (row, place) in rows.iter_mut().zip(places) {
            row.rank = place;
        }
    }

    /// Returns what the library clients cost on top of the models of a language.
    fn footprints(&self, language: Option<&str>, compared: (&[Row], &[Pair])) -> Vec<Footprint> {
        let footprints = self.models(language).filter_map(|model| self.footprint(model, compared));
        let mut footprints: Vec<Footprint> = footprints.collect();
        footprints.sort_by(|a, b| a.model.cmp(&b.model));
        footprints
    }

    /// Returns what a library client costs, if the model has one and both have figures.
    /// Two models that were compared have one ratio, wherever it stands.
    fn footprint(&self, model: &Model, (rows, pairs): (&[Row], &[Pair])) -> Option<Footprint> {
        let (name, bare) = (model.name.as_str(), model.bare_name()?);
        let compared = pairs.iter().find(|pair| pair.model == name && pair.other == bare);
        let alone = || Some(self.paired((name, bare))?.ratio(ALPHA));
        let ratio = compared.map(|pair| pair.ratio).or_else(alone)?;
        let bare = rows.iter().find(|row| row.model == bare)?.figures.as_ref()?;
        let above = |ratio: f64| bare.cpu_us.value * (ratio - 1.0);
        let ends = |ends: Interval| Interval { low: above(ends.low), high: above(ends.high) };
        let interval = ratio.interval.map(ends);
        let above_bare_us = Estimate { value: above(ratio.value), interval };
        Some(Footprint { model: name.to_owned(), ratio, above_bare_us })
    }

    /// Returns what the baseline differs from itself, if it ran twice, and what can be shown in a
    /// family of so many pairs.
    fn noise(&self, family: usize) -> Option<Noise> {
        let pairs = self.turns.against_itself(self.baseline, Quantity::Turn(cpu_us))?;
        let logarithms = pairs.paired.log_ratios();
        let least = effect::smallest_detectable(&logarithms, family::level(family));
        let can_show = least.map(f64::exp_m1);
        let missed_below = can_show.map(|share| share.max(MARGIN));
        Some(Noise { ratio: pairs.ratio(ALPHA), can_show, missed_below })
    }
}

/// Returns the fetches that failed over all turns, by code.
fn errors(own: &[&TurnRecord]) -> BTreeMap<String, u64> {
    let mut errors = BTreeMap::new();
    for (code, count) in own.iter().filter_map(|t| t.turned.as_ref()).flat_map(|t| &t.total.errors)
    {
        *errors.entry(code.clone()).or_insert(0) += count;
    }
    errors
}
