//! Promises about the house itself: its arrows, its sizes, its words, and what is absent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use regex::Regex;

/// The files that name a command to replace their process by it, and start none.
const BECOME: [&str; 3] =
    ["crates/java-kit/src/lib.rs", "crates/node-kit/src/lib.rs", "crates/python-kit/src/lib.rs"];

/// The highest level.
const TOP: u8 = 5;

/// The level of a package: arrows point from higher levels to lower ones, never sideways. Models
/// stand apart: they reach a kit, and nothing reaches them.
fn level(package: &str) -> Option<u8> {
    match package {
        "stats" | "workload" => Some(0),
        "rules" | "origin" => Some(1),
        "record" | "client-kit" | "tokio-kit" => Some(2),
        // The origin that misbehaves for tests speaks and counts with the code of the real one.
        "harness" | "analysis" | "bad-origin" => Some(3),
        "report" => Some(4),
        "inflight" | "inflight-workspace" => Some(TOP),
        _ if package.ends_with("-kit") => Some(1),
        _ => None,
    }
}

/// Returns what cargo says of the workspace.
fn metadata() -> Metadata {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().expect("cargo describes it")
}

/// Returns the dependencies of each package, its own tests aside unless it has nothing else.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let arrows = metadata.workspace_packages().into_iter().map(|package| {
        let root = package.name.as_str() == "inflight-workspace";
        let counts = |kind| root || kind != DependencyKind::Development;
        let dependencies = package.dependencies.iter().filter(|d| counts(d.kind));
        (package.name.to_string(), dependencies.map(|d| d.name.clone()).collect())
    });
    arrows.collect()
}

/// Returns whether a package is a model.
fn is_model(package: &str) -> bool {
    package.starts_with("model-") && package != "model-kit"
}

/// Returns whether a package is what is measured: a model, or a program of primitives.
fn is_measured(package: &str) -> bool {
    is_model(package) || package.starts_with("primitives-")
}

/// Returns the arrows that do not point down.
fn astray(arrows: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut astray = Vec::new();
    for (package, dependencies) in arrows {
        for dependency in dependencies.iter().filter(|name| arrows.contains_key(*name)) {
            let down = match (level(package), level(dependency)) {
                (Some(from), Some(to)) => to < from,
                (None, Some(_)) => is_measured(package) && dependency.ends_with("-kit"),
                (_, None) => false,
            };
            if !down {
                astray.push(format!("{package} -> {dependency}"));
            }
        }
    }
    astray
}

#[test]
fn every_arrow_points_down() {
    assert_eq!(astray(&arrows()), Vec::<String>::new());
}

#[test]
fn an_arrow_that_points_up_sideways_or_at_a_model_is_found() {
    let wrong = [
        ("stats", "record"),
        ("rules", "origin"),
        ("rules", "record"),
        ("model-kit", "rules"),
        ("workload", "stats"),
        ("record", "harness"),
        ("harness", "analysis"),
        ("analysis", "report"),
        ("model-tokio", "harness"),
        ("model-tokio", "model-smol"),
        ("model-asyncio", "stats"),
        ("harness", "model-asyncio"),
        ("harness", "model-tokio"),
    ];
    for (package, dependency) in wrong {
        let mut arrows = arrows();
        arrows.entry(package.to_owned()).or_default().insert(dependency.to_owned());
        assert_eq!(astray(&arrows), [format!("{package} -> {dependency}")]);
    }
}

#[test]
fn what_draws_sees_what_was_computed_and_nothing_else() {
    let house = BTreeSet::from(["analysis", "rules", "workload"].map(str::to_owned));
    let arrows = arrows();
    let used = arrows["report"].iter().filter(|name| arrows.contains_key(*name));
    assert_eq!(used.cloned().collect::<BTreeSet<String>>(), house);
}

#[test]
fn nothing_links_a_model() {
    for (package, dependencies) in arrows() {
        assert!(!dependencies.iter().any(|name| is_measured(name)), "{package}");
    }
}

