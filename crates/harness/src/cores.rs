//! The cores of this machine: which CPUs share one, which are as capable as each other, and which
//! are as near to memory.
//!
//! A machine may have cores of several kinds. Model and origin get cores of one kind, since a model
//! on a small core would be compared with runs of models on large ones. Where memory is in several
//! NUMA nodes, both get cores of one node: each byte of a reply would cross to another otherwise.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::path::Path;

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

/// Where the kernel describes devices.
const DEVICES: &str = "/sys/devices";
/// The lists of CPUs by kind that x86 has, each with a capacity of which only the order matters.
const KINDS: [(&str, u64); 3] = [("cpu_core", 1024), ("cpu_atom", 512), ("cpu_lowpower", 256)];
/// Cores whose capacity, or highest frequency, is below this share of the highest are of a smaller
/// kind, in percent: the kernel's own margin. Favoured cores of one kind differ by a tenth at most.
const SAME_KIND_PERCENT: u64 = 80;

/// The cores that a run may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cores {
    /// Those that are divided between model and origin, each with its CPUs.
    pub(crate) used: Vec<Vec<usize>>,
    /// The CPUs that are left out.
    pub(crate) left_out: LeftOut,
    /// Whether those that are used are of one kind.
    pub(crate) are_equal: bool,
}

/// CPUs that a run does not use, by why, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// Those whose cores are of another kind.
    pub(crate) other_kind: Vec<usize>,
    /// Those of the same kind in another NUMA node.
    pub(crate) other_node: Vec<usize>,
}

impl Cores {
    /// Reads which CPUs this process may use, and what the kernel reports of them.
    ///
    /// # Errors
    ///
    /// Says that the CPUs cannot be read.
    pub(crate) fn read() -> Result<Self> {
        let set = sched_getaffinity(Pid::from_raw(0)).context("failed to read the CPU affinity")?;
        let cpus: Vec<usize> =
            (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu) == Ok(true)).collect();
        Ok(Self::of(Path::new(DEVICES), &cpus))
    }

    /// Returns the cores of these CPUs, as a folder of devices describes them.
    pub(crate) fn of(devices: &Path, cpus: &[usize]) -> Self {
        let capacities = of_kinds(capacities(devices, cpus));
        let mut kinds: BTreeMap<u64, Vec<Vec<usize>>> = BTreeMap::new();
        for core in cores(cpus, |cpu| siblings(devices, cpu)) {
            let capacity = core.first().and_then(|cpu| capacities.get(cpu));
            kinds.entry(capacity.copied().unwrap_or_default()).or_default().push(core);
        }
        Self::equal(kinds).of_one_node(&nodes(devices))
    }

    /// Chooses the most capable kind that has a core for the model and one for the origin. Without
    /// one all cores are used, the least capable first.
    fn equal(mut kinds: BTreeMap<u64, Vec<Vec<usize>>>) -> Self {
        let are_equal = kinds.len() < 2;
        let most = kinds.iter().rfind(|(_, cores)| cores.len() > 1).map(|(capacity, _)| *capacity);
        match most.and_then(|capacity| kinds.remove(&capacity)) {
            Some(used) => {
                let others: Vec<Vec<usize>> = kinds.into_values().flatten().collect();
                let other_kind = ascending(&others);
                let left_out = LeftOut { other_kind, ..LeftOut::default() };
                Self { used, left_out, are_equal: true }
            }
            None => {
                let used = kinds.into_values().flatten().collect();
                Self { used, left_out: LeftOut::default(), are_equal }
            }
        }
    }

    /// Keeps of equal cores those of the node that has the most, the first of several; all where no
    /// node has a core for the model and one for the origin.
    fn of_one_node(mut self, nodes: &[Vec<usize>]) -> Self {
        let node_of = |core: &Vec<usize>| {
            let is_in = |cpus: &Vec<usize>| core.first().is_some_and(|cpu| cpus.contains(cpu));
            nodes.iter().position(is_in)
        };
        let mut counts: BTreeMap<Option<usize>, usize> = BTreeMap::new();
        for core in &self.used {
            *counts.entry(node_of(core)).or_default() += 1;
        }
        // The last of those with the most is taken: from behind, that is the first.
        let most = counts.into_iter().rev().max_by_key(|(_, cores)| *cores);
        let Some((most, 2..)) = most.filter(|_| self.are_equal) else { return self };

        let (used, others): (Vec<_>, Vec<_>) =
            self.used.into_iter().partition(|core| node_of(core) == most);
        self.left_out.other_node = ascending(&others);
        Self { used, ..self }
    }

    /// Says which CPUs are left out and why, if any are.
    pub(crate) fn without(&self) -> Option<String> {
        let LeftOut { other_kind, other_node } = &self.left_out;
        let left_out = [(other_kind, "of another kind"), (other_node, "of another NUMA node")];
        let left_out = left_out.into_iter().filter(|(cpus, _)| !cpus.is_empty());
        let reported = left_out.map(|(cpus, why)| format!("{} ({why})", named(cpus)));
        let reported: Vec<String> = reported.collect();
        (!reported.is_empty()).then(|| reported.join(" and "))
    }

    /// Returns whether two CPUs are one core's.
    pub(crate) fn are_shared(&self) -> bool {
        self.used.iter().any(|cpus| cpus.len() > 1)
    }
}

