//! The kernel: how it accounts CPU time, schedules, and keeps the time. Two runs whose kernels
//! account differently must not be compared.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::fact::{Fact, NONE};
use super::kernel_config::KernelConfig;
use super::{private, source};

/// The folder of the kernel's settings.
const SETTINGS: &str = "/proc/sys/kernel";

/// The folder of the clock.
const CLOCK: &str = "/sys/devices/system/clocksource/clocksource0";

/// Readings of the clock at a time, since one is too short to be timed.
const READINGS: u32 = 100;
/// Batches of readings, of which the median counts.
const BATCHES: usize = 101;

/// The parameters of the kernel's command line that are reported: those that change what is
/// measured. All others stay untold, as they may name disks, hosts and people.
const PARAMETERS: [&str; 48] = [
    "amd_pstate",
    "audit",
    "clocksource",
    "cpufreq.default_governor",
    "cpuidle.governor",
    "cpuidle_haltpoll.force",
    "cgroup_no_v1",
    "haltpoll.guest_halt_poll_ns",
    "hugepages",
    "hugepagesz",
    "idle",
    "init_on_alloc",
    "init_on_free",
    "intel_idle.max_cstate",
    "intel_pstate",
    "irqaffinity",
    "isolcpus",
    "kpti",
    "l1tf",
    "maxcpus",
    "mds",
    "mitigations",
    "nmi_watchdog",
    "no-kvmclock",
    "no-steal-acc",
    "nohz",
    "nohz_full",
    "nokaslr",
    "nopti",
    "norandmaps",
    "nosmt",
    "nospectre_v2",
    "nowatchdog",
    "nr_cpus",
    "numa_balancing",
    "preempt",
    "processor.max_cstate",
    "psi",
    "pti",
    "rcu_nocbs",
    "retbleed",
    "schedstats",
    "skew_tick",
    "spec_store_bypass_disable",
    "spectre_v2",
    "threadirqs",
    "transparent_hugepage",
    "tsc",
];

/// How the kernel accounts, schedules, and keeps the time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Kernel {
    /// The release.
    pub release: Fact,
    /// The build, as `uname -v` says it.
    pub version: Fact,
    /// Those parameters of its command line that change what is measured, or `none`.
    pub command_line: Fact,
    /// Whether its configuration could be read: `read` or `unknown`.
    pub configuration: Fact,
    /// Ticks a second: the grain of what is accounted by ticks.
    pub hz: Option<u64>,
    /// How it may be preempted: as built, and as chosen where that can be seen.
    pub preempt: Fact,
    /// Whether interrupts are charged to the process that they interrupt.
    pub irq_time_accounting: IrqTimeAccounting,
    /// How CPU time is split into user and system time: `ticks`, `native` or `generic`.
    pub virt_cpu_accounting: Fact,
    /// Whether time stolen by the host is kept out of the CPU time of processes, `on` or `off`.
    pub paravirt_time_accounting: Fact,
    /// Whether scheduler statistics are taken, `on` or `off`.
    pub schedstats: Fact,
    /// The state of a scheduler loaded from outside, or `none`.
    pub sched_ext: Fact,
    /// Whether sessions share the CPU as groups, `on` or `off`.
    pub autogroup: Fact,
    /// When huge pages are used unasked.
    pub transparent_hugepages: Fact,
    /// How addresses are randomised: 0 not, 1 without the heap, 2 wholly.
    pub aslr: Fact,
    /// The clock.
    pub clocksource: Fact,
    /// The clocks that could be chosen.
    pub clocksources: Fact,
    /// What reading it takes, in nanoseconds.
    pub clock_reading_ns: Option<u64>,
    /// Who may count events: the higher, the fewer.
    pub perf_event_paranoid: Fact,
    /// Whether there are hardware counters, `yes` or `no`.
    pub hardware_counters: Fact,
}

/// Whether interrupts are charged to the process that they interrupt, and who says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct IrqTimeAccounting {
    /// `on` or `off`; on means that interrupts are not charged to processes.
    pub state: Fact,
    /// `pressure files` or `kernel configuration`.
    pub detected_by: Fact,
}

impl Kernel {
    /// Reads the settings of this kernel.
    pub(super) fn read() -> Self {
        let setting = |name: &str| source::line(Path::new(SETTINGS).join(name));
        let clock = |name: &str| source::line(Path::new(CLOCK).join(name));
        let arguments = std::fs::read_to_string("/proc/cmdline").ok();
        let config = KernelConfig::read();

        Self {
            release: setting("osrelease"),
            version: setting("version"),
            command_line: arguments.map(|text| reported_parameters(&text)).into(),
            configuration: config.is_known().then_some("read").into(),
            hz: config.hz(),
            preempt: preempt(&config),
            irq_time_accounting: IrqTimeAccounting::of(Path::new("/proc/pressure"), &config),
            virt_cpu_accounting: config.virt_cpu_accounting(),
            paravirt_time_accounting: config.switch("CONFIG_PARAVIRT_TIME_ACCOUNTING"),
            schedstats: switch(&setting("sched_schedstats"))
                .or_else(|| config.switch("CONFIG_SCHEDSTATS")),
            sched_ext: sched_ext(&config),
            autogroup: switch(&setting("sched_autogroup_enabled"))
                .or_else(|| config.switch("CONFIG_SCHED_AUTOGROUP")),
            transparent_hugepages: source::choice("/sys/kernel/mm/transparent_hugepage/enabled"),
            aslr: setting("randomize_va_space"),
            clocksource: clock("current_clocksource"),
            clocksources: clock("available_clocksource"),
            clock_reading_ns: u64::try_from(clock_reading().as_nanos()).ok(),
            perf_event_paranoid: setting("perf_event_paranoid"),
            hardware_counters: hardware_counters(),
        }
    }
}

