//! The answer in sentences: which model, does it matter, and what of the HTTP client.
//!
//! A sentence compares two models only by the verdict on that pair, and a client with models only
//! where their intervals lie apart.

use analysis::Estimate;
use analysis::Verdict;
use analysis::cell_figures::{CellFigures, Footprint, RowFigures};
use analysis::consequence::{RATE, WORK_US, clients_matter_more, of_models};
use analysis::family::MARGIN;
use analysis::number::{count, digits};
use analysis::{Model, Summary};

use crate::answer::percent::{distance, percent, with_interval};

/// What a cell says about the baseline and the other bare models.
struct Said<'a> {
    run: &'a Summary,
    cell: &'a CellFigures,
    baseline: &'a str,
    /// What the baseline costs, in microseconds.
    cost_us: f64,
    /// What the floor is called.
    floor_name: String,
    /// The verdict on it, and its ratio to the baseline.
    floor: Option<(Verdict, f64)>,
    others: Vec<Other<'a>>,
}

/// A bare model that is compared with the baseline.
struct Other<'a> {
    name: &'a str,
    ratio: Estimate,
    verdict: Verdict,
}

/// Returns the answer of a cell in sentences.
pub(crate) fn headline(run: &Summary, cell: &CellFigures) -> Vec<String> {
    let figures = &run.figures;
    let (baseline, name) = (figures.baseline.as_str(), &cell.cell.name);
    if cell.blocks == 0 {
        return vec![format!("No block of {name} was measured to its end: nothing is compared.")];
    }
    if cell.rows.iter().all(|row| row.figures.is_none()) {
        return vec![format!(
            "No model has a valid turn in {name}, so there is nothing to compare."
        )];
    }
    let Some(own) = measured(cell, baseline) else {
        return vec![format!(
            "{baseline}, which all others are compared with, has no valid turn in {name}, so no \
             difference can be shown."
        )];
    };
    let said = Said {
        run,
        cell,
        baseline,
        cost_us: own.cpu_us.value,
        floor_name: format!("a hand-written loop ({})", figures.floor),
        floor: verdict_on(cell, (&figures.floor, baseline)),
        others: others(run, cell),
    };
    said.sentences()
}

/// Returns the figures of a model, if it has any.
fn measured<'a>(cell: &'a CellFigures, model: &str) -> Option<&'a RowFigures> {
    cell.rows.iter().find(|row| row.model == model)?.figures.as_ref()
}

/// Returns what may be said of a model and another, and the ratio of their costs.
fn verdict_on(cell: &CellFigures, (model, other): (&str, &str)) -> Option<(Verdict, f64)> {
    cell.pairs.iter().find_map(|pair| match (pair.model.as_str(), pair.other.as_str()) {
        names if names == (model, other) => Some((pair.verdict, pair.ratio.value)),
        names if names == (other, model) => Some((pair.verdict, 1.0 / pair.ratio.value)),
        _ => None,
    })
}

/// Returns the bare models that are compared with the baseline at its rate, the cheapest first.
fn others<'a>(run: &Summary, cell: &'a CellFigures) -> Vec<Other<'a>> {
    let figures = &run.figures;
    let is_bare = |name: &str| run.model(name).is_some_and(Model::is_bare);
    let rows = cell.rows.iter().filter(|row| {
        ![&figures.baseline, &figures.floor].contains(&&row.model) && is_bare(&row.model)
    });
    let other = |(name, figures): (&'a str, &'a RowFigures)| {
        let (ratio, verdict) = figures.ratio.zip(figures.verdict)?;
        (!figures.unequal_rate).then_some(Other { name, ratio, verdict })
    };
    let mut others: Vec<Other<'_>> =
        rows.filter_map(|row| other((row.model.as_str(), row.figures.as_ref()?))).collect();
    others.sort_by(|a, b| a.ratio.value.total_cmp(&b.ratio.value));
    others
}

