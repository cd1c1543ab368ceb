//! What models and machines say of themselves, as it may stand in a report: it is theirs, and must
//! not change what stands around it.

use workload::plain_line;

use crate::escape::{in_markdown, line_in_markdown};
use crate::form::Form;

/// The most letters of a text in a cell of a table.
const CELL_LETTERS_MAX: usize = 400;
/// The most letters of a line.
const LINE_LETTERS_MAX: usize = 4_000;

/// Returns a text as a cell of a table shows it: one line, of which Markdown makes nothing else.
pub(crate) fn in_cell(text: &str, form: Form) -> String {
    let text = plain_line(text, CELL_LETTERS_MAX);
    match form {
        Form::Terminal => text,
        Form::Markdown => in_markdown(&text),
    }
}

/// Returns a text as a line of its own, of which Markdown makes nothing but a paragraph.
pub(crate) fn in_line(text: &str, form: Form) -> String {
    let text = plain_line(text, LINE_LETTERS_MAX);
    match form {
        Form::Terminal => text,
        Form::Markdown => line_in_markdown(&text),
    }
}

/// Breaks a text between words, so that no line has more letters than that. What stands between
/// backticks is to be copied, and is a word however long it is; a percent sign stays at its number.
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_quoted = false;
    for part in text.split(' ') {
        match words.last_mut() {
            Some(word) if is_quoted || part.starts_with('%') => word.extend([" ", part]),
            _ => words.push(part.to_owned()),
        }
        is_quoted ^= part.matches('`').count() % 2 == 1;
    }
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        let room = columns.checked_sub(1 + word.chars().count());
        match lines.last_mut() {
            Some(line) if room.is_some_and(|room| line.chars().count() <= room) => {
                line.extend([" ", &word]);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Returns a text with a capital.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Lists names in a sentence.
pub(crate) fn listed(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match &names[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use analysis::fixture::{BASELINE, FLOOR, Fixture, corrupt};
    use analysis::summarize;
    use pulldown_cmark::{Event, Options, Parser};

    use super::*;
    use crate::escape::tests::{HOSTILE as HOSTILE_TEXTS, read_markdown};
    use crate::footprint_text::footprints_text;
    use crate::summary::summary;
    use crate::trust_text::trust_text;

    /// What a stranger may call a model, a cell or a reason.
    const HOSTILE: &str = "a|b\\|c\n## d\r\u{1b}]0;e\u{7}<script>\u{2028}\u{202e}`f";

    /// Returns everything that a stranger may write here.
    fn payloads() -> impl Iterator<Item = &'static str> {
        let blocks =
            ["# x", "- x", "1. x", "2) x", "> x", "***", "===", "[a]: https://b.c", "    x"];
        let others =
            ["@rust-lang", "https://a.b", "![a](b)", "`x`", "**x** _y_ ~~z~~", "[[a]] [^1]"];
        HOSTILE_TEXTS.into_iter().chain([HOSTILE]).chain(blocks).chain(others)
    }

    /// Counts everything in Markdown that is more than text.
    fn marks(text: &str) -> BTreeMap<String, usize> {
        let mut marks = BTreeMap::new();
        for event in Parser::new_ext(text, Options::all() - Options::ENABLE_SMART_PUNCTUATION) {
            let mark = match event {
                Event::Text(_) | Event::End(_) | Event::SoftBreak => continue,
                Event::Start(tag) => format!("{:?}", tag.to_end()),
                // What code of ours says is ours; what is no code of ours is one too many.
                Event::Code(_) => "code".to_owned(),
                other => format!("{other:?}"),
            };
            *marks.entry(mark).or_insert(0) += 1;
        }
        marks
    }

    #[test]
    fn a_cell_stays_one_cell_and_a_line_one_line() {
        for text in payloads() {
            let (cell, line) = (in_cell(text, Form::Markdown), in_line(text, Form::Markdown));
            for shown in [&cell, &line, &in_cell(text, Form::Terminal)] {
                let steers = ['\n', '\r', '\u{1b}', '\u{2028}', '\u{202e}'];
                assert!(!shown.contains(steers), "{shown:?}");
            }
            let plain = plain_line(text, LINE_LETTERS_MAX).replace('\u{200b}', "");
            let seen = plain.split_whitespace().collect::<Vec<_>>().join(" ");
            let (read, is_text) = read_markdown(&line);
            assert!(is_text, "{line}");
            assert_eq!(read.split_whitespace().collect::<Vec<_>>().join(" "), seen);
            let table = |cell: &str| format!("| a | b |\n|---|---|\n| {cell} | c |\n");
            assert_eq!(marks(&table(&cell)), marks(&table("x")), "{cell}");
        }
        assert_eq!(in_line("@rust-lang", Form::Markdown), "@&#8203;rust-lang");
        assert_eq!(in_line("https://a.b", Form::Markdown), "https\\://a.b");
    }

    #[test]
    fn what_a_stranger_writes_is_text_in_every_table_and_line_of_a_run() {
        let written = |text: &str| {
            let mut run = Fixture { blocks: 6, ..Fixture::good() }.run();
            for turn in corrupt(&mut run, ("threads", "steady")) {
                turn.state = record::State::Failed(text.to_owned());
            }
            text.clone_into(&mut run.environment.cpu);
            text.clone_into(&mut run.environment.origin);
            text.clone_into(&mut run.schedule.cells[0].name);
            run.schedule.supersedes = Some(text.to_owned());
            run.id = text.to_owned();
            let said = summarize(&run, BASELINE, FLOOR);
            summary(&said, Form::Markdown) + &trust_text(&said.trust, Form::Markdown)
        };
        let plain = marks(&written("x"));
        assert!(!plain.contains_key("Link") && !plain.contains_key("Image"), "{plain:?}");
        for text in payloads() {
            let written = written(text);
            assert_eq!(marks(&written), plain, "{text}: {written}");
        }
    }

    #[test]
    fn hostile_text_in_every_place_of_a_run_stays_in_its_place() {
        let fixture = Fixture { blocks: 6, ..Fixture::good() };
        let good = fixture.run();
        let mut run = fixture.run();
        let name = format!("smol{HOSTILE}");
        let rename = |text: &mut String| {
            if text == "smol" {
                text.clone_from(&name);
            }
        };
        run.schedule.models.iter_mut().for_each(|model| rename(&mut model.name));
        let blocks = run.schedule.blocks.iter_mut();
        blocks.for_each(|block| block.rounds.iter_mut().flatten().for_each(rename));
        run.turns.iter_mut().for_each(|turn| rename(&mut turn.model));
        for turn in corrupt(&mut run, ("threads", "steady")) {
            turn.state = record::State::Failed(HOSTILE.to_owned());
        }
        HOSTILE.clone_into(&mut run.environment.cpu);
        HOSTILE.clone_into(&mut run.environment.clocksource);
        run.id = format!("{}{HOSTILE}", run.id);
        run.schedule.supersedes = Some(HOSTILE.to_owned());

        let markdown = |run: &record::Run| {
            let said = summarize(run, BASELINE, FLOOR);
            summary(&said, Form::Markdown)
                + &trust_text(&said.trust, Form::Markdown)
                + &footprints_text(&said.footprints, Form::Markdown)
        };
        let text = markdown(&run);
        assert!(text.contains("## d"), "{text}");
        assert!(!text.contains(['\r', '\u{1b}', '\u{7}', '\u{2028}', '\u{202e}']), "{text:?}");
        let has_tag = text.replace("\\<", "").contains("<script>");
        assert!(!has_tag && !text.contains("\n## d"), "{text}");
        let borders = |line: &str| line.replace("\\\\", "").replace("\\|", "").matches('|').count();
        let rows = |text: &str| {
            let rows = text.lines().filter(|line| line.starts_with('|'));
            rows.map(borders).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(rows(&text), rows(&markdown(&good)), "{text}");
    }
}
