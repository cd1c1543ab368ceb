//! The control groups of this process: how much CPU they allow, and how often they withheld it.

use std::path::{Path, PathBuf};

use super::text::{after, number, text};

/// Where control groups are found; `unified` holds the second version beside the first.
const ROOT: &str = "/sys/fs/cgroup";

/// The least that the groups allow.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quota {
    /// CPU time in a second.
    pub(super) cpus: f64,
    /// The file that says so.
    pub(super) file: PathBuf,
    /// What to write there to lift it.
    pub(super) lifted: &'static str,
}

impl Quota {
    /// Returns the command that lifts it.
    pub(super) fn lift(&self) -> String {
        format!("echo {} | sudo tee {}", self.lifted, self.file.display())
    }
}

/// Returns the folders of the groups that this process and its ancestors' groups are in.
pub(crate) fn groups() -> Vec<PathBuf> {
    folders(&text("/proc/self/cgroup").unwrap_or_default())
}

/// Returns the smallest quota of these groups.
pub(super) fn smallest(groups: &[PathBuf]) -> Option<Quota> {
    let quotas = groups.iter().filter_map(|folder| second(folder).or_else(|| first(folder)));
    quotas.min_by(|a, b| a.cpus.total_cmp(&b.cpus))
}

/// Returns how often that of these groups was made to wait, since it exists, which was so most.
pub(super) fn throttled(groups: &[PathBuf]) -> Option<u64> {
    throttled_each(groups).into_iter().max()
}

/// Returns how often each of these groups that reports it was made to wait since it exists.
pub(crate) fn throttled_each(groups: &[PathBuf]) -> Vec<u64> {
    let stats = groups.iter().filter_map(|folder| text(folder.join("cpu.stat")));
    stats.filter_map(|stat| after(&stat, "nr_throttled")).collect()
}

/// Returns the folders that `/proc/self/cgroup` names, with those above them. In a container a
/// path may be the host's, so that only the folders above it exist.
fn folders(text: &str) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, ':');
        let (_, Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let mounts: &[&str] = match controllers {
            "" => &["", "unified"],
            _ if controllers.split(',').any(|name| name == "cpu") => &["cpu", "cpu,cpuacct"],
            _ => &[],
        };
        for mount in mounts {
            let above = Path::new(path.trim_start_matches('/')).ancestors();
            folders.extend(above.map(|path| Path::new(ROOT).join(mount).join(path)));
        }
    }
    folders
}

/// Returns the quota of a group of the second version.
fn second(folder: &Path) -> Option<Quota> {
    let file = folder.join("cpu.max");
    let said = text(&file)?;
    let (quota, period) = said.split_once(' ')?;
    Some(Quota { cpus: share(quota, period)?, file, lifted: "max" })
}

/// Returns the quota of a group of the first version.
fn first(folder: &Path) -> Option<Quota> {
    let file = folder.join("cpu.cfs_quota_us");
    let quota: i64 = number(&file)?;
    let period: i64 = number(folder.join("cpu.cfs_period_us"))?;
    Some(Quota { cpus: share(&quota.to_string(), &period.to_string())?, file, lifted: "-1" })
}

/// Returns a quota in CPUs; `max` and what is below zero are no quota.
fn share(quota: &str, period: &str) -> Option<f64> {
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

#[cfg(test)]
mod tests {
    use super::super::faults::Folder;
    use super::*;

    #[test]
    fn a_group_is_looked_for_with_those_above_it() {
        let expected = ["a/b", "a", "", "unified/a/b", "unified/a", "unified"];
        let expected: Vec<PathBuf> = expected.iter().map(|p| Path::new(ROOT).join(p)).collect();
        assert_eq!(folders("0::/a/b"), expected);
    }

    #[test]
    fn of_the_first_version_only_the_cpu_controller_counts() {
        let found = folders("4:memory:/x\n3:cpuset:/\n2:cpu,cpuacct:/y\nnonsense");
        let expected = ["cpu/y", "cpu", "cpu,cpuacct/y", "cpu,cpuacct"];
        let expected: Vec<PathBuf> = expected.iter().map(|p| Path::new(ROOT).join(p)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_quota_is_a_share_of_its_period() {
        assert_eq!(share("150000", "100000"), Some(1.5));
        assert_eq!(share("max", "100000"), None);
        assert_eq!(share("-1", "100000"), None);
        assert_eq!(share("1", "0"), None);
    }

    #[test]
    fn the_smallest_quota_of_both_versions_counts() {
        let folder = Folder::with(&[
            ("a/cpu.max", "max 100000\n"),
            ("b/cpu.max", "200000 100000\n"),
            ("b/cpu.stat", "nr_periods 9\nnr_throttled 4\n"),
            ("c/cpu.cfs_quota_us", "150000\n"),
            ("c/cpu.cfs_period_us", "100000\n"),
            ("d/cpu.cfs_quota_us", "-1\n"),
            ("d/cpu.cfs_period_us", "100000\n"),
        ]);
        let group = |name: &&str| folder.path().join(name);
        let groups: Vec<PathBuf> = ["a", "b", "c", "d"].iter().map(group).collect();
        let file = folder.path().join("c/cpu.cfs_quota_us");
        assert_eq!(smallest(&groups), Some(Quota { cpus: 1.5, file, lifted: "-1" }));
        assert_eq!(smallest(&groups[..2]).map(|quota| quota.cpus), Some(2.0));
        assert_eq!(throttled(&groups), Some(4));
    }

    #[test]
    fn groups_that_are_not_there_have_no_quota() {
        let absent = [PathBuf::from("/proc/absent")];
        assert_eq!((smallest(&absent), throttled(&absent)), (None, None));
    }
}
