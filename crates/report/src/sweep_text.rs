//! Sweeps as text: a table a sweep, and a sentence a pair.

use analysis::crossing::{crossing, names};
use analysis::number::with_interval;
use analysis::sweep::{CommonPoint, SweepAbsent, SweepCost, SweepCosts, SweepFigures, SweepLevel};
use analysis::{Along, Estimate, Sure, Verdict};

use crate::form::Form;
use crate::table::{NOTHING, drawn};
use crate::words::{capital, in_line, listed};

/// What is told of each model at the levels of a sweep, in a table or a figure of its own.
pub(crate) struct SweepQuantity {
    /// What its figures are called before the number along which they are drawn.
    pub(crate) id: &'static str,
    /// What a heading calls it.
    pub(crate) name: &'static str,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// What the column of a file calls it, with the unit.
    pub(crate) field: &'static str,
    /// How it is read off a level, if the level has it.
    pub(crate) read: fn(&SweepCost) -> Option<Estimate>,
}

/// CPU time per fetch.
pub(crate) const CPU: SweepQuantity = SweepQuantity {
    id: "costs",
    name: "CPU time per fetch",
    unit: "us",
    field: "cpu_us",
    read: |cost| Some(cost.cpu_us),
};

/// How long a fetch was in flight: a model is cheap by letting replies wait.
const IN_FLIGHT: SweepQuantity = SweepQuantity {
    id: "in_flight",
    name: "mean time in flight",
    unit: "ms",
    field: "in_flight_ms",
    read: |cost| cost.in_flight_ms,
};

/// The most memory that the process held at once.
pub(crate) const MEMORY: SweepQuantity = SweepQuantity {
    id: "memory",
    name: "peak resident memory",
    unit: "MiB",
    field: "memory_peak_mib",
    read: |cost| cost.memory_mib,
};

/// How late a probe task wakes.
pub(crate) const WAKE_UP: SweepQuantity = SweepQuantity {
    id: "wake_ups",
    name: "median wake-up delay of a probe task",
    unit: "ms",
    field: "late_typical_ms",
    read: |cost| cost.wake_up_ms,
};

/// All of them, in the order of their tables.
const QUANTITIES: [SweepQuantity; 4] = [CPU, IN_FLIGHT, MEMORY, WAKE_UP];

/// Writes where models cross; nothing if the run has no sweep.
pub(crate) fn sweeps_parts(sweeps: &[SweepFigures], form: Form) -> Vec<String> {
    let mut parts = Vec::new();
    for sweep in sweeps.iter().filter(|sweep| !sweep.pairs.is_empty()) {
        let heading_of = |heading: &str| match (in_line(heading, form), form) {
            (heading, Form::Terminal) => heading,
            (heading, Form::Markdown) => format!("### {heading}\n"),
        };
        for quantity in QUANTITIES.iter().filter(|quantity| quantity.is_told(sweep)) {
            let table = costs(sweep, quantity, form);
            parts.extend([heading_of(&costs_heading(sweep, quantity)), table]);
        }
        parts.extend([heading_of(&heading(sweep)), table(sweep, form)]);
        parts.extend(sweep.pairs.iter().map(|pair| in_line(&crossing(sweep, pair), form)));
    }
    if !parts.is_empty() {
        parts.extend(common_point(sweeps).map(|line| in_line(&line, form)));
        parts.push(HOW_TO_READ.to_owned());
    }
    parts
}

/// What the columns are, and what a crossover is.
pub(crate) const HOW_TO_READ: &str = "\
    less, more: different at that level, with intervals and p-values that hold for all levels of \
    the column at once (Bonferroni); = equivalent, ? inconclusive; the crossover is the smallest \
    level of the table from which the ratio truly is below 1 to the end of it";

/// Writes what a sweep is.
pub(crate) fn heading(sweep: &SweepFigures) -> String {
    let (along, unit) = names(sweep.along);
    let ends = match sweep.levels.as_slice() {
        [first, .., last] => format!("{first} to {last}{unit}"),
        [only] => format!("{only}{unit}"),
        [] => NOTHING.to_owned(),
    };
    format!(
        "crossover along {along}: {ends}, {}; CPU time per fetch in times {}{}{}",
        sweep.fixed,
        sweep.other,
        absent(sweep),
        beyond_ceiling(sweep)
    )
}

/// Says which models some levels leave out, and which levels these are.
fn absent(sweep: &SweepFigures) -> String {
    let of = |absent: &SweepAbsent| {
        let levels: Vec<String> = absent.levels.iter().map(u64::to_string).collect();
        format!("{} at {}", absent.model, listed(&levels))
    };
    let all: Vec<String> = sweep.absent.iter().map(of).collect();
    if all.is_empty() { String::new() } else { format!("; absent: {}", all.join(", ")) }
}

