//! Pairs of runs: what is said of them, and what is refused.

use record::{Integrity, State};
use rules::{METRICS, Reason, WALL};

use super::*;
use crate::fixture::{BASELINE, Fixture, corrupt, times};

/// The models of a run, from the cheapest on.
const MODELS: [&str; 8] = ["loop", "tokio", "smol", "std", "reqwest", "hyper", "threads", "rayon"];

/// Returns what a run of some models is made from: 12 blocks, a tenth of the noise five times as
/// large as the rest.
fn fixture(seed: u64, models: &[&'static str]) -> Fixture {
    let place = |name: &str| (0_u8..).zip(MODELS).find(|(_, own)| *own == name);
    let cost = |name: &str| 1.0 + 0.25 * place(name).map_or(0.0, |(place, _)| f64::from(place));
    let models = models.iter().map(|name| (*name, cost(name))).collect();
    let (controls, rounds) = (Vec::new(), [3, 3]);
    Fixture {
        models,
        controls,
        blocks: 12,
        rounds,
        noise: 0.01,
        tail: 5.0,
        seed,
        ..Fixture::good()
    }
}

/// Makes some models of a run cost another factor.
fn change(fixture: &mut Fixture, changed: &[(&str, f64)]) {
    for (name, factor) in changed {
        let own = fixture.models.iter_mut().filter(|(model, _)| model == name);
        own.for_each(|(_, cost)| *cost *= factor);
    }
}

/// Makes the machine of a run slower by a factor.
fn slow(fixture: &mut Fixture, factor: f64) {
    fixture.models.iter_mut().for_each(|(_, cost)| *cost *= factor);
}

/// Returns an old run and a new one that `edit` has changed.
fn pair(edit: impl FnOnce(&mut Fixture)) -> (Run, Run) {
    let mut new = fixture(2, &MODELS);
    edit(&mut new);
    (fixture(1, &MODELS).run(), new.run())
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
        let run = Fixture { blocks, noise: 0.3, ..fixture(1, &MODELS) }.run();
        let diff = diff(&run, &run).unwrap();
        for cell in ["batch", "steady"] {
            assert_eq!(said(&diff, cell, Change::Same).len(), MODELS.len());
        }
        assert_eq!(diff.notes, ["Both runs hold the very same turns."]);
    }
}

#[test]
fn two_quiet_runs_of_the_same_models_are_the_same() {
    let quiet = |seed| Fixture { noise: 0.001, tail: 1.0, ..fixture(seed, &MODELS) };
    let mut new = quiet(2);
    slow(&mut new, 1.07);
    let (old, new) = (quiet(1).run(), new.run());
    let diff = diff(&old, &new).unwrap();
    assert_eq!(said(&diff, "steady", Change::Same), MODELS);
    assert_eq!(diff.notes, Vec::<String>::new());
}

#[test]
fn a_model_with_a_tenth_more_work_is_slower_and_it_alone() {
    for model in MODELS {
        check_slower(pair(|new| change(new, &[(model, 1.1)])), &[model]);
    }
}

#[test]
fn a_slower_machine_is_no_slower_model() {
    check_slower(pair(|new| slow(new, 1.07)), &[]);
    for model in MODELS {
        let edit = |new: &mut Fixture| {
            slow(new, 1.07);
            change(new, &[(model, 1.1)]);
        };
        check_slower(pair(edit), &[model]);
    }
}

#[test]
fn the_one_of_three_models_that_changed_is_distinguished_from_the_machine() {
    for model in &MODELS[..3] {
        let mut new = fixture(4, &MODELS[..3]);
        slow(&mut new, 1.07);
        change(&mut new, &[(*model, 1.1)]);
        check_slower((fixture(3, &MODELS).run(), new.run()), &[model]);
    }
}

#[test]
fn a_large_change_amid_loud_noise_is_blamed_on_no_other_model() {
    let is_false = |seed: &u64| {
        let loud = |seed| Fixture { noise: 0.05, ..fixture(seed, &MODELS[..4]) };
        let mut new = loud(2 * seed + 1);
        change(&mut new, &[("tokio", 1.5)]);
        let diff = diff(&loud(2 * seed).run(), &new.run()).unwrap();
        let slower = said(&diff, "steady", Change::Slower);
        slower != ["tokio"] || !said(&diff, "steady", Change::Faster).is_empty()
    };
    let count = (0..100).filter(is_false).count();
    assert!(count <= 8, "{count} of 100 pairs");
}

#[test]
fn two_models_of_eight_may_change_together() {
    let changed = [("tokio", 1.1), ("reqwest", 1.08)];
    check_slower(pair(|new| change(new, &changed)), &["tokio", "reqwest"]);
}