#[test]
fn a_crate_that_only_one_may_name_is_named_by_that_one() {
    let owners = [("wiremock", "origin"), ("criterion", "inflight-workspace")];
    for (dependency, owner) in owners {
        let namers = arrows().into_iter().filter(|(_, to)| to.contains(dependency));
        let namers: Vec<String> = namers.map(|(package, _)| package).collect();
        assert_eq!(namers, [owner], "{dependency}");
    }
}

#[test]
fn only_the_harness_starts_processes() {
    // `record` asks git and rustc for their versions, which starts no process that is measured.
    let may = ["crates/harness/", "crates/record/src/environment", "tests/", "benches/"];
    for (path, text) in sources() {
        let starts = text.contains("process::Command") || text.contains("Command::new");
        let starts = starts && !BECOME.iter().any(|becomes| path == Path::new(becomes));
        assert!(!starts || may.iter().any(|start| path.starts_with(start)), "{}", path.display());
    }
}

#[test]
fn no_duration_is_taken_from_a_clock_that_jumps() {
    // The time of day names runs, says when a session is due, and stands in replies; nothing is
    // measured by it.
    let may = [
        "crates/harness/src/block.rs",
        "crates/harness/src/disturbed.rs",
        "crates/harness/src/go_on.rs",
        "crates/harness/src/measure.rs",
        "crates/origin/src/kinds/fast/server.rs",
        "crates/record/",
    ];
    for (path, text) in sources().into_iter().filter(|(path, _)| path.starts_with("crates")) {
        let reads = text.contains("SystemTime::") || text.contains("UNIX_EPOCH");
        assert!(!reads || may.iter().any(|start| path.starts_with(start)), "{}", path.display());
    }
    let block = fs::read_to_string(at("crates/harness/src/outcome.rs")).expect("it is there");
    assert!(block.contains("began.elapsed()"), "a turn is timed by the monotonic clock");
}

#[test]
fn a_program_that_becomes_an_interpreter_starts_no_second_process() {
    for path in BECOME {
        let text = fs::read_to_string(at(path)).expect("it is there");
        assert!(text.contains(".exec()"), "{path}");
        let starts = [".spawn(", ".output(", ".status("].iter().any(|call| text.contains(call));
        assert!(!starts, "{path}");
    }
}

#[test]
fn every_package_obeys_the_shared_lints_and_one_line_lends_memory_to_the_kernel() {
    let root = fs::read_to_string(at("Cargo.toml")).expect("it is there");
    assert!(root.contains("unsafe_code = \"deny\""));
    let lends = |(_, text): &&(PathBuf, String)| text.contains(&["unsafe", " {"].concat());
    let allows = |text: &str| text.contains(&["(unsafe", "_code"].concat());
    let found = sources();
    let lenders: Vec<&PathBuf> =
        found.iter().filter(|own| lends(own) || allows(&own.1)).map(|(path, _)| path).collect();
    assert_eq!(lenders, [Path::new("crates/model-io-uring/src/main.rs")]);
    for package in metadata().workspace_packages() {
        let manifest = fs::read_to_string(&package.manifest_path).expect("it is there");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{}", package.name);
    }
}

#[test]
fn folder_package_and_program_share_one_name() {
    for package in metadata().workspace_packages().iter().filter(|p| level(&p.name) != Some(TOP)) {
        let folder = package.manifest_path.parent().and_then(|p| p.file_name()).unwrap_or_default();
        let name = package.name.trim_start_matches("model-");
        assert_eq!(folder.trim_start_matches("model-"), name);
        for target in package.targets.iter().filter(|target| target.is_bin()) {
            assert_eq!(target.name, package.name.as_str());
        }
    }
}

#[test]
fn a_model_is_one_file_of_at_most_60_lines() {
    let others = ["*.go", "*.java", "*.py", "*.mjs"].map(files).concat();
    for (path, text) in [sources(), others].concat() {
        let package = path.iter().nth(1).unwrap_or_default().to_string_lossy().into_owned();
        if path.starts_with("crates") && is_model(&package) {
            let names = ["main.rs", "model.go", "Model.java", "model.py", "model.mjs"]
                .map(|name| format!("src/{name}"));
            let one = names.iter().any(|name| path.ends_with(name));
            assert!(one, "{}", path.display());
            let lines = text.lines().count();
            assert!(lines <= 60, "{lines} lines: {}", path.display());
        }
    }
}

