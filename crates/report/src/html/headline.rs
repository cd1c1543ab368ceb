//! The first screen: which model, whether it matters, and how far to trust it.

use analysis::cell_figures::{CellFigures, RowState};
use analysis::number::{count, range as delays};
use analysis::overhead::Client;
use analysis::{Answer, Nothing, Summary, Together, Verdict};
use maud::{Markup, html};
use workload::plain_line;

use crate::answer::cell::repeated;
use crate::answer::headline::{elsewhere, largest};
use crate::citation::machine;
use crate::figure::percent::{apart, range, span};
use crate::html::answer::NO_REASON;
use crate::html::run_page::Page;
use crate::summary::reasons;
use crate::words::{capital, listed};

/// Names that a title holds; the rest are counted.
const NAMES_MAX: usize = 6;
/// Rows without figures that the line of trust names; the rest are counted.
const LOST_MAX: usize = 3;
/// Letters of what it says of each.
const REASON_LETTERS_MAX: usize = 60;
/// The sign with a space that no line ends at.
const PERCENT: &str = "\u{a0}%";

impl Page<'_> {
    /// Says what was compared.
    pub(crate) fn compared(&self) -> String {
        let Some(cell) = self.main() else {
            return match self.figures.holds {
                Some(_) => "Memory of fetches in flight",
                None => "Primitives, measured one by one",
            }
            .to_owned();
        };
        let names = self.run.answer().map_or(&[][..], |answer| &answer.compared);
        let names = match names.len() {
            0 => "no model".to_owned(),
            many if many > NAMES_MAX => {
                let first = names[..NAMES_MAX - 1].join(", ");
                format!("{first} and {} more", many - NAMES_MAX + 1)
            }
            _ => listed(names),
        };
        let delay = delays(cell.cell.delay_ms);
        let load = match cell.cell.is_open() {
            true => format!("{} arrive a second", cell.cell.rate_per_s),
            false => format!("{} in flight", cell.cell.in_flight),
        };
        format!("CPU per fetch: {names}, {load}, delay {delay}")
    }

    /// Writes the first screen; `rest` is where the sections that it points to are, on another page
    /// if it is not empty.
    pub(crate) fn first_screen(&self, rest: &str) -> Markup {
        let Some(cell) = self.main() else {
            let (section, what) = match self.figures.holds {
                Some(_) => ("hold", "what fetches in flight take"),
                None => ("primitives", "primitives"),
            };
            let place = format!("{rest}#{section}");
            return html! {
                div.lead { p { "This run measured no cost of a fetch, but " a href=(place) {
                    (what) } "." } }
            };
        };
        let place = self.main_cell();
        let [trust, cite] = ["trust", "cite"].map(|section| format!("{rest}#{section}"));
        html! {
            div.lead {
                @if let Some(answer) = self.run.answer() {
                    p.which { (which(answer, &self.figures.baseline)) }
                    @if let Some(reported) = matters(self.run, answer) { p { (reported) } }
                }
                p.trust-line {
                    (self.trust_line(cell)) " " a href=(trust) { "Why?" } " "
                    a href=(cite) { "Run it" } " " a href=(cite) { "Cite it" }
                }
                @if let Some(warning) = self.warning() { p.warning { (warning) } }
            }
            @if let Some(charts) = self.charts.cells.get(place) {
                (self.first_figure(&charts.ratio, Some(place)))
            }
            @if let Some(beside) = self.beside(cell) { p.aside.wide { (beside) } }
        }
    }

    /// Says which models the first chart leaves out, and how they compare in the other cells.
    fn beside(&self, cell: &CellFigures) -> Option<String> {
        let absent = cell.rows.iter().filter(|row| row.state == RowState::NotApplicable).cloned();
        let lines = [reasons(&absent.collect::<Vec<_>>()), elsewhere(self.run)].concat();
        (!lines.is_empty()).then(|| lines.join(". ").replace(" %", PERCENT) + ".")
    }

    /// Says in a line what was measured, and how far to trust it.
    fn trust_line(&self, cell: &CellFigures) -> String {
        let run = self.run;
        let (rounds, repeated) = (cell.rounds, repeated(cell));
        let kind = match run.is_estimate {
            true => format!("{} estimate", capital(&run.preset)),
            false => format!("{} run", capital(&run.preset)),
        };
        let below = cell.noise.as_ref().and_then(|noise| noise.missed_below);
        let missed = below.map_or_else(String::new, |share| {
            format!(", differences below {:.1} % may be missed", 100.0 * share)
        });
        let marks = match self.trust.warnings(Some(&cell.cell.name)).len() {
            0 => "no warning".to_owned(),
            warnings => count(warnings, "warning"),
        };
        format!(
            "Loopback, {}. {kind} on {}: {}{repeated}{missed}, {marks}, {}.",
            count(run.placement.of_models(&cell.cell).0 as usize, "worker"),
            machine(run),
            count(rounds, "round"),
            self.lost_rows()
        )
    }

    /// Says which rows have no figures and why, each in a few words; or that none is so.
    fn lost_rows(&self) -> String {
        let lost = self.lost();
        let named = lost.iter().take(LOST_MAX).map(|(cell, row)| {
            let why = row.reason.as_deref().unwrap_or(NO_REASON);
            // How many turns it was stands where the reason is given whole.
            let why = why.rsplit_once(" (").map_or(why, |(why, _)| why);
            format!("{} in {cell} ({})", row.model, plain_line(why, REASON_LETTERS_MAX))
        });
        match lost.len() {
            0 => "no row is invalid".to_owned(),
            all if all > LOST_MAX => {
                let named = named.collect::<Vec<_>>().join(", ");
                format!("no numbers of {named} and {} more rows", all - LOST_MAX)
            }
            _ => format!("no numbers of {}", listed(&named.collect::<Vec<_>>())),
        }
    }
}

