//! Isolation: what keeps others off the CPUs that are measured on.

use procfs::process::{Process, Stat};
use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::source;

/// What keeps others off the CPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Isolation {
    /// CPUs on which nothing runs that was not put there, or `none`.
    pub isolated_cpus: Fact,
    /// CPUs without a tick while one thread runs, or `none`.
    pub nohz_full_cpus: Fact,
    /// CPUs that take new interrupts, as a mask.
    pub default_irq_affinity: Fact,
    /// CPUs that the harness may run on, as a list of ranges.
    pub allowed_cpus: Fact,
    /// The niceness of the harness.
    pub nice: Option<i64>,
    /// The scheduling policy of the harness.
    pub sched_policy: Fact,
}

impl Isolation {
    /// Reads what this machine and this process are set to.
    pub(super) fn read() -> Self {
        let stat = Process::myself().and_then(|process| process.stat()).ok();
        Self {
            isolated_cpus: source::line("/sys/devices/system/cpu/isolated"),
            nohz_full_cpus: source::line("/sys/devices/system/cpu/nohz_full"),
            default_irq_affinity: source::line("/proc/irq/default_smp_affinity"),
            allowed_cpus: source::field("/proc/self/status", "Cpus_allowed_list"),
            nice: stat.as_ref().map(|stat| stat.nice),
            sched_policy: stat.as_ref().and_then(policy).into(),
        }
    }
}

/// Returns the name of a scheduling policy.
fn policy(stat: &Stat) -> Option<&'static str> {
    match stat.policy? {
        0 => Some("other"),
        1 => Some("fifo"),
        2 => Some("round robin"),
        3 => Some("batch"),
        5 => Some("idle"),
        6 => Some("deadline"),
        7 => Some("ext"),
        _ => None,
    }
}
