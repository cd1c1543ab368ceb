//! Each branch of the answer, on fixture runs.

use std::path::Path;

use analysis::fixture::{BASELINE, FLOOR, Fixture, corrupt};
use analysis::{INFLIGHT, Integrity, Verdict};
use record::{Absent, Run, State};

use super::*;
use crate::answer::place::page_of;
use crate::percent;

/// What runs are made from here: fetches in flight, with little noise.
fn fixture() -> Fixture {
    let good = Fixture::good();
    let cells = good.cells.iter().filter(|cell| rules::expected(cell.workload).is_paced_by_delays);
    Fixture { cells: cells.cloned().collect(), controls: vec![good.controls[0]], ..good }
}

/// Returns what runs are made from with these models beside baseline and floor.
fn with(models: &[(&'static str, f64)]) -> Fixture {
    let models = [&[(FLOOR, 0.9), (BASELINE, 1.0)], models].concat();
    Fixture { models, ..fixture() }
}

/// Returns the answer of a run in lines so wide.
fn answered(run: &Run, columns: usize) -> String {
    let place = Place { page: "report.html", run: "latest", columns };
    answer(&analysis::summarize(run, BASELINE, FLOOR), &place)
}

/// Returns what an answer says before its table, in one line.
fn sentences(run: &Run) -> String {
    let text = answered(run, 100);
    text.split("\n\n").next().unwrap().replace('\n', " ")
}

/// Returns the lines of an answer that begin with a word.
fn lines<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.split(' ').next() == Some(word)).collect()
}

#[test]
fn the_first_sentence_names_the_model_that_verdicts_put_first() {
    let said = sentences(&with(&[("smol", 1.2), ("threads", 1.5)]).run());
    let first = "tokio uses the least CPU per fetch of the 3 models on the shared HTTP core; the \
                 floor, a hand-written loop (event-loop), needs 9.6 % less. Against tokio: smol \
                 +20 %, threads +50 %. ";
    assert!(said.starts_with(first), "{said}");

    let said = sentences(&with(&[("smol", 0.95), ("threads", 1.5)]).run());
    let first = "smol uses the least CPU per fetch of the 3 models on the shared HTTP core, 4.7 % \
                 less than tokio. ";
    assert!(said.starts_with(first), "{said}");
    let list = "Against tokio: threads +50 %, the floor (event-loop) -9.6 %. ";
    assert!(said.contains(list), "{said}");
}

#[test]
fn models_that_were_not_compared_with_each_other_are_in_no_order() {
    let models = [("smol", 0.8), ("threads", 0.7), ("rayon", 1.5)];
    let said = sentences(&Fixture { preset: "quick", ..with(&models) }.run());
    let first = "threads and smol use less CPU per fetch than tokio. Against tokio: ";
    assert!(said.starts_with(first) && !said.contains("the least"), "{said}");
}

#[test]
fn nothing_is_said_of_a_pair_that_no_verdict_settles() {
    let mut open = 0;
    for seed in 0..12 {
        let models = [("smol", 1.03), ("threads", 0.96), ("rayon", 1.0)];
        let run = Fixture { seed, noise: 0.08, ..with(&models) }.run();
        let said = sentences(&run);
        let figures = analysis::figures::figures(&run, BASELINE, FLOOR);
        let rows = figures.cells[0].rows.iter();
        let is_open = |row: &&analysis::cell_figures::Row| {
            row.figures.as_ref().is_some_and(|f| f.verdict == Some(Verdict::Inconclusive))
        };
        for row in rows.filter(is_open).filter(|row| row.model != FLOOR) {
            open += 1;
            for claim in [" uses", " +", " -", " instead of tokio"] {
                assert!(!said.contains(&format!("{}{claim}", row.model)), "{said}");
            }
            assert!(!said.contains("tokio uses the least"), "{said}");
        }
    }
    assert!(open > 12, "{open}");
}