#[test]
fn no_file_is_longer_than_400_lines_of_code_or_wider_than_100_columns() {
    let others =
        ["go", "java", "py", "mjs"].map(|end| files(&format!("crates/*-kit/*.{end}"))).concat();
    for (path, text) in [sources(), others].concat() {
        let code = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default();
        assert!(code.lines().count() <= 400, "{}", path.display());
        // A row of a table cannot be broken.
        let broken = |line: &&str| line.chars().count() > 100 && !line.starts_with("//! |");
        let wide = text.lines().find(broken);
        assert_eq!(wide, None, "{}", path.display());
    }
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{}", path.display());
    }
}

#[test]
fn no_code_asks_for_the_name_of_a_workload_or_a_preset() {
    let asks = r"Workload::\w+[^,;\n]* =>|[!=]= Workload::|schedule\.preset(\.as_str\(\))? [!=]=";
    let asks = Regex::new(asks).expect("it is one");
    for asking in ["Workload::Batch if true => 1", "x != Workload::Batch", "schedule.preset == a"] {
        assert!(asks.is_match(asking), "{asking}");
    }
    // What differs between workloads stands in the first two, one file each; a program of
    // primitives does what it is asked for.
    let own = [
        "crates/workload/",
        "crates/rules/",
        "crates/model-kit/src/primitive/tasks.rs",
        "crates/primitives-",
    ];
    for (path, text) in sources().into_iter().filter(|(path, _)| path.starts_with("crates")) {
        let found = asks.find(&text).map(|found| found.as_str());
        let may = own.iter().any(|start| path.to_string_lossy().starts_with(start));
        assert!(may || found.is_none(), "{found:?} in {}", path.display());
    }
}

#[test]
fn a_file_is_written_only_where_its_bytes_are_named_if_it_cannot_be() {
    let writes = Regex::new(r"fs::(write|copy)\(|File::create").expect("it is one");
    // Those of the doctor are a fixture, and probes that say no more than that.
    let own = ["files.rs", "folder.rs", "run_lock.rs", "language.rs"];
    let doctors = ["doctor/build.rs", "doctor/work.rs", "doctor/faults.rs"];
    for (path, text) in sources().into_iter().filter(|(path, _)| path.starts_with("crates")) {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let is_tests = path.to_string_lossy().contains("tests");
        let may = is_tests || own.iter().chain(&doctors).any(|name| path.ends_with(name));
        assert!(may || !writes.is_match(code), "{}", path.display());
    }
}

#[test]
fn nothing_is_left_to_do_later() {
    for (path, text) in sources().into_iter().filter(|(path, _)| !path.ends_with("house.rs")) {
        for mark in ["TODO", "FIXME", "XXX", "unimplemented!", "todo!", "#[ignore"] {
            assert!(!text.contains(mark), "{mark} in {}", path.display());
        }
    }
}

#[test]
fn the_files_of_analysis_and_of_the_report_build_on_one_another_without_a_circle() {
    for name in ["analysis", "report"] {
        assert_eq!(circle(&uses(&sources_of(name))), None, "{name}");
    }
}

#[test]
fn a_circle_of_files_is_found() {
    let mut changed = sources_of("analysis");
    let chain = ["figures", "cell", "turns", "counts"].map(str::to_owned);
    for pair in chain.windows(2) {
        assert!(uses(&changed)[&pair[0]].contains(&pair[1]), "{} uses {}", pair[0], pair[1]);
    }
    let text = changed.get_mut("counts").expect("it is there");
    text.insert_str(0, "use crate::{\n    figures::{self, Figures},\n    line,\n};\n");
    assert!(circle(&uses(&changed)).is_some_and(|circle| circle.contains("counts -> figures")));

    // A parent that declares its child, and a child that uses its parent, are one too.
    let mut changed = sources_of("analysis");
    let text = changed.get_mut("checks::counters").expect("it is there");
    text.push_str("\nfn of() { crate::checks::badges(&[]); }\n");
    assert!(circle(&uses(&changed)).is_some_and(|circle| circle.contains("checks::counters")));
}

