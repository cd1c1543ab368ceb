//! The answer: what a reader should know who reads nothing else.

use maud::{Markup, html};
use stats::verdict::Verdict;

use crate::estimator::Estimator;
use record::Family;

use crate::family::MARGIN;
use crate::figures::{CellFigures, Footprint, LanguageFigures, Row, RowFigures};
use crate::html::Page;
use crate::number::{digits, with_interval};
use crate::table::{heading, places};

/// A model and its figures.
type Measured<'a> = (&'a str, &'a RowFigures);

impl Page<'_> {
    /// Writes the answer.
    pub(crate) fn answer(&self) -> Markup {
        let Some(cell) = self.main() else {
            return html! {
                div.lead { p { "This run measured no fetches: " a href="#primitives" {
                    "what models are made of" } " is what it tells." } }
            };
        };
        html! {
            div.lead {
                @for sentence in self.sentences(cell) { p { (sentence) } }
            }
            (self.believe())
            (self.rows(cell))
            @for other in self.figures.cells.iter().filter(|other| other.cell.name !=
                cell.cell.name) {
                details.more { summary { (heading(&other.cell)) } (self.rows(other)) }
            }
        }
    }

    /// Returns the answer in sentences.
    fn sentences(&self, cell: &CellFigures) -> Vec<Markup> {
        let mut told = vec![self.cost_sentence(cell)];
        told.extend(self.verdict_sentence(cell));
        told.extend(client_sentence(cell));
        told.extend(pace_sentence(cell));
        told.extend(self.doubt_sentence(cell));
        told
    }

    /// Says what the baseline and the floor cost.
    fn cost_sentence(&self, cell: &CellFigures) -> Markup {
        let of = |model: &str| measured(cell).find(|(name, _)| *name == model);
        let (baseline, floor) = (&self.figures.baseline, &self.figures.floor);
        let cost = |(_, figures): Measured<'_>| digits(figures.cpu_us.value);
        html! {
            "With " (cell.cell.in_flight) " fetches in flight, "
            @match (of(baseline), of(floor)) {
                (Some(baseline_figures), Some(floor_figures)) => {
                    "a fetch costs " b { (baseline) " " (cost(baseline_figures)) " µs" }
                    " of CPU time, and " (floor) ", a hand-written loop that stands for the least \
                        that a model could cost and is called the floor, "
                    (cost(floor_figures)) " µs."
                }
                (Some(baseline_figures), None) => {
                    "a fetch costs " b { (baseline) " " (cost(baseline_figures)) " µs" }
                        " of CPU time."
                }
                _ => { "the baseline " (baseline) " has no valid turn, so nothing is compared." }
            }
        }
    }

    /// Says which bare models differ from the baseline.
    fn verdict_sentence(&self, cell: &CellFigures) -> Option<Markup> {
        let is_bare =
            |name: &str| self.run.schedule.model(name).is_some_and(record::Model::is_bare);
        let others =
            measured(cell).filter(|(name, _)| *name != self.figures.baseline && is_bare(name));
        let mut dearer = Vec::new();
        let mut cheaper = Vec::new();
        let mut equal = Vec::new();
        let mut inconclusive = Vec::new();
        for (name, figures) in others {
            let Some(ratio) = &figures.ratio else { continue };
            let text = format!("{name} {}", with_interval(ratio));
            match figures.verdict {
                Some(Verdict::Different) if ratio.value > 1.0 => dearer.push(text),
                Some(Verdict::Different) => cheaper.push(text),
                Some(Verdict::Equivalent) => equal.push(text),
                Some(Verdict::Inconclusive) | None => inconclusive.push(text),
            }
        }
        let groups = [
            ("dearer", dearer),
            ("cheaper", cheaper),
            ("as good as equal", equal),
            ("cannot be told apart here", inconclusive),
        ];
        let groups: Vec<_> = groups.into_iter().filter(|(_, names)| !names.is_empty()).collect();
        (!groups.is_empty()).then(|| {
            html! {
                "Against " (self.figures.baseline) ", the baseline, with the same HTTP code: "
                @for (index, (word, names)) in groups.iter().enumerate() {
                    @if index > 0 { "; " }
                    b { (word) } ": " (names.join(", "))
                }
                "."
            }
        })
    }

    /// Says what must be known before a figure is repeated.
    fn doubt_sentence(&self, cell: &CellFigures) -> Option<Markup> {
        let can_show = cell.noise.as_ref().and_then(|noise| noise.can_show);
        let rows = |cell: &'_ CellFigures| -> Vec<(String, Row)> {
            let lost = cell.rows.iter().filter(|row| is_lost(row));
            lost.map(|row| (cell.cell.name.clone(), row.clone())).collect()
        };
        let lost: Vec<(String, Row)> = self.figures.cells.iter().flat_map(rows).collect();
        if can_show.is_none() && lost.is_empty() {
            return None;
        }
        Some(html! {
            @if let Some(share) = can_show {
                "A difference of " (format!("{:.1} %", 100.0 * share))
                " would be found three times out of four in this run; smaller ones are found more \
                 rarely, so that what is not told apart may still differ by as much. "
            }
            @for (cell, row) in lost {
                b { (row.model) } " has no figures in " (cell) ": "
                (row.reason.as_deref().unwrap_or("no reason is known")) ". "
            }
        })
    }

    /// Says what the brackets of the table are, and how its places come about.
    fn brackets(&self, cell: &CellFigures) -> Markup {
        let (baseline, pairs) = (&self.figures.baseline, cell.pairs.len());
        let family = match self.figures.family {
            Family::AgainstBaseline => "comparisons with the baseline",
            Family::AllPairs => "pairs of models",
        };
        html! {
            p.aside {
                "In brackets, intervals of 95 %. Times " (baseline)
                    ": " (Estimator::of(self.run).both()) ", simultaneous for the "
                (pairs) " " (family) " of this cell (Bonferroni). Over the floor: the same "
                "estimates and test, each interval its own. CPU and wall are medians over blocks, \
                 whose own intervals (sign test) are drawn below. "
                @match self.figures.family {
                    Family::AllPairs => {
                        "A rank is one more than the number of models that are different (by the \
                         test over all pairs, and by more than "
                        (format!("{:.0} %", 100.0 * MARGIN))
                        ") and cheaper; what the verdicts do not separate shares it (=)."
                    },
                    Family::AgainstBaseline => {
                        "Models are in the order of their cost and have no ranks: this preset \
                         judges each against " (baseline)
                            " alone, and ranks need a verdict on every pair."
                    },
                }
            }
        }
    }

    /// Writes the table of a cell.
    fn rows(&self, cell: &CellFigures) -> Markup {
        let baseline = &self.figures.baseline;
        let has_ranks = cell.rows.iter().any(|row| row.rank.is_some());
        html! {
            div.scroll tabindex="0" role="group" aria-label=(format!("Results of {}",
                cell.cell.name)) {
                table.sortable id=(format!("table-{}", cell.cell.name)) {
                    caption { (heading(&cell.cell)) ". Lower is better." }
                    thead {
                        tr {
                            @if has_ranks { th scope="col" { "rank" } }
                            th scope="col" { "model" }
                            th scope="col" { "client" }
                            th.figure scope="col" { "CPU a fetch, µs" }
                            th.figure scope="col" { "times " (baseline) }
                            th scope="col" { "verdict" }
                            th.figure scope="col" { "above the floor, µs" }
                            th.figure scope="col" { "wall, ms" }
                            th.figure scope="col" { "errors" }
                        }
                    }
                    tbody {
                        @for (row, place) in cell.rows.iter().zip(places(&cell.rows)) {
                            (self.row(row, has_ranks.then_some(place), baseline))
                        }
                    }
                }
            }
            @if self.main().is_some_and(|main| main.cell.name == cell.cell.name) {
                (self.brackets(cell))
            }
            @for text in crate::summary::notes(cell) { p.aside { (text) } }
            @for other in &cell.languages { (self.language(cell, other)) }
        }
    }

    /// Writes the table of the models of a cell in another language.
    fn language(&self, cell: &CellFigures, of: &LanguageFigures) -> Markup {
        let name = format!("{} in {}", cell.cell.name, of.language);
        html! {
            div.scroll tabindex="0" role="region" aria-label=(format!("Results of {name}")) {
                table {
                    caption { (crate::summary::aside(of, &self.figures.baseline)) "." }
                    thead {
                        tr {
                            th scope="col" { "model" }
                            th scope="col" { "client" }
                            th.figure scope="col" { "CPU a fetch, µs" }
                            th.figure scope="col" { "times " (of.baseline) }
                            th scope="col" { "verdict" }
                            th.figure scope="col" { "above the floor, µs" }
                            th.figure scope="col" { "wall, ms" }
                            th.figure scope="col" { "errors" }
                        }
                    }
                    tbody { @for row in &of.rows { (self.row(row, None, &of.baseline)) } }
                }
            }
            @for text in crate::summary::notes_of(&of.rows, &of.footprints) { p.aside { (text) } }
        }
    }

    /// Writes the row of a model.
    fn row(&self, row: &Row, place: Option<String>, baseline: &str) -> Markup {
        let model = self.run.schedule.model(&row.model);
        let client = model.map_or("", |model| &model.client);
        let errors: u64 = row.errors.values().sum();
        let columns = crate::table::columns(row, baseline, &self.figures.floor);
        let [_, cost, ratio, verdict, excess, wall, ..] = &columns[..] else { unreachable!() };
        html! {
            tr.invalid[is_lost(row)] {
                @if let Some(place) = place { td { (place) } }
                th scope="row" { a href=(format!("#model-{}", row.model)) { (row.model) } }
                td { (client) }
                td.figure { (cost) }
                td.figure { (ratio) }
                td { (verdict) }
                td.figure { (excess) }
                td.figure { (wall) }
                td.figure { @if row.turns > 0 { (errors) } @else { "-" } }
            }
        }
    }
}

