//! The answer in sentences: which model, does it matter, and what of the HTTP client.
//!
//! A sentence compares two models only by the verdict on that pair, and a client with models only
//! where their intervals lie apart.

use analysis::answer::{Answer, Nothing};
use analysis::consequence::Worth;
use analysis::family::MARGIN;
use analysis::number::{count, digits};
use analysis::overhead::Adds;
use analysis::{Rival, Summary, Together, Verdict};

use crate::percent::{distance, percent, with_interval};

/// What a cell says about the baseline and the other bare models.
struct Said<'a> {
    answer: &'a Answer,
    baseline: &'a str,
    /// What the floor is called.
    floor_name: String,
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
    let floor_name = format!("a hand-written loop ({})", figures.floor);
    let said = Said { answer, baseline, floor_name, blocks };
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
                "{least} uses the least CPU per fetch of the {compared} models compared{beside}."
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
            items.extend(self.answer.floor.as_ref().map(|floor| (&*self.floor_name, floor)));
        }
        let of = |wanted: Verdict| items.iter().filter(move |(_, it)| it.verdict == wanted);
        let names = |wanted| of(wanted).map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let ratios =
            of(Verdict::Different).map(|(name, it)| format!("{name} {}", percent(it.ratio.value)));
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
        let (what, worth) = match (&self.answer.models, &self.answer.missed) {
            (Some(found), _) => {
                let us = digits(found.worth.us.value);
                let what = format!("{} instead of {} costs {us} us", found.more, found.less);
                (format!("{what} more per fetch"), &found.worth)
            }
            (None, Some(missed)) => {
                let found = "which this run would show three times out of four";
                let what = format!("A difference of {}, {found},", distance(1.0 + missed.share));
                let what = format!("{what} is {} us per fetch", digits(missed.worth.us.value));
                (what, &missed.worth)
            }
            (None, None) => return None,
        };
        let Worth { of_cpu, beside_work, .. } = worth;
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
        let own = self.answer.client.as_ref()?;
        let (client, under, cost) = (&own.client, &own.under, with_interval(&own.ratio));
        Some(match own.adds {
            Adds::Open => format!(
                "The HTTP client {client} is not shown to cost more than the bare one on {under}."
            ),
            Adds::Less => {
                format!("The HTTP client {client} costs less than the bare one on {under}: {cost}.")
            }
            Adds::More if self.answer.clients_matter_more => {
                format!("The HTTP client matters more: {client} costs {cost} on top of {under}.")
            }
            Adds::More => format!("The HTTP client {client} costs {cost} on top of {under}."),
        })
    }

    /// Says how far the baseline is above the floor, after its name.
    fn above_floor(&self) -> String {
        let Some(floor) = &self.answer.floor else { return String::new() };
        let (name, ratio) = (&self.floor_name, floor.ratio.value);
        match floor.verdict {
            Verdict::Different => {
                let way = if ratio < 1.0 { "less" } else { "more" };
                format!("; {name} needs {} {way}", distance(ratio))
            }
            Verdict::Equivalent => format!("; {name} needs as much"),
            Verdict::Inconclusive => format!("; {name} is not shown to need less"),
        }
    }
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
