//! The table of the checks, for a terminal or as Markdown.

use analysis::checks::question::{CheckState, RUN, ValidityCheck};
use comfy_table::{ContentArrangement, Table, presets};

use crate::form::Form;
use crate::words::in_cell;

/// The columns.
const COLUMNS: [&str; 5] = ["check", "state", "measured", "threshold", "what it means"];
/// The width of the table in a terminal, in which its sentences are broken.
const TERMINAL_WIDTH: u16 = 140;

/// Writes the checks: those that passed in a line, the others as rows of a table.
pub fn checks_table(checks: &[ValidityCheck], form: Form) -> String {
    let (passed, others): (Vec<&ValidityCheck>, Vec<&ValidityCheck>) =
        checks.iter().partition(|check| check.state == CheckState::Passed);
    let passed = passed_line(&passed, &others);
    if others.is_empty() {
        return passed;
    }

    let mut table = Table::new();
    match form {
        Form::Terminal => table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(TERMINAL_WIDTH),
        Form::Markdown => table
            .load_style(presets::ASCII_MARKDOWN)
            .set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(COLUMNS);
    for check in merged(&others) {
        table.add_row(columns(&check, form));
    }
    let rows: String = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    match form {
        Form::Terminal => passed + &rows,
        Form::Markdown => passed + "\n" + &rows,
    }
}

/// Writes which checks passed; where a check passed in some cells alone, in which.
fn passed_line(passed: &[&ValidityCheck], others: &[&ValidityCheck]) -> String {
    let mut reported: Vec<String> = Vec::new();
    for check in passed {
        let name = match others.iter().any(|other| other.id == check.id) {
            true => format!("{} ({})", check.id, check.scope),
            false => check.id.to_owned(),
        };
        if !reported.contains(&name) {
            reported.push(name);
        }
    }
    match reported.is_empty() {
        true => "passed: none\n".to_owned(),
        false => format!("passed: {}\n", reported.join(" ")),
    }
}

/// Returns the checks, those that say the same of several cells as one.
pub(crate) fn merged(checks: &[&ValidityCheck]) -> Vec<ValidityCheck> {
    let mut merged: Vec<ValidityCheck> = Vec::new();
    for check in checks {
        let same = |known: &&mut ValidityCheck| {
            let alike = (known.id, known.name) == (check.id, check.name);
            alike && known.state == check.state && known.measured == check.measured
        };
        match merged.iter_mut().find(same) {
            Some(known) => known.scope = format!("{}, {}", known.scope, check.scope),
            None => merged.push((*check).clone()),
        }
    }
    merged
}

/// Returns the columns of a check.
fn columns(check: &ValidityCheck, form: Form) -> Vec<String> {
    let scope = if check.scope == RUN { String::new() } else { format!(", {}", check.scope) };
    let why = match &check.state {
        CheckState::Passed => "",
        CheckState::Badge(why)
        | CheckState::Failed(why)
        | CheckState::Unknown(why)
        | CheckState::NotApplicable(why) => why,
    };
    let measured = if check.measured.is_empty() { "-" } else { &check.measured };
    let name = format!("{} {}{scope}", check.id, check.name);
    let cells = [&name, &state(check), measured, &check.threshold, why];
    cells.map(|text| in_cell(text, form)).to_vec()
}

/// Writes the state of a check in a word, with its badges if it has any.
fn state(check: &ValidityCheck) -> String {
    let mut badges = check.badges.clone();
    badges.dedup();
    let badges = badges.join(" ");
    match check.state {
        CheckState::Passed => "passed".to_owned(),
        CheckState::Badge(_) => badges,
        CheckState::Failed(_) => format!("failed: {badges}"),
        CheckState::Unknown(_) => "unknown".to_owned(),
        CheckState::NotApplicable(_) => "n/a".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use analysis::checks::checks;
    use analysis::fixture::{BASELINE, FLOOR, Fixture};

    use super::*;

    /// Returns the checks of a good run, once it is corrupted.
    fn corrupted(change: fn(&mut record::Run)) -> Vec<ValidityCheck> {
        let mut run = Fixture::good().run();
        change(&mut run);
        checks(&run, BASELINE, FLOOR)
    }

    #[test]
    fn checks_that_passed_stand_in_one_line_and_the_others_in_rows() {
        let checks = corrupted(|run| {
            run.schedule.probes.pop();
            run.environment.modified = "yes".to_owned();
        });
        let text = checks_table(&checks, Form::Markdown);
        let passed = "passed: G1 G2 G3 G4 G5 (batch) G6 G7 G8 G9 G10 G11 G12 G13 G14 G15 G16 \
                      (steady) G19 G20 G21 G23\n";
        assert!(text.starts_with(passed), "{text}");
        assert!(text.contains("| G22 source"), "{text}");
        assert!(text.contains("| DIRTY "), "{text}");
        assert!(text.contains("| G5 server-bound, steady "), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with('|')).count(), 5, "{text}");
    }

    #[test]
    fn a_terminal_gets_sentences_in_columns_of_a_bounded_width() {
        let checks = corrupted(|run| run.environment.modified = "yes".to_owned());
        for line in checks_table(&checks, Form::Terminal).lines() {
            assert!(line.chars().count() <= usize::from(TERMINAL_WIDTH), "{line}");
        }
    }

    #[test]
    fn what_a_machine_says_of_itself_cannot_break_a_row() {
        let checks = corrupted(|run| run.environment.clocksource = "a|b\n\u{1b}[31m".to_owned());
        let text = checks_table(&checks, Form::Markdown);
        assert!(text.contains("the clock source is a\\|b \\\\u{1b}[31m"), "{text}");
    }
}
