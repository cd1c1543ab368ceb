//! The CPUs: how many a run may use, how they are divided, and what changes their speed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use record::Placement;

use super::quota::{self, Quota};
use super::text::{number, text, unseen};
use super::{Opinion, Readings};
use crate::cores::Cores;

/// Where the kernel describes the CPUs.
const FOLDER: &str = "/sys/devices/system/cpu";
/// More CPUs than these are reported by their number, since nobody reads a longer list.
const LISTED_MAX: usize = 8;

/// What was read of the CPUs.
#[derive(Default)]
pub(super) struct Cpus {
    /// Which share a core, and which are equally capable.
    pub(super) cores: Option<Cores>,
    /// How a run would divide them.
    pub(super) placement: Option<Placement>,
    /// Whether a hypervisor is below.
    pub(super) virtual_machine: Option<bool>,
    /// The least that control groups allow, if they limit anything.
    pub(super) quota: Option<Quota>,
    /// The governors of all CPUs.
    pub(super) governors: BTreeSet<String>,
    /// The switch of turbo.
    pub(super) turbo: Option<Turbo>,
    /// Whether a battery is being emptied.
    pub(super) on_battery: bool,
}

/// The switch with which CPUs are allowed to run faster than they can for long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turbo {
    /// Whether it is on.
    pub(super) on: bool,
    /// Its file.
    pub(super) file: PathBuf,
    /// What to write there to turn it off.
    pub(super) off: &'static str,
}

impl Cpus {
    /// Reads them.
    pub(super) fn read(groups: &[PathBuf]) -> Self {
        Self {
            cores: Cores::read().ok(),
            placement: crate::place().ok(),
            virtual_machine: text("/proc/cpuinfo").and_then(|text| hypervisor(&text)),
            quota: quota::smallest(groups),
            governors: governors(Path::new(FOLDER)),
            turbo: turbo(Path::new(FOLDER)),
            on_battery: on_battery(Path::new("/sys/class/power_supply")),
        }
    }
}

/// Checks how model and origin share the CPUs.
pub(super) fn division(readings: &Readings) -> Opinion {
    let Some(placement) = &readings.cpus.placement else {
        return Opinion::refusal(
            "The CPUs that may be used cannot be seen here: a run is refused.",
        );
    };
    let (model, origin) = (list(&placement.model_cpus), list(&placement.origin_cpus));
    match (placement.cpus().len(), placement.is_shared()) {
        (_, true) => Opinion::doubtful(format!(
            "Model and origin share {model}, and each waits for the other: CPU time per fetch can \
             be compared inside this run alone, wall times say little, and throughput cannot be \
             ranked."
        )),
        (2, false) => Opinion::doubtful(format!(
            "The model gets {model} and the origin {origin}: CPU time per fetch can be compared, \
             but with one CPU for each throughput cannot be ranked."
        )),
        _ if placement.several_cpus.is_empty() => {
            Opinion::good(format!("The model gets {model} and the origin {origin}."))
        }
        _ => Opinion::good(format!(
            "The model gets {model}, or {} where a cell asks for several workers, and the origin \
             {origin}.",
            list(&placement.several_cpus)
        )),
    }
}

/// Checks whether CPUs share a core.
pub(super) fn siblings(readings: &Readings) -> Opinion {
    match readings.cpus.cores.as_ref().map(Cores::are_shared) {
        Some(false) => Opinion::good("No two of the CPUs are known to share a core."),
        Some(true) => Opinion::doubtful(
            "CPUs share cores: each slows its sibling down, so that a fetch costs more CPU time \
             while the sibling is busy.",
        )
        .fix(format!("echo off | sudo tee {FOLDER}/smt/control")),
        None => Opinion::good(unseen("Which CPUs share a core", "they are taken to be apart")),
    }
}

