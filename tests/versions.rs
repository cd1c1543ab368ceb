//! Promises of `inflight compare`: versions of a library and levers are participants of one run,
//! wrong use is a sentence that leaves nothing behind, and the workflow for a runtime's repository
//! does what it says.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cargo_metadata::MetadataCommand;
use record::{Allocator, Lever, Run, State};

use crate::support::shell::{check, inflight, text};
use crate::support::skip::skipped;
use crate::support::{WORKSPACE, alone};

/// Runs a comparison.
fn compare(arguments: &[&str]) -> Output {
    inflight(&WORKSPACE.root, &[&["compare"], arguments].concat())
}

/// Returns a path as an argument.
pub(crate) fn argument(path: &Path) -> &str {
    path.to_str().expect("our paths are UTF-8")
}

/// Returns the run that was written below a folder by a command, and its own folder. One block
/// shows nothing; what a busy machine does to it is none of a test's.
pub(crate) fn measured(out: &Path, output: &Output) -> (PathBuf, Run) {
    assert!([Some(0), Some(4)].contains(&output.status.code()), "{output:?}");
    let folder = fs::read_dir(out).expect("it is there").flatten();
    let run = folder.map(|entry| entry.path()).find(|path| path.join("MANIFEST").exists());
    let path = run.expect("it was written");
    let run = Run::read(&path).expect("it reads");
    (path, run)
}

/// Checks that a row took turns, whatever a busy machine made of them.
pub(crate) fn took_turns(run: &Run, name: &str) {
    let mut turns = run.turns.iter().filter(|turn| turn.model == name).peekable();
    assert!(turns.peek().is_some(), "{name}");
    assert!(turns.all(|turn| !matches!(turn.state, State::Failed(_))), "{name}");
}

/// Returns the version of a package that is locked, and the folder of its source.
pub(crate) fn locked(package: &str) -> (String, PathBuf) {
    let metadata = MetadataCommand::new().current_dir(&WORKSPACE.root).exec().expect("it reads");
    let mut packages = metadata.packages.into_iter();
    let found = packages.find(|other| other.name == package).expect("it is locked");
    let folder = found.manifest_path.parent().expect("it lies in a folder").as_std_path();
    (found.version.to_string(), folder.to_owned())
}

/// Copies the files of a folder that cargo needs.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("it is ours");
    for entry in fs::read_dir(from).expect("it is there").flatten() {
        let place = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &place),
            false => drop(fs::copy(entry.path(), place).expect("it is ours")),
        }
    }
}

#[test]
fn versions_and_a_checkout_are_rows_of_one_run_against_the_first() {
    let _alone = alone();
    let (version, source) = locked("rayon");
    let folder = tempfile::tempdir().expect("it is made");
    let (checkout, out) = (folder.path().join("my-rayon"), folder.path().join("results"));
    copy(&source, &checkout);
    let names = [format!("rayon@{version}"), format!("rayon@{version}#2"), "rayon@my-rayon".into()];
    let asked = [names[0].clone(), names[0].clone(), format!("rayon@{}", checkout.display())];
    let arguments = [&asked[0], &asked[1], &asked[2], "--blocks", "1", "--seed", "7", "--md"];
    let output = compare(&[&arguments[..], &["--out", argument(&out)]].concat());
    let table = text(&output);
    assert!(table.contains("| version |"), "{table}");

    let (_, run) = measured(&out, &output);
    assert_eq!(run.schedule.baseline.as_ref(), Some(&names[0]));
    for name in &names {
        let model = run.schedule.model(name).expect("it is a row");
        let variant = model.variant.as_ref().expect("it says which version it has");
        assert_eq!((&variant.package[..], &variant.version), ("rayon", &version));
        assert_eq!(variant.is_checkout, name.ends_with("my-rayon"));
        took_turns(&run, name);
        assert_eq!(run.versions(name).get("rayon"), Some(&version), "{name}");
    }
    let written = serde_json::to_string(&run.schedule).expect("it is written");
    assert!(!written.contains(argument(&checkout)), "no path is written down");
}

/// The manifest of a runtime.
const RUNTIME: &str = "[package]\nname = \"mine\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                       [features]\nbroken = []\nextra = []\n\n[lints.rust]\n\
                       unexpected_cfgs = \"allow\"\n\n[workspace]\n";
/// Its source: it says how it was built.
const SOURCE: &str = r#"
pub fn built() -> String {
    let all = [("base", true), ("extra", cfg!(feature = "extra")), ("flag", cfg!(mine_flag))];
    let on: Vec<&str> = all.iter().filter(|(_, is_on)| *is_on).map(|(name, _)| *name).collect();
    on.join(" ")
}