/// Returns the models of a cell that have figures.
fn measured(cell: &CellFigures) -> impl Iterator<Item = Measured<'_>> {
    cell.rows.iter().filter_map(|row| Some((row.model.as_str(), row.figures.as_ref()?)))
}

/// Returns whether a model should have figures and has none.
fn is_lost(row: &Row) -> bool {
    use crate::figures::Standing::{Measured, Missing, NotApplicable};
    !matches!(row.standing, Measured | Missing | NotApplicable)
}

/// Says what the library clients cost.
fn client_sentence(cell: &CellFigures) -> Option<Markup> {
    let order = |a: &&Footprint, b: &&Footprint| a.ratio.value.total_cmp(&b.ratio.value);
    let (least, most) =
        (cell.footprints.iter().min_by(order)?, cell.footprints.iter().max_by(order)?);
    Some(html! {
        "The usual HTTP client (a library such as reqwest, instead of the HTTP code that all \
         share) multiplies a model's cost by "
        b { (with_interval(&least.ratio)) } " (" (least.model) ") to "
        b { (with_interval(&most.ratio)) } " (" (most.model) "): "
        a href="#breakdown" { "where the microseconds go" } "."
    })
}

/// Says that the delay set the pace, where it did.
fn pace_sentence(cell: &CellFigures) -> Option<Markup> {
    let walls = || measured(cell).map(|(_, figures)| figures.wall_ms.value);
    let (least, most) = (walls().reduce(f64::min)?, walls().reduce(f64::max)?);
    let apart = most / least - 1.0;
    (apart < 0.05).then(|| {
        html! {
            "In " (cell.cell.name) " all of them finish together, within " (format!("{:.1} %",
                100.0 * apart))
            ": the origin's delay sets the pace, so wall time tells models apart here as little \
             as throughput does."
        }
    })
}
