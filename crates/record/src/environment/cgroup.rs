//! The control groups that the process is in: how much of the machine it may use. A quota throttles
//! a model in the middle of a trial, and the clock on the wall shows it as latency.

use std::fs;
use std::path::{Path, PathBuf};

use procfs::ProcessCGroup;
use procfs::process::{MountInfo, Process};
use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::source;

/// What is said where nothing is limited.
const MAX: &str = "max";

/// What version 1 says of memory that is not limited, at the least: no machine has this much.
const UNLIMITED_BYTES: u64 = 1 << 62;

/// The limits of the control groups, each the tightest of the group and those around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Cgroup {
    /// `v1`, `v2`, or `v1 and v2` where controllers are split between them.
    pub version: Fact,
    /// Quota and period of CPU time in microseconds, or `max`.
    pub cpu_max: Fact,
    /// Bytes of memory, or `max`.
    pub memory_max: Fact,
    /// The CPUs that may be used, as a list of ranges.
    pub cpuset_cpus: Fact,
    /// Processes and threads, or `max`.
    pub pids_max: Fact,
}

/// A controller, as it holds for the process.
struct Controller {
    /// Whether it belongs to version 2.
    is_v2: bool,
    /// The folder of the group, then those of the groups around it.
    folders: Vec<PathBuf>,
}

impl Cgroup {
    /// Reads the limits of this process.
    pub(super) fn read() -> Self {
        Self::try_read().unwrap_or_default()
    }

    /// Reads the limits of this process, where the kernel reports its groups.
    fn try_read() -> Option<Self> {
        let process = Process::myself().ok()?;
        let groups = process.cgroups().ok()?.0;
        let mounts: Vec<MountInfo> = process.mountinfo().ok()?.into_iter().collect();
        let find = |name| Controller::find(name, &groups, &mounts);
        let controllers = ["cpu", "memory", "cpuset", "pids"].map(find);
        let [cpu, memory, cpuset, pids] = controllers.each_ref().map(Option::as_ref);

        Some(Self {
            version: version(&controllers),
            cpu_max: cpu.map(cpu_max).into(),
            memory_max: memory.map(memory_max).into(),
            cpuset_cpus: cpuset.map(cpuset_cpus).unwrap_or_default(),
            pids_max: pids.map(|pids| smallest(pids.texts("pids.max"))).into(),
        })
    }
}

impl Controller {
    /// Finds a controller in version 1, else in version 2.
    fn find(name: &str, groups: &[ProcessCGroup], mounts: &[MountInfo]) -> Option<Self> {
        let has_it = |group: &&ProcessCGroup| group.controllers.iter().any(|c| c == name);
        let v1 = groups.iter().find(has_it);
        let group = v1.or_else(|| groups.iter().find(|group| group.hierarchy == 0))?;
        let is_v2 = v1.is_none();
        let mount = mounts.iter().find(|mount| match is_v2 {
            true => mount.fs_type == "cgroup2",
            false => mount.fs_type == "cgroup" && mount.super_options.contains_key(name),
        })?;

        // A group outside what is mounted here is seen as the mount's own root.
        let below = Path::new(&group.pathname).strip_prefix(&mount.root).unwrap_or(Path::new(""));
        let own = mount.mount_point.join(below);
        let inside = own.ancestors().take_while(|folder| folder.starts_with(&mount.mount_point));
        Some(Self { is_v2, folders: inside.map(Path::to_owned).collect() })
    }

    /// Returns what a file says in each folder that has it.
    fn texts(&self, name: &str) -> Vec<String> {
        let texts = self.folders.iter().map(|folder| fs::read_to_string(folder.join(name)));
        texts.filter_map(Result::ok).map(|text| text.trim().to_owned()).collect()
    }
}

/// Returns which versions the controllers belong to.
fn version(controllers: &[Option<Controller>]) -> Fact {
    let has = |v2| controllers.iter().flatten().any(|controller| controller.is_v2 == v2);
    match (has(false), has(true)) {
        (true, true) => "v1 and v2".into(),
        (true, false) => "v1".into(),
        (false, true) => "v2".into(),
        (false, false) => Fact::default(),
    }
}