#[test]
fn exchanging_the_runs_makes_slower_faster_and_mirrors_the_ratio() {
    let (old, new) = pair(|new| change(new, &[(BASELINE, 1.1)]));
    let [there, back] = [diff(&old, &new).unwrap(), diff(&new, &old).unwrap()];
    assert_eq!(said(&back, "steady", Change::Faster), [BASELINE]);
    let ratio = |diff: &Diff| diff.cells[1].rows.iter().find(|r| r.model == BASELINE)?.ratio;
    let (there, back) = (ratio(&there).unwrap(), ratio(&back).unwrap());
    assert!((there.value * back.value - 1.0).abs() < 1e-12);
    assert!((there.low.unwrap() * back.high.unwrap() - 1.0).abs() < 1e-12);
}

#[test]
fn what_the_machine_did_is_reported_for_all_models_together() {
    let (old, new) = pair(|new| {
        new.blocks = 60;
        slow(new, 1.07);
    });
    let together = diff(&old, &new).unwrap().cells[1].together.unwrap();
    assert!(together.low.unwrap() < 1.07 && 1.07 < together.high.unwrap(), "{together:?}");
    assert!(together.low.unwrap() > 1.0, "{together:?}");
}

#[test]
fn noise_alone_makes_a_false_claim_in_5_of_100_pairs_at_most() {
    // Noise far above the margin, so that the margin does not hide what the tests let through.
    let noisy = |seed| Fixture { noise: 0.05, ..fixture(seed, &MODELS) };
    let is_false = |seed: &u64| {
        let old = noisy(2 * seed).run();
        let mut new = noisy(2 * seed + 1);
        slow(&mut new, 1.07);
        let diff = diff(&old, &new.run()).unwrap();
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
    let few = |seed| Fixture { blocks: 3, ..fixture(seed, &MODELS) };
    let mut new = few(2);
    change(&mut new, &[("tokio", 1.5)]);
    let diff = diff(&few(1).run(), &new.run()).unwrap();
    assert_eq!(said(&diff, "steady", Change::Unknown), MODELS);
    assert_eq!(diff.cells[0].rows[0].ratio.unwrap().low, None);
}

#[test]
fn fewer_than_three_models_cannot_be_distinguished_from_the_machine() {
    for models in [&MODELS[..1], &MODELS[..2]] {
        let diff = diff(&fixture(1, &MODELS).run(), &fixture(2, models).run()).unwrap();
        assert_eq!(said(&diff, "steady", Change::Unknown), models);
        assert!(diff.cells[0].rows.iter().all(|row| row.ratio.is_none()));
        assert!(diff.cells[0].together.is_some());
        assert!(diff.notes[0].contains("fewer than 3 models in common"), "{:?}", diff.notes);
    }
}

#[test]
fn models_of_one_run_alone_are_listed() {
    let (old, new) = (fixture(2, &MODELS[1..]), fixture(3, &MODELS[..7]));
    let diff = diff(&old.run(), &new.run()).unwrap();
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
    let (old, mut new) = pair(|new| change(new, &[("rayon", 1.1)]));
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
    check_refused(altered, " was altered after it was measured: a.json");
    check_refused(
        |run| run.environment.cpu = "Other".to_owned(),
        "CPU: AMD EPYC in the old run, Other in the new",
    );
    let (mut old, mut new) = pair(|_| {});
    for run in [&mut old, &mut new] {
        run.environment.cpu = "unknown".to_owned();
    }
    let refusal = diff(&old, &new).unwrap_err().to_string();
    assert!(refusal.contains(" does not say what its CPU is"), "{refusal}");
    let charged = |run: &mut Run| run.environment.irq_time_accounting = "on".to_owned();
    check_refused(charged, "IRQ time accounting: off in the old run, on in the new");
    check_refused(|run| run.environment.cpus += 62, "(number of CPUs: ");
    check_refused(|run| run.environment.kind = "bare".to_owned(), "bare in the new)");
    check_refused(|run| run.schedule.cells[1].in_flight = 8, "the cell steady is other work");
    check_refused(|run| run.schedule.cells.clear(), "the runs have no cell in common");
}

#[test]
fn only_batches_are_compared_by_wall() {
    let (old, mut new) = pair(|_| ());
    for turn in corrupt(&mut new, ("smol", "batch")) {
        let window = &mut turn.turned.as_mut().unwrap().window;
        window.wall_ns = times(window.wall_ns, 1.1);
    }
    let diff = diff_by(WALL, &old, &new).unwrap();
    assert_eq!(diff.cells.len(), 1);
    assert_eq!(said(&diff, "batch", Change::Slower), ["smol"]);
    // Four times 20 ms of delay, and what the origin was late.
    assert!((80.0..90.0).contains(&diff.cells[0].rows[0].cost_old));

    new.schedule.cells.remove(0);
    let refusal = diff_by(WALL, &old, &new).unwrap_err();
    assert_eq!(refusal, Refusal::NoCellFor("wall"));
    assert!(refusal.to_string().contains("no cell in common that is compared by wall"));
}

#[test]
fn two_runs_are_compared_by_every_metric_in_its_own_words() {
    let (old, new) = pair(|new| change(new, &[("smol", 1.1)]));
    for metric in METRICS {
        let diff = diff_by(metric, &old, &new).unwrap();
        assert_eq!((diff.metric.as_str(), diff.unit.as_str()), (metric.key, metric.unit));
        assert!(diff.cells.iter().all(|cell| !cell.rows.is_empty()), "{}", metric.key);
        let word = diff.word(Change::Slower);
        assert_eq!(word, if [CPU, WALL].contains(&metric) { "slower" } else { "more" });
    }
}

#[test]
fn what_else_may_be_the_cause_is_reported() {
    type Choose = fn(&mut record::environment::Build) -> &mut record::environment::Fact;
    check_note(|run| run.integrity = Integrity::Unfinished, "The new run did not come to its end.");
    let rustc = |run: &mut Run| run.environment.rustc = "rustc 1.96.0".to_owned();
    check_note(rustc, ", rustc 1.96.0 in the new.");
    let kernel = |run: &mut Run| run.environment.kernel = "6.19".to_owned();
    check_note(kernel, "The kernel differs: ");
    let flags = |run: &mut Run| run.environment.rustflags = "-Ctarget-cpu=native".to_owned();
    check_note(flags, "set of compiler flags differs: ");
    check_note(|run| run.environment.profile = "dev".to_owned(), "profile differs: release, ");
    let choices: [(Choose, &str); 5] = [
        (|build| &mut build.rustc_chosen_by, "choice of the compiler differs: "),
        (|build| &mut build.rustc_wrapper, "wrapper of the compiler differs: "),
        (|build| &mut build.rustc_bootstrap, "use of RUSTC_BOOTSTRAP differs: "),
        (|build| &mut build.target, "target differs: "),
        (|build| &mut build.linker, "linker differs: "),
    ];
    for (chosen, words) in choices {
        let (mut old, mut new) = pair(|_| ());
        *chosen(&mut old.environment.build) = "one".into();
        *chosen(&mut new.environment.build) = "another".into();
        let notes = diff(&old, &new).unwrap().notes;
        assert!(notes.iter().any(|note| note.contains(words)), "{notes:?}");
    }
    check_note(
        |run| run.schedule.preset = "quick".to_owned(),
        "preset differs: standard in the old",
    );
    check_note(|run| run.schedule.placement.workers = 2, "1 worker(s), 1 shard(s)");
    check_note(|run| drop(run.schedule.cells.remove(0)), "Only the old run has: batch.");
    let set = |run: &mut Run| drop(run.schedule.models[2].env.insert("A".into(), "1".into()));
    check_note(set, "smol is set up in another way");
}

#[test]
fn another_version_of_a_library_is_named_with_its_model() {
    let (mut old, mut new) = pair(|_| ());
    let built_on = |run: &mut Run, versions: &[(&str, &str)]| {
        for stay in run.blocks.iter_mut().filter_map(|block| block.stays.get_mut("tokio")) {
            let text = |(name, version): &(&str, &str)| ((*name).to_owned(), (*version).to_owned());
            stay.versions = versions.iter().map(text).collect();
        }
    };
    built_on(&mut old, &[("tokio", "1.0.0")]);
    built_on(&mut new, &[("tokio", "1.0.1"), ("mio", "1.2.5")]);
    let expected = "tokio is built on tokio 1.0.1 instead of 1.0.0, mio 1.2.5, which is new: that \
                    may be the cause.";
    let notes = diff(&old, &new).unwrap().notes;
    assert!(notes.iter().any(|note| note == expected), "{notes:?}");
}

#[test]
fn a_change_without_a_changed_program_is_reported() {
    let (mut old, mut new) = pair(|new| change(new, &[("tokio", 1.1)]));
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
    let (old, new) = pair(|new| change(new, &[("tokio", 1.12), ("rayon", 0.8)]));
    let diff = diff(&old, &new).unwrap();
    assert_eq!(slower_than(&diff, 5.0), ["tokio in batch", "tokio in steady"]);
    let tokio = diff.cells[1].rows.iter().find(|row| row.model == "tokio").unwrap();
    assert!(tokio.ratio.unwrap().value > 1.08);
    assert_eq!(slower_than(&diff, 12.0), Vec::<String>::new());
    assert_eq!(slower_than(&diff, f64::NAN), Vec::<String>::new());
}

#[test]
fn a_comparison_is_written_for_programs() {
    let (old, new) = pair(|new| change(new, &[("tokio", 1.1)]));
    let json = serde_json::to_value(diff(&old, &new).unwrap()).unwrap();
    assert_eq!(json["schema"], "inflight.diff/2.0");
    assert_eq!(json["metric"], "cpu");
    assert_eq!(json["cells"][1]["rows"][1]["change"], "slower");
}
