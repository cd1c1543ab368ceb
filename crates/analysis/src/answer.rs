//! The answer of a cell: which model uses the least CPU per fetch, how the others compare with the
//! baseline, what that is worth, and what of the HTTP client.
//!
//! Whoever words it decides nothing: who may be named first, and which models may stand in an
//! order, follows from the verdicts and is settled here, once for every reader.

use record::Model;
use stats::Estimate;
use stats::verdict::Verdict;

use crate::cell_figures::{CellFigures, RowFigures};
use crate::consequence::{Consequence, Worth, clients_matter_more, of_clients, of_models};
use crate::figures::Figures;
use crate::order::costs_less;
use crate::overhead::{Added, Client, OnTop, added, on_top};

/// What a cell answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The name of the cell.
    pub cell: String,
    /// Why nothing is compared, if nothing is.
    pub nothing: Option<Nothing>,
    /// Whether the blocks are enough for an interval of any pair, or there is no pair.
    pub has_intervals: bool,
    /// What the baseline costs, in microseconds of CPU time per fetch.
    pub baseline_us: Option<Estimate>,
    /// The models that are compared: those with the same HTTP code, the baseline among them and the
    /// floor not, by their cost.
    pub compared: Vec<String>,
    /// The model that certainly costs less than every other. One with a fetch that failed is never
    /// it.
    pub least: Option<String>,
    /// The models that no other certainly undercuts, by their cost.
    pub first: Vec<String>,
    /// Whether these are several, and each equivalent to each.
    pub is_first_equal: bool,
    /// The compared models beside the baseline, by their cost.
    pub rivals: Vec<Rival>,
    /// Those that certainly cost less than the baseline.
    pub less: Vec<Together>,
    /// Those that certainly cost more.
    pub more: Vec<Together>,
    /// The floor, if it was compared.
    pub floor: Option<Rival>,
    /// What the largest certain difference between compared models is worth.
    pub models: Option<Consequence>,
    /// What the largest certain difference that a library client makes is worth.
    pub clients: Option<Consequence>,
    /// What the smallest difference is worth that the cell would show.
    pub missed: Option<Missed>,
    /// What the library client of the baseline adds, or of the first model with one.
    pub client: Option<OnTop>,
    /// What each library client adds, by its name.
    pub added: Vec<Added>,
    /// The client that adds the least on a model, and the one that adds the most.
    pub added_ends: Option<[Client; 2]>,
    /// Whether every client adds more than any choice of a model does.
    pub clients_matter_more: bool,
}

/// Why nothing is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// No block was measured to its end.
    NoBlock,
    /// No model has a valid turn.
    NoModel,
    /// The baseline has none.
    NoBaseline,
}

/// A model against the baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Rival {
    /// The model.
    pub model: String,
    /// Its cost in times the baseline's, with the simultaneous interval of the family.
    pub ratio: Estimate,
    /// What may be said of that.
    pub verdict: Verdict,
}

/// Models whose distances from the baseline are said together, since nothing is known of their
/// order: their intervals overlap.
#[derive(Clone, Debug, PartialEq)]
pub struct Together {
    /// The models.
    pub models: Vec<String>,
    /// The least of their ratios to the baseline.
    pub least: f64,
    /// The greatest.
    pub most: f64,
}

/// The smallest difference that a cell would show three times out of four.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Missed {
    /// As a share of what the baseline costs.
    pub share: f64,
    /// What it is worth.
    pub worth: Worth,
}

impl Answer {
    /// Computes the answer of a cell.
    pub(crate) fn of(models: &[Model], figures: &Figures, cell: &CellFigures) -> Self {
        let model = |name: &str| models.iter().find(|model| model.name == name);
        let is_bare = |name: &str| model(name).is_some_and(Model::is_bare);
        let (baseline, floor) = (figures.baseline.as_str(), figures.floor.as_str());
        let rivals = rivals(is_bare, figures, cell);
        let compared = compared(&rivals, cell, baseline);
        let order = Order { cell, baseline, compared: &compared };
        let is_without = cell.pairs.iter().all(|pair| pair.ratio.interval.is_none());
        let groups = |side: fn(f64) -> bool| {
            let different = rivals.iter().filter(|rival| rival.verdict == Verdict::Different);
            order.together(different.filter(|rival| side(rival.ratio.value)))
        };
        Self {
            cell: cell.cell.name.clone(),
            nothing: nothing(cell, baseline),
            has_intervals: cell.pairs.is_empty() || !is_without,
            baseline_us: cell.measured(baseline).map(|own| own.cpu_us),
            least: order.least().map(str::to_owned),
            first: order.first().into_iter().map(str::to_owned).collect(),
            is_first_equal: order.is_first_equal(),
            less: groups(|ratio| ratio <= 1.0),
            more: groups(|ratio| ratio > 1.0),
            floor: cell.measured(floor).and_then(|own| Rival::of(floor, own)),
            models: of_models(&compared, baseline, cell),
            clients: of_clients(model, cell),
            missed: missed(cell, baseline),
            client: on_top(model, cell, baseline),
            added: added(model, cell),
            added_ends: Client::ends(model, cell),
            clients_matter_more: clients_matter_more(&compared, cell),
            rivals,
            compared,
        }
    }
}

