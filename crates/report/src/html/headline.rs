//! The first screen: which model, whether it matters, and how far to trust it.

use analysis::Verdict;
use analysis::cell_figures::{CellFigures, Footprint};
use analysis::consequence::{clients_matter_more, of_clients, of_models};
use analysis::family::MARGIN;
use analysis::figures::Figures;
use analysis::number::count;
use analysis::order::costs_less;
use analysis::{Model, Summary};
use maud::{Markup, html};

use crate::citation::machine;
use crate::figure::percent::{apart, span};
use crate::figure::title::listed;
use crate::html::Page;

/// Names that a title holds; the rest are counted.
const NAMES_MAX: usize = 6;
/// The sign with a space that no line ends at.
const PERCENT: &str = "\u{a0}%";

impl Page<'_> {
    /// Says what was compared.
    pub(crate) fn compared(&self) -> String {
        let Some(cell) = self.main() else {
            return "What models are made of, measured piece by piece".to_owned();
        };
        let names: Vec<&str> =
            rivals(self.run, cell).into_iter().map(|rival| rival.model).collect();
        let names = match names.len() {
            0 => "no model".to_owned(),
            many if many > NAMES_MAX => {
                let first = names[..NAMES_MAX - 1].join(", ");
                format!("{first} and {} more", many - NAMES_MAX + 1)
            }
            _ => listed(&names),
        };
        format!("CPU per fetch: {names}, {} in flight", cell.cell.in_flight)
    }

    /// Writes the first screen; `rest` is where the sections that it points to are, on another page
    /// if it is not empty.
    pub(crate) fn first_screen(&self, rest: &str) -> Markup {
        let Some(cell) = self.main() else {
            let primitives = format!("{rest}#primitives");
            return html! {
                div.lead { p { "This run measured no fetches: " a href=(primitives) {
                    "what models are made of" } " is what it shows." } }
            };
        };
        let place = self.main_cell();
        let [trust, cite] = ["trust", "cite"].map(|section| format!("{rest}#{section}"));
        html! {
            div.lead {
                p.which { (which(self.run, cell)) }
                @if let Some(reported) = self.matters(cell) { p { (reported) } }
                p.trust-line {
                    (self.trust_line(cell)) " " a href=(trust) { "Why?" } " "
                    a href=(cite) { "Run it" } " " a href=(cite) { "Cite it" }
                }
                @if let Some(warning) = self.warning() { p.warning { (warning) } }
            }
            @if let Some(charts) = self.charts.cells.get(place) {
                (self.first_figure(&charts.ratio, Some(place)))
            }
        }
    }

    /// Says whether the choice matters.
    fn matters(&self, cell: &CellFigures) -> Option<String> {
        let model = |name: &str| self.run.model(name);
        let is_bare = |name: &str| model(name).is_some_and(Model::is_bare);
        let apart = of_models(is_bare, self.figures, cell).map(|found| {
            format!(
                "{} instead of {} costs {:.1}{PERCENT} of a CPU at 10,000 fetches a second; where \
                 each fetch does 1 ms of work, the total rises by {:.1}{PERCENT}.",
                found.more,
                found.less,
                100.0 * found.of_cpu(),
                100.0 * found.beside_work()
            )
        });
        let clients = of_clients(model, cell).and_then(|_| {
            let more = match clients_matter_more(is_bare, self.figures, cell) {
                true => " matters more: it",
                false => "",
            };
            Some(format!("The HTTP client{more} adds {} to its model.", self.clients(cell)?))
        });
        let reported: Vec<String> = apart.into_iter().chain(clients).collect();
        (!reported.is_empty()).then(|| reported.join(" "))
    }

    /// Says what library clients add, from the one that adds the least to the one that adds the
    /// most.
    fn clients(&self, cell: &CellFigures) -> Option<String> {
        let order = |a: &&Footprint, b: &&Footprint| a.ratio.value.total_cmp(&b.ratio.value);
        let least = cell.footprints.iter().min_by(order)?;
        let most = cell.footprints.iter().max_by(order)?;
        let client = |own: &Footprint| Some(&self.run.model(&own.model)?.client);
        let one =
            |own: &Footprint| Some(format!("{} ({})", span(&[own.ratio.value]), client(own)?));
        match client(least) == client(most) {
            true => Some(format!(
                "{} ({})",
                span(&[least.ratio.value, most.ratio.value]),
                client(least)?
            )),
            false => Some(format!("{} to {}", one(least)?, one(most)?)),
        }
    }

    /// Says in a line how far to trust the figures.
    fn trust_line(&self, cell: &CellFigures) -> String {
        let run = self.run;
        let (rounds, repeated) = (cell.rounds, cell.repeated);
        let kind = match run.is_estimate {
            true => format!("{} estimate", capital(&run.preset)),
            false => format!("{} run", capital(&run.preset)),
        };
        let can_show = cell.noise.as_ref().and_then(|noise| noise.can_show);
        let missed = can_show.map_or_else(String::new, |share| {
            format!(", differences below {:.1} % may be missed", 100.0 * share.max(MARGIN))
        });
        let marks = match self.trust.badges.len() {
            0 => "no warning".to_owned(),
            badges => count(badges, "warning"),
        };
        format!(
            "{kind} on {}: {}, {repeated} disturbed and repeated{missed}, {marks}.",
            machine(run),
            count(rounds, "round")
        )
    }
}

