//! May the run be believed? In a few sentences, before the checks one by one.

use analysis::checks::meaning::meaning;
use analysis::checks::question::RUN;
use analysis::number::count as counted;
use analysis::{CheckCounts, InvalidRepeated};
use maud::{Markup, html};

use crate::html::quoted::quoted;
use crate::html::run_page::Page;

/// Rows whose lost turns are reported here; the tables show all.
const SHOWN_MAX: usize = 5;
/// The same of turns that were measured again; others stand with the errors.
pub(crate) const REPEATED_MAX: usize = 2;

impl Page<'_> {
    /// Says whether the run may be believed.
    pub(crate) fn believe(&self) -> Markup {
        html! {
            p.wide #believe {
                (self.check_counts()) " " (quoted(&self.lost_turns()))
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
        let failed = match failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        let kinds = self.trust.badges.len();
        let about = self.main().map_or_else(String::new, |cell| {
            let own = self.trust.warnings(Some(&cell.cell.name)).len();
            format!("; {own} concern {}", cell.cell.name)
        });
        let warned = match marked {
            0 => String::new(),
            marked => format!(", {marked} gave a warning ({}{about})", counted(kinds, "kind")),
        };
        let checks = counted(asked, "validity check");
        format!("{checks}: {passed} passed{warned}{failed}{unknown}. A warning changes no number.")
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
        let cells = self.figures.cells.iter().map(|cell| cell.cell.name.as_str());
        let cells: Vec<&str> = cells.collect();
        if cells.len() > 1 && cells.iter().all(|cell| scopes.contains(cell)) {
            scopes.retain(|scope| !cells.contains(scope));
            scopes.push("every cell");
        }
        scopes.join(", ")
    }

    /// Says how many turns were measured again, and which of them had broken a rule.
    fn repeated_turns(&self) -> String {
        let rest = match self.run.invalid_repeated.len().saturating_sub(REPEATED_MAX) {
            0 => String::new(),
            rest => format!("; and {rest} more, named below as errors"),
        };
        let named = self.invalid_repeated().take(REPEATED_MAX).collect::<Vec<_>>().join("; ");
        let invalid = match self.run.turns.repeated_invalid {
            0 => "none had broken a validity rule".to_owned(),
            invalid => format!("{invalid} had broken a validity rule: {named}{rest}"),
        };
        match self.run.turns.repeated {
            0 => String::new(),
            all => format!(
                " {all} others were in disturbed rounds, which were measured again; {invalid}."
            ),
        }
    }

    /// Names the models whose turns in disturbed rounds had broken a validity rule, with the rule.
    pub(crate) fn invalid_repeated(&self) -> impl Iterator<Item = String> {
        self.run.invalid_repeated.iter().map(|InvalidRepeated { model, cell, turns, why }| {
            let times = if *turns > 1 { format!("{turns} of ") } else { String::new() };
            format!("{times}{model} in {cell} ({why})")
        })
    }

    /// Says how many turns do not count, and why.
    fn lost_turns(&self) -> String {
        let turns = &self.run.turns;
        let (invalid, failed) = (turns.invalid, turns.failed);
        let repeated = self.repeated_turns();
        if invalid + failed == 0 {
            return format!("{} turns count.{repeated}", turns.valid());
        }
        let counts = format!("{} of {} turns count", turns.valid(), turns.all);
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
            "{counts}: {invalid} broke a validity rule and {failed} failed, and their numbers are \
             used nowhere. {}{rest}.{repeated}",
            reported.join("; ")
        )
    }
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture};
    use record::State;

    use crate::derive::derive;

    #[test]
    fn turns_of_disturbed_rounds_are_said_to_be_measured_again_and_not_counted_among_the_valid() {
        let mut run = Fixture { blocks: 2, ..Fixture::good() }.run();
        run.repeated = run.turns[..3].to_vec();
        run.repeated[0].state = State::Invalid(vec![rules::Reason::NoTime]);
        let files = derive(&analysis::summarize(&run, BASELINE, FLOOR));
        let page = String::from_utf8(files["report.html"].clone()).unwrap();
        let expected = format!(
            "{} turns count. 3 others were in disturbed rounds, which were measured again; 1 had \
             broken a validity rule: {} in {} (the window took no time).",
            run.turns.len(),
            run.repeated[0].model,
            run.repeated[0].cell
        );
        assert!(page.contains(&expected), "{expected}");
    }
}
