//! May the run be believed? In a few sentences, before the checks one by one.

use analysis::CheckCounts;
use analysis::checks::meaning::meaning;
use analysis::checks::question::RUN;
use maud::{Markup, html};

use crate::html::quoted::quoted;
use crate::html::run_page::Page;

/// Rows whose lost turns are reported here; the tables show all.
const SHOWN_MAX: usize = 5;

impl Page<'_> {
    /// Says whether the run may be believed.
    pub(crate) fn believe(&self) -> Markup {
        html! {
            p.wide #believe {
                "Of the validity checks, " (self.check_counts()) " " (quoted(&self.lost_turns()))
            }
            @if !self.trust.badges.is_empty() {
                ul.badges { @for badge in &self.trust.badges { li {
                    span.badge { (badge) } " " (self.scopes(badge)) ": "
                    (meaning(badge).unwrap_or("see the check below")) "."
                } } }
            }
        }
    }

    /// Says what came of the checks.
    pub(crate) fn check_counts(&self) -> String {
        let CheckCounts { asked, passed, marked, failed, unknown } = self.trust.counts;
        let unknown = match unknown {
            0 => String::new(),
            unknown => format!(", {unknown} cannot be answered"),
        };
        let badges = match (marked, failed) {
            (0, 0) => " No warning: nothing speaks against the figures.",
            _ => " A warning changes no figure.",
        };
        let warning = match self.trust.badges.len() {
            0 | 1 => "a warning".to_owned(),
            kinds => format!("one of {kinds} warnings"),
        };
        format!(
            "{passed} of {asked} passed, {marked} got {warning}, {failed} failed{unknown}.{badges}"
        )
    }

    /// Returns where a badge stands.
    fn scopes(&self, badge: &str) -> String {
        let mut scopes: Vec<&str> = Vec::new();
        for check in self.trust.checks.iter().filter(|check| check.badges.contains(&badge)) {
            let scope = if check.scope == RUN { "the whole run" } else { &check.scope };
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        scopes.join(", ")
    }

    /// Says how many turns do not count, and why.
    fn lost_turns(&self) -> String {
        let turns = &self.run.turns;
        let (invalid, failed) = (turns.invalid, turns.failed);
        let counts = format!("{} of {} turns count", turns.valid(), turns.all);
        if invalid + failed == 0 {
            return format!("{counts}: none is invalid, none failed.");
        }
        let cells = self.figures.cells.iter();
        let rows = cells.flat_map(|cell| cell.all_rows().map(move |row| (cell, row)));
        let lost = rows.filter(|(_, row)| row.valid < row.turns);
        let mut reported: Vec<String> = lost
            .filter_map(|(cell, row)| {
                Some(format!("{} in {}, {}", row.model, cell.cell.name, row.reason.as_ref()?))
            })
            .collect();
        let rest = reported.len().saturating_sub(SHOWN_MAX);
        reported.truncate(SHOWN_MAX);
        let rest = if rest > 0 { format!("; and {rest} more rows") } else { String::new() };
        format!(
            "{counts}: {invalid} broke a validity rule and {failed} failed, and their figures are \
             used nowhere. {}{rest}.",
            reported.join("; ")
        )
    }
}