/// A model that is compared with the baseline on the same HTTP code.
struct Rival<'a> {
    model: &'a str,
    /// What it costs in times the baseline, from where to where, and what may be said of that;
    /// nothing of the baseline itself.
    against: Option<(f64, [f64; 2], Verdict)>,
}

/// Returns the measured models on the same HTTP code, the baseline among them and the floor not,
/// the least ratio first.
fn rivals<'a>(run: &'a Summary, cell: &'a CellFigures) -> Vec<Rival<'a>> {
    let figures = &run.figures;
    let is_bare = |name: &str| run.model(name).is_some_and(Model::is_bare);
    let rows = cell.rows.iter().filter(|row| row.model != figures.floor && is_bare(&row.model));
    let rival = |row: &'a analysis::cell_figures::Row| {
        let own = row.figures.as_ref()?;
        let model = row.model.as_str();
        if model == figures.baseline {
            return Some(Rival { model, against: None });
        }
        let ratio = own.ratio.filter(|_| !own.unequal_rate)?;
        let ends = ratio.interval.map_or([0.0, f64::INFINITY], |ends| [ends.low, ends.high]);
        let verdict = own.verdict.unwrap_or(Verdict::Inconclusive);
        Some(Rival { model, against: Some((ratio.value, ends, verdict)) })
    };
    let mut rivals: Vec<Rival<'_>> = rows.filter_map(rival).collect();
    rivals.sort_by(|a, b| value(a).total_cmp(&value(b)));
    rivals
}

/// Returns what a rival costs in times the baseline.
fn value(rival: &Rival<'_>) -> f64 {
    rival.against.map_or(1.0, |(ratio, ..)| ratio)
}

/// Says which model costs the least, as far as the verdicts say so, and how the others compare with
/// the baseline.
fn which(run: &Summary, cell: &CellFigures) -> String {
    let figures = &run.figures;
    let baseline = figures.baseline.as_str();
    let rivals = rivals(run, cell);
    if !rivals.iter().any(|rival| rival.model == baseline) {
        return format!("The baseline {baseline} has no valid turn, so nothing is compared.");
    }
    let beats = |a: &Rival<'_>, b: &Rival<'_>| costs_less(cell, baseline, a.model, b.model);
    let least = rivals
        .iter()
        .find(|rival| rivals.iter().all(|other| other.model == rival.model || beats(rival, other)));
    let first: Vec<&Rival<'_>> = match least {
        Some(least) => vec![least],
        None => rivals.iter().filter(|r| !rivals.iter().any(|other| beats(other, r))).collect(),
    };
    let names: Vec<&str> = first.iter().map(|rival| rival.model).collect();
    let begin = match least {
        _ if rivals.len() == 1 => format!("{baseline} alone was measured on the shared HTTP code"),
        Some(least) => format!(
            "{} uses the least CPU of {}{}",
            least.model,
            count(rivals.len(), "model"),
            above_floor(figures, cell, least.model)
        ),
        None if equal(cell, &names) => {
            format!("{} use the least CPU, equal within 2 %", listed(&names))
        }
        None => format!("{} cannot be distinguished for the least CPU", listed(&names)),
    };
    // Of the one that costs the least everything else is said anyway.
    let than = match least {
        Some(least) if least.model == baseline => String::new(),
        _ => format!(" than {baseline}"),
    };
    let reported = groups(cell, &rivals, (baseline, &than));
    match reported.is_empty() {
        true => format!("{begin}."),
        false => format!("{begin}; {}.", reported.join("; ")),
    }
}