#[test]
fn models_that_are_equal_or_inconclusive_are_said_to_be_so() {
    let equal = Fixture { noise: 0.0005, ..with(&[("smol", 1.0)]) }.run();
    let said = sentences(&equal);
    let first = "smol uses as much CPU per fetch as tokio, within 2 %. Against tokio: the \
                 floor (event-loop) -10 %. A difference of ";
    assert!(
        said.starts_with(first)
            && said.contains(", which this run would show three times out of four, is "),
        "{said}"
    );

    let open = Fixture { noise: 0.1, seed: 1, ..with(&[("smol", 1.0), ("rayon", 1.0)]) }.run();
    let said = sentences(&open);
    assert!(said.starts_with("No model is shown to differ from tokio"), "{said}");
    assert!(said.contains("inconclusive: the floor (event-loop)"), "{said}");

    let both = Fixture { noise: 0.002, ..with(&[("smol", 1.0), ("rayon", 1.02)]) };
    let said = sentences(&both.run());
    assert!(said.starts_with("No model is shown to "), "{said}");
    assert!(said.contains("the same: smol"), "{said}");
}

#[test]
fn the_largest_difference_is_written_in_a_readers_terms() {
    let run = with(&[("smol", 1.2), ("threads", 1.5)]).run();
    let figures = analysis::figures::figures(&run, BASELINE, FLOOR);
    let cost = |model: &str| {
        let row = figures.cells[0].rows.iter().find(|row| row.model == model);
        row.unwrap().figures.as_ref().unwrap().cpu_us.value
    };
    let us = 0.5 * cost(BASELINE);
    let said = sentences(&run);
    assert!(said.contains("threads instead of tokio costs "), "{said}");
    let share = 100.0 * us / (1_000.0 + cost(BASELINE));
    let parts = [format!("is {share:.1} % more if"), format!("or {us:.0} % of one CPU")];
    assert!(parts.iter().all(|part| said.contains(part)), "{parts:?}: {said}");

    let said = sentences(&with(&[("smol", 0.5)]).run());
    assert!(said.contains("tokio instead of smol costs "), "{said}");
}

#[test]
fn a_client_matters_more_where_its_interval_is_beyond_those_of_all_models() {
    let of = |client, noise| {
        let models = [("threads", 1.5), ("tokio-reqwest", client)];
        sentences(&Fixture { noise, ..with(&models) }.run())
    };
    let more = of(2.0, 0.004);
    let begin = "The HTTP client matters more: in steady, reqwest adds ";
    assert!(more.contains(begin) && more.contains(" us per fetch to tokio, +"), "{more}");
    let less = of(1.2, 0.004);
    assert!(less.contains("In steady, the HTTP client reqwest adds "), "{less}");
    let open = of(1.0, 0.2);
    assert!(
        open.contains("reqwest is not shown to cost more than the bare one on tokio"),
        "{open}"
    );
    let saves = of(0.5, 0.004);
    assert!(saves.contains("reqwest costs less than the bare one on tokio: -50 % ("), "{saves}");
}

#[test]
fn without_a_floor_or_clients_or_other_models_the_answer_has_no_word_of_them() {
    let models = vec![(BASELINE, 1.0), ("smol", 1.2)];
    let text = answered(&Fixture { models, ..fixture() }.run(), 100);
    let first = "tokio uses the least CPU per fetch of the 2 models on the shared HTTP core. ";
    assert!(text.starts_with(first), "{text}");
    assert!(!text.contains("hand-written") && !text.contains(" client"), "{text}");

    let said = sentences(&with(&[]).run());
    let end = " us of CPU per fetch; the floor, a hand-written loop (event-loop), needs 9.8 % \
               less.";
    assert!(said.starts_with("tokio costs ") && said.contains(end), "{said}");
    let only = Fixture { models: vec![(BASELINE, 1.0)], controls: Vec::new(), ..fixture() };
    let text = answered(&only.run(), 100);
    assert!(text.starts_with("tokio costs ") && !text.contains("against"), "{text}");
}

#[test]
fn without_a_baseline_nothing_is_compared_and_costs_are_shown() {
    let mut run = fixture().run();
    for turn in corrupt(&mut run, (BASELINE, "steady")) {
        turn.state = State::Failed("it hung".to_owned());
    }
    let text = answered(&run, 100);
    let first = "tokio, which all others are compared with, has no valid turn in steady";
    assert!(text.starts_with(first), "{text}");
    let row = lines(&text, BASELINE);
    assert!(row.iter().any(|row| row.contains("  failed: it hung (")), "{text}");
    assert_eq!(lines(&text, "threads").len(), 1, "{text}");
}