/// Checks whether model and origin get cores of one kind, and of one NUMA node.
pub(super) fn capacity(readings: &Readings) -> Opinion {
    let Some(cores) = &readings.cpus.cores else {
        return Opinion::good(unseen("How capable the cores are", "they are taken to be equal"));
    };
    match (cores.are_equal, cores.without()) {
        (false, _) => Opinion::doubtful(
            "The cores are of different kinds, and no kind has one for the model and one for the \
             origin: the model gets the most capable, and its figures hold for that kind alone.",
        ),
        (true, None) => Opinion::good("All cores are of one kind, as far as the kernel reports."),
        (true, Some(others)) => {
            Opinion::good(format!("Left out, so that model and origin get equal cores: {others}."))
        }
    }
}

/// Checks what is below.
pub(super) fn virtual_machine(readings: &Readings) -> Opinion {
    match readings.cpus.virtual_machine {
        Some(true) => Opinion::doubtful(
            "This is a virtual machine: what its neighbours do slows it unseen, so figures \
             scatter more, and only more blocks narrow the intervals.",
        ),
        Some(false) => Opinion::good("No hypervisor is seen below this kernel."),
        None => Opinion::good(unseen(
            "Whether this is a virtual machine",
            "steal and late wake-ups would show it",
        )),
    }
}

/// Checks how much CPU the control groups allow.
pub(super) fn quota(readings: &Readings) -> Opinion {
    let Some(quota) = &readings.cpus.quota else {
        return Opinion::good("No quota of CPU time was found.");
    };
    let allowed = quota.cpus;
    let count = readings.cpu_count().unwrap_or(1);
    // A count of CPUs is far below what a float holds exactly.
    if allowed >= f64::from(u32::try_from(count).unwrap_or(u32::MAX)) {
        return Opinion::good(format!("The quota of {allowed:.1} CPUs covers all that are used."));
    }
    Opinion::bad(format!(
        "A quota allows {allowed:.1} CPUs where a run uses {count}: processes are stopped in the \
         middle of a window."
    ))
    .fix(quota.lift())
}

/// Checks whether a quota withheld CPU time.
pub(super) fn throttling(readings: &Readings) -> Opinion {
    let lift = |opinion: Opinion| match &readings.cpus.quota {
        Some(quota) => opinion.fix(quota.lift()),
        // It was lifted since, or is one of a group that is not seen from here.
        None => opinion.fix("systemd-cgtop --iterations=1"),
    };
    match readings.load.throttled {
        Some((_, now)) if now > 0 => lift(Opinion::bad(format!(
            "A quota stopped this process's group {now} times within a second: wall times and \
             latencies would be the quota's."
        ))),
        Some((ever @ 1.., _)) => lift(Opinion::doubtful(format!(
            "A quota has stopped this process's group {ever} times before, and may do so in the \
             middle of a window."
        ))),
        Some(_) => Opinion::good("No quota has stopped this process's group."),
        None => Opinion::good(unseen("Throttling", "no control group counts it")),
    }
}

/// Checks the governor of the frequency.
pub(super) fn governor(readings: &Readings) -> Opinion {
    let governors = &readings.cpus.governors;
    if governors.is_empty() {
        return Opinion::doubtful(unseen(
            "The frequency of the CPUs",
            "it may change between trials, which random order turns into scatter",
        ));
    }
    let names = governors.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    if names == "performance" {
        return Opinion::good("The governor performance keeps the CPUs at a high frequency.");
    }
    Opinion::doubtful(format!(
        "The governor {names} lowers the frequency of a CPU with little to do, so that a fetch \
         costs more CPU time the fewer there are."
    ))
    .fix(format!("echo performance | sudo tee {FOLDER}/cpu*/cpufreq/scaling_governor"))
}

/// Checks turbo.
pub(super) fn turbo_on(readings: &Readings) -> Opinion {
    match &readings.cpus.turbo {
        Some(turbo) if turbo.on => Opinion::doubtful(
            "Turbo is on: CPUs run faster while they are cool and few are busy, so that what ran \
             before changes what a fetch costs.",
        )
        .fix(format!("echo {} | sudo tee {}", turbo.off, turbo.file.display())),
        Some(_) => Opinion::good("Turbo is off."),
        None => Opinion::good(unseen("Turbo", "random order turns what it does into scatter")),
    }
}