#[cfg(feature = "broken")]
compile_error!("this feature is broken");
"#;

/// Writes a runtime into a folder, with a model of it in `bench`.
fn runtime(folder: &Path) {
    fs::create_dir_all(folder.join("src")).expect("it is ours");
    fs::write(folder.join("Cargo.toml"), RUNTIME).expect("it is ours");
    fs::write(folder.join("src/lib.rs"), SOURCE).expect("it is ours");
    model(&folder.join("bench"), "{ path = \"../..\" }");
}

/// Writes a model of a runtime into a folder, which asks for the runtime so and reports how that
/// was built.
pub(crate) fn model(folder: &Path, asks: &str) {
    fs::create_dir_all(folder).expect("it is ours");
    let made = ["new-model", "mine", "--like", "blocking", "--models", argument(folder)];
    check(&inflight(&WORKSPACE.root, &made), 0, "");
    let manifest = folder.join("model-mine/Cargo.toml");
    change(&manifest, "[dependencies]", |found| format!("{found}\nmine = {asks}"));
    change(&manifest, "client = \"bare\"", |found| format!("{found}\nruntime = \"mine\""));
    change(&folder.join("model-mine/src/main.rs"), "model_kit::hello!()", |found| {
        let built = "hello.versions.insert(\"built\".to_owned(), mine::built())";
        format!("{{ let mut hello = {found}; {built}; hello }}")
    });
}

/// Changes a part of a file.
pub(crate) fn change(path: &Path, part: &str, by: impl Fn(&str) -> String) {
    let text = fs::read_to_string(path).expect("it is there");
    assert_eq!(text.matches(part).count(), 1, "{part} in {text}");
    fs::write(path, text.replace(part, &by(part))).expect("it is ours");
}

#[test]
fn levers_reach_the_compiler_and_the_run_says_which_row_has_which() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("it is made");
    let (own, out) = (folder.path().join("mine"), folder.path().join("results"));
    runtime(&own);
    let bench = own.join("bench");
    let (bench, asked) = (argument(&bench), argument(&out));
    let (feature, flag) = ("mine+feature=extra", "mine+system+cfg=mine_flag");
    let rows = ["mine", feature, flag, "--models", bench, "--blocks", "1", "--seed", "7"];
    let output = compare(&[&rows[..], &["--md", "--out", asked]].concat());
    let (path, run) = measured(&out, &output);
    let extra = Lever::Feature { package: "mine".to_owned(), name: "extra".to_owned() };
    let both = [Lever::Allocator(Allocator::System), Lever::Cfg("mine_flag".to_owned())];
    let page = fs::read_to_string(path.join("derived/report.html")).expect("it is there");
    let mut hashes = Vec::new();
    for (name, built, levers, label) in [
        ("mine", "base", &[][..], ""),
        (feature, "base extra", &[extra], "with feature extra of mine"),
        (flag, "base flag", &both, "with allocator system, cfg mine_flag"),
    ] {
        took_turns(&run, name);
        assert_eq!(run.versions(name).get("built").map(String::as_str), Some(built), "{name}");
        assert_eq!(run.schedule.model(name).expect("it is a row").levers, levers, "{name}");
        assert!(text(&output).contains(name) && page.contains(name), "{name}: {output:?}");
        assert!(page.contains(label), "{label}");
        hashes.push(&run.environment.programs_sha256[&format!("model-{name}")]);
    }
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 3, "each row has a program of its own: {hashes:?}");
    check(&inflight(&WORKSPACE.root, &["check", argument(&path)]), 0, "");

    // What does not build with a lever is named, and leaves nothing.
    let output = compare(&["mine", "mine+feature=broken", "--models", bench, "--out", asked]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("model-mine does not build with feature broken of mine"), "{said}");
    assert!(!WORKSPACE.target.join("inflight/versions/mine+feature_broken").exists());
}

#[test]
fn a_run_measures_a_model_with_another_allocator_beside_the_baseline() {
    let _alone = alone();
    let out = tempfile::tempdir().expect("it is made");
    let asked = ["run", "threads", "--allocator", "mimalloc", "--preset", "smoke"];
    let rest = ["--cell", "batch", "--out", argument(out.path())];
    let output = inflight(&WORKSPACE.root, &[&asked[..], &rest].concat());
    if String::from_utf8_lossy(&output.stderr).contains("is not on this machine") {
        return skipped("mimalloc cannot be fetched");
    }
    let (_, run) = measured(out.path(), &output);
    for name in ["tokio", "threads+mimalloc"] {
        took_turns(&run, name);
        assert_eq!(run.versions(name).contains_key("mimalloc"), name != "tokio", "{name}");
    }
    assert_eq!(run.schedule.baseline, None);
}