/// Returns what a reading of the clock takes: the median over batches.
fn clock_reading() -> Duration {
    let batch = |_| {
        let began = Instant::now();
        for _ in 0..READINGS {
            black_box(Instant::now());
        }
        began.elapsed() / READINGS
    };
    let mut batches: Vec<Duration> = (0..BATCHES).map(batch).collect();
    batches.sort_unstable();
    batches[BATCHES / 2]
}

impl IrqTimeAccounting {
    /// Returns whether it is on. Interrupt pressure is only accounted where it is.
    fn of(pressure: &Path, config: &KernelConfig) -> Self {
        let exists = |name: &str| pressure.join(name).exists();
        let state = match (exists("cpu"), exists("irq")) {
            (_, true) => "on",
            (true, false) => "off",
            (false, false) => {
                let state = config.switch("CONFIG_IRQ_TIME_ACCOUNTING");
                let by = state.is_known().then_some("kernel configuration");
                return Self { state, detected_by: by.into() };
            }
        };
        Self { state: state.into(), detected_by: "pressure files".into() }
    }
}

/// Returns those parameters of a command line that are reported. What follows `--` is not the
/// kernel's.
fn reported_parameters(arguments: &str) -> String {
    let arguments = arguments.split_whitespace().take_while(|&argument| argument != "--");
    let name = |argument: &str| argument.split('=').next().unwrap_or_default().to_owned();
    let reported = arguments.filter(|argument| PARAMETERS.contains(&name(argument).as_str()));
    let reported: Vec<String> = reported.map(private::without_path).collect();
    if reported.is_empty() { NONE.to_owned() } else { reported.join(" ") }
}

/// Returns how the kernel may be preempted.
fn preempt(config: &KernelConfig) -> Fact {
    // Only the superuser sees what was chosen.
    let chosen = source::choice("/sys/kernel/debug/sched/preempt");
    match (config.preempt(), chosen.is_known()) {
        (built, false) => built,
        (built, true) => format!("{built}, chosen {chosen}").into(),
    }
}

/// Returns the state of a scheduler loaded from outside.
fn sched_ext(config: &KernelConfig) -> Fact {
    let state = source::line("/sys/kernel/sched_ext/state");
    match config.switch("CONFIG_SCHED_CLASS_EXT").as_str() {
        _ if state.is_known() => state,
        "off" => NONE.into(),
        _ => Fact::default(),
    }
}

/// Returns what a setting of 0 or 1 means.
fn switch(setting: &Fact) -> Fact {
    match setting.as_str() {
        "0" => "off".into(),
        "1" => "on".into(),
        _ => Fact::default(),
    }
}

/// Returns whether the kernel knows counters of the CPU; hybrid CPUs have one kind a core type.
fn hardware_counters() -> Fact {
    let devices = source::names("/sys/bus/event_source/devices");
    let of_cpu = |name: &String| name.starts_with("cpu") || name.starts_with("armv");
    let exist = devices.map(|names| names.iter().any(of_cpu));
    exist.map(|exist| if exist { "yes" } else { "no" }).into()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_parameters_that_matter_are_reported_and_no_path() {
        let line = "BOOT_IMAGE=/vmlinuz root=UUID=1-2 ro mitigations=off isolcpus=1-3 \
                    irqaffinity=/x hostname=me -- --user=me nohz_full=1";
        let reported = "mitigations=off isolcpus=1-3 irqaffinity=PATH";
        assert_eq!(reported_parameters(line), reported);
        assert_eq!(reported_parameters("quiet splash"), "none");
    }

    #[test]
    fn interrupt_pressure_reports_of_the_accounting_before_the_configuration() {
        let pressure = tempfile::tempdir().unwrap();
        let config = KernelConfig::of("CONFIG_IRQ_TIME_ACCOUNTING=y\n");
        let reported = |config: &KernelConfig| {
            let reported = IrqTimeAccounting::of(pressure.path(), config);
            format!("{} by {}", reported.state, reported.detected_by)
        };
        assert_eq!(reported(&KernelConfig::of("")), "off by kernel configuration");
        assert_eq!(reported(&config), "on by kernel configuration");
        assert_eq!(reported(&KernelConfig::default()), "unknown by unknown");
        fs::write(pressure.path().join("cpu"), "").unwrap();
        assert_eq!(reported(&config), "off by pressure files");
        fs::write(pressure.path().join("irq"), "").unwrap();
        assert_eq!(reported(&KernelConfig::of("")), "on by pressure files");
    }
}
