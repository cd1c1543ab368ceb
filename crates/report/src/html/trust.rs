//! Whether the run may be believed: checks, proofs, the baseline beside itself, the machine.

use analysis::checks::question::{CheckState, ValidityCheck};
use maud::{Markup, html};

use crate::checks_table::merged;
use crate::figure::percent::more;
use crate::form::Form;
use crate::html::believe::REPEATED_MAX;
use crate::html::quoted::quoted;
use crate::html::run_page::Page;
use crate::proof_text::proof_text;

impl Page<'_> {
    /// Writes whether the run may be believed.
    pub(crate) fn trust(&self) -> Markup {
        let (quiet, loud): (Vec<&ValidityCheck>, Vec<&ValidityCheck>) =
            self.trust.checks.iter().partition(|check| is_quiet(check));
        let (quiet, loud) = (merged(&quiet), merged(&loud));
        html! {
            (self.believe())
            div.two {
                (self.figure(&self.charts.itself, None))
                (self.figure(&self.charts.machine, None))
            }
            div.folds {
                @if !loud.is_empty() {
                    details.more {
                        summary { "The checks that gave a warning" }
                        (table(&loud))
                    }
                }
                details.more {
                    summary { "The other checks" }
                    (table(&quiet))
                }
                details.more #errors { summary { "Errors" } (self.errors()) (self.rules_broken()) }
                details.more #stays { summary { "Every stay" } (self.stays()) }
                details.more {
                    summary { "Was it the server? Would a difference be found?" }
                    h3 { "Was the server what was measured?" }
                    p {
                        "For each cell: how far the origin was from its limit, what it saw in \
                         flight, Little's law, and the delays as served."
                    }
                    ul.proofs {
                        @for proof in &self.trust.proofs {
                            li { (proof_text(proof, Form::Terminal)) }
                        }
                    }
                    (self.controls())
                }
            }
        }
    }

    /// Names every model of whose turns in disturbed rounds the first sentences name but some.
    fn rules_broken(&self) -> Markup {
        let named: Vec<String> = self.invalid_repeated().collect();
        html! { @if named.len() > REPEATED_MAX {
            p { "Turns of disturbed rounds that had broken a validity rule: "
                (quoted(&named.join("; "))) "." }
        } }
    }

    /// Writes what the controls showed.
    fn controls(&self) -> Markup {
        let cells = || {
            self.figures.cells.iter().flat_map(|cell| {
                cell.controls.iter().map(move |control| (&cell.cell.name, control))
            })
        };
        html! {
            h3 { "Would it have found a difference?" }
            @if cells().next().is_none() {
                p.missing {
                    "This run has no control: only the preset " code { "citable" }
                    " adds busy work of a known size to a model, which the run must find."
                }
            }
            ul {
                @for (cell, control) in cells() {
                    li {
                        (cell) ": " (control.name) " costs " (control.percent) " % more than "
                        (control.model) " by design; measured " (more(&control.ratio))
                        @if control.found { ", found." } @else { ", not found: such a difference \
                            may be missing elsewhere." }
                    }
                }
            }
        }
    }
}

/// Writes some checks.
fn table(checks: &[ValidityCheck]) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Validity checks" {
            table.checks {
                caption { "What was checked, what was measured, and what it is held against" }
                thead {
                    tr {
                        th scope="col" { "check" } th scope="col" { "of" }
                        th scope="col" { "state" }
                        th scope="col" { "measured" } th scope="col" { "held against" }
                    }
                }
                tbody { @for check in checks { (row(check)) } }
            }
        }
    }
}

/// Returns whether nothing is to be read of a check: it passed, or asks nothing of this run.
fn is_quiet(check: &ValidityCheck) -> bool {
    matches!(check.state, CheckState::Passed | CheckState::NotApplicable(_))
}

/// Writes a check.
fn row(check: &ValidityCheck) -> Markup {
    let (word, why) = match &check.state {
        CheckState::Passed => ("passed", ""),
        CheckState::Badge(why) => ("warning", why.as_str()),
        CheckState::Failed(why) => ("failed", why.as_str()),
        CheckState::Unknown(why) => ("unknown", why.as_str()),
        CheckState::NotApplicable(why) => ("n/a", why.as_str()),
    };
    html! {
        tr class=(format!("is-{}", word.replace('/', ""))) {
            th scope="row" { (check.id) " " (check.name) }
            td { (check.scope) }
            td {
                (word) " " @for badge in &check.badges { span.badge { (badge) } " " }
            }
            td {
                (quoted(&check.measured))
                @if !why.is_empty() { @if !check.measured.is_empty() { ". " } i { (quoted(why)) } }
            }
            td { (quoted(&check.threshold)) }
        }
    }
}