/// Returns the source files of a crate by the paths of their modules, without their tests.
fn sources_of(name: &str) -> BTreeMap<String, String> {
    let root = Path::new("crates").join(name).join("src");
    let module = |path: &Path| {
        let path = path.strip_prefix(&root).ok()?.with_extension("");
        let name = path.to_str()?.replace('/', "::");
        let is_kept = name != "lib" && !name.ends_with("tests");
        is_kept.then(|| name.trim_end_matches("::mod").to_owned())
    };
    let code = |text: &str| {
        let code = text.split("\n#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let files =
        sources().into_iter().filter_map(|(path, text)| Some((module(&path)?, code(&text))));
    let files: BTreeMap<String, String> = files.collect();
    assert!(files.len() > 30, "{name} has {} files", files.len());
    files
}

/// Returns which modules each module uses: by a path from the crate's root, or as its child.
fn uses(files: &BTreeMap<String, String>) -> BTreeMap<String, BTreeSet<String>> {
    let path = Regex::new(r"\bcrate::([a-z_]+)(?:::([a-z_]+))?").expect("it is one");
    let several = Regex::new(r"\bcrate::\{([^;]*)\};").expect("it is one");
    let child = Regex::new(r"(?m)^(?:pub(?:\(crate\))? )?mod ([a-z_]+);").expect("it is one");
    let word = Regex::new(r"[a-z_]+").expect("it is one");
    let of = |(name, text): (&String, &String)| {
        let nested = several.captures_iter(text);
        let nested: Vec<&str> = nested
            .flat_map(|own| word.find_iter(own.extract::<1>().1[0]))
            .map(|w| w.as_str())
            .collect();
        let nested = nested.into_iter().filter(|word| files.contains_key(*word)).map(str::to_owned);
        let paths = path.captures_iter(text).map(|own| {
            let first = own[1].to_owned();
            let inner = own.get(2).map(|inner| format!("{first}::{}", inner.as_str()));
            inner.filter(|inner| files.contains_key(inner)).unwrap_or(first)
        });
        let children = child.captures_iter(text).map(|own| format!("{name}::{}", &own[1]));
        let used: BTreeSet<String> = nested.chain(paths).chain(children).collect();
        for used in &used {
            assert!(files.contains_key(used), "{name} uses {used}, which is no file");
        }
        (name.clone(), used)
    };
    files.iter().map(of).collect()
}

/// Returns the arrows of a circle, if there is one: what is left when every file that uses none of
/// the others is taken away, again and again.
fn circle(uses: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let mut left = uses.clone();
    loop {
        let free =
            left.iter().find(|(_, others)| !others.iter().any(|name| left.contains_key(name)));
        let Some(free) = free.map(|(name, _)| name.clone()) else { break };
        left.remove(&free);
    }
    let arrows = left.iter().flat_map(|(name, others)| {
        let others = others.iter().filter(|other| left.contains_key(*other));
        others.map(move |other| format!("{name} -> {other}"))
    });
    let arrows: Vec<String> = arrows.collect();
    (!arrows.is_empty()).then(|| arrows.join(", "))
}

/// Returns a path of the workspace.
fn at(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Returns every source file, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let sources = files("*.rs");
    assert!(sources.len() > 30, "git lists {} files", sources.len());
    sources
}

/// Returns every file of a kind that git knows or would add, with its text.
fn files(kind: &str) -> Vec<(PathBuf, String)> {
    let git = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", kind])
        .current_dir(at("."))
        .output()
        .expect("git lists the files");
    let list = String::from_utf8(git.stdout).expect("our paths are UTF-8");
    let paths: Vec<PathBuf> = list.lines().map(PathBuf::from).filter(|p| at(p).exists()).collect();
    let read = |path: PathBuf| fs::read_to_string(at(&path)).map(|text| (path, text));
    paths.into_iter().map(read).collect::<Result<_, _>>().expect("sources are UTF-8")
}
