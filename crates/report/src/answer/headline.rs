//! The answer in sentences: which model, does it matter, and what of the HTTP client.
//!
//! A sentence compares two models only by the verdict on that pair, and a client with models only
//! where their intervals lie apart.

use analysis::answer::{Answer, Nothing};
use analysis::cell_figures::CellFigures;
use analysis::consequence::{Consequence, Worth};
use analysis::family::MARGIN;
use analysis::number::{count, digits};
use analysis::overhead::Adds;
use analysis::{Rival, Summary, Together, Verdict};
use rules::expected;

use crate::percent::{distance, percent, with_interval};

/// The most other cells of which a line each is said.
const CELLS_MAX: usize = 3;

/// What a cell says about the baseline and the other bare models.
struct Said<'a> {
    answer: &'a Answer,
    baseline: &'a str,
    /// The floor.
    floor: &'a str,
    /// Whole blocks that were measured.
    blocks: usize,
}

/// Returns the answer of a cell in sentences.
pub(crate) fn headline(run: &Summary, answer: &Answer, blocks: usize) -> Vec<String> {
    let figures = &run.figures;
    let (baseline, name) = (figures.baseline.as_str(), &answer.cell);
    let why_not = answer.nothing.map(|nothing| match nothing {
        Nothing::NoBlock => {
            format!("No block of {name} was measured to its end: nothing is compared.")
        }
        Nothing::NoModel => {
            format!("No model has a valid turn in {name}, so there is nothing to compare.")
        }
        Nothing::NoBaseline => format!(
            "{baseline}, which all others are compared with, has no valid turn in {name}, so no \
             difference can be shown."
        ),
    });
    let said = Said { answer, baseline, floor: &figures.floor, blocks };
    why_not.map_or_else(|| said.sentences(), |why_not| vec![why_not])
}

