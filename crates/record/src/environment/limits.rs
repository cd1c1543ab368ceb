//! The limits of the process and of the machine: how many threads and connections may exist.

use procfs::process::{Limit, LimitValue, Process};
use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::source;

/// How many threads and connections may exist. The control group's limit of processes stands in
/// `host.cgroup`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Limits {
    /// Open files of a process, sockets among them.
    pub nofile: SoftHard,
    /// Processes and threads of a user.
    pub nproc: SoftHard,
    /// The highest number of a process.
    pub pid_max: Option<u64>,
    /// Threads of the machine.
    pub threads_max: Option<u64>,
    /// Mappings of a process; a thread's stack with its guard takes two.
    pub max_map_count: Option<u64>,
    /// Processes and threads of the control group, or `max`.
    pub cgroup_pids_max: Fact,
}

/// A limit with the height to which it may be raised: numbers or `unlimited`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SoftHard {
    /// What holds.
    pub soft: Fact,
    /// To what it may be raised.
    pub hard: Fact,
}

impl Limits {
    /// Reads the limits of this process, given that of its control group.
    pub(super) fn read(cgroup_pids_max: Fact) -> Self {
        let limits = Process::myself().and_then(|process| process.limits()).ok();
        Self {
            nofile: limits.as_ref().map(|l| SoftHard::of(&l.max_open_files)).unwrap_or_default(),
            nproc: limits.as_ref().map(|l| SoftHard::of(&l.max_processes)).unwrap_or_default(),
            pid_max: source::number("/proc/sys/kernel/pid_max"),
            threads_max: source::number("/proc/sys/kernel/threads-max"),
            max_map_count: source::number("/proc/sys/vm/max_map_count"),
            cgroup_pids_max,
        }
    }
}

impl SoftHard {
    /// Returns both values of a limit.
    fn of(limit: &Limit) -> Self {
        let value = |value: &LimitValue| match value {
            LimitValue::Unlimited => "unlimited".into(),
            LimitValue::Value(number) => number.to_string().into(),
        };
        Self { soft: value(&limit.soft_limit), hard: value(&limit.hard_limit) }
    }
}
