//! The table of the gates, for a terminal or as Markdown.

use comfy_table::{ContentArrangement, Table, presets};

use crate::Form;
use crate::gates::{Gate, GateState, RUN};
use crate::words::in_cell;

/// The columns.
const COLUMNS: [&str; 5] = ["gate", "state", "measured", "threshold", "what it means"];
/// The width of the table in a terminal, in which its sentences are broken.
const TERMINAL_WIDTH: u16 = 140;

/// Writes the gates: those that passed in a line, the others as rows of a table.
pub fn gates_table(gates: &[Gate], form: Form) -> String {
    let (passed, others): (Vec<&Gate>, Vec<&Gate>) =
        gates.iter().partition(|gate| gate.state == GateState::Passed);
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
    for gate in merged(&others) {
        table.add_row(columns(&gate, form));
    }
    let rows: String = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    match form {
        Form::Terminal => passed + &rows,
        Form::Markdown => passed + "\n" + &rows,
    }
}

/// Writes which gates passed; where a gate passed in some cells alone, in which.
fn passed_line(passed: &[&Gate], others: &[&Gate]) -> String {
    let mut told: Vec<String> = Vec::new();
    for gate in passed {
        let name = match others.iter().any(|other| other.id == gate.id) {
            true => format!("{} ({})", gate.id, gate.scope),
            false => gate.id.to_owned(),
        };
        if !told.contains(&name) {
            told.push(name);
        }
    }
    match told.is_empty() {
        true => "passed: none\n".to_owned(),
        false => format!("passed: {}\n", told.join(" ")),
    }
}

/// Returns the gates, those that say the same of several cells as one.
pub(crate) fn merged(gates: &[&Gate]) -> Vec<Gate> {
    let mut merged: Vec<Gate> = Vec::new();
    for gate in gates {
        let same = |known: &&mut Gate| {
            let alike = (known.id, known.name) == (gate.id, gate.name);
            alike && known.state == gate.state && known.measured == gate.measured
        };
        match merged.iter_mut().find(same) {
            Some(known) => known.scope = format!("{}, {}", known.scope, gate.scope),
            None => merged.push((*gate).clone()),
        }
    }
    merged
}

/// Returns the columns of a gate.
fn columns(gate: &Gate, form: Form) -> Vec<String> {
    let scope = if gate.scope == RUN { String::new() } else { format!(", {}", gate.scope) };
    let why = match &gate.state {
        GateState::Passed => "",
        GateState::Badge(why)
        | GateState::Failed(why)
        | GateState::Unknown(why)
        | GateState::NotApplicable(why) => why,
    };
    let measured = if gate.measured.is_empty() { "-" } else { &gate.measured };
    let name = format!("{} {}{scope}", gate.id, gate.name);
    let cells = [&name, &state(gate), measured, &gate.threshold, why];
    cells.map(|text| in_cell(text, form)).to_vec()
}

/// Writes the state of a gate in a word, with its badges if it has any.
fn state(gate: &Gate) -> String {
    let mut badges = gate.badges.clone();
    badges.dedup();
    let badges = badges.join(" ");
    match gate.state {
        GateState::Passed => "passed".to_owned(),
        GateState::Badge(_) => badges,
        GateState::Failed(_) => format!("failed: {badges}"),
        GateState::Unknown(_) => "unknown".to_owned(),
        GateState::NotApplicable(_) => "n/a".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BASELINE, FLOOR, Fixture};
    use crate::gates::gates;

    /// Returns the gates of a good run, once it is corrupted.
    fn corrupted(change: fn(&mut record::Run)) -> Vec<Gate> {
        let mut run = Fixture::good().run();
        change(&mut run);
        gates(&run, BASELINE, FLOOR)
    }

    #[test]
    fn gates_that_passed_stand_in_one_line_and_the_others_in_rows() {
        let gates = corrupted(|run| {
            run.schedule.probes.pop();
            run.environment.modified = "yes".to_owned();
        });
        let text = gates_table(&gates, Form::Markdown);
        let passed = "passed: G1 G2 G3 G4 G5 (batch) G6 G7 G8 G9 G10 G11 G12 G13 G14 G15 G16 \
                      (steady) G19 G20 (batch) G20 (steady) G21\n";
        assert!(text.starts_with(passed), "{text}");
        assert!(text.contains("| G22 source"), "{text}");
        assert!(text.contains("| DIRTY "), "{text}");
        assert!(text.contains("| G5 server-bound, steady "), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with('|')).count(), 8, "{text}");
    }

    #[test]
    fn a_terminal_gets_sentences_in_columns_of_a_bounded_width() {
        let gates = corrupted(|run| run.environment.modified = "yes".to_owned());
        for line in gates_table(&gates, Form::Terminal).lines() {
            assert!(line.chars().count() <= usize::from(TERMINAL_WIDTH), "{line}");
        }
    }

    #[test]
    fn what_a_machine_says_of_itself_cannot_break_a_row() {
        let gates = corrupted(|run| run.environment.clocksource = "a|b\n\u{1b}[31m".to_owned());
        let text = gates_table(&gates, Form::Markdown);
        assert!(text.contains("the clock source is a\\|b \\\\u{1b}[31m"), "{text}");
    }
}