#[test]
fn a_run_with_too_few_blocks_or_without_a_valid_turn_says_so() {
    let said = sentences(&Fixture { blocks: 1, ..fixture() }.run());
    assert_eq!(said, "1 block cannot distinguish these models: more are needed for an interval.");

    let mut run = fixture().run();
    let turns = std::mem::take(&mut run.turns);
    let said = sentences(&run);
    assert_eq!(said, "No block of steady was measured to its end: nothing is compared.");
    run.turns = turns;
    for turn in &mut run.turns {
        turn.state = State::Failed("it hung".to_owned());
    }
    let text = answered(&run, 100);
    assert!(text.starts_with("No model has a valid turn in steady, so there is"), "{text}");
    for (model, _) in fixture().models {
        assert!(text.contains(&format!("\n{model} ")), "{model}: {text}");
    }
    assert!(
        text.contains("warning: not all turns count of ") && text.contains(" more; "),
        "{text}"
    );
}

#[test]
fn a_run_of_other_cells_is_summed_up_by_its_first_and_one_without_cells_says_so() {
    let batch = Fixture::good().cells.swap_remove(0);
    let run = Fixture { cells: vec![batch], controls: Vec::new(), ..fixture() }.run();
    assert!(answered(&run, 100).contains("\n\nbatch: "));
    let none = Fixture { cells: Vec::new(), ..fixture() }.run();
    assert!(answered(&none, 100).starts_with("This run measured no fetches.\n"));
    let both = answered(&Fixture::good().run(), 100);
    assert!(both.contains("\n\nsteady: ") && !both.contains("batch: "), "{both}");
    let beside = "\nIn batch (fresh processes, start included), against tokio: ";
    assert!(both.contains(beside), "{both}");
    let more = format!("More  {INFLIGHT} report latest --verbose   (batch, checks)");
    assert!(both.contains(&more), "{both}");
}

#[test]
fn each_model_is_a_row_with_figures_or_a_reason() {
    let mut run = with(&[("smol", 1.2), ("threads", 1.5), ("iterator", 1.0)]).run();
    for turn in corrupt(&mut run, ("threads", "steady")) {
        turn.state = State::Failed("it hung".to_owned());
    }
    run.turns.retain(|turn| turn.model != "iterator");
    let [cell, model, reason] =
        ["steady", "iterator", "one in flight by design"].map(str::to_owned);
    run.schedule.absent.push(Absent { cell, model, reason });
    let text = answered(&run, 100);
    assert_eq!(lines(&text, "iterator"), ["iterator    n/a: one in flight by design"]);
    assert!(lines(&text, "threads").iter().any(|row| row.contains("failed: it hung (")), "{text}");
    let figures = analysis::figures::figures(&run, BASELINE, FLOOR);
    let rows = figures.cells[0].rows.iter();
    for (row, ratio) in rows.filter_map(|row| Some((row, row.figures.as_ref()?.ratio.as_ref()?))) {
        let decides = percent::with_interval(ratio);
        let own = lines(&text, &row.model);
        assert!(own.iter().any(|line| line.contains(&decides)), "{decides}: {text}");
    }
}

#[test]
fn a_narrow_terminal_loses_columns_and_breaks_none() {
    let mut run = Fixture::good().run();
    for turn in corrupt(&mut run, ("threads", "steady")) {
        turn.state = State::Failed("it did not leave when its pipe was closed ".repeat(4));
    }
    let header = |columns| {
        let text = answered(&run, columns);
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|widest| widest <= columns), "{columns}: {text}");
        assert_eq!(lines(&text, "threads").len(), 1, "{text}");
        assert!(text.lines().count() <= 30, "{text}");
        lines(&text, "model")[0].split("  ").map(str::trim).collect::<Vec<_>>().join("|")
    };
    let words = |columns| {
        header(columns).split('|').filter(|w| !w.is_empty()).collect::<Vec<_>>().join("|")
    };
    assert_eq!(
        words(100),
        "model|rank|CPU/fetch|in flight|against tokio|above floor|verdict|errors"
    );
    assert_eq!(words(80), "model|rank|CPU/fetch|in flight|against tokio|verdict");
    assert_eq!(words(60), "model|rank|against tokio|verdict");
}

