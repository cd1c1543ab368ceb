//! What the figures of a cell show, in a number or two each: their titles say it, and whoever draws
//! them computes nothing.

use std::collections::BTreeMap;

use record::Model;
use rules::{MEMORY, Metric, SWITCHES, WALL};
use serde::Serialize;
use stats::verdict::Verdict;

use crate::answer::{Answer, Together};
use crate::cell_figures::{CellFigures, Row, RowFigures};
use crate::figure::rounded;
use crate::span::Span;

/// How the compared models stand to the baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AgainstBaseline {
    /// How many certainly cost more.
    pub more: usize,
    /// What these cost, in times the baseline's CPU time per fetch.
    pub more_cpu_ratio: Option<Span>,
    /// How many certainly cost less.
    pub less: usize,
    /// What these cost, likewise.
    pub less_cpu_ratio: Option<Span>,
    /// How many are equivalent to it.
    pub equivalent: usize,
    /// How many cannot be distinguished from it.
    pub inconclusive: usize,
}

/// What the figures of a cell show: from the least to the greatest over its models.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Findings {
    /// CPU time per fetch, in microseconds.
    pub cpu_us_per_fetch: Option<Span>,
    /// The same of the models in other languages, by the language.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub languages_cpu_us_per_fetch: BTreeMap<String, Span>,
    /// How the compared models stand to the baseline.
    pub against_baseline: AgainstBaseline,
    /// What bare models cost above the floor, in microseconds per fetch; what lies below the floor
    /// counts as nothing.
    pub above_floor_us_per_fetch: Option<Span>,
    /// What library clients cost above the bare model, likewise.
    pub client_us_per_fetch: Option<Span>,
    /// Wall time of the window of the models that hold several fetches in flight, in milliseconds.
    pub wall_ms: Option<Span>,
    /// The same of the first model that holds one fetch in flight, if there is one.
    pub wall_one_by_one_ms: Option<f64>,
    /// Context switches per fetch.
    pub switches_per_fetch: Option<Span>,
    /// The most memory that a process held at once, in MiB.
    pub memory_peak_mib: Option<Span>,
    /// The times within which half of the fetches end, in milliseconds, if every model reports it.
    pub p50_ms: Option<Span>,
    /// The same of nine of ten.
    pub p90_ms: Option<Span>,
    /// The same of 99 of 100.
    pub p99_ms: Option<Span>,
    /// How late the latest wake-up of a stay is, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_wake_up_ms: Option<Span>,
}

impl AgainstBaseline {
    /// Counts the models of an answer.
    fn of(answer: &Answer) -> Self {
        let count = |groups: &[Together]| groups.iter().map(|own| own.models.len()).sum::<usize>();
        let ratios =
            |groups: &[Together]| Span::of(groups.iter().flat_map(|own| [own.least, own.most]));
        let rivals =
            |wanted: Verdict| answer.rivals.iter().filter(|own| own.verdict == wanted).count();
        Self {
            more: count(&answer.more),
            more_cpu_ratio: ratios(&answer.more),
            less: count(&answer.less),
            less_cpu_ratio: ratios(&answer.less),
            equivalent: rivals(Verdict::Equivalent),
            inconclusive: rivals(Verdict::Inconclusive),
        }
    }
}

impl Findings {
    /// Gathers what the figures of a cell show; the floor is a model's name.
    pub(crate) fn of(
        models: &[Model],
        floor: &str,
        (cell, answer): (&CellFigures, &Answer),
    ) -> Self {
        let model = |row: &Row| models.iter().find(|model| model.name == row.model);
        let is_above = |row: &&Row| row.model != floor && model(row).is_some_and(Model::is_bare);
        let is_alone = |row: &&Row| model(row).is_some_and(|own| own.max_in_flight == Some(1));
        let measured = || cell.rows.iter().filter(|row| row.figures.is_some());
        let clients = cell.footprints.iter().map(|own| own.above_bare_us.value.max(0.0));
        let languages = cell.languages.iter().filter_map(|own| {
            Some((own.language.clone(), span(own.rows.iter(), |own| Some(own.cpu_us.value))?))
        });
        let of = |metric: Metric| move |own: &RowFigures| Some(own.metric(metric)?.value);
        let [p50_ms, p90_ms, p99_ms] = [0, 1, 2].map(|place| quantile(cell, place));
        Self {
            cpu_us_per_fetch: span(measured(), |own| Some(own.cpu_us.value)),
            languages_cpu_us_per_fetch: languages.collect(),
            against_baseline: AgainstBaseline::of(answer),
            above_floor_us_per_fetch: span(measured().filter(is_above), |own| {
                own.excess_us.map(|excess| excess.value.max(0.0))
            }),
            client_us_per_fetch: Span::of(clients),
            wall_ms: span(measured().filter(|row| !is_alone(row)), of(WALL)),
            wall_one_by_one_ms: measured()
                .find(is_alone)
                .and_then(|row| row.figures.as_ref().and_then(of(WALL))),
            switches_per_fetch: span(measured(), of(SWITCHES)),
            memory_peak_mib: span(measured(), of(MEMORY)),
            p50_ms,
            p90_ms,
            p99_ms,
            latest_wake_up_ms: Span::of(cell.wake_ups.iter().map(|own| own.worst_ms.value)),
        }
    }