impl Rival {
    /// Returns what is said of a model, if it was compared.
    fn of(model: &str, own: &RowFigures) -> Option<Self> {
        let (ratio, verdict) = own.ratio.zip(own.verdict)?;
        Some(Self { model: model.to_owned(), ratio, verdict })
    }
}

/// Returns why nothing is compared.
fn nothing(cell: &CellFigures, baseline: &str) -> Option<Nothing> {
    match () {
        () if cell.blocks == 0 => Some(Nothing::NoBlock),
        () if cell.rows.iter().all(|row| row.figures.is_none()) => Some(Nothing::NoModel),
        () if cell.measured(baseline).is_none() => Some(Nothing::NoBaseline),
        () => None,
    }
}

/// Returns the models with the same HTTP code that were compared against the baseline at its rate,
/// the floor aside, by their ratios.
fn rivals(is_bare: impl Fn(&str) -> bool, figures: &Figures, cell: &CellFigures) -> Vec<Rival> {
    let aside = [&figures.baseline, &figures.floor];
    let rows = cell.rows.iter().filter(|row| !aside.contains(&&row.model) && is_bare(&row.model));
    let rival = |row: &crate::cell_figures::Row| {
        let own = row.figures.as_ref().filter(|own| !own.unequal_rate)?;
        Rival::of(&row.model, own)
    };
    let mut rivals: Vec<Rival> = rows.filter_map(rival).collect();
    rivals.sort_by(|a, b| a.ratio.value.total_cmp(&b.ratio.value));
    rivals
}

/// Returns the names of rivals, and the baseline's where it stands among them.
fn compared(rivals: &[Rival], cell: &CellFigures, baseline: &str) -> Vec<String> {
    let mut names: Vec<String> = rivals.iter().map(|rival| rival.model.clone()).collect();
    if cell.measured(baseline).is_some() {
        let place = rivals.partition_point(|rival| rival.ratio.value < 1.0);
        names.insert(place, baseline.to_owned());
    }
    names
}

/// Returns what the smallest difference is worth that the cell would show.
fn missed(cell: &CellFigures, baseline: &str) -> Option<Missed> {
    let share = cell.noise.as_ref()?.can_show?;
    let cost = cell.measured(baseline)?.cpu_us.value;
    let us = Estimate { value: cost * share, interval: None };
    Some(Missed { share, worth: Worth::of(us, cost) })
}

/// What verdicts say of the order of models.
struct Order<'a> {
    cell: &'a CellFigures,
    baseline: &'a str,
    compared: &'a [String],
}

impl<'a> Order<'a> {
    /// Returns whether a model certainly costs less than another.
    fn beats(&self, model: &str, other: &str) -> bool {
        costs_less(self.cell, self.baseline, model, other)
    }

    /// Returns the model that certainly costs less than every other, if its fetches are whole.
    fn least(&self) -> Option<&'a str> {
        let is_least = |name: &&String| {
            self.compared.iter().all(|other| other == *name || self.beats(name, other))
        };
        let is_whole = |name: &&String| {
            let row = self.cell.rows.iter().find(|row| row.model == **name);
            row.is_some_and(|row| row.errors.is_empty())
        };
        let several = self.compared.iter().filter(|_| self.compared.len() > 1);
        several.filter(is_whole).find(is_least).map(String::as_str)
    }

    /// Returns the models that no other certainly undercuts.
    fn first(&self) -> Vec<&'a str> {
        let is_first = |name: &&String| !self.compared.iter().any(|other| self.beats(other, name));
        self.compared.iter().filter(is_first).map(String::as_str).collect()
    }

    /// Returns whether several models come first, and each is equivalent to each.
    fn is_first_equal(&self) -> bool {
        let first = self.first();
        let is_equal = |a: &str, b: &str| {
            self.cell.between(a, b).is_some_and(|(verdict, _)| verdict == Verdict::Equivalent)
        };
        let each = |(place, a): (usize, &&str)| first[place + 1..].iter().all(|b| is_equal(a, b));
        first.len() > 1 && first.iter().enumerate().all(each)
    }

    /// Puts rivals together whose intervals overlap, unless a verdict separates them.
    fn together<'b>(&self, rivals: impl Iterator<Item = &'b Rival>) -> Vec<Together> {
        let mut groups: Vec<(Together, f64)> = Vec::new();
        for Rival { model, ratio, .. } in rivals {
            let (low, high) =
                ratio.interval.map_or((0.0, f64::INFINITY), |own| (own.low, own.high));
            let is_apart = |own: &Together| own.models.iter().any(|other| self.beats(other, model));
            match groups.last_mut() {
                Some((own, end)) if low <= *end && !is_apart(own) => {
                    own.models.push(model.clone());
                    own.most = ratio.value;
                }
                _ => {
                    let models = vec![model.clone()];
                    groups.push((Together { models, least: ratio.value, most: ratio.value }, high));
                }
            }
        }
        groups.into_iter().map(|(own, _)| own).collect()
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