impl Said<'_> {
    /// Returns the sentences.
    fn sentences(&self) -> Vec<String> {
        let client = self.client();
        if !self.answer.has_intervals {
            let few = format!(
                "{} cannot distinguish these models: more are needed for an interval.",
                count(self.blocks, "block")
            );
            return [few].into_iter().chain(client).collect();
        }
        let first = [self.lead()].into_iter().chain(self.list()).collect::<Vec<_>>().join(" ");
        let more = [self.size(), client].into_iter().flatten().collect::<Vec<_>>();
        [first].into_iter().chain((!more.is_empty()).then(|| more.join(" "))).collect()
    }

    /// Says which model uses the least, as far as verdicts go.
    fn lead(&self) -> String {
        let Answer { rivals, compared, .. } = self.answer;
        let baseline = self.baseline;
        if rivals.is_empty() {
            let cost = self.answer.baseline_us.map_or(f64::NAN, |cost| cost.value);
            let above = self.above_floor();
            return format!("{baseline} costs {} us of CPU per fetch{above}.", digits(cost));
        }
        if let Some(least) = &self.answer.least {
            let beside = match rivals.iter().find(|rival| rival.model == *least) {
                None => self.above_floor(),
                Some(rival) => format!(", {} less than {baseline}", distance(rival.ratio.value)),
            };
            let compared = compared.len();
            return format!(
                "{least} uses the least CPU per fetch of the {compared} models on the shared HTTP \
                 core{beside}."
            );
        }
        let cheaper = names(&self.answer.less);
        let has = |verdict: Verdict| rivals.iter().any(|rival| rival.verdict == verdict);
        let (differs, open) = (has(Verdict::Different), has(Verdict::Inconclusive));
        match cheaper.as_slice() {
            [] if !differs && !open => format!(
                "{} as much CPU per fetch as {baseline}, within {}.",
                subject(&rivals.iter().map(|rival| rival.model.as_str()).collect::<Vec<_>>()),
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
        let Answer { least, rivals, .. } = self.answer;
        let floor_name = format!("the floor ({})", self.floor);
        let all = rivals.iter().map(|rival| (rival.model.as_str(), rival));
        let mut items: Vec<(&str, &Rival)> =
            all.filter(|(name, _)| least.as_deref() != Some(name)).collect();
        let has_one_verdict = items.iter().all(|(_, it)| it.verdict == items[0].1.verdict);
        if has_one_verdict && items.first().is_some_and(|(_, it)| it.verdict != Verdict::Different)
        {
            // The first sentence has said so.
            items.clear();
        }
        if !rivals.is_empty() && least.as_deref() != Some(self.baseline) {
            items.extend(self.answer.floor.as_ref().map(|floor| (&*floor_name, floor)));
        }
        let lists = by_verdict(&items);
        (!lists.is_empty()).then(|| format!("Against {}: {lists}.", self.baseline))
    }

    /// Says what the largest difference is worth to a reader.
    fn size(&self) -> Option<String> {
        if let Some(found) = &self.answer.models {
            return Some(largest(found));
        }
        let missed = self.answer.missed.as_ref()?;
        Some(format!(
            "A difference of {}, which this run would show three times out of four, is {} us per \
             fetch. {}",
            distance(1.0 + missed.share),
            digits(missed.worth.us.value),
            share(&missed.worth)
        ))
    }

    /// Says what the library client of the baseline costs, or of another model if it has none, and
    /// whether that is more than any model differs from the baseline.
    fn client(&self) -> Option<String> {
        let own = self.answer.client.as_ref()?;
        let (client, under, cost) = (&own.client, &own.under, with_interval(&own.ratio));
        Some(match own.adds {
            Adds::Open => format!(
                "The HTTP client {client} is not shown to cost more than the bare one on {under}."
            ),
            Adds::Less => {
                format!("The HTTP client {client} costs less than the bare one on {under}: {cost}.")
            }
            Adds::More => {
                let cell = &self.answer.cell;
                let begin = match self.answer.clients_matter_more {
                    true => format!("The HTTP client matters more: in {cell}, {client}"),
                    false => format!("In {cell}, the HTTP client {client}"),
                };
                let us = digits(own.above_bare_us.value);
                format!("{begin} adds {us} us per fetch to {under}, {cost}.")
            }
        })
    }

    /// Says how far the baseline is above the floor, after its name.
    fn above_floor(&self) -> String {
        let Some(floor) = &self.answer.floor else { return String::new() };
        let ratio = floor.ratio.value;
        let needs = match floor.verdict {
            Verdict::Different if ratio < 1.0 => format!("needs {} less", distance(ratio)),
            Verdict::Different => format!("needs {} more", distance(ratio)),
            Verdict::Equivalent => "needs as much".to_owned(),
            Verdict::Inconclusive => "is not shown to need less".to_owned(),
        };
        format!("; the floor, a hand-written loop ({}), {needs}", self.floor)
    }
}

/// Says what the largest difference between models is worth.
pub(crate) fn largest(Consequence { less, more, worth }: &Consequence) -> String {
    let us = digits(worth.us.value);
    format!("{more} instead of {less} costs {us} us more per fetch. {}", share(worth))
}

/// Says what CPU time is worth in a reader's terms.
fn share(worth: &Worth) -> String {
    format!(
        "That is {} more if your code uses 1 ms of CPU per fetch, or {} of one CPU at 10,000 \
         fetches a second.",
        distance(1.0 + worth.beside_work),
        distance(1.0 + worth.of_cpu)
    )
}

/// Says in a line how models compare in each of the first cells that the answer is not about.
pub(crate) fn elsewhere(run: &Summary) -> Vec<String> {
    let (main, baseline) = (run.figures.main_cell(), &run.figures.baseline);
    let others = run.answers.iter().zip(&run.figures.cells).enumerate();
    let one = |(_, (answer, cell)): (usize, (&Answer, &CellFigures))| {
        let rivals: Vec<(&str, &Rival)> =
            answer.rivals.iter().map(|rival| (rival.model.as_str(), rival)).collect();
        let lists = by_verdict(&rivals);
        let kind = match expected(cell.cell.workload).includes_start {
            true => " (fresh processes, start included)",
            false => "",
        };
        (!lists.is_empty())
            .then(|| format!("In {}{kind}, against {baseline}: {lists}", answer.cell))
    };
    others.filter(|(place, _)| *place != main).filter_map(one).take(CELLS_MAX).collect()
}

/// Lists models by what may be said of them against the baseline.
fn by_verdict(items: &[(&str, &Rival)]) -> String {
    let of = |wanted: Verdict| items.iter().filter(move |(_, it)| it.verdict == wanted);
    let names = |wanted| of(wanted).map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let ratios =
        of(Verdict::Different).map(|(name, it)| format!("{name} {}", percent(it.ratio.value)));
    let lists = [
        ratios.collect::<Vec<_>>().join(", "),
        prefixed("the same: ", &names(Verdict::Equivalent)),
        prefixed("inconclusive: ", &names(Verdict::Inconclusive)),
    ];
    lists.into_iter().filter(|list| !list.is_empty()).collect::<Vec<_>>().join("; ")
}

/// Names the models of some groups.
fn names(groups: &[Together]) -> Vec<&str> {
    groups.iter().flat_map(|own| &own.models).map(String::as_str).collect()
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