/// Returns the CPUs of some cores in ascending order.
fn ascending(cores: &[Vec<usize>]) -> Vec<usize> {
    let mut cpus = cores.concat();
    cpus.sort_unstable();
    cpus
}

/// Names CPUs as the kernel lists them: `CPU 3`, or `CPUs 0-3,8`.
pub(crate) fn named(cpus: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for cpu in ascending(&[cpus.to_vec()]) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == cpu => *last = cpu,
            _ => ranges.push((cpu, cpu)),
        }
    }
    let range = |(first, last): &(usize, usize)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    let ranges: Vec<String> = ranges.iter().map(range).collect();
    format!("CPU{} {}", if cpus.len() == 1 { "" } else { "s" }, ranges.join(","))
}

/// Returns the CPUs of each NUMA node, by its number; nothing where the kernel names none.
fn nodes(devices: &Path) -> Vec<Vec<usize>> {
    let node = |folder: DirEntry| -> Option<(usize, Vec<usize>)> {
        let number = folder.file_name().to_str()?.strip_prefix("node")?.parse().ok()?;
        let list = fs::read_to_string(folder.path().join("cpulist")).ok()?;
        Some((number, listed(&list)))
    };
    let folders = fs::read_dir(devices.join("system/node")).into_iter().flatten().flatten();
    folders.filter_map(node).collect::<BTreeMap<_, _>>().into_values().collect()
}

/// Returns the CPUs core by core; CPUs that name the same siblings are one core.
fn cores(cpus: &[usize], siblings: impl Fn(usize) -> String) -> Vec<Vec<usize>> {
    let mut cores: Vec<(String, Vec<usize>)> = Vec::new();
    for &cpu in cpus {
        let name = siblings(cpu);
        match cores.iter_mut().find(|(other, _)| *other == name) {
            Some((_, cpus)) => cpus.push(cpu),
            None => cores.push((name, vec![cpu])),
        }
    }
    cores.into_iter().map(|(_, cpus)| cpus).collect()
}

/// Returns the CPUs of the core that a CPU belongs to, as the kernel writes them; the CPU alone
/// where the kernel does not say.
fn siblings(devices: &Path, cpu: usize) -> String {
    let path = devices.join(format!("system/cpu/cpu{cpu}/topology/thread_siblings_list"));
    fs::read_to_string(path).unwrap_or_else(|_| cpu.to_string())
}

/// Returns how capable each CPU is: by the kernel's scale, else by its kind, else by its highest
/// frequency. Where the kernel reports nothing of a CPU, it is taken to be like the others.
fn capacities(devices: &Path, cpus: &[usize]) -> BTreeMap<usize, u64> {
    let of_cpu = |cpu: usize, file: &str| -> Option<u64> {
        let path = devices.join(format!("system/cpu/cpu{cpu}/{file}"));
        fs::read_to_string(path).ok()?.trim().parse().ok()
    };
    let lists = KINDS.map(|(kind, capacity)| {
        let list = fs::read_to_string(devices.join(kind).join("cpus")).unwrap_or_default();
        (listed(&list), capacity)
    });
    let frequency = |cpu: usize| of_cpu(cpu, "cpufreq/cpuinfo_max_freq");
    let highest = cpus.iter().filter_map(|&cpu| frequency(cpu)).max().unwrap_or(0);

    let capacity = |cpu: usize| {
        let kind =
            lists.iter().find(|(cpus, _)| cpus.contains(&cpu)).map(|(_, capacity)| *capacity);
        let is_slow = frequency(cpu).is_some_and(|f| f * 100 < highest * SAME_KIND_PERCENT);
        let by_frequency = if is_slow { 512 } else { 1024 };
        of_cpu(cpu, "cpu_capacity").or(kind).unwrap_or(by_frequency)
    };
    cpus.iter().map(|&cpu| (cpu, capacity(cpu))).collect()
}

