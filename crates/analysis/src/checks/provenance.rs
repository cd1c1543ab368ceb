//! Checks on where a run comes from: its build, its clock, its limits, its source.

use record::{Environment, Integrity, Run};

use crate::checks::question::{Question, RUN, Trouble, ValidityCheck};

/// What is said of the machine where something cannot be had.
const UNKNOWN: &str = "unknown";
/// Clocks that are read without a call of the kernel, hence in far less than 100 ns. Others, such
/// as hpet, cost about a microsecond, and a fetch of the floor costs about twenty.
const FAST_CLOCKS: [&str; 4] =
    ["tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page"];
/// Options of code generation that choose a machine or a linker, or what a debugger sees. Any other
/// makes another program than the profile does, and so may an unstable flag.
const HARMLESS_OPTIONS: [&str; 10] = [
    "debuginfo",
    "force-frame-pointers",
    "link-arg",
    "link-args",
    "linker",
    "linker-features",
    "split-debuginfo",
    "symbol-mangling-version",
    "target-cpu",
    "target-feature",
];
/// What a reading of the clock may take, in nanoseconds: a fetch of the floor costs some 18 us and
/// reads the clock twice, so that this is a hundredth of it.
const CLOCK_READING_NS: u64 = 100;
/// With what the variables begin that go before the profile of the workspace.
const PROFILE_VARIABLES: &str = "CARGO_PROFILE_RELEASE_";

/// Open files that a slot takes in each process, with room for its successor.
const FILES_A_SLOT: u64 = 2;
/// Ports of a slot: its own, and three that earlier turns have not given back yet.
const PORTS_A_SLOT: u64 = 4;

/// Returns the checks of a run that need no turn.
pub(crate) fn checks(run: &Run) -> Vec<ValidityCheck> {
    let machine = &run.environment;
    vec![build(machine), clock(machine), limits(run), source(run)]
}

/// G1: all programs are compiled in the one way that is measured.
fn build(machine: &Environment) -> ValidityCheck {
    let question = Question {
        id: "G1",
        name: "build",
        scope: RUN,
        threshold: "release, one profile for all models, no debug assertions".to_owned(),
    };
    let (profile, flags) = (&machine.profile, &machine.rustflags);
    if profile == UNKNOWN {
        return question.unknown("the run does not say how its programs were compiled");
    }

    let shown = if flags.is_empty() { "none" } else { flags };
    let differs = machine.build.differences();
    let differs = match differs.is_empty() {
        true => String::new(),
        false => format!("; otherwise than the project's files say, with {}", differs.join(", ")),
    };
    let measured = format!(
        "{profile}; flags from outside: {shown}{differs}; the harness refuses a model that reports \
         debug assertions"
    );
    match not_the_one(machine) {
        Some(why) => question.failed(measured, ("BUILD", why)),
        None => question.passed(measured),
    }
}

/// Says why programs were not compiled as they are everywhere, if they were not.
fn not_the_one(machine: &Environment) -> Option<String> {
    let build = &machine.build;
    let (profile, config) = (&machine.profile, &build.config);
    if !profile.starts_with("release") || profile.contains("opt-level") {
        return Some(format!("the programs are no optimised release builds: {profile}"));
    }
    let set = build.profile_environment.iter().flatten().map(|(name, _)| name);
    if let Some(name) = set.into_iter().find(|name| name.starts_with(PROFILE_VARIABLES)) {
        return Some(format!("the variable {name} changed the profile"));
    }
    if config.release_profile.as_str() == "yes" {
        return Some("a configuration of cargo changed the profile".to_owned());
    }
    if build.incremental.as_str() == "on" {
        return Some("the programs were built incrementally, in other parts".to_owned());
    }
    let replaced = config.replacements.as_str();
    if !["", "none", UNKNOWN].contains(&replaced) {
        return Some(format!("a configuration of cargo replaced dependencies by {replaced}"));
    }
    if build.profile_release.iter().flatten().any(|(name, _)| name == "package") {
        return Some("the profile is not the same for all packages".to_owned());
    }
    if let Some(choice) = build.choices().first() {
        return Some(format!("the programs were built with {choice}"));
    }

    // Two of these are empty or "none" where there are none; none is in two places at once.
    let flags = [&machine.rustflags, build.encoded_rustflags.as_str(), config.rustflags.as_str()];
    flags
        .into_iter()
        .find_map(harmful)
        .map(|flag| format!("the programs were compiled with {flag}"))
}