    /// Returns it with six significant digits.
    pub(crate) fn rounded(&self) -> Self {
        let short = |span: Option<Span>| span.map(Span::rounded);
        let languages = self.languages_cpu_us_per_fetch.iter();
        let against = &self.against_baseline;
        Self {
            cpu_us_per_fetch: short(self.cpu_us_per_fetch),
            languages_cpu_us_per_fetch: languages
                .map(|(language, span)| (language.clone(), span.rounded()))
                .collect(),
            against_baseline: AgainstBaseline {
                more_cpu_ratio: short(against.more_cpu_ratio),
                less_cpu_ratio: short(against.less_cpu_ratio),
                ..against.clone()
            },
            above_floor_us_per_fetch: short(self.above_floor_us_per_fetch),
            client_us_per_fetch: short(self.client_us_per_fetch),
            wall_ms: short(self.wall_ms),
            wall_one_by_one_ms: self.wall_one_by_one_ms.and_then(rounded),
            switches_per_fetch: short(self.switches_per_fetch),
            memory_peak_mib: short(self.memory_peak_mib),
            p50_ms: short(self.p50_ms),
            p90_ms: short(self.p90_ms),
            p99_ms: short(self.p99_ms),
            latest_wake_up_ms: short(self.latest_wake_up_ms),
        }
    }
}

/// Returns the span of a value over some rows.
fn span<'a>(
    rows: impl Iterator<Item = &'a Row>,
    read: impl Fn(&RowFigures) -> Option<f64>,
) -> Option<Span> {
    Span::of(rows.filter_map(|row| read(row.figures.as_ref()?)))
}

/// Returns the span of a quantile, by its place among those that are reported, if every model with
/// a curve reports it.
fn quantile(cell: &CellFigures, place: usize) -> Option<Span> {
    let owns = || cell.latencies.iter().map(move |own| (own, own.quantiles_ms[place]));
    let all = owns().all(|(own, value)| value.is_some() || own.curve.is_empty());
    Span::of(owns().filter_map(|(_, value)| value)).filter(|_| all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BASELINE, FLOOR, Fixture};

    /// Returns what the figures of the steady cell show.
    fn findings(fixture: &Fixture) -> Findings {
        let run = crate::summarize(&fixture.run(), BASELINE, FLOOR);
        run.findings["steady"].clone()
    }

    #[test]
    fn every_rival_of_the_baseline_is_counted_once() {
        let models = vec![(FLOOR, 0.5), (BASELINE, 1.0), ("smol", 1.2), ("threads", 0.8)];
        let found = findings(&Fixture { models, noise: 0.002, ..Fixture::good() });
        let against = &found.against_baseline;
        assert_eq!((against.more, against.less), (1, 1));
        assert_eq!((against.equivalent, against.inconclusive), (0, 0));
        let ratio = against.more_cpu_ratio.expect("one costs more");
        assert!((1.15..1.25).contains(&ratio.least), "{ratio:?}");
        let cost = found.cpu_us_per_fetch.expect("there are figures");
        assert!(cost.least < 0.6 * cost.most, "{cost:?}");
    }

    #[test]
    fn what_lies_below_the_floor_adds_nothing() {
        let models = vec![(FLOOR, 1.0), (BASELINE, 0.8), ("smol", 0.9)];
        let found = findings(&Fixture { models, controls: Vec::new(), ..Fixture::good() });
        assert_eq!(found.above_floor_us_per_fetch, Some(Span { least: 0.0, most: 0.0 }));
    }
}
