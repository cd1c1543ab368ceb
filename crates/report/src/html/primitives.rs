//! Primitives, and how much of the cost of models they explain.

use analysis::cost_model::{CostModelCell, Explained};
use analysis::number::{digits, with_interval};
use analysis::primitive_figures::{ShapeCheck, Shown};
use analysis::primitives::Primitives;
use maud::{Markup, html};
use rules::PUBLISHED_IN;

use crate::html::matters::reported;
use crate::html::run_page::Page;
use crate::primitives_text::{SHOWN_OF_ALL, notes};
use crate::words::capital;

impl Page<'_> {
    /// Writes what primitives cost.
    pub(crate) fn primitives(&self) -> Markup {
        let primitives = &self.figures.primitives;
        html! {
            @if primitives.is_empty() {
                p.missing {
                    "Not measured in this run: " code { "cargo bench --bench primitives" }
                    " measures what a switch, a spawn and a wake cost."
                }
            } @else {
                p {
                    "The smallest things that models are made of, each measured by itself: a step \
                     of a generator, a switch of tasks, starting and joining one, waking one."
                }
                ul { @for check in &primitives.checks { li { (checked(check, primitives)) } } }
                (self.figure(&self.charts.batches, None))
                (self.figure(&self.charts.alone, None))
                @for note in notes(primitives) { p.aside { (note) } }
                @for figures in &primitives.figures { @for says in figures.published {
                    p.aside { "Published, " (figures.primitive.name()) ": " (says) " ("
                        (PUBLISHED_IN) ")." }
                } }
                (cost_model(&primitives.cost_model))
            }
        }
    }
}

impl Page<'_> {
    /// Writes what the teaching page says, and what the run says of it.
    pub(crate) fn ideas(&self) -> Markup {
        html! {
            p {
                "This project grew from a teaching page on asynchronous programming in Python. \
                 Each of its claims and definitions, with the number that answers it:"
            }
            dl.ideas {
                @for idea in &self.run.ideas {
                    dt { (idea.says) }
                    dd class=[idea.measured.is_none().then_some("aside")] {
                        (idea.answer().replace(") us", ") µs")) "."
                    }
                }
            }
            @for (place, charts) in self.charts.cells.iter().enumerate() {
                @if let Some(wake_ups) = &charts.wake_ups { (self.figure(wake_ups, Some(place))) }
            }
        }
    }
}

/// Writes whether the run shows something that is known of tasks and threads.
fn checked(check: &ShapeCheck, of: &Primitives) -> Markup {
    let word = match check.shown {
        Shown::Yes if of.steadiness.is_some() => &capital(SHOWN_OF_ALL),
        Shown::Yes => "Shown",
        Shown::No => "Not shown",
        Shown::Open => "Left open",
    };
    html! {
        b { (word) } ": " (check.claim) ". "
        @match &check.ratio {
            Some(ratio) => { "A thread costs " (with_interval(ratio)) " times the task." },
            None => { "It was not measured." },
        }
    }
}

/// Writes what primitives predict of models, beside what was measured.
fn cost_model(cells: &[CostModelCell]) -> Markup {
    html! {
        h3 #cost model { "Do the pieces explain what a fetch costs?" }
        @if cells.is_empty() {
            p.missing { "Not computed: it needs fetches and primitives in one run." }
        } @else {
            p {
                "What one wake a fetch, the context switches beyond it, and the units that a \
                 batch starts would make a model cost above the floor, beside what it does cost, \
                 in µs a fetch. The rest is what these pieces do not explain: caches, timers, \
                 several events of one wait."
            }
            div.scroll tabindex="0" role="region" aria-label="The cost model" {
                table.stack {
                    caption { "Predicted and measured cost above the floor, with 95 % intervals \
                        of their own" }
                    thead { tr {
                        th scope="col" { "model" } th scope="col" { "cell" }
                        th.figure scope="col" { "measured" } th.figure scope="col" { "wakes" }
                        th.figure scope="col" { "switches" } th.figure scope="col" { "spawns" }
                        th.figure scope="col" { "predicted" } th.figure scope="col" { "rest" }
                        th scope="col" { "which means" }
                    } }
                    tbody { @for cell in cells { @for row in &cell.rows { tr {
                        th scope="row" { (row.model) } td data-of="cell" { (cell.cell) }
                        td.figure data-of="measured" {
                            (reported(&with_interval(&row.measured_us))) }
                        @for (part, us) in [("wakes", row.wakes_us),
                            ("switches", row.switches_us), ("spawns", row.spawns_us),
                            ("predicted", row.predicted_us), ("rest", row.remainder_us)] {
                            td.figure data-of=(part) { (digits(us)) }
                        }
                        td data-of="which means" { @match row.explained {
                            Explained::Yes => {
                                (format!("{:.0} % unexplained", 100.0 * row.unexplained))
                            },
                            Explained::No => { "primitive costs do not explain this" },
                            Explained::Nothing => { "nothing above the floor to explain" },
                        } }
                    } } } }
                }
            }
        }
    }
}