/// Returns the tightest quota of CPU time, with its period.
fn cpu_max(cpu: &Controller) -> String {
    let reported = match cpu.is_v2 {
        true => cpu.texts("cpu.max"),
        false => {
            let quotas = cpu.texts("cpu.cfs_quota_us").into_iter();
            let pairs = quotas.zip(cpu.texts("cpu.cfs_period_us"));
            pairs.map(|(quota, period)| format!("{quota} {period}")).collect()
        }
    };
    let quotas = reported.iter().filter_map(|text| {
        let (quota, period) = text.split_once(' ')?;
        // No limit is `max` in version 2 and -1 in version 1.
        Some((quota.parse::<u64>().ok()?, period.parse::<u64>().ok()?))
    });
    // a / b < c / d, without a fraction.
    let tighter = |a: &(u64, u64), b: &(u64, u64)| (a.0 * b.1).cmp(&(b.0 * a.1));
    quotas.min_by(tighter).map_or_else(|| MAX.to_owned(), |(q, period)| format!("{q} {period}"))
}

/// Returns the tightest limit of memory.
fn memory_max(memory: &Controller) -> String {
    smallest(memory.texts(if memory.is_v2 { "memory.max" } else { "memory.limit_in_bytes" }))
}

/// Returns the smallest number among what was reported, or `max`.
fn smallest(reported: Vec<String>) -> String {
    let numbers = reported.into_iter().filter_map(|text| text.parse::<u64>().ok());
    let limits = numbers.filter(|&number| number < UNLIMITED_BYTES);
    limits.min().map_or_else(|| MAX.to_owned(), |limit| limit.to_string())
}

/// Returns the CPUs of the innermost group that names any.
fn cpuset_cpus(cpuset: &Controller) -> Fact {
    let names = ["cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"];
    let files = cpuset.folders.iter().flat_map(|folder| names.map(|name| folder.join(name)));
    let mut reported = files
        .map(source::line)
        .filter(|reported| reported.is_known() && *reported != "none".into());
    reported.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a controller whose folders, from the inside, hold these files.
    fn controller(is_v2: bool, files: &[&[(&str, &str)]]) -> (tempfile::TempDir, Controller) {
        let root = tempfile::tempdir().unwrap();
        let mut folders = Vec::new();
        for (depth, files) in files.iter().enumerate() {
            let folder = root.path().join(depth.to_string());
            fs::create_dir(&folder).unwrap();
            for (name, text) in *files {
                fs::write(folder.join(name), text).unwrap();
            }
            folders.push(folder);
        }
        (root, Controller { is_v2, folders })
    }

    #[test]
    fn the_tightest_quota_of_all_groups_holds() {
        let groups: [&[(&str, &str)]; 3] = [
            &[("cpu.max", "max 100000\n")],
            &[("cpu.max", "150000 100000\n")],
            &[("cpu.max", "40000 20000\n")],
        ];
        let (_root, cpu) = controller(true, &groups);
        assert_eq!(cpu_max(&cpu), "150000 100000");
    }

    #[test]
    fn no_quota_is_max_in_both_versions() {
        let v1: &[(&str, &str)] =
            &[("cpu.cfs_quota_us", "-1\n"), ("cpu.cfs_period_us", "100000\n")];
        let v2: &[(&str, &str)] = &[("cpu.max", "max 100000\n")];
        for (is_v2, files) in [(false, v1), (true, v2), (true, &[])] {
            assert_eq!(cpu_max(&controller(is_v2, &[files]).1), "max");
        }
    }

    #[test]
    fn memory_without_a_limit_is_max_in_both_versions() {
        let v1: &[(&str, &str)] = &[("memory.limit_in_bytes", "9223372036854771712\n")];
        let (_root, memory) = controller(false, &[v1]);
        assert_eq!(memory_max(&memory), "max");
        let v2: [&[(&str, &str)]; 2] = [&[("memory.max", "max\n")], &[("memory.max", "4096\n")]];
        let (_root, memory) = controller(true, &v2);
        assert_eq!(memory_max(&memory), "4096");
    }
}