/// Says what a fetch costs the baseline where the figures of these sweeps, which one kind of origin
/// serves, meet those of the other, if they do.
pub(crate) fn common_point(sweeps: &[SweepFigures]) -> Option<String> {
    let point = sweeps.iter().find_map(|sweep| sweep.common.as_ref())?;
    let CommonPoint { serves, numbers, model, costs } = point;
    let cost = |(origin, cell, cpu_us): &(&str, String, Estimate)| {
        format!("{} us in {cell} ({origin})", with_interval(cpu_us))
    };
    let [one, other] = costs.each_ref().map(cost);
    Some(format!(
        "these levels are served by the origin {serves}; the point that both kinds of origin have \
         in common, {numbers}: a fetch costs {model} {one} and {other}; check G24 compares all \
         models there"
    ))
}

/// What marks a level at which the origin is what is measured.
const BEYOND_CEILING: &str = "o: more than half of what the origin can serve";

impl SweepQuantity {
    /// Returns whether a sweep has it of any model.
    pub(crate) fn is_told(&self, sweep: &SweepFigures) -> bool {
        let mut costs = sweep.costs.iter().flat_map(|costs| &costs.levels);
        costs.any(|cost| (self.read)(cost).is_some())
    }
}

/// Writes a quantity of each model along a sweep: a row a level, a column a model.
fn costs(sweep: &SweepFigures, quantity: &SweepQuantity, form: Form) -> String {
    let models = sweep.costs.iter().map(|costs| costs.model.as_str());
    let header: Vec<&str> = ["in flight"].into_iter().chain(models).collect();
    let row = |level: &u64| {
        let cost = |costs: &SweepCosts| {
            let cost = costs.levels.iter().find(|cost| cost.level == *level);
            let text = cost.and_then(|cost| {
                Some(marked(with_interval(&(quantity.read)(cost)?), cost.is_beyond_ceiling))
            });
            text.unwrap_or_else(|| NOTHING.to_owned())
        };
        [level.to_string()].into_iter().chain(sweep.costs.iter().map(cost)).collect()
    };
    let rows: Vec<Vec<String>> = sweep.levels.iter().map(row).collect();
    drawn(&header, &rows, form)
}

/// Marks what was found at a level that asks for more than the origin can serve.
fn marked(text: String, is_beyond_ceiling: bool) -> String {
    if is_beyond_ceiling { text + " o" } else { text }
}

/// Says what such a mark means, if a sweep has one.
fn beyond_ceiling(sweep: &SweepFigures) -> String {
    let is_beyond = |costs: &SweepCosts| costs.levels.iter().any(|cost| cost.is_beyond_ceiling);
    match sweep.costs.iter().any(is_beyond) {
        true => format!("; {BEYOND_CEILING}"),
        false => String::new(),
    }
}

/// Writes what the table of a quantity is.
pub(crate) fn costs_heading(sweep: &SweepFigures, quantity: &SweepQuantity) -> String {
    let ((along, _), beyond) = (names(sweep.along), beyond_ceiling(sweep));
    let name = capital(quantity.name);
    format!("{name} in {} along {along}, {}{beyond}", quantity.unit, sweep.fixed)
}

/// Writes what was found at a level.
pub(crate) fn reported(level: &SweepLevel) -> String {
    let Some(pair) = &level.pair else { return NOTHING.to_owned() };
    marked(format!("{} {}", with_interval(&pair.ratio), sign(level)), level.is_beyond_ceiling)
}

/// Writes what may be said at a level in a word or a sign.
pub(crate) fn sign(level: &SweepLevel) -> &'static str {
    let is_equivalent = level.pair.as_ref().is_some_and(|pair| pair.verdict == Verdict::Equivalent);
    match level.sure {
        Sure::Less => "less",
        Sure::More => "more",
        Sure::Neither if is_equivalent => "=",
        Sure::Neither => "?",
    }
}

/// Writes the table of a sweep: a row a level, a column a model.
fn table(sweep: &SweepFigures, form: Form) -> String {
    let first = match sweep.along {
        Along::InFlight | Along::InFlightAtRate => "in flight",
        Along::DelayMs => "delay ms",
    };
    let models: Vec<String> = sweep.pairs.iter().map(|pair| pair.model.clone()).collect();
    let header: Vec<&str> = [first].into_iter().chain(models.iter().map(String::as_str)).collect();
    let row = |(place, level): (usize, &u64)| {
        let reported = sweep.pairs.iter().map(|pair| reported(&pair.levels[place]));
        [level.to_string()].into_iter().chain(reported).collect()
    };
    let rows: Vec<Vec<String>> = sweep.levels.iter().enumerate().map(row).collect();
    drawn(&header, &rows, form)
}