/// Returns the first of some flags of the compiler that makes another program, if one does.
fn harmful(flags: &str) -> Option<String> {
    let mut words = flags.split(' ');
    while let Some(word) = words.next() {
        let (kind, option) = ["--codegen", "-C", "-Z"]
            .into_iter()
            .find_map(|kind| Some((kind, word.strip_prefix(kind)?)))
            .unwrap_or_default();
        // The option follows its kind at once, after a sign or in a word of its own.
        let option = option.trim_start_matches('=');
        let option = if option.is_empty() && !kind.is_empty() { words.next()? } else { option };
        let name = option.split_once('=').map_or(option, |(name, _)| name);
        if kind == "-Z" || (!kind.is_empty() && !HARMLESS_OPTIONS.contains(&name)) {
            return Some(format!("{kind} {option}"));
        }
    }
    None
}

/// G13: the clock is cheap to read.
fn clock(machine: &Environment) -> ValidityCheck {
    let question = Question {
        id: "G13",
        name: "clock",
        scope: RUN,
        threshold: format!(
            "one of {}; a reading in less than {CLOCK_READING_NS} ns",
            FAST_CLOCKS.join(", ")
        ),
    };
    let clock = machine.clocksource.as_str();
    if clock == UNKNOWN {
        return question.unknown("the machine does not report its clock source");
    }
    let reading = machine.kernel_settings.clock_reading_ns;
    let takes = reading.map_or(String::new(), |ns| format!(", and a reading takes {ns} ns"));
    let measured = format!("the clock source is {clock}{takes}");

    let mut troubles: Vec<Trouble> = Vec::new();
    if !FAST_CLOCKS.contains(&clock) {
        let why = format!("reading {clock} calls the kernel, and each fetch reads it");
        troubles.push(("CLOCK", why));
    }
    if let Some(ns) = reading.filter(|ns| *ns >= CLOCK_READING_NS) {
        troubles.push(("CLOCK", format!("each fetch reads the clock, which takes {ns} ns")));
    }
    match reading {
        None if troubles.is_empty() => {
            let why = "the run does not say what reading its clock takes";
            ValidityCheck { measured, ..question.unknown(why) }
        }
        _ => question.marked(measured, troubles),
    }
}

/// G14: the machine's limits suffice for what every model needs, by what was written down. The
/// harness asks for more where a model connects for every fetch, and refuses to begin without.
fn limits(run: &Run) -> ValidityCheck {
    let slots = run.schedule.cells.iter().map(|cell| u64::from(cell.in_flight)).max().unwrap_or(0);
    let (files, ports) = (FILES_A_SLOT * slots, PORTS_A_SLOT * slots);
    let threshold = format!("at least {files} open files and {ports} ports, for {slots} in flight");
    let question = Question { id: "G14", name: "limits", scope: RUN, threshold };

    let machine = &run.environment;
    let (hard, range) = (&machine.limits.nofile.hard, &machine.net.ip_local_port_range);
    let bounds: Vec<u64> =
        range.as_str().split_whitespace().filter_map(|bound| bound.parse().ok()).collect();
    let [first, last] = bounds[..] else {
        return question.unknown("the run does not report the range of ports");
    };
    let allowed = match hard.as_str() {
        "unlimited" => u64::MAX,
        count => match count.parse() {
            Ok(count) => count,
            Err(_) => return question.unknown("the run does not say how many files may be open"),
        },
    };
    let measured = format!("{} open files, ports {first} to {last}", hard.as_str());
    match allowed >= files && (last + 1).saturating_sub(first) >= ports {
        true => question.passed(measured),
        false => {
            let why = "fetches may have failed, or waited, for want of a file or a port";
            question.failed(measured, ("LIMITS", why.to_owned()))
        }
    }
}