/// Says how far a model is above the floor, if that is certain and the model is the baseline, with
/// which the floor was compared.
fn above_floor(figures: &Figures, cell: &CellFigures, model: &str) -> String {
    let floor = cell.rows.iter().find(|row| row.model == figures.floor);
    let floor = floor.and_then(|row| row.figures.as_ref());
    let is_judged = model == figures.baseline;
    match floor.and_then(|own| Some((own.ratio?, own.verdict?))).filter(|_| is_judged) {
        Some((ratio, Verdict::Different)) if ratio.value < 1.0 => {
            format!(" (a hand-written loop needs {} less)", apart(ratio.value))
        }
        _ => String::new(),
    }
}

/// Returns whether all of some models are equivalent to each other.
fn equal(cell: &CellFigures, names: &[&str]) -> bool {
    let judged = |a: &str, b: &str| {
        let is = |pair: &&analysis::family::Pair| {
            (pair.model == a && pair.other == b) || (pair.model == b && pair.other == a)
        };
        cell.pairs.iter().find(is).is_some_and(|pair| pair.verdict == Verdict::Equivalent)
    };
    let pairs = names
        .iter()
        .enumerate()
        .flat_map(|(place, a)| names[place + 1..].iter().map(move |b| (a, b)));
    names.len() > 1 && pairs.into_iter().all(|(a, b)| judged(a, b))
}

/// Says how the others compare with the baseline.
fn groups(cell: &CellFigures, rivals: &[Rival<'_>], (baseline, than): (&str, &str)) -> Vec<String> {
    let of = |wanted| {
        let judged =
            rivals.iter().filter(move |r| r.against.is_some_and(|(.., own)| own == wanted));
        judged.collect::<Vec<_>>()
    };
    let names = |verdict| of(verdict).iter().map(|rival| rival.model).collect::<Vec<_>>();
    let (more, less): (Vec<&Rival<'_>>, Vec<&Rival<'_>>) =
        of(Verdict::Different).into_iter().partition(|rival| value(rival) > 1.0);
    let mut reported: Vec<String> = [("less", less), ("more", more)]
        .into_iter()
        .filter(|(_, rivals)| !rivals.is_empty())
        .map(|(word, rivals)| apart_from(cell, &rivals, (baseline, &format!("{word}{than}"))))
        .collect();
    let (equal, open) = (names(Verdict::Equivalent), names(Verdict::Inconclusive));
    if !equal.is_empty() {
        reported.push(format!("{} as much as {baseline}", listed(&equal)));
    }
    if !open.is_empty() {
        reported.push(format!("{} cannot be distinguished from {baseline} here", listed(&open)));
    }
    reported
}

/// Says how far rivals are from the baseline: those whose intervals overlap together, since nothing
/// is said of their order.
fn apart_from(cell: &CellFigures, rivals: &[&Rival<'_>], (baseline, word): (&str, &str)) -> String {
    let mut together: Vec<(Vec<&str>, Vec<f64>, f64)> = Vec::new();
    for (model, (ratio, [low, high], _)) in
        rivals.iter().filter_map(|rival| Some((rival.model, rival.against?)))
    {
        let is_apart =
            |names: &[&str]| names.iter().any(|other| costs_less(cell, baseline, other, model));
        match together.last_mut() {
            Some((names, ratios, end)) if low <= *end && !is_apart(names) => {
                names.push(model);
                ratios.push(ratio);
            }
            _ => together.push((vec![model], vec![ratio], high)),
        }
    }
    let reported = (0..).zip(&together).map(|(place, (names, ratios, _))| {
        // The first says what the others leave out.
        let (need, word) = match (place, names.len()) {
            (0, 1) => (" needs", format!(" {word}")),
            (0, _) => (" need", format!(" {word}")),
            _ => ("", String::new()),
        };
        format!("{}{need} {}{word}", listed(names), span(ratios))
    });
    reported.collect::<Vec<String>>().join(", ")
}

/// Returns a word with a capital.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