/// Returns capacities of which those of one kind are equal: each is the highest of its kind.
fn of_kinds(mut capacities: BTreeMap<usize, u64>) -> BTreeMap<usize, u64> {
    let mut descending: Vec<&mut u64> = capacities.values_mut().collect();
    descending.sort_unstable_by(|a, b| b.cmp(a));
    let mut highest = u64::MAX;
    for capacity in descending {
        if capacity.saturating_mul(100) < highest.saturating_mul(SAME_KIND_PERCENT) {
            highest = *capacity;
        }
        *capacity = highest;
    }
    capacities
}

/// Returns the CPUs of a list such as `0-3,8`.
fn listed(text: &str) -> Vec<usize> {
    let ranges = text.trim().split(',').filter_map(|range| {
        let (first, final_one) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse::<usize>().ok()?..=final_one.parse().ok()?)
    });
    ranges.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the cores of so many CPUs, as a folder with these files describes them.
    fn described(count: usize, files: &[(&str, &str)]) -> Cores {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Cores::of(folder.path(), &(0..count).collect::<Vec<_>>())
    }

    /// Returns cores that are used, of one kind, and CPUs that are left out as of another.
    fn used(used: &[&[usize]], other_kind: &[usize]) -> Cores {
        let used = used.iter().map(|cpus| cpus.to_vec()).collect();
        let left_out = LeftOut { other_kind: other_kind.to_vec(), ..LeftOut::default() };
        Cores { used, left_out, are_equal: true }
    }

    /// Returns cores of one CPU that are used, and CPUs that are left out as of another node.
    fn in_one_node(cpus: &[usize], other_node: &[usize]) -> Cores {
        let used = cpus.iter().map(|cpu| vec![*cpu]).collect();
        let left_out = LeftOut { other_node: other_node.to_vec(), ..LeftOut::default() };
        Cores { used, left_out, are_equal: true }
    }

    #[test]
    fn cpus_of_one_core_stay_together() {
        // As most desktops number them: the siblings of 0 and 1 are 2 and 3.
        let file = |cpu: usize| format!("system/cpu/cpu{cpu}/topology/thread_siblings_list");
        let files = [0, 1, 2, 3].map(|cpu| (file(cpu), format!("{},{}\n", cpu % 2, cpu % 2 + 2)));
        let files = files.each_ref().map(|(path, text)| (path.as_str(), text.as_str()));
        let found = described(4, &files);
        assert_eq!(found, used(&[&[0, 2], &[1, 3]], &[]));
        assert!(found.are_shared());
    }

    #[test]
    fn a_machine_that_reports_nothing_has_equal_cores_of_one_cpu() {
        let found = described(2, &[]);
        assert_eq!(found, used(&[&[0], &[1]], &[]));
        assert!(!found.are_shared());
    }

    #[test]
    fn cores_of_the_most_capable_kind_are_used_and_the_others_left_out() {
        // Two small ones first, as on most boards with arm64.
        let arm = [
            ("system/cpu/cpu0/cpu_capacity", "446\n"),
            ("system/cpu/cpu1/cpu_capacity", "446\n"),
            ("system/cpu/cpu2/cpu_capacity", "1024\n"),
            ("system/cpu/cpu3/cpu_capacity", "1024\n"),
        ];
        assert_eq!(described(4, &arm), used(&[&[2], &[3]], &[0, 1]));
        let x86 = [("cpu_core/cpus", "0-1\n"), ("cpu_atom/cpus", "2,3-4\n")];
        assert_eq!(described(5, &x86), used(&[&[0], &[1]], &[2, 3, 4]));
        let by_frequency = [
            ("system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "3500000\n"),
            ("system/cpu/cpu1/cpufreq/cpuinfo_max_freq", "5000000\n"),
            ("system/cpu/cpu2/cpufreq/cpuinfo_max_freq", "5200000\n"),
        ];
        assert_eq!(described(3, &by_frequency), used(&[&[1], &[2]], &[0]));
    }

    #[test]
    fn cores_whose_capacities_differ_by_a_fifth_at_most_are_of_one_kind() {
        let files = |capacities: &[u64]| -> Vec<(String, String)> {
            let file = |cpu: usize| format!("system/cpu/cpu{cpu}/cpu_capacity");
            let each = capacities.iter().enumerate();
            each.map(|(cpu, capacity)| (file(cpu), capacity.to_string())).collect()
        };
        let found = |capacities: &[u64]| {
            let files = files(capacities);
            let files: Vec<(&str, &str)> =
                files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
            described(capacities.len(), &files)
        };
        assert_eq!(found(&[1009, 1024]), used(&[&[0], &[1]], &[]));
        assert_eq!(found(&[1024, 446, 1009, 446]), used(&[&[0], &[2]], &[1, 3]));
        // A row of small steps is not one kind.
        assert_eq!(found(&[700, 850, 1000]), used(&[&[1], &[2]], &[0]));
        assert!(!found(&[1024, 446]).are_equal);
    }

    #[test]
    fn a_single_large_core_is_left_out_where_smaller_ones_are_equal() {
        let files = [("cpu_core/cpus", "0\n"), ("cpu_atom/cpus", "1-3\n")];
        assert_eq!(described(4, &files), used(&[&[1], &[2], &[3]], &[0]));
    }

    #[test]
    fn where_no_two_are_equal_all_are_used_the_most_capable_last_for_the_model() {
        let files =
            [("system/cpu/cpu0/cpu_capacity", "1024"), ("system/cpu/cpu1/cpu_capacity", "446")];
        let expected = Cores { are_equal: false, ..used(&[&[1], &[0]], &[]) };
        assert_eq!(described(2, &files), expected);
    }

    #[test]
    fn cores_of_the_node_that_has_the_most_are_used_and_those_of_others_left_out() {
        let node = |number: u32| format!("system/node/node{number}/cpulist");
        let described = |count: usize, lists: &[&str]| {
            let files: Vec<(String, &str)> = (0..).map(node).zip(lists.iter().copied()).collect();
            let files: Vec<(&str, &str)> =
                files.iter().map(|(path, list)| (path.as_str(), *list)).collect();
            described(count, &files)
        };
        // In blocks, and in turn.
        assert_eq!(described(4, &["0-1\n", "2-3\n"]), in_one_node(&[0, 1], &[2, 3]));
        assert_eq!(described(5, &["0-1\n", "2-4\n"]), in_one_node(&[2, 3, 4], &[0, 1]));
        assert_eq!(described(6, &["0,2,4\n", "1,3,5\n"]), in_one_node(&[0, 2, 4], &[1, 3, 5]));
        // A node of memory alone, one of which this process may use no CPU, and CPUs in none.
        assert_eq!(described(3, &["\n", "8-9\n", "0-2\n"]), in_one_node(&[0, 1, 2], &[]));
        assert_eq!(described(3, &["0\n"]), in_one_node(&[1, 2], &[0]));
        // Two nodes with a core each are no reason to share one.
        assert_eq!(described(2, &["0\n", "1\n"]), in_one_node(&[0, 1], &[]));
    }

    #[test]
    fn numbers_of_nodes_are_compared_as_numbers() {
        let files = [("system/node/node10/cpulist", "0-1"), ("system/node/node9/cpulist", "2-3")];
        assert_eq!(described(4, &files), in_one_node(&[2, 3], &[0, 1]));
        let others = [("system/node/possible", "0-1"), ("system/node/node0/cpulist", "0-1")];
        assert_eq!(described(2, &others), in_one_node(&[0, 1], &[]));
    }

    #[test]
    fn cpus_of_another_kind_and_those_of_another_node_are_named_apart() {
        let files = [
            ("cpu_core/cpus", "0-3\n"),
            ("cpu_atom/cpus", "4-8\n"),
            ("system/node/node0/cpulist", "0-1,4\n"),
            ("system/node/node1/cpulist", "2-3,5-8\n"),
        ];
        let found = described(9, &files);
        assert_eq!(found.used, [[0], [1]]);
        let without = "CPUs 4-8 (of another kind) and CPUs 2-3 (of another NUMA node)";
        assert_eq!(found.without().as_deref(), Some(without));
        assert_eq!(used(&[&[1]], &[0]).without().unwrap(), "CPU 0 (of another kind)");
        assert_eq!(used(&[&[0]], &[]).without(), None);
        assert_eq!(named(&[8, 0, 1, 2, 10]), "CPUs 0-2,8,10");
    }
}