/// Checks where the power comes from.
pub(super) fn power(readings: &Readings) -> Opinion {
    if readings.cpus.on_battery {
        return Opinion::doubtful(
            "The machine runs on its battery, which slows its CPUs at times of its choosing: plug \
             it in.",
        );
    }
    Opinion::good("No battery is being emptied.")
}

/// Returns some CPUs in words.
fn list(cpus: &[usize]) -> String {
    match cpus {
        [cpu] => format!("CPU {cpu}"),
        _ if cpus.len() > LISTED_MAX => format!("{} CPUs", cpus.len()),
        _ => {
            let cpus: Vec<String> = cpus.iter().map(ToString::to_string).collect();
            format!("CPUs {}", cpus.join(", "))
        }
    }
}

/// Returns whether the flags of a CPU name a hypervisor; only x86 has such a flag.
fn hypervisor(cpuinfo: &str) -> Option<bool> {
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags"))?;
    Some(flags.split_whitespace().any(|flag| flag == "hypervisor"))
}

/// Returns the governors that are in use.
fn governors(folder: &Path) -> BTreeSet<String> {
    let cpus = fs::read_dir(folder).into_iter().flatten().flatten();
    cpus.filter_map(|cpu| text(cpu.path().join("cpufreq/scaling_governor"))).collect()
}

/// Returns the switch of turbo: Intel's driver says whether it is off, the others whether it is on.
fn turbo(folder: &Path) -> Option<Turbo> {
    let intel = folder.join("intel_pstate/no_turbo");
    let other = folder.join("cpufreq/boost");
    match (number::<u8>(&intel), number::<u8>(&other)) {
        (Some(off), _) => Some(Turbo { on: off == 0, file: intel, off: "1" }),
        (None, Some(on)) => Some(Turbo { on: on != 0, file: other, off: "0" }),
        (None, None) => None,
    }
}

/// Returns whether one of the batteries is being emptied.
fn on_battery(folder: &Path) -> bool {
    let supplies = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut states = supplies.filter_map(|supply| text(supply.path().join("status")));
    states.any(|state| state == "Discharging")
}

#[cfg(test)]
mod tests {
    use super::super::faults::Folder;
    use super::*;

    #[test]
    fn few_cpus_are_listed_and_many_are_counted() {
        assert_eq!(list(&[3]), "CPU 3");
        assert_eq!(list(&[0, 2]), "CPUs 0, 2");
        assert_eq!(list(&[0; 32]), "32 CPUs");
    }

    #[test]
    fn a_hypervisor_is_a_flag_and_a_cpu_without_flags_says_nothing() {
        assert_eq!(hypervisor("processor: 0\nflags\t: fpu hypervisor lahf"), Some(true));
        assert_eq!(hypervisor("flags\t: fpu lahf"), Some(false));
        assert_eq!(hypervisor("Features\t: fp asimd"), None);
    }

    #[test]
    fn governors_turbo_and_battery_are_read_from_their_files() {
        let folder = Folder::with(&[
            ("cpu0/cpufreq/scaling_governor", "powersave\n"),
            ("cpu1/cpufreq/scaling_governor", "powersave\n"),
            ("cpufreq/boost", "1\n"),
            ("BAT0/status", "Discharging\n"),
        ]);
        let path = folder.path();
        assert_eq!(governors(path), BTreeSet::from(["powersave".to_owned()]));
        let file = path.join("cpufreq/boost");
        assert_eq!(turbo(path), Some(Turbo { on: true, file, off: "0" }));
        assert!(on_battery(path));
    }

    #[test]
    fn the_switch_of_intel_says_whether_turbo_is_off() {
        let folder = Folder::with(&[("intel_pstate/no_turbo", "1\n"), ("cpufreq/boost", "1\n")]);
        assert_eq!(turbo(folder.path()).map(|turbo| turbo.on), Some(false));
    }

    #[test]
    fn what_is_not_there_is_not_read() {
        let absent = Path::new("/proc/absent");
        assert_eq!((turbo(absent), governors(absent)), (None, BTreeSet::new()));
        assert!(!on_battery(absent));
    }
}