/// The workflow that a runtime's repository copies.
const WORKFLOW: &str = "crates/inflight/ci/compare.yml";

/// Returns its lines.
fn workflow() -> Vec<String> {
    let text = fs::read_to_string(WORKSPACE.root.join(WORKFLOW)).expect("it is there");
    text.lines().map(str::to_owned).collect()
}

/// Returns the script of a step of it.
pub(crate) fn step(name: &str) -> String {
    let lines = workflow();
    let named = |line: &String| line.trim_start() == format!("- name: {name}");
    let begin = lines.iter().position(named).unwrap_or_else(|| panic!("there is no step {name}"));
    let rest = lines[begin..].iter().skip_while(|line| line.trim_start() != "run: |").skip(1);
    let script = rest.map_while(|line| line.strip_prefix(&" ".repeat(10)));
    script.collect::<Vec<_>>().join("\n")
}

/// Returns what it sets a variable to.
fn setting(name: &str) -> String {
    let begin = format!("      {name}: ");
    let mut found = workflow().into_iter().filter_map(|line| {
        line.strip_prefix(&begin).map(|value| value.trim_matches('"').to_owned())
    });
    found.next().unwrap_or_else(|| panic!("it does not set {name}"))
}

/// Has git do something in a folder.
pub(crate) fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=A", "-c", "user.email=a@example.org"]).args(arguments);
    let output = git.current_dir(folder).output().expect("git starts");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

#[test]
fn the_workflow_compares_a_pull_request_with_its_base_and_comments_with_the_table() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("it is made");
    let (at, origin) = (folder.path(), folder.path().join("mine"));
    runtime(&origin);
    git(&origin, &["init", "--quiet", "--initial-branch", "main"]);
    git(&origin, &["add", "."]);
    git(&origin, &["commit", "--quiet", "-m", "base"]);
    git(&origin, &["checkout", "--quiet", "-b", "change"]);
    change(&origin.join("src/lib.rs"), "\"base\"", |_| "\"changed\"".to_owned());
    git(&origin, &["commit", "--quiet", "--all", "-m", "change"]);
    git(&origin, &["checkout", "--quiet", "main"]);
    git(&origin, &["merge", "--quiet", "--no-ff", "-m", "merge", "change"]);
    git(at, &["clone", "--quiet", argument(&origin), "pr"]);
    symlink(&WORKSPACE.root, at.join("inflight")).expect("it is ours");
    // The program that comments needs a network: another one says how it was called.
    let gh = at.join("gh");
    fs::write(&gh, "#!/bin/sh\necho \"$@\" > said\n").expect("it is ours");
    fs::set_permissions(&gh, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let path = format!("{}:{}", at.display(), std::env::var("PATH").expect("it is set"));

    let options = format!("{} --blocks 1 --seed 7", setting("OPTIONS"));
    assert!(setting("MODEL") == "tokio" && setting("MODELS").is_empty());
    let run = |name: &str| {
        let mut bash = Command::new("bash");
        bash.args(["-e", "-c", &step(name)]).current_dir(at).env("PATH", &path);
        bash.envs([("MODEL", "mine"), ("MODELS", "bench"), ("OPTIONS", options.as_str())]);
        bash.env("GITHUB_WORKSPACE", at).env("GITHUB_STEP_SUMMARY", at.join("summary"));
        bash.envs([("NUMBER", "7"), ("GITHUB_REPOSITORY", "me/mine")]);
        bash.output().expect("bash starts")
    };
    check(&run("Check the base out"), 0, "");
    let (_, found) = measured(&at.join("results"), &run("Compare"));
    for (name, built) in [("mine@base", "base"), ("mine@pr", "changed")] {
        took_turns(&found, name);
        assert_eq!(found.versions(name).get("built").map(String::as_str), Some(built), "{name}");
    }
    assert_eq!(found.schedule.baseline.as_deref(), Some("mine@base"));
    check(&run("Show the table"), 0, "");
    check(&run("Comment with the table"), 0, "");
    let table = fs::read_to_string(at.join("summary")).expect("it was written");
    assert!(table.contains("| mine@base | ") && table.contains("| mine@pr | "), "{table}");
    let said = fs::read_to_string(at.join("said")).expect("it was called");
    assert_eq!(
        said,
        "pr comment 7 --repo me/mine --body-file compare.md --edit-last --create-if-none\n"
    );
}

