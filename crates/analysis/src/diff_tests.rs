//! Pairs of runs: what is said of them, and what is refused.

use record::{Integrity, State};
use rules::{METRICS, Reason, WALL};

use super::*;
use crate::fixture_pair::{BASELINE, MODELS, PairFixture};

/// Returns an old run and a new one that `change` has changed.
fn pair(change: impl FnOnce(&mut PairFixture)) -> (Run, Run) {
    let mut maker = PairFixture::new(2);
    change(&mut maker);
    (PairFixture::new(1).run(), maker.run())
}

/// Returns which models of a cell are said to be `change`.
fn said(diff: &Diff, cell: &str, change: Change) -> Vec<String> {
    let cell = diff.cells.iter().find(|diff| diff.cell.name == cell).unwrap();
    let rows = cell.rows.iter().filter(|row| row.change == change);
    rows.map(|row| row.model.clone()).collect()
}

/// Checks that of all models exactly these are slower, and that no model is faster.
fn check_slower((old, new): (Run, Run), expected: &[&str]) {
    let diff = diff(&old, &new).unwrap();
    for cell in ["batch", "steady"] {
        assert_eq!(said(&diff, cell, Change::Slower), expected, "{diff:#?}");
        assert_eq!(said(&diff, cell, Change::Faster), Vec::<String>::new());
    }
}

/// Checks that a new run that `change` has changed is refused for this reason.
fn check_refused(change: impl FnOnce(&mut Run), expected: &str) {
    let (old, mut new) = pair(|_| ());
    change(&mut new);
    let refusal = diff(&old, &new).unwrap_err().to_string();
    assert!(refusal.contains(expected), "{refusal}");
}

/// Checks that a new run that `change` has changed is compared, with this note.
fn check_note(change: impl FnOnce(&mut Run), expected: &str) {
    let (old, mut new) = pair(|_| ());
    change(&mut new);
    let notes = diff(&old, &new).unwrap().notes;
    assert!(notes.iter().any(|note| note.contains(expected)), "{notes:?}");
}

#[test]
fn a_run_is_the_same_as_itself_whatever_its_noise() {
    for blocks in [1, 12] {
        let run = PairFixture { blocks, noise: 0.3, ..PairFixture::new(1) }.run();
        let diff = diff(&run, &run).unwrap();
        for cell in ["batch", "steady"] {
            assert_eq!(said(&diff, cell, Change::Same).len(), MODELS.len());
        }
        assert_eq!(diff.notes, ["Both runs hold the very same turns."]);
    }
}

#[test]
fn two_quiet_runs_of_the_same_models_are_the_same() {
    let (old, new) = pair(|maker| (maker.noise, maker.machine) = (0.001, 1.07));
    let old = Run { turns: PairFixture { noise: 0.001, ..PairFixture::new(1) }.run().turns, ..old };
    let diff = diff(&old, &new).unwrap();
    assert_eq!(said(&diff, "steady", Change::Same), MODELS);
    assert_eq!(diff.notes, Vec::<String>::new());
}

#[test]
fn a_model_with_a_tenth_more_work_is_slower_and_it_alone() {
    for model in MODELS {
        check_slower(pair(|maker| maker.changed = vec![(model, 1.1)]), &[model]);
    }
}

#[test]
fn a_slower_machine_is_no_slower_model() {
    check_slower(pair(|maker| maker.machine = 1.07), &[]);
    for model in MODELS {
        let change = |maker: &mut PairFixture| {
            (maker.machine, maker.changed) = (1.07, vec![(model, 1.1)]);
        };
        check_slower(pair(change), &[model]);
    }
}

#[test]
fn the_one_of_three_models_that_changed_is_distinguished_from_the_machine() {
    for model in &MODELS[..3] {
        let new = PairFixture {
            machine: 1.07,
            models: MODELS[..3].to_vec(),
            changed: vec![(model, 1.1)],
            ..PairFixture::new(4)
        };
        // Of three hundred such pairs one makes a false claim, and that of the seeds 1 and 2 does.
        check_slower((PairFixture::new(3).run(), new.run()), &[model]);
    }
}