/// Says whether the choice matters.
fn matters(run: &Summary, answer: &Answer) -> Option<String> {
    let apart = answer.models.as_ref().map(largest);
    let apart = apart.map(|text| text.replace(" us ", " µs ").replace(" %", PERCENT));
    let ends = answer.added_ends.as_ref().filter(|_| answer.clients.is_some());
    let clients = ends.map(|ends| {
        let cell = &answer.cell;
        let begin = match answer.clients_matter_more {
            true => "Library clients cost more",
            false => "Library clients cost on top of their models",
        };
        let is_more =
            |other: &&Answer| other.added.iter().all(|own| own.is_certain && own.least > 1.0);
        let others = run.answers.iter().filter(|other| other.cell != *cell).filter(is_more);
        let others = others.filter_map(|other| Some((&other.cell, other.added_ends.as_ref()?)));
        let others: Vec<(&String, &[Client; 2])> = others.collect();
        let all = run.answers.len() - 1;
        format!("{begin}: {} in {cell}{}.", clients(ends), elsewhere_too(&others, all))
    });
    let reported: Vec<String> = apart.into_iter().chain(clients).collect();
    (!reported.is_empty()).then(|| reported.join(" "))
}

/// Says what library clients add in those of so many other cells in which they all add something,
/// in one range: a phone has no room for each.
fn elsewhere_too(others: &[(&String, &[Client; 2])], all: usize) -> String {
    let ends = others.iter().flat_map(|(_, ends)| ends.iter().map(|client| client.ratio));
    let ratios = range(&ends.collect::<Vec<f64>>());
    match others {
        [] => String::new(),
        [(cell, _)] => format!("; {ratios} in {cell}"),
        many if many.len() == all => format!("; {ratios} in the {all} other cells"),
        many => format!("; {ratios} in {} of the {all} other cells", many.len()),
    }
}

/// Says what library clients add, from the one that adds the least to the one that adds the most.
fn clients([least, most]: &[Client; 2]) -> String {
    let of = |ratios: &[f64], client: &str| format!("{client} {}", range(ratios));
    match least.client == most.client {
        true => of(&[least.ratio, most.ratio], &least.client),
        false => [least, most].map(|own| of(&[own.ratio], &own.client)).join(", "),
    }
}

