//! What this machine would do to a result, in plain words, each with the command that fixes it.
//!
//! Reading the machine and checking it are apart: a check is a pure function of what was read.
//! What cannot be read is said and stops nothing, and nothing is fixed here. What makes a run
//! impossible stands in the same list, and is asked before one builds anything.

mod build;
mod clock;
mod cpus;
#[cfg(test)]
mod edges;
#[cfg(test)]
mod faults;
mod load;
mod memory;
pub(crate) mod network;
pub(crate) mod quota;
mod text;
mod work;

use std::collections::BTreeMap;
use std::path::Path;

use record::{Environment, Model};
use serde::Serialize;
use workload::Cell;

use self::build::Build;
pub(crate) use self::build::ELSEWHERE;
use self::clock::{Clock, known};
use self::cpus::Cpus;
use self::load::Load;
use self::memory::Memory;
use self::network::Network;
use self::work::Work;
pub(crate) use self::work::{existing, free_mib, on_path};
use crate::Workspace;
use crate::resource_limits::{self, Shortage};

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, such as `governor`.
    pub name: String,
    /// How it is.
    pub state: Health,
    /// What was found, and what it would do to a figure: one sentence.
    pub says: String,
    /// The command to type, if there is one.
    pub fix: Option<String>,
}

/// How a thing is, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It does nothing to a figure.
    Good,
    /// Figures may scatter more, mean less, or be missing.
    Doubtful,
    /// A run would be refused, or its figures could not be trusted.
    Bad,
}

/// What a check says of the readings.
struct Opinion {
    state: Health,
    /// Whether no run is possible.
    refuses: bool,
    says: String,
    fix: Option<String>,
}

/// What was read of the machine. What could not be is `None`.
#[derive(Default)]
struct Readings {
    cells: Vec<Cell>,
    models: Vec<Model>,
    cpus: Cpus,
    clock: Clock,
    load: Load,
    memory: Memory,
    network: Network,
    shortage: Option<Shortage>,
    build: Build,
    work: Work,
}