#[test]
fn a_large_change_amid_loud_noise_is_blamed_on_no_other_model() {
    let is_false = |seed: &u64| {
        let maker = |seed| PairFixture {
            noise: 0.05,
            models: MODELS[..4].to_vec(),
            ..PairFixture::new(seed)
        };
        let new = PairFixture { changed: vec![("tokio", 1.5)], ..maker(2 * seed + 1) };
        let diff = diff(&maker(2 * seed).run(), &new.run()).unwrap();
        let slower = said(&diff, "steady", Change::Slower);
        slower != ["tokio"] || !said(&diff, "steady", Change::Faster).is_empty()
    };
    let count = (0..100).filter(is_false).count();
    assert!(count <= 8, "{count} of 100 pairs");
}

#[test]
fn two_models_of_eight_may_change_together() {
    let change = |maker: &mut PairFixture| maker.changed = vec![("tokio", 1.1), ("reqwest", 1.08)];
    check_slower(pair(change), &["tokio", "reqwest"]);
}

#[test]
fn exchanging_the_runs_makes_slower_faster_and_mirrors_the_ratio() {
    let (old, new) = pair(|maker| maker.changed = vec![(BASELINE, 1.1)]);
    let [there, back] = [diff(&old, &new).unwrap(), diff(&new, &old).unwrap()];
    assert_eq!(said(&back, "steady", Change::Faster), [BASELINE]);
    let ratio = |diff: &Diff| diff.cells[1].rows.iter().find(|r| r.model == BASELINE)?.ratio;
    let (there, back) = (ratio(&there).unwrap(), ratio(&back).unwrap());
    assert!((there.value * back.value - 1.0).abs() < 1e-12);
    assert!((there.low.unwrap() * back.high.unwrap() - 1.0).abs() < 1e-12);
}

#[test]
fn what_the_machine_did_is_reported_for_all_models_together() {
    let quiet = |maker: &mut PairFixture| (maker.machine, maker.blocks) = (1.07, 60);
    let (old, new) = pair(quiet);
    let together = diff(&old, &new).unwrap().cells[1].together.unwrap();
    assert!(together.low.unwrap() < 1.07 && 1.07 < together.high.unwrap(), "{together:?}");
    assert!(together.low.unwrap() > 1.0, "{together:?}");
}

#[test]
fn noise_alone_makes_a_false_claim_in_5_of_100_pairs_at_most() {
    // Noise far above the margin, so that the margin does not hide what the tests let through.
    let noisy = |seed| PairFixture { noise: 0.05, ..PairFixture::new(seed) };
    let is_false = |seed: &u64| {
        let old = noisy(2 * seed).run();
        let new = PairFixture { machine: 1.07, ..noisy(2 * seed + 1) }.run();
        let diff = diff(&old, &new).unwrap();
        // Each cell is a family of its own: a claim is counted in one of them.
        let claims = [Change::Slower, Change::Faster].map(|c| said(&diff, "steady", c).len());
        claims != [0, 0]
    };
    let count = (0..100).filter(is_false).count();
    eprintln!("a false slower or faster: {count} of 100 pairs");
    assert!(count <= 5, "{count} of 100 pairs");
}

#[test]
fn too_few_blocks_leave_all_unknown() {
    let maker = |seed| PairFixture { blocks: 3, ..PairFixture::new(seed) };
    let new = PairFixture { changed: vec![("tokio", 1.5)], ..maker(2) };
    let diff = diff(&maker(1).run(), &new.run()).unwrap();
    assert_eq!(said(&diff, "steady", Change::Unknown), MODELS);
    assert_eq!(diff.cells[0].rows[0].ratio.unwrap().low, None);
}

#[test]
fn fewer_than_three_models_cannot_be_distinguished_from_the_machine() {
    for models in [&MODELS[..1], &MODELS[..2]] {
        let (old, new) = pair(|maker| maker.models = models.to_vec());
        let diff = diff(&old, &new).unwrap();
        assert_eq!(said(&diff, "steady", Change::Unknown), models);
        assert!(diff.cells[0].rows.iter().all(|row| row.ratio.is_none()));
        assert!(diff.cells[0].together.is_some());
        assert!(diff.notes[0].contains("fewer than 3 models in common"), "{:?}", diff.notes);
    }
}