#[test]
fn at_most_five_warnings_each_say_what_to_do() {
    let mut run = Fixture::good().run();
    assert!(!answered(&run, 100).contains("warning"));
    for turn in corrupt(&mut run, ("threads", "batch")) {
        turn.state = State::Failed("it hung".to_owned());
    }
    run.environment.modified = record_fact("yes");
    run.integrity = Integrity::Unfinished;
    let text = answered(&run, 100);
    let warnings = lines(&text, "warning:");
    let go_on = "go on with `cargo run --release -- run --resume latest`";
    assert!(warnings[0].contains("unfinished, 28 of 28 blocks: ") && warnings[0].ends_with(go_on));
    assert!(warnings[1].contains("threads in batch; --verbose says why"), "{text}");
    assert!(warnings.len() <= WARNINGS && !text.contains("Cite  "), "{text}");
    run.integrity = Integrity::Altered(vec!["journal.jsonl".to_owned()]);
    let text = answered(&run, 100);
    assert!(text.contains("altered after it was measured, journal.jsonl: do not use it"), "{text}");
}

#[test]
fn a_warning_names_what_may_help_with_it_and_nothing_else() {
    let mut run = Fixture { noise: 0.03, ..fixture() }.run();
    let text = answered(&run, 400);
    let noise = "\nwarning: blocks in steady: more blocks (option `--blocks`) lower the noise\n";
    let doubt = "\nwarning: warm-up in steady: the page says what to doubt\n";
    assert!(text.contains(noise) && text.contains(doubt), "{text}");
    run.environment.governor = "powersave".to_owned();
    let text = answered(&run, 400);
    let cause = format!("warning: frequency in steady: `{INFLIGHT} doctor` looks for the cause\n");
    assert!(text.contains(&cause) && text.contains(noise), "{text}");
}

#[test]
fn marks_are_explained_and_what_a_stranger_wrote_stays_on_its_line() {
    let mut run = fixture().run();
    for turn in corrupt(&mut run, ("smol", "steady")) {
        turn.turned.as_mut().unwrap().window.wall_ns *= 2;
    }
    let text = answered(&run, 100);
    assert!(lines(&text, "smol").iter().any(|row| row.contains(")*")), "{text}");
    let mark = "\n* at another rate than tokio: do not compare its cost with tokio's\n";
    assert!(text.contains(mark), "{text}");
    assert!(!sentences(&run).contains("smol"), "{text}");

    let rows = text.lines().count();
    for turn in corrupt(&mut run, ("threads", "steady")) {
        turn.state = State::Failed("a\nb\u{1b}[2J".to_owned());
    }
    let text = answered(&run, 100);
    assert!(!text.contains('\u{1b}') && text.lines().count() <= rows + 1, "{text}");
}

#[test]
fn the_page_goes_by_its_path_as_far_as_there_is_room() {
    let (here, folder) = (Path::new("/home/me/inflight"), Path::new("/home/me/inflight/results/1"));
    assert_eq!(page_of(folder, here, 100), "/home/me/inflight/results/1/derived/report.html");
    assert_eq!(page_of(folder, here, 40), "results/1/derived/report.html");
}

#[test]
fn a_command_to_copy_is_never_broken() {
    let lines = wrapped("go on with `cargo run --release -- run --resume latest` soon", 20);
    assert_eq!(lines, ["go on with", "`cargo run --release -- run --resume latest`", "soon"]);
    assert_eq!(wrapped("smol +15 %, rayon +33 %", 9), ["smol", "+15 %,", "rayon", "+33 %"]);
}

/// The most warnings.
const WARNINGS: usize = 5;

/// Returns a fact of the environment.
fn record_fact<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(text.into()).unwrap()
}
