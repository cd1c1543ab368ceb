//! What a run shows while it goes on and at its end: on terminals of two widths, on a dumb one, and
//! in a pipe.

use std::process::{Command, Output};

use regex::Regex;

use crate::support::shell::text;
use crate::support::skip::skipped;
use crate::support::{WORKSPACE, alone, built};

/// What a run prints where it is, with its time left.
const MEASURING: &str =
    r"\[2/3\] measuring batch: [0-9]+ %, (\?|[0-9]+ (s|min)) left, block 1 of 1";

/// Runs a script that measures a block into a folder of its own, where `$run` stands for that; none
/// if another run measures.
fn measured(script: &str) -> Option<Output> {
    let results = tempfile::tempdir().expect("it is made");
    let run = format!(
        "{} run smol --cell batch --blocks 1 --out {}",
        built("inflight").path.display(),
        results.path().display()
    );
    let mut command = Command::new("sh");
    command.args(["-c", script]).env("run", run).current_dir(&WORKSPACE.root);
    let output = command.output().expect("it starts");
    match output.status.code() {
        Some(6) => None,
        // A machine that disturbs it may leave too few rounds.
        Some(0 | 4) => Some(output),
        _ => panic!("{output:?}"),
    }
}

/// Returns what a run shows on a terminal of so many columns, whose reader wants no colour.
fn on_terminal((columns, kind): (usize, &str)) -> Option<String> {
    let run = format!("stty cols {columns} rows 50; NO_COLOR=1 TERM={kind} $run");
    let seen = measured(&format!("script -qec '{run}' /dev/null"))?;
    Some(text(&seen).replace("\r\n", "\n"))
}

/// Returns whether lines match an expression somewhere.
fn has(text: &str, expression: &str) -> bool {
    Regex::new(expression).expect("it is an expression").is_match(text)
}

#[test]
fn a_terminal_shows_the_phase_the_time_left_and_the_ratios_so_far_in_lines_that_fit() {
    if !Command::new("script").arg("--version").output().is_ok_and(|it| it.status.success()) {
        return skipped("`script`, of util-linux, is not installed");
    }
    let _alone = alone();
    let drawing = Regex::new(r"\r?\x1b\[[0-9]*[AJ]").expect("it is an expression");
    for columns in [80, 120] {
        let Some(seen) = on_terminal((columns, "xterm")) else { return };
        for phase in [r"\[1/3\] buil(t|ding) [0-9]+ of [0-9]+: ", MEASURING, r"\[3/3\] writing"] {
            assert!(has(&seen, phase), "{phase}: {seen}");
        }
        assert!(has(&seen, r"so far +against tokio +\+/-\n"), "{seen}");
        assert!(has(&seen, r"\nsmol +[+-][0-9.]+ %"), "{seen}");
        // What was drawn is drawn again in its place, and nothing is coloured.
        assert!(has(&seen, r"\x1b\[[0-9]+A\x1b\[J"), "{seen}");
        assert!(!has(&seen, r"\x1b\[[0-9;]*m"), "{seen}");
        let plain = drawing.replace_all(&seen, "");
        // A terminal breaks sentences about cells itself, and a path is as long as it is.
        let may_be_wide = |line: &str| line.contains(" fetches a second, ") || line.contains("/20");
        let lines = plain.lines().filter(|line| !may_be_wide(line));
        let wide: Vec<&str> = lines.filter(|line| line.chars().count() > columns).collect();
        assert_eq!(wide, Vec::<&str>::new(), "{columns}");
        // The answer comes last.
        let (_, answer) = plain.split_once("[3/3] ").expect("it was found above");
        assert!(
            has(answer, r"\nmodel +CPU/fetch +in flight") && has(answer, r"\nPage  "),
            "{answer}"
        );
    }
}

#[test]
fn a_pipe_and_a_dumb_terminal_get_a_line_a_block_and_no_control_character() {
    let _alone = alone();
    let Some(output) = measured("$run") else { return };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(has(&said, MEASURING) && said.contains("in its first round"), "{said}");
    assert!(has(&said, r"\[1/3\] buil") && has(&said, r"\[3/3\] writing"), "{said}");
    let answer = text(&output);
    assert!(
        has(&answer, r"\nmodel +CPU/fetch +in flight") && !answer.contains("[2/3]"),
        "{answer}"
    );
    assert!(!said.contains('\x1b') && !answer.contains('\x1b'), "{said}{answer}");

    if !Command::new("script").arg("--version").output().is_ok_and(|it| it.status.success()) {
        return skipped("`script`, of util-linux, is not installed");
    }
    let Some(seen) = on_terminal((80, "dumb")) else { return };
    assert!(has(&seen, MEASURING) && !seen.contains('\x1b'), "{seen}");
}