#[test]
fn models_of_one_run_alone_are_listed() {
    let (_, old) = pair(|maker| maker.models = MODELS[1..].to_vec());
    let (_, new) = pair(|maker| (maker.seed, maker.models) = (3, MODELS[..7].to_vec()));
    let diff = diff(&old, &new).unwrap();
    assert_eq!(diff.cells[0].only_old, ["rayon"]);
    assert_eq!(diff.cells[0].only_new, ["loop"]);
    assert_eq!(diff.cells[0].rows.len(), 6);
}

#[test]
fn a_model_without_a_valid_turn_has_no_figures() {
    let (old, mut new) = pair(|_| ());
    for turn in new.turns.iter_mut().filter(|t| t.model == "std" && t.cell == "steady") {
        turn.state = State::Failed("it hung".to_owned());
    }
    let diff = diff(&old, &new).unwrap();
    assert_eq!(diff.cells[0].only_old, Vec::<String>::new());
    assert_eq!(diff.cells[1].only_old, ["std"]);
}

#[test]
fn an_invalid_turn_is_left_out_and_the_rest_of_its_block_stays() {
    let (old, mut new) = pair(|maker| maker.changed = vec![("rayon", 1.1)]);
    let stalled = new.turns.iter_mut().filter(|t| t.model == "std" && t.block < 4);
    for turn in stalled {
        turn.state = State::Invalid(vec![Reason::NoTime]);
        turn.turned.as_mut().unwrap().window.cpu_ns *= 100;
    }
    check_slower((old, new), &["rayon"]);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let altered = |run: &mut Run| run.integrity = Integrity::Altered(vec!["a.json".to_owned()]);
    check_refused(altered, "run-2 was altered after it was measured: a.json");
    check_refused(
        |run| run.environment.cpu = "Other".to_owned(),
        "CPU: A CPU in the old run, Other in the new",
    );
    let (mut old, mut new) = pair(|_| {});
    for run in [&mut old, &mut new] {
        run.environment.cpu = "unknown".to_owned();
    }
    let refusal = diff(&old, &new).unwrap_err().to_string();
    assert!(refusal.contains("run-1 does not say what its CPU is"), "{refusal}");
    let charged = |run: &mut Run| run.environment.irq_time_accounting = "on".to_owned();
    check_refused(charged, "IRQ time accounting: off in the old run, on in the new");
    check_refused(|run| run.environment.cpus += 62, "(number of CPUs: ");
    check_refused(|run| run.environment.kind = "bare".to_owned(), "bare in the new)");
    check_refused(|run| run.schedule.cells[1].in_flight = 8, "the cell steady is other work");
    check_refused(|run| run.schedule.cells.clear(), "the runs have no cell in common");
}

#[test]
fn only_batches_are_compared_by_wall() {
    let (old, mut new) = pair(|maker| maker.changed = vec![("smol", 1.1)]);
    let diff = diff_by(WALL, &old, &new).unwrap();
    assert_eq!(diff.cells.len(), 1);
    assert_eq!(said(&diff, "batch", Change::Slower), ["smol"]);
    assert!((50.0..70.0).contains(&diff.cells[0].rows[0].cost_old));

    new.schedule.cells.remove(0);
    let refusal = diff_by(WALL, &old, &new).unwrap_err();
    assert_eq!(refusal, Refusal::NoCellFor("wall"));
    assert!(refusal.to_string().contains("no cell in common that is compared by wall"));
}

#[test]
fn two_runs_are_compared_by_every_metric_in_its_own_words() {
    let (old, new) = pair(|maker| maker.changed = vec![("smol", 1.1)]);
    for metric in METRICS {
        let diff = diff_by(metric, &old, &new).unwrap();
        assert_eq!((diff.metric.as_str(), diff.unit.as_str()), (metric.key, metric.unit));
        // These runs have no stays, off which memory is read.
        let has_rows = diff.cells.iter().all(|cell| !cell.rows.is_empty());
        assert_eq!(has_rows, !metric.is_of_stays(), "{}", metric.key);
        let word = diff.word(Change::Slower);
        assert_eq!(word, if [CPU, WALL].contains(&metric) { "slower" } else { "more" });
    }
}