#[test]
fn a_version_that_does_not_exist_leaves_nothing_of_another_that_was_prepared_before() {
    let _alone = alone();
    let (version, _) = locked("rayon");
    let prepared = WORKSPACE.target.join("inflight/versions").join(format!("rayon_{version}"));
    // One that is there stays, since a run may go on with it.
    let _ = fs::remove_dir_all(&prepared);
    let rows = [format!("rayon@{version}"), "rayon@999.0.0".to_owned()];
    let output = compare(&[&rows[0], &rows[1]]);
    check(&output, 2, "rayon 999.0.0");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("{}: ", rows[0])), "it was prepared: {said}");
    assert!(!prepared.exists() && !prepared.with_file_name("rayon_999.0.0").exists());

    fs::create_dir_all(&prepared).expect("it is ours");
    check(&compare(&[&rows[0], &rows[1]]), 2, "rayon 999.0.0");
    assert!(prepared.join("Cargo.lock").exists(), "it was there before");
    fs::remove_dir_all(&prepared).expect("it is ours");
}

#[test]
fn what_cannot_be_compared_is_said_in_a_sentence_before_anything_is_measured() {
    let _alone = alone();
    for (arguments, words) in [
        (&["tokio"][..], "2 values required"),
        (&["tokio", "toky@1.2.3"], "did you mean \"tokio\"?"),
        (&["tokio", "tokio"], "tokio is named twice"),
        (&["tokio", "tokio", "--allocator", "mimalloc"], "tokio+mimalloc is named twice"),
        (&["tokio", "tokio@latest"], "\"latest\" is no version: expected three numbers"),
        (&["tokio", "tokio@1.50.x"], "\"1.50.x\" is no version: expected three numbers"),
        (&["tokio", "tokio@./nowhere"], "there is no folder ./nowhere"),
        (&["tokio", "tokio@./crates"], "holds no package \"tokio\""),
        (&["tokio", "threads@1.2.3"], "threads names no package that it is a model of"),
        (&["tokio", "tokio@quinn=1.2.3"], "the model is not built with a package \"quinn\""),
        (&["tokio", "asyncio@3.12.0"], "asyncio is not built by cargo"),
        (&["tokio", "tokio@999.0.0"], "tokio 999.0.0"),
        (&["tokio", "tokio+mimaloc"], "there is no lever \"mimaloc\" (did you mean mimalloc?)"),
        (&["tokio", "tokio+mimalloc+jemalloc"], "cannot have the lever \"jemalloc\" too"),
        (&["tokio", "tokio+cfg=tokio-unstable"], "\"tokio-unstable\" is no cfg: expected an"),
        (&["tokio", "tokio+cfg=tokio_unstabel"], "asks for the cfg \"tokio_unstabel\""),
        (&["tokio", "tokio+feature=nonsense"], "has no feature \"nonsense\", expected one of "),
        (&["tokio", "tokio+feature=rt"], "is on without a lever: it would change nothing"),
        (&["tokio", "threads+feature=x"], "say which, as in threads+feature=PACKAGE/x"),
        (&["tokio", "tokio+feature=quinn/x"], "the model is not built with a package \"quinn\""),
        (&["tokio", "asyncio+mimalloc"], "asyncio is not built by cargo"),
        (&["tokio", "smol", "--allocator", "mimaloc"], "invalid value 'mimaloc' for"),
        (&["tokio", "smol", "--cfg", "tokio_unstabel"], "asks for the cfg \"tokio_unstabel\""),
        (&["tokio", "smol", "--cell", "stedy"], "there is no cell \"stedy\": did you mean"),
        (&["tokio", "smol", "--cell", "hold-64"], "run --cell hold-64` measures hold-64"),
        (&["tokio", "smol", "--fail-if-slower", "much"], "expected a percentage"),
        (&["tokio", "smol", "--workers", "0"], "0 is not in 1..=1024"),
        (&["tokio", "smol", "--workers", "1024"], "1024 workers need as many CPUs"),
        (&["tokio", "smol", "--oversubscribe"], "--workers <N>"),
        (&["tokio", "smol", "--in-flight", "0"], "0 is not in 1..=20000"),
        (&["tokio", "smol", "--delay", "3..1"], "expected milliseconds such as 8 or 4..12"),
        (&["tokio", "smol", "--body", "16XB"], "expected bytes such as 128 or 16KiB"),
    ] {
        check(&compare(arguments), 2, words);
    }
    let nothing = inflight(&WORKSPACE.root, &["run", "--allocator", "mimalloc"]);
    check(&nothing, 2, "are for models that are named");
    for half in [
        "tokio_999.0.0",
        "tokio_crates",
        "tokio_quinn_1.2.3",
        "tokio+cfg_tokio_unstabel",
        "tokio+feature_nonsense",
        "tokio+feature_quinn_x",
        "tokio+feature_rt",
    ] {
        assert!(!WORKSPACE.target.join("inflight/versions").join(half).exists(), "{half}");
    }
}