/// G22: the source is that of a commit, and the run is what was measured.
fn source(run: &Run) -> ValidityCheck {
    let machine = &run.environment;
    let question = Question {
        id: "G22",
        name: "source",
        scope: RUN,
        threshold: "a commit without changes, built from it, a lock file, a whole run".to_owned(),
    };
    let known = [&machine.commit, &machine.modified, &machine.cargo_lock_sha256, &machine.rustc];
    if known.into_iter().any(|reported| reported == UNKNOWN) {
        return question.unknown("commit, changes, lock file or compiler could not be had");
    }

    let short = |text: &str| text.chars().take(12).collect::<String>();
    let (commit, lock) = (short(&machine.commit), short(&machine.cargo_lock_sha256));
    let measured = format!("commit {commit}, lock file {lock}, {}", machine.rustc);
    let mut troubles: Vec<Trouble> = Vec::new();
    if machine.modified != "no" {
        troubles.push(("DIRTY", "the source differed from its commit".to_owned()));
    }
    if machine.tool.built_before_source.as_str() == "yes" {
        let why = "the program that measured is older than the source beside it";
        troubles.push(("DIRTY", why.to_owned()));
    }
    let age_is_known = machine.tool.built_before_source.is_known();
    match &run.integrity {
        Integrity::Whole if troubles.is_empty() && !age_is_known => {
            return question.unknown("whether the program was built from this source is not known");
        }
        Integrity::Whole => {}
        Integrity::Unfinished => {
            troubles.push(("UNFINISHED", "the run did not come to its end".to_owned()));
        }
        Integrity::Altered(files) => {
            let why = format!("altered after it was measured: {}", files.join(", "));
            return question.failed(measured, ("ALTERED", why));
        }
    }
    question.marked(measured, troubles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::question::CheckState;
    use crate::checks::tests::{GOOD, state, trips};
    use record::environment::{Build, Fact};

    /// Returns what a machine reports.
    fn fact(text: &str) -> Fact {
        serde_json::from_value(text.into()).unwrap()
    }

    #[test]
    fn g1_trips_on_another_profile_or_a_sanitizer() {
        trips(("G1", "run"), |run| run.environment.profile = "dev".to_owned(), "BUILD");
        let flags = |run: &mut Run| run.environment.rustflags = "-Zsanitizer=address".to_owned();
        trips(("G1", "run"), flags, "BUILD");
        trips(("G1", "run"), |run| run.environment.profile = UNKNOWN.to_owned(), "unknown");
    }

    #[test]
    fn g1_trips_on_a_release_that_the_environment_or_a_configuration_made_slow() {
        let slow = "release, opt-level 0, thin LTO, one codegen unit";
        trips(("G1", "run"), |run| run.environment.profile = slow.to_owned(), "BUILD");
        let of_variable = |run: &mut Run| {
            let name = "CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS".to_owned();
            run.environment.build.profile_environment = Some([(name, fact("true"))].into());
        };
        trips(("G1", "run"), of_variable, "BUILD");
        let of_config = |run: &mut Run| run.environment.build.config.release_profile = fact("yes");
        trips(("G1", "run"), of_config, "BUILD");
        let incremental = |run: &mut Run| run.environment.build.incremental = fact("on");
        trips(("G1", "run"), incremental, "BUILD");
        let patched = |run: &mut Run| run.environment.build.config.replacements = fact("paths");
        trips(("G1", "run"), patched, "BUILD");
        let of_one = |run: &mut Run| {
            let table = [("package".to_owned(), serde_json::json!({ "model-tokio": {} }))];
            run.environment.build.profile_release = Some(table.into());
        };
        trips(("G1", "run"), of_one, "BUILD");
    }

    #[test]
    fn g1_trips_on_a_flag_that_goes_before_the_profile_wherever_it_stands() {
        let outside = |run: &mut Run| run.environment.rustflags = "-C opt-level=0".to_owned();
        trips(("G1", "run"), outside, "BUILD");
        let encoded = |run: &mut Run| {
            run.environment.build.encoded_rustflags = fact("-Ccodegen-units=256");
        };
        trips(("G1", "run"), encoded, "BUILD");
        let config =
            |run: &mut Run| run.environment.build.config.rustflags = fact("--codegen=lto=off");
        trips(("G1", "run"), config, "BUILD");
        for flag in
            ["-C profile-generate=a", "-Cllvm-args=b", "-C instrument-coverage", "-Zunpretty"]
        {
            let set = |run: &mut Run| run.environment.rustflags = flag.to_owned();
            trips(("G1", "run"), set, "BUILD");
        }

        let mut run = crate::fixture::Fixture::good().run();
        run.environment.rustflags =
            "-C target-cpu=native -Clink-arg=-fuse-ld=mold -g --cfg a".to_owned();
        assert_eq!(build(&run.environment).badges, Vec::<&str>::new());
    }

    #[test]
    fn g1_trips_on_a_compiler_a_wrapper_or_a_target_that_the_project_does_not_choose() {
        let trips = |set: fn(&mut Build)| {
            trips(("G1", "run"), |run| set(&mut run.environment.build), "BUILD");
        };
        trips(|build| build.rustc_chosen_by = fact("RUSTC"));
        trips(|build| build.rustc_wrapper = fact("sccache"));
        trips(|build| build.rustc_bootstrap = fact("1"));
        trips(|build| build.config.variables = fact("RUSTC_BOOTSTRAP"));
        trips(|build| {
            build.rustc = Some([("host".to_owned(), "x86_64-unknown-linux-gnu".to_owned())].into());
            build.target = fact("x86_64-unknown-linux-musl");
        });

        let mut run = crate::fixture::Fixture::good().run();
        (run.environment.build.rustc_wrapper, run.environment.build.rustc_bootstrap) =
            (fact("sccache"), fact("1"));
        let measured = build(&run.environment).measured;
        assert!(measured.contains("with the wrapper sccache, RUSTC_BOOTSTRAP 1;"), "{measured}");
        // What nobody set, and what an old run does not say, is no reason to doubt.
        for nothing in ["none", UNKNOWN] {
            run.environment.build.rustc_wrapper = fact(nothing);
            run.environment.build.rustc_bootstrap = fact(nothing);
            assert_eq!(build(&run.environment).badges, Vec::<&str>::new());
        }
    }

    #[test]
    fn g13_trips_on_a_clock_that_calls_the_kernel() {
        trips(("G13", "run"), |run| run.environment.clocksource = "hpet".to_owned(), "CLOCK");
        trips(("G13", "run"), |run| run.environment.clocksource = UNKNOWN.to_owned(), "unknown");
    }

    #[test]
    fn g13_trips_on_a_slow_reading_whatever_the_clock_is_called() {
        let takes = |ns| move |run: &mut Run| run.environment.kernel_settings.clock_reading_ns = ns;
        trips(("G13", "run"), takes(Some(100)), "CLOCK");
        trips(("G13", "run"), takes(None), "unknown");
        let mut run = crate::fixture::Fixture::good().run();
        takes(Some(99))(&mut run);
        assert_eq!(clock(&run.environment).state, CheckState::Passed);
    }

    #[test]
    fn g14_trips_on_too_few_files_or_ports() {
        assert_eq!(state(&GOOD, ("G14", "run")), &CheckState::Passed);
        let files = |run: &mut Run| run.environment.limits.nofile.hard = fact("100");
        trips(("G14", "run"), files, "LIMITS");
        let ports = |run: &mut Run| run.environment.net.ip_local_port_range = fact("40000 40100");
        trips(("G14", "run"), ports, "LIMITS");
        let unknown = |run: &mut Run| run.environment.net.ip_local_port_range = fact("unknown");
        trips(("G14", "run"), unknown, "unknown");
    }

    #[test]
    fn g22_trips_on_a_modified_tree_and_on_an_altered_run() {
        trips(("G22", "run"), |run| run.environment.modified = "yes".to_owned(), "DIRTY");
        let stale = |run: &mut Run| run.environment.tool.built_before_source = fact("yes");
        trips(("G22", "run"), stale, "DIRTY");
        trips(("G22", "run"), |run| run.environment.commit = UNKNOWN.to_owned(), "unknown");
        let ageless = |run: &mut Run| run.environment.tool.built_before_source = fact(UNKNOWN);
        trips(("G22", "run"), ageless, "unknown");
        trips(("G22", "run"), |run| run.integrity = Integrity::Unfinished, "UNFINISHED");
        let altered = |run: &mut Run| {
            run.integrity = Integrity::Altered(vec!["journal.jsonl".to_owned()]);
        };
        trips(("G22", "run"), altered, "ALTERED");
    }
}