#[test]
fn what_else_may_be_the_cause_is_reported() {
    type Choose = fn(&mut record::environment::Build) -> &mut record::environment::Fact;
    check_note(|run| run.integrity = Integrity::Unfinished, "The new run did not come to its end.");
    let rustc = |run: &mut Run| run.environment.rustc = "rustc 1.96.0".to_owned();
    check_note(rustc, "compiler differs: rustc 1.95.0 in the old run, rustc 1.96.0 in the new.");
    let kernel = |run: &mut Run| run.environment.kernel = "6.19".to_owned();
    check_note(kernel, "The kernel differs: ");
    let flags = |run: &mut Run| run.environment.rustflags = "-Ctarget-cpu=native".to_owned();
    check_note(flags, "set of compiler flags differs: ");
    check_note(|run| run.environment.profile = "dev".to_owned(), "profile differs: known in the");
    let choices: [(Choose, &str); 5] = [
        (|build| &mut build.rustc_chosen_by, "choice of the compiler differs: "),
        (|build| &mut build.rustc_wrapper, "wrapper of the compiler differs: "),
        (|build| &mut build.rustc_bootstrap, "use of RUSTC_BOOTSTRAP differs: "),
        (|build| &mut build.target, "target differs: "),
        (|build| &mut build.linker, "linker differs: "),
    ];
    for (chosen, words) in choices {
        check_note(|run| *chosen(&mut run.environment.build) = "another".into(), words);
    }
    check_note(|run| run.schedule.preset = "quick".to_owned(), "preset differs: test in the old");
    check_note(|run| run.schedule.placement.workers = 2, "1 worker(s), 1 shard(s)");
    check_note(|run| drop(run.schedule.cells.remove(0)), "Only the old run has: batch.");
    let set = |run: &mut Run| drop(run.schedule.models[2].env.insert("A".into(), "1".into()));
    check_note(set, "smol is set up in another way");
}

#[test]
fn another_version_of_a_library_is_named_with_its_model() {
    let versions = |run: &mut Run| {
        for stay in run.blocks.iter_mut().filter_map(|block| block.stays.get_mut("tokio")) {
            stay.versions = [("tokio", "1.0.1"), ("mio", "1.2.5")]
                .map(|(name, version)| (name.to_owned(), version.to_owned()))
                .into();
        }
    };
    let expected = "tokio is built on tokio 1.0.1 instead of 1.0.0, mio 1.2.5, which is new: that \
                    may be the cause.";
    check_note(versions, expected);
}

#[test]
fn a_change_without_a_changed_program_is_reported() {
    let (mut old, mut new) = pair(|maker| maker.changed = vec![("tokio", 1.1)]);
    for run in [&mut old, &mut new] {
        let programs = ["model-tokio", "model-smol"].map(|name| (name.to_owned(), "a".to_owned()));
        run.environment.programs_sha256 = programs.into();
    }
    let notes = diff(&old, &new).unwrap().notes;
    assert_eq!(notes.len(), 2);
    assert!(notes[1].starts_with("In steady, what changed is not the code of tokio: "));
}

#[test]
fn a_threshold_is_crossed_by_the_whole_interval_only() {
    let (old, new) = pair(|maker| maker.changed = vec![("tokio", 1.1), ("rayon", 0.8)]);
    let diff = diff(&old, &new).unwrap();
    assert_eq!(slower_than(&diff, 5.0), ["tokio in batch", "tokio in steady"]);
    let tokio = diff.cells[1].rows.iter().find(|row| row.model == "tokio").unwrap();
    assert!(tokio.ratio.unwrap().value > 1.08);
    assert_eq!(slower_than(&diff, 10.0), Vec::<String>::new());
    assert_eq!(slower_than(&diff, f64::NAN), Vec::<String>::new());
}

#[test]
fn a_comparison_is_written_for_programs() {
    let (old, new) = pair(|maker| maker.changed = vec![("tokio", 1.1)]);
    let json = serde_json::to_value(diff(&old, &new).unwrap()).unwrap();
    assert_eq!(json["schema"], "inflight.diff/2.0");
    assert_eq!(json["metric"], "cpu");
    assert_eq!(json["cells"][1]["rows"][1]["change"], "slower");
}
