//! What the command line promises: runs are checked to the last byte, wrong use is one sentence
//! and an exit code, and nothing that was measured is lost when the disk is full.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use record::{RoundRecord, Run};
use rules::Reason;
use serde_json::Value;
use stats::random::SplitMix64;

use crate::support::fixture::fixture;
use crate::support::shell::{check, each_turn, files_below, inflight, small_run, text, written};
use crate::support::{WORKSPACE, alone, built};

/// Bytes that are changed in each file, one at a time; of figures, which are many, one of each.
const POSITIONS: usize = 4;

#[test]
fn a_whole_run_is_rebuilt_byte_for_byte() {
    let (folder, _) = small_run();
    let output = inflight(folder.path(), &["check", "latest"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("files are rebuilt byte for byte"), "{}", text(&output));
}

#[test]
fn a_single_changed_byte_anywhere_is_found() {
    let (folder, run) = small_run();
    let files = files_below(&run);
    let is_figure = |file: &PathBuf| file.parent().is_some_and(|it| it.ends_with("figures"));
    assert!(files.iter().filter(|file| is_figure(file)).count() >= 20, "{files:?}");
    assert!(files.iter().filter(|file| !is_figure(file)).count() >= 8, "{files:?}");
    let mut draws = SplitMix64::new(3);
    for file in files {
        let good = fs::read(&file).expect("it reads");
        let positions = if is_figure(&file) { 1 } else { POSITIONS };
        for _ in 0..positions.min(good.len()) {
            let place = draws.below(good.len());
            let mut bytes = good.clone();
            bytes[place] ^= 1 << draws.below(8);
            fs::write(&file, &bytes).expect("it is ours");
            let code = inflight(folder.path(), &["check", "latest"]).status.code();
            assert_eq!(code, Some(7), "byte {place} of {}", file.display());
        }
        fs::write(&file, &good).expect("it is ours");
    }
    assert_eq!(inflight(folder.path(), &["check"]).status.code(), Some(0));
}

#[test]
fn a_journal_line_that_is_removed_doubled_or_swapped_is_found_with_and_without_a_manifest() {
    let (folder, run) = small_run();
    let journal = run.join("journal.jsonl");
    let text = fs::read_to_string(&journal).expect("it reads");
    let lines: Vec<&str> = text.lines().collect();
    let mut removed = lines.clone();
    removed.remove(5);
    let mut doubled = lines.clone();
    doubled.insert(5, lines[5]);
    let mut swapped = lines.clone();
    swapped.swap(5, 6);
    for manifest in [true, false] {
        if !manifest {
            fs::remove_file(run.join("MANIFEST")).expect("it is ours");
        }
        for changed in [&removed, &doubled, &swapped] {
            fs::write(&journal, changed.join("\n") + "\n").expect("it is ours");
            let output = inflight(folder.path(), &["check"]);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(7), "{said}");
            assert!(said.contains("does not follow what stands before it"), "{said}");
        }
    }
}

#[test]
fn a_trial_that_is_called_valid_against_its_receipt_is_found() {
    let folder = tempfile::tempdir().expect("it is made");
    let lie = each_turn(|trial| {
        if let (0, 2, Some(receipt)) = (trial.block, trial.position, &mut trial.receipt) {
            receipt.answered -= 1;
        }
    });
    written(folder.path(), lie);
    let output = inflight(folder.path(), &["check"]);
    assert_eq!(output.status.code(), Some(7));
    assert!(text(&output).contains("it is called valid, but the origin answered"), "{output:?}");
}

#[test]
fn a_round_that_is_repeated_without_its_reason_and_one_that_counts_in_spite_of_one_are_found() {
    let recounted = |change: &dyn Fn(&mut Run)| {
        let mut run = fixture(2);
        change(&mut run);
        harness::revalidate(&run).join("; ")
    };
    assert_eq!(recounted(&|_| {}), "");
    let repeated = recounted(&|run| {
        // Whoever dislikes what a round cost calls it disturbed.
        let disturbed = vec![Reason::Foreign { percent: 40 }];
        run.disturbed.push(RoundRecord { disturbed, ..run.rounds[0].clone() });
    });
    let why = "it was measured again, but not since ";
    assert!(repeated.contains(why), "{repeated}");
    let counts = recounted(&|run| {
        let host = run.rounds[0].host.as_mut().expect("the machine was watched");
        host.steal_ns = host.capacity_ns / 2;
    });
    assert!(counts.contains("it counts, though"), "{counts}");
}