impl Said<'_> {
    /// Returns the sentences.
    fn sentences(&self) -> Vec<String> {
        let client = self.client();
        let has_intervals = self.cell.pairs.iter().any(|pair| pair.ratio.interval.is_some());
        if !has_intervals && !self.cell.pairs.is_empty() {
            let few = format!(
                "{} cannot distinguish these models: more are needed for an interval.",
                count(self.cell.blocks, "block")
            );
            return [few].into_iter().chain(client).collect();
        }
        let first = [self.lead()].into_iter().chain(self.list()).collect::<Vec<_>>().join(" ");
        let more = [self.size(), client].into_iter().flatten().collect::<Vec<_>>();
        [first].into_iter().chain((!more.is_empty()).then(|| more.join(" "))).collect()
    }

    /// Says which model uses the least, as far as verdicts go.
    fn lead(&self) -> String {
        let baseline = self.baseline;
        let least = self.least();
        let compared = 1 + self.others.len();
        if self.others.is_empty() {
            let cost = digits(self.cost_us);
            return format!("{baseline} costs {cost} us of CPU per fetch{}.", self.above_floor());
        }
        if let Some(least) = least {
            let beside = match self.others.iter().find(|other| other.name == least) {
                None => self.above_floor(),
                Some(other) => format!(", {} less than {baseline}", distance(other.ratio.value)),
            };
            return format!(
                "{least} uses the least CPU per fetch of the {compared} models compared{beside}."
            );
        }
        let cheaper = self.names(|other| other.is_different() && other.ratio.value < 1.0);
        let has = |verdict: Verdict| self.others.iter().any(|other| other.verdict == verdict);
        let (differs, open) = (has(Verdict::Different), has(Verdict::Inconclusive));
        match cheaper.as_slice() {
            [] if !differs && !open => format!(
                "{} as much CPU per fetch as {baseline}, within {}.",
                subject(&self.names(|_| true)),
                format_args!("{:.0} %", 100.0 * MARGIN)
            ),
            [] if !differs => {
                format!("No model is shown to differ from {baseline} in CPU per fetch.")
            }
            [] => format!("No model is shown to use less CPU per fetch than {baseline}."),
            names => format!("{} less CPU per fetch than {baseline}.", subject(names)),
        }
    }

    /// Says how far each of the others is from the baseline, and the floor if the first sentence
    /// does not.
    fn list(&self) -> Option<String> {
        let least = self.least();
        let all = self.others.iter().map(|other| (other.name, other.ratio.value, other.verdict));
        let mut items: Vec<_> = all.filter(|(name, ..)| Some(*name) != least).collect();
        let has_one_verdict = items.iter().all(|(.., verdict)| *verdict == items[0].2);
        if has_one_verdict && items.first().is_some_and(|item| item.2 != Verdict::Different) {
            // The first sentence has said so.
            items.clear();
        }
        if !self.others.is_empty() && least != Some(self.baseline) {
            items.extend(
                self.floor.map(|(verdict, ratio)| (self.floor_name.as_str(), ratio, verdict)),
            );
        }
        let of = |wanted: Verdict| items.iter().filter(move |(.., verdict)| *verdict == wanted);
        let names = |wanted| of(wanted).map(|(name, ..)| *name).collect::<Vec<_>>().join(", ");
        let ratios =
            of(Verdict::Different).map(|(name, ratio, _)| format!("{name} {}", percent(*ratio)));
        let lists = [
            ratios.collect::<Vec<_>>().join(", "),
            prefixed("the same: ", &names(Verdict::Equivalent)),
            prefixed("inconclusive: ", &names(Verdict::Inconclusive)),
        ];
        let lists: Vec<String> = lists.into_iter().filter(|list| !list.is_empty()).collect();
        (!lists.is_empty()).then(|| format!("Against {}: {}.", self.baseline, lists.join("; ")))
    }

    /// Says what the largest difference is worth to a reader.
    fn size(&self) -> Option<String> {
        let is_bare = |name: &str| self.run.model(name).is_some_and(Model::is_bare);
        let (what, of_cpu, beside_work) = match of_models(is_bare, &self.run.figures, self.cell) {
            Some(found) => {
                let us = digits(found.us.value);
                let what = format!("{} instead of {} costs {us} us", found.more, found.less);
                (format!("{what} more per fetch"), found.of_cpu(), found.beside_work())
            }
            None => {
                let share = self.cell.noise.as_ref().and_then(|noise| noise.can_show)?;
                let us = self.cost_us * share;
                let found = "which this run would show three times out of four";
                let what = format!("A difference of {}, {found},", distance(1.0 + share));
                let what = format!("{what} is {} us per fetch", digits(us));
                (what, us * RATE / 1e6, us / (WORK_US + self.cost_us))
            }
        };
        Some(format!(
            "{what}: {} where your code works 1 ms per fetch, and {} of one CPU at 10,000 \
             fetches a second.",
            distance(1.0 + beside_work),
            distance(1.0 + of_cpu)
        ))
    }

    /// Says what the library client of the baseline costs, or of another model if it has none, and
    /// whether that is more than any model differs from the baseline.
    fn client(&self) -> Option<String> {
        let model = |footprint: &&Footprint| self.run.model(&footprint.model);
        let bare = |footprint: &&Footprint| model(footprint)?.bare_name();
        let footprints = &self.cell.footprints;
        let own = footprints.iter().find(|footprint| bare(footprint) == Some(self.baseline));
        let footprint = own.or_else(|| footprints.first())?;
        let (client, under) = (&model(&footprint)?.client, bare(&footprint)?);
        let interval = footprint.ratio.interval?;
        let cost = with_interval(&footprint.ratio);
        Some(match () {
            () if interval.contains(1.0) => format!(
                "The HTTP client {client} is not shown to cost more than the bare one on {under}."
            ),
            () if interval.high < 1.0 => {
                format!("The HTTP client {client} costs less than the bare one on {under}: {cost}.")
            }
            () if self.clients_matter_more() => {
                format!("The HTTP client matters more: {client} costs {cost} on top of {under}.")
            }
            () => format!("The HTTP client {client} costs {cost} on top of {under}."),
        })
    }

    /// Returns whether clients cost more than any choice of a model.
    fn clients_matter_more(&self) -> bool {
        let is_bare = |name: &str| self.run.model(name).is_some_and(Model::is_bare);
        clients_matter_more(is_bare, &self.run.figures, self.cell)
    }

    /// Returns the model that a verdict separates from every other as the cheaper one. One with a
    /// fetch that failed is never it.
    fn least(&self) -> Option<&str> {
        let names: Vec<&str> =
            [self.baseline].into_iter().chain(self.others.iter().map(|other| other.name)).collect();
        let failed = |name: &str| {
            let row = self.cell.rows.iter().find(|row| row.model == name);
            row.is_some_and(|row| !row.errors.is_empty())
        };
        let beats = |name: &str, other: &str| {
            let verdict = verdict_on(self.cell, (name, other));
            verdict.is_some_and(|(verdict, ratio)| verdict == Verdict::Different && ratio < 1.0)
        };
        let is_least = |name: &&str| names.iter().all(|other| other == name || beats(name, other));
        let is_only = names.len() == 1;
        names.iter().copied().find(|name| !is_only && !failed(name) && is_least(name))
    }

    /// Says how far the baseline is above the floor, after its name.
    fn above_floor(&self) -> String {
        match self.floor {
            None => String::new(),
            Some((Verdict::Different, ratio)) => {
                let way = if ratio < 1.0 { "less" } else { "more" };
                format!("; {} needs {} {way}", self.floor_name, distance(ratio))
            }
            Some((Verdict::Equivalent, _)) => format!("; {} needs as much", self.floor_name),
            Some((Verdict::Inconclusive, _)) => {
                format!("; {} is not shown to need less", self.floor_name)
            }
        }
    }

    /// Names the models of which something is true.
    fn names(&self, is: impl Fn(&Other<'_>) -> bool) -> Vec<&str> {
        self.others.iter().filter(|other| is(other)).map(|other| other.name).collect()
    }
}

impl Other<'_> {
    /// Returns whether it differs from the baseline.
    fn is_different(&self) -> bool {
        self.verdict == Verdict::Different
    }
}

/// Puts a word before a list, unless it is empty.
fn prefixed(word: &str, list: &str) -> String {
    if list.is_empty() { String::new() } else { format!("{word}{list}") }
}

/// Writes the subject of a sentence, with its verb.
fn subject(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => format!("{only} uses"),
        [first @ .., last] => format!("{} and {last} use", first.join(", ")),
    }
}