/// Says which model costs the least, as far as the verdicts say so, and how the others compare with
/// the baseline.
fn which(answer: &Answer, baseline: &str) -> String {
    if let Some(nothing) = answer.nothing {
        let cell = &answer.cell;
        let why = match nothing {
            Nothing::NoBlock => format!("No block of {cell} was measured to its end"),
            Nothing::NoModel => format!("No model has a valid turn in {cell}"),
            Nothing::NoBaseline => format!("The baseline {baseline} has no valid turn in {cell}"),
        };
        return format!("{why}, so nothing is compared.");
    }
    let Answer { least, compared, .. } = answer;
    let first = listed(&answer.first);
    let begin = match least {
        _ if compared.len() == 1 => {
            format!("{baseline} alone was measured on the shared HTTP core")
        }
        Some(least) => format!(
            "{least} uses the least CPU of the {} models on one HTTP core{}",
            compared.len(),
            if least == baseline { above_floor(answer) } else { String::new() }
        ),
        None if answer.is_first_equal => {
            format!("{first} use the least CPU, equal within 2 %")
        }
        None if answer.first.len() == 1 => {
            format!("{first} uses the least CPU, but fetches of it failed")
        }
        None => format!("{first} cannot be distinguished for the least CPU"),
    };
    // Of the one that costs the least everything else is said anyway.
    let than = match least {
        Some(least) if least == baseline => String::new(),
        _ => format!(" than {baseline}"),
    };
    let reported = groups(answer, (baseline, &than));
    match reported.is_empty() {
        true => format!("{begin}."),
        false => format!("{begin}; {}.", reported.join("; ")),
    }
}

/// Says how far the baseline is above the floor, if that is certain.
fn above_floor(answer: &Answer) -> String {
    match &answer.floor {
        Some(floor) if floor.verdict == Verdict::Different && floor.ratio.value < 1.0 => {
            format!(" (the floor, a hand-written loop, needs {} less)", apart(floor.ratio.value))
        }
        _ => String::new(),
    }
}

/// Says how the others compare with the baseline.
fn groups(answer: &Answer, (baseline, than): (&str, &str)) -> Vec<String> {
    let names = |verdict| {
        let rivals = answer.rivals.iter().filter(|rival| rival.verdict == verdict);
        rivals.map(|rival| rival.model.as_str()).collect::<Vec<_>>()
    };
    let mut reported: Vec<String> = [("less", &answer.less), ("more", &answer.more)]
        .into_iter()
        .filter(|(_, groups)| !groups.is_empty())
        .map(|(word, groups)| apart_from(groups, &format!("{word}{than}")))
        .collect();
    let (mut equal, open) = (names(Verdict::Equivalent), names(Verdict::Inconclusive));
    if answer.is_first_equal && answer.first.iter().any(|first| first == baseline) {
        // The first words have said so.
        equal.retain(|name| !answer.first.iter().any(|first| first == name));
    }
    if !equal.is_empty() {
        reported.push(format!("{} as much as {baseline}", listed(&equal)));
    }
    if !open.is_empty() {
        reported.push(format!("{} cannot be distinguished from {baseline} here", listed(&open)));
    }
    reported
}