#[test]
fn a_run_is_the_same_as_itself_and_slower_than_itself_with_more_work() {
    let (folder, old) = small_run();
    let same = inflight(folder.path(), &["diff", "latest", "latest", "--json"]);
    let reported: Value = serde_json::from_slice(&same.stdout).expect("it is JSON");
    let cells = reported["diff"]["cells"].as_array().expect("there are cells");
    let rows: Vec<&Value> = cells.iter().flat_map(|c| c["rows"].as_array().unwrap()).collect();
    assert!(rows.len() > 20 && rows.iter().all(|row| row["change"] == "same"), "{reported}");

    let other = tempfile::tempdir().expect("it is made");
    let more_work = each_turn(|trial| {
        let model = trial.model.clone();
        if let (Some(reported), "smol") = (&mut trial.turned, model.as_str()) {
            // More than 10 %, for the noise of the run it is made from is larger than that.
            reported.window.cpu_ns = reported.window.cpu_ns * 3 / 2;
        }
    });
    let new = written(other.path(), more_work);
    let [old, new] = [&old, &new].map(|run| run.to_str().expect("our paths are UTF-8"));
    let output = inflight(folder.path(), &["diff", old, new, "--fail-if-slower", "5%"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(5), "{said}");
    let slower: Vec<&str> = said.lines().filter(|line| line.ends_with(" slower")).collect();
    assert!(!slower.is_empty() && slower.iter().all(|line| line.contains("smol")), "{said}");
    assert!(!said.lines().any(|line| line.ends_with(" faster")), "{said}");
    assert!(said.contains("for sure: smol in"), "{said}");
}

#[test]
fn the_answer_of_a_run_fits_a_screen_and_every_table_stands_before_it_for_whoever_asks() {
    let (folder, _) = small_run();
    let answer = text(&inflight(folder.path(), &["report", "latest"]));
    let lines: Vec<&str> = answer.lines().collect();
    assert!(lines.len() <= 45 && !answer.contains('\u{1b}'), "{answer}");
    // A path is as long as it is.
    let long = |line: &&&str| line.chars().count() > 100 && !line.starts_with("Page  ");
    assert_eq!(lines.iter().find(long), None);
    let more = "More  cargo run --release -- report latest --verbose";
    let ends = ["Page  ", more, "Cite  cargo run --release -- cite latest"];
    let last = &lines[lines.len() - ends.len()..];
    assert!(last.iter().zip(ends).all(|(line, end)| line.starts_with(end)), "{answer}");

    let all = text(&inflight(folder.path(), &["report", "latest", "--verbose"]));
    assert!(all.ends_with(&answer), "{all}");
    for words in ["\nbatch: ", "derived/report.html\n", "against tokio"] {
        assert!(all.contains(words), "{words}: {all}");
    }
    let reported = inflight(folder.path(), &["report", "latest", "--json", "--verbose"]);
    serde_json::from_slice::<Value>(&reported.stdout).expect("it is JSON alone");
}

#[test]
fn what_there_is_not_is_reported_with_what_may_have_been_meant() {
    let root = &WORKSPACE.root;
    let cases: [(&[&str], &str); 7] = [
        (&["run", "tokyo"], "there is no model \"tokyo\": did you mean \"tokio\"?"),
        (&["run", "tokio", "tokio"], "the model \"tokio\" is named twice"),
        (&["run", "--cell", "stedy"], "there is no cell \"stedy\": did you mean \"steady\"?"),
        (
            &["run", "--preset", "huge"],
            "[possible values: smoke, primitives, ideas, quick, origins, churn, sweep, hold, \
             hold-100k, load, hold-1m, scaling, standard, citable]",
        ),
        (&["run", "--resume", "--seed", "1"], "cannot be used with"),
        (&["check", "1999"], "there is no run \"1999\""),
        (&["rank", "--cell", "nope"], "nope"),
    ];
    for (arguments, words) in cases {
        check(&inflight(root, arguments), 2, words);
    }
}

#[test]
fn an_error_is_a_document_too_when_one_is_asked_for() {
    let output = inflight(&WORKSPACE.root, &["check", "1999", "--json"]);
    let reported: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(reported["error"]["exit_code"], 2);
    assert!(reported["error"]["message"].as_str().expect("a text").contains("no run \"1999\""));
}

#[test]
fn the_order_in_which_models_are_named_does_not_change_the_plan() {
    let plan = |models: [&str; 3]| {
        let arguments =
            [&["run", "--dry-run", "--json", "--seed", "7"], models.as_slice()].concat();
        text(&inflight(&WORKSPACE.root, &arguments))
    };
    assert!(plan(["smol", "rayon", "threads"]).contains("\"smol\""));
    assert_eq!(plan(["smol", "rayon", "threads"]), plan(["threads", "smol", "rayon"]));
}

#[test]
fn the_kind_of_origin_that_is_asked_for_is_the_one_that_is_planned() {
    let planned = |more: &[&str]| {
        let arguments = [&["run", "tokio", "--dry-run", "--json"], more].concat();
        let output = inflight(&WORKSPACE.root, &arguments);
        let plan: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
        plan["origin"].clone()
    };
    assert_eq!(planned(&[]), "wiremock");
    assert_eq!(planned(&["--origin", "fast"]), "fast");
}

#[test]
fn a_reader_that_leaves_early_sees_no_panic() {
    let program = built("inflight").path;
    let script = format!("{} list models | head -1", program.display());
    let mut sh = Command::new("sh");
    let output = sh.args(["-c", &script]).current_dir(&WORKSPACE.root).output();
    let output = output.expect("sh starts");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
    assert_eq!(text(&output).lines().count(), 1);
}

#[test]
fn a_place_that_cannot_be_written_is_named_before_anything_is_measured() {
    let arguments = ["run", "tokio", "--cell", "batch", "--out", "/proc/nowhere"];
    check(&inflight(&WORKSPACE.root, &arguments), 8, "failed to write /proc/nowhere");
}

#[test]
fn a_full_disk_is_reported_and_earlier_trials_stay_readable() {
    let _alone = alone();
    let results = tempfile::tempdir().expect("it is made");
    // What is built is kept beforehand: it would not fit either.
    for package in ["origin", "model-tokio", "model-event-loop"] {
        built(package);
    }
    // A file that may not grow is what a full disk looks like to a program. The first block fits,
    // even where a busy machine makes it repeat all the rounds that it may; not the whole run.
    let script = format!(
        "trap '' XFSZ; ulimit -f 160; exec {} run tokio --cell batch --out {}",
        built("inflight").path.display(),
        results.path().display()
    );
    let mut sh = Command::new("sh");
    let output = sh.args(["-c", &script]).current_dir(&WORKSPACE.root).output();
    let output = output.expect("sh starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(8), "{said}");
    assert!(said.contains("failed to write") && !said.contains("panicked"), "{said}");
    assert!(said.contains(" bytes") && said.contains("`cargo run --release -- report "), "{said}");

    let run = fs::read_dir(results.path()).expect("it is there").flatten().map(|e| e.path());
    let run = run.into_iter().find(|path| path.is_dir() && !path.is_symlink()).expect("a run");
    let run = Run::read(&run).expect("it reads");
    assert!(!run.turns.is_empty(), "what was written before is there");
}

#[test]
fn a_second_run_is_refused_into_the_same_results_into_others_and_from_another_clone() {
    let _alone = alone();
    let results = tempfile::tempdir().expect("it is made");
    let others = tempfile::tempdir().expect("it is made");
    let out = results.path().to_str().expect("our paths are UTF-8");
    // Long enough for all that follows.
    let arguments = ["run", "tokio", "--cell", "batch", "--blocks", "1000", "--out", out];
    let mut first = Command::new(built("inflight").path)
        .args(arguments)
        .current_dir(&WORKSPACE.root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    while !results.path().join("latest").is_symlink() {
        assert_eq!(first.try_wait().expect("it is ours"), None, "it ended before it measured");
        thread::sleep(Duration::from_millis(20));
    }
    let second = inflight(&WORKSPACE.root, &arguments);
    let named = format!("another run, process {}, is measuring", first.id());
    check(&second, 6, &format!("{named} into these results: wait"));
    let elsewhere = ["run", "tokio", "--out", others.path().to_str().expect("our paths are UTF-8")];
    let second = inflight(&WORKSPACE.root, &elsewhere);
    check(&second, 6, &format!("{named} on this machine: wait"));
    let clone = others.path().join("clone");
    let mut git = Command::new("git");
    let git = git.args(["clone", "--quiet", "--shared"]).arg(&WORKSPACE.root).arg(&clone);
    assert!(git.status().expect("git starts").success());
    let second = inflight(&clone, &["run", "tokio"]);
    check(&second, 6, &format!("{named} on this machine: wait"));
    assert!(!clone.join("target").exists(), "nothing is built before");
    assert_eq!(first.try_wait().expect("it is ours"), None, "the first goes on undisturbed");
    first.kill().expect("it is ours");
    first.wait().expect("it ends");
}

#[test]
fn nothing_that_a_run_says_is_a_command_to_a_terminal() {
    let (_folder, run) = small_run();
    let path = run.to_str().expect("our paths are UTF-8");
    let hostile = r"\u001b]0;x\u0007\u009b2J\u2028\u202e";
    let corrupt = |file: &str, old: &str, new: &str| {
        let text = fs::read_to_string(run.join(file)).expect("it reads");
        assert!(text.contains(old), "{old} is in {file}");
        fs::write(run.join(file), text.replacen(old, new, 1)).expect("it is ours");
    };
    let says_nothing_of_it = |output: &Output| {
        let reported = text(output) + &String::from_utf8_lossy(&output.stderr);
        assert!(
            !reported.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{2028}', '\u{202e}']),
            "{reported:?}"
        );
        assert!(reported.contains("\\u{1b}]0;x"), "{reported}");
    };
    // A name that is printed, and a word that an error quotes.
    corrupt("schedule.json", "\"preset\": \"", &format!("\"preset\": \"{hostile}"));
    says_nothing_of_it(&inflight(&WORKSPACE.root, &["rank", path]));
    corrupt("schedule.json", "\"workload\": \"", &format!("\"workload\": \"{hostile}"));
    for command in ["check", "rank", "report"] {
        let output = inflight(&WORKSPACE.root, &[command, path]);
        check(&output, 7, "schedule.json");
        says_nothing_of_it(&output);
    }
}