/// A name, and how to check what it names.
type Check = (&'static str, fn(&Readings) -> Opinion);

/// The check for which other programs are asked.
const TOOLCHAIN: &str = "toolchain";

/// Every check, in the order in which it is reported.
const CHECKS: [Check; 37] = [
    ("cpus", cpus::division),
    ("siblings", cpus::siblings),
    ("core-kinds", cpus::capacity),
    ("virtual-machine", cpus::virtual_machine),
    ("cpu-quota", cpus::quota),
    ("throttling", cpus::throttling),
    ("governor", cpus::governor),
    ("turbo", cpus::turbo_on),
    ("power", cpus::power),
    ("idle-wake-ups", clock::wake_ups),
    ("clock", clock::source),
    ("clock-reading", clock::reading),
    ("irq-time", clock::irq_time),
    ("steal", load::steal),
    ("foreign-load", load::foreign),
    ("load-average", load::average),
    ("cpu-pressure", load::cpu_pressure),
    ("memory-pressure", load::memory_pressure),
    ("room", memory::room),
    ("memory", memory::available),
    ("swap", memory::swap),
    ("huge-pages", memory::huge_pages),
    ("address-layout", memory::address_layout),
    ("open-files", network::open_files),
    ("ports", network::ports),
    ("time-wait", network::time_wait),
    ("backlog", network::backlog),
    ("listen-overflows", network::overflows),
    ("congestion-control", network::congestion),
    ("loopback", network::loopback),
    ("disk", work::disk),
    ("build-room", build::room),
    ("tree", work::tree),
    (TOOLCHAIN, work::toolchain),
    ("python", work::python),
    ("browser", work::browser),
    ("user", work::user),
];

/// Looks at everything about this machine that could corrupt a run of these models in these
/// cells, in under three seconds. The caller sleeps most of that time.
pub fn doctor(workspace: &Workspace, cells: &[Cell], models: &[Model]) -> Vec<Finding> {
    examine(&Readings::take(workspace, cells, models))
}

/// Returns why no run of these models in these cells is possible, with the command that fixes it,
/// in one sentence. Only what can make it so is read; whoever writes results says what cannot be
/// written of them, but how much room they have is asked here.
pub(crate) fn refusal(
    (root, target): (&Path, Option<&Path>),
    results: Option<&Path>,
    (cells, models): (&[Cell], &[Model]),
) -> Option<String> {
    let machine = Readings {
        cells: cells.to_vec(),
        models: models.to_vec(),
        cpus: Cpus::read(&[]),
        network: Network::read(),
        shortage: resource_limits::shortage(cells),
        build: target.map(|target| Build::read((root, target), models)).unwrap_or_default(),
        work: results.map(Work::of_results).unwrap_or_default(),
        ..Readings::default()
    };
    let checks = CHECKS.iter().filter(|(name, _)| *name != TOOLCHAIN);
    let refuses = |opinion: &Opinion| opinion.refuses;
    let found = checks.map(|(_, check)| check(&machine)).find(refuses);
    let tools = || {
        let environment = Environment::read(root, "", BTreeMap::new());
        let work = Work::tools(root, &environment);
        Some(work::toolchain(&Readings { work, ..Readings::default() })).filter(refuses)
    };
    found.or_else(tools).map(|opinion| opinion.sentence())
}

/// Checks what was read.
fn examine(readings: &Readings) -> Vec<Finding> {
    let opinions = CHECKS.iter().map(|(name, check)| (*name, check(readings)));
    let languages = readings.work.languages.iter();
    let languages = languages.map(|(name, called, found)| (*name, work::language((called, found))));
    let find = |(name, opinion): (&str, Opinion)| {
        let Opinion { state, says, fix, .. } = opinion;
        Finding { name: name.to_owned(), state, says, fix }
    };
    opinions.chain(languages).map(find).collect()
}

impl Readings {
    /// Reads the machine.
    fn take(workspace: &Workspace, cells: &[Cell], models: &[Model]) -> Self {
        let Workspace { root, target, .. } = workspace;
        // What a run would write down is what is checked.
        let environment = Environment::read(root, "", BTreeMap::new());
        let groups = quota::groups();
        Self {
            cells: cells.to_vec(),
            models: models.to_vec(),
            cpus: Cpus::read(&groups),
            clock: Clock::read(&environment),
            memory: Memory::read(),
            network: Network {
                control: known(&environment.tcp_congestion_control),
                ..Network::read()
            },
            shortage: resource_limits::shortage(cells),
            build: Build::read((root, target), models),
            work: Work::read(root, &environment),
            // Last, so that nothing else that is read here counts as load.
            load: Load::read(&groups),
        }
    }

    /// Returns how many CPUs a run may use.
    fn cpu_count(&self) -> Option<usize> {
        self.cpus.placement.as_ref().map(|placement| placement.cpus().len())
    }

    /// Returns the most of something that a cell needs.
    fn most(&self, need: impl Fn(&Cell) -> u64) -> u64 {
        self.cells.iter().map(need).max().unwrap_or(0)
    }
}

impl Opinion {
    /// Nothing to object to.
    fn good(says: impl Into<String>) -> Self {
        Self { state: Health::Good, refuses: false, says: says.into(), fix: None }
    }

    /// Something to know when reading a figure.
    fn doubtful(says: impl Into<String>) -> Self {
        Self { state: Health::Doubtful, refuses: false, says: says.into(), fix: None }
    }

    /// Something to fix before a run.
    fn bad(says: impl Into<String>) -> Self {
        Self { state: Health::Bad, refuses: false, says: says.into(), fix: None }
    }

    /// Something with which there can be no run.
    fn refusal(says: impl Into<String>) -> Self {
        Self { refuses: true, ..Self::bad(says) }
    }

    /// Returns it as what ends a sentence.
    fn sentence(&self) -> String {
        let says = self.says.trim_end_matches('.');
        let mut letters = says.chars();
        let first = letters.next().into_iter().flat_map(char::to_lowercase);
        let fix = self.fix.as_ref().map(|fix| format!(": type `{fix}`")).unwrap_or_default();
        first.chain(letters).collect::<String>() + &fix
    }

    /// Adds the command that fixes it.
    fn fix(self, command: impl Into<String>) -> Self {
        Self { fix: Some(command.into()), ..self }
    }
}

/// Returns how bad a share is: good up to the first limit, doubtful up to the second.
fn grade(share: f64, [doubtful, bad]: [f64; 2]) -> Health {
    match share {
        share if share > bad => Health::Bad,
        share if share > doubtful => Health::Doubtful,
        _ => Health::Good,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Health::{Doubtful, Good};
    use super::faults::{FAULTS, Grade, fit};
    use super::*;
    use crate::language::Unavailable;

    /// Faults whose remedy is no command: another machine, another hour, a plug.
    const WITHOUT_COMMAND: [&str; 7] =
        ["cpus", "core-kinds", "virtual-machine", "power", "idle-wake-ups", "steal", "user"];

    /// Returns what is found of one thing.
    fn found(readings: &Readings, name: &str) -> Finding {
        let mut findings = examine(readings).into_iter();
        findings.find(|finding| finding.name == name).unwrap()
    }

    /// Holds what is promised of every finding.
    fn is_whole(finding: &Finding) {
        let says = &finding.says;
        assert!(says.starts_with(|c: char| c.is_uppercase() || c.is_numeric()), "{finding:?}");
        assert!(says.ends_with('.') && !says.contains(". ") && !says.contains('\n'), "{finding:?}");
        assert!(finding.fix.as_ref().is_none_or(|command| !command.contains('\n')));

        let fault = finding.state != Good && !says.contains("cannot be seen");
        let fixed = finding.fix.is_some() || WITHOUT_COMMAND.contains(&finding.name.as_str());
        assert!(!fault || fixed, "{finding:?}");
    }

    #[test]
    fn a_fit_machine_is_good_in_all() {
        for finding in examine(&fit()) {
            is_whole(&finding);
            assert_eq!((finding.state, &finding.fix), (Good, &None), "{finding:?}");
        }
    }

    #[test]
    fn each_fault_is_found_and_reported_with_its_remedy() {
        for (name, corrupt, grade, words) in FAULTS {
            let mut readings = fit();
            corrupt(&mut readings);
            let finding = found(&readings, name);
            is_whole(&finding);
            let (_, check) = CHECKS.iter().find(|(other, _)| other == name).unwrap();
            assert_eq!(Grade::of(&check(&readings)), *grade, "{finding:?}");
            let reported =
                format!("{} {}", finding.says, finding.fix.as_deref().unwrap_or_default());
            assert!(reported.contains(words), "{words:?} is not in {finding:?}");
        }
    }

    #[test]
    fn every_check_can_find_fault() {
        let names: BTreeSet<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
        let faulty = FAULTS.iter().filter(|(_, _, grade, _)| *grade != Grade::Good);
        assert_eq!(faulty.map(|(name, ..)| *name).collect::<BTreeSet<_>>(), names);
        assert_eq!(names.len(), CHECKS.len(), "two checks share a name");
    }

    #[test]
    fn a_machine_that_shows_nothing_is_graded_all_the_same() {
        let findings = examine(&Readings::default());
        findings.iter().for_each(is_whole);
        assert_eq!(findings.len(), CHECKS.len());
    }

    #[test]
    fn this_machine_is_examined_with_a_sentence_and_a_remedy_each() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let workspace = Workspace::of(&root).unwrap();
        let findings = doctor(&workspace, &crate::quick().cells, &[]);
        assert_eq!(findings.len(), CHECKS.len() + crate::language::found().len());
        findings.iter().for_each(is_whole);
    }

    #[test]
    fn a_language_is_good_by_what_was_found_and_doubtful_without_it() {
        let none = Unavailable { why: "no node was found".to_owned(), fix: "get it".to_owned() };
        for (reported, state) in [(Ok("Here it is.".to_owned()), Good), (Err(none), Doubtful)] {
            let mut readings = fit();
            readings.work.languages = vec![("node", "Node.js", reported)];
            let finding = found(&readings, "node");
            is_whole(&finding);
            assert_eq!(finding.state, state, "{finding:?}");
        }
    }

    #[test]
    fn a_finding_is_written_with_its_state_in_small_letters() {
        let finding = found(&Readings::default(), "cpus");
        let written = serde_json::to_value(finding).unwrap();
        assert_eq!((&written["name"], &written["state"]), (&"cpus".into(), &"bad".into()));
    }
}