/// Says how far models are from the baseline, those together of whose order nothing is said.
fn apart_from(groups: &[Together], word: &str) -> String {
    let reported = groups.iter().enumerate().map(|(place, Together { models, least, most })| {
        // The first says what the others leave out.
        let (need, word) = match (place, models.len()) {
            (0, 1) => (" needs", format!(" {word}")),
            (0, _) => (" need", format!(" {word}")),
            _ => ("", String::new()),
        };
        format!("{}{need} {}{word}", listed(models), span(&[*least, *most]))
    });
    reported.collect::<Vec<String>>().join(", ")
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture, corrupt};
    use record::{Run, State};

    use super::which;
    use crate::answer::headline::headline;
    use crate::derive::derive;

    /// Returns what runs are made from with these models beside baseline and floor.
    fn with(models: &[(&'static str, f64)]) -> Fixture {
        let models = [&[(FLOOR, 0.9), (BASELINE, 1.0)], models].concat();
        Fixture { models, controls: Vec::new(), ..Fixture::good() }
    }

    /// Returns the first sentences of the page and of the terminal.
    fn said(run: &Run) -> [String; 2] {
        let run = analysis::summarize(run, BASELINE, FLOOR);
        let answer = run.answer().unwrap();
        [which(answer, BASELINE), headline(&run, answer, 24).join(" ")]
    }

    #[test]
    fn the_page_and_the_terminal_name_the_same_model_as_the_one_that_uses_the_least() {
        let models = [("smol", 0.8), ("threads", 1.5)];
        for preset in ["quick", "standard"] {
            for text in said(&Fixture { preset, ..with(&models) }.run()) {
                assert!(text.starts_with("smol uses the least CPU "), "{text}");
            }
            let open = [("smol", 0.8), ("threads", 0.802), ("rayon", 1.5)];
            for text in said(&Fixture { preset, noise: 0.02, ..with(&open) }.run()) {
                assert!(!text.contains(" uses the least CPU"), "{text}");
            }
        }
    }

    /// Returns the paragraph of the first screen of a run that begins after some words.
    fn first(run: &Run, after: &str) -> String {
        let run = analysis::summarize(run, BASELINE, FLOOR);
        let page = String::from_utf8(derive(&run)["report.html"].clone()).unwrap();
        let (_, lead) = page.split_once("<div class=\"lead\">").unwrap();
        let (_, part) = lead.split_once(after).unwrap();
        part.split_once("</p>").unwrap().0.to_owned()
    }

    #[test]
    fn the_line_of_trust_names_each_row_that_should_have_numbers_and_has_none() {
        let mut run = with(&[("smol", 1.2), ("threads", 1.5)]).run();
        let trust = first(&run, "trust-line");
        assert!(trust.contains(", no row is invalid. "), "{trust}");
        for turn in corrupt(&mut run, ("threads", "steady")) {
            turn.state = State::Invalid(vec![rules::Reason::NoTime]);
        }
        let trust = first(&run, "trust-line");
        let named = ", no numbers of threads in steady (invalid: the window took no time). ";
        assert!(trust.contains(named), "{trust}");
        for turn in run.turns.iter_mut().filter(|turn| turn.model == "smol") {
            turn.state = State::Failed("it said ".to_owned() + &"no ".repeat(200));
        }
        let trust = first(&run, "trust-line");
        assert!(trust.contains("smol in batch (failed: it said no no"), "{trust}");
        assert!(trust.len() < 700 && trust.contains(" and threads in steady ("), "{trust}");
    }

    #[test]
    fn what_clients_cost_is_said_by_their_names_in_one_reading() {
        let models = [("smol", 1.1), ("smol-hyper", 1.5), ("tokio-reqwest", 2.6)];
        let lead = first(&with(&models).run(), "fetches a second. ");
        assert!(lead.starts_with("Library clients cost more: hyper +3"), "{lead}");
        assert!(lead.contains("\u{a0}%, reqwest +1") && lead.contains(" in steady; +"), "{lead}");
    }

    #[test]
    fn a_model_with_a_fetch_that_failed_is_not_praised_without_a_word_of_it() {
        let mut run = with(&[("smol", 0.8), ("threads", 1.5)]).run();
        for turn in corrupt(&mut run, ("smol", "steady")).take(1) {
            turn.turned.as_mut().unwrap().total.errors.insert("timeout".to_owned(), 1);
        }
        let [page, terminal] = said(&run);
        let doubt = "smol uses the least CPU, but fetches of it failed; smol needs 20\u{a0}% less";
        assert!(page.starts_with(doubt), "{page}");
        assert!(terminal.starts_with("smol uses less CPU per fetch than tokio."), "{terminal}");
    }
}
