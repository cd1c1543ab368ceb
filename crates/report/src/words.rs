//! What models and machines say of themselves, as it may stand in a report: it is theirs, and must
//! not change what stands around it.

use model_kit::plain_line;

use crate::summary::Form;

/// The most letters of a text in a cell of a table.
const CELL_LETTERS_MAX: usize = 400;
/// The most letters of a line.
const LINE_LETTERS_MAX: usize = 4_000;

/// Returns a text as a cell of a table shows it: one line, which in Markdown ends no column.
pub(crate) fn in_cell(text: &str, form: Form) -> String {
    let text = plain_line(text, CELL_LETTERS_MAX);
    match form {
        Form::Terminal => text,
        Form::Markdown => without_tags(&text.replace('\\', "\\\\").replace('|', "\\|")),
    }
}

/// Returns a text as a line of its own, which in Markdown is neither a heading nor a tag.
pub(crate) fn in_line(text: &str, form: Form) -> String {
    let text = plain_line(text, LINE_LETTERS_MAX);
    match form {
        Form::Terminal => text,
        Form::Markdown => without_tags(&text),
    }
}

/// Returns a text in which nothing begins a tag of HTML, which Markdown may pass on.
fn without_tags(text: &str) -> String {
    text.replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::figures;
    use crate::made_up::{BASELINE, FLOOR, MadeUp, spoil};
    use crate::{Trust, model_prices, summary};

    /// What a stranger may call a model, a cell or a reason.
    const HOSTILE: &str = "a|b\\|c\n## d\r\u{1b}]0;e\u{7}<script>\u{2028}\u{202e}`f";

    #[test]
    fn a_cell_stays_one_cell_and_a_line_one_line() {
        let cell = in_cell(HOSTILE, Form::Markdown);
        assert!(cell.starts_with("a\\|b\\\\\\|c ## d"), "{cell}");
        for text in [cell, in_line(HOSTILE, Form::Markdown), in_cell(HOSTILE, Form::Terminal)] {
            assert!(!text.contains(['\n', '\r', '\u{1b}', '\u{2028}', '\u{202e}']), "{text:?}");
        }
        assert!(!in_line(HOSTILE, Form::Markdown).contains('<'));
    }

    #[test]
    fn hostile_text_in_every_place_of_a_run_stays_in_its_place() {
        let made_up = MadeUp { blocks: 6, ..MadeUp::good() };
        let good = made_up.run();
        let mut run = made_up.run();
        let name = format!("smol{HOSTILE}");
        let rename = |text: &mut String| {
            if text == "smol" {
                text.clone_from(&name);
            }
        };
        run.schedule.models.iter_mut().for_each(|model| rename(&mut model.name));
        run.schedule.blocks.iter_mut().for_each(|b| b.order.iter_mut().for_each(rename));
        run.trials.iter_mut().for_each(|trial| rename(&mut trial.model));
        for trial in spoil(&mut run, ("threads", "steady")) {
            trial.state = record::State::Failed(HOSTILE.to_owned());
        }
        HOSTILE.clone_into(&mut run.environment.cpu);
        HOSTILE.clone_into(&mut run.environment.clocksource);
        run.id = format!("{}{HOSTILE}", run.id);
        run.schedule.supersedes = Some(HOSTILE.to_owned());

        let markdown = |run: &record::Run| {
            let figures = figures(run, BASELINE, FLOOR);
            summary(run, &figures, Form::Markdown)
                + &Trust::of(run, (BASELINE, FLOOR)).text(Form::Markdown)
                + &model_prices(run).text(Form::Markdown)
        };
        let text = markdown(&run);
        assert!(text.contains("## d"), "{text}");
        assert!(!text.contains(['\r', '\u{1b}', '\u{7}', '\u{2028}', '\u{202e}']), "{text:?}");
        assert!(!text.contains("<script>") && !text.contains("\n## d"), "{text}");
        let borders = |line: &str| line.replace("\\\\", "").replace("\\|", "").matches('|').count();
        let rows = |text: &str| {
            let rows = text.lines().filter(|line| line.starts_with('|'));
            rows.map(borders).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(rows(&text), rows(&markdown(&good)), "{text}");
    }
}
