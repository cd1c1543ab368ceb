//! The host: what kind of machine it is, what it is built of, and which of its mitigations cost.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::cgroup::Cgroup;
use super::fact::Fact;
use super::{cpu, hypervisor, source};

/// The folder of the CPUs.
const CPUS: &str = "/sys/devices/system/cpu";

/// What the machine is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Host {
    /// `bare`, `vm`, `container` or `wsl`; a container may itself be in a virtual machine.
    pub kind: Fact,
    /// Who makes the virtual machine, or `none`.
    pub hypervisor: Fact,
    /// Where it is rented.
    pub cloud: Cloud,
    /// The maker of the machine, by its firmware.
    pub dmi_vendor: Fact,
    /// The product, by its firmware.
    pub dmi_product: Fact,
    /// The model of the CPU, or each kind of its cores by maker and part.
    pub cpu_model: Fact,
    /// The revision of the CPU's microcode.
    pub microcode: Fact,
    /// Sockets with a CPU that is online.
    pub sockets: Option<u64>,
    /// Cores that are online, over all sockets.
    pub cores: Option<u64>,
    /// `on`, `off`, `forceoff`, `notsupported` or `notimplemented`.
    pub smt: Fact,
    /// The CPUs that are online, as a list of ranges.
    pub online_cpus: Fact,
    /// NUMA nodes.
    pub numa_nodes: Option<u64>,
    /// The caches that CPU 0 sees.
    pub caches: Option<Vec<Cache>>,
    /// Memory in KiB.
    pub memory_total_kib: Option<u64>,
    /// Transfers of the memory in millions a second, which only the superuser's tools report.
    pub memory_speed_mts: Option<u64>,
    /// Swap in KiB.
    pub swap_total_kib: Option<u64>,
    /// The kernel's word on each flaw of the CPU: some cures make every system call cost more.
    pub mitigations: Option<BTreeMap<String, Fact>>,
    /// What the process may use of the machine.
    pub cgroup: Cgroup,
}

/// Where a machine is rented.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Cloud {
    /// The provider, where the firmware names it.
    pub provider: Fact,
    /// The type of the instance, where the firmware names it.
    pub instance_type: Fact,
    /// The region, which only a question to the provider would show it.
    pub region: Fact,
}

/// A cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Cache {
    /// Its level, 1 being the nearest.
    pub level: Option<u64>,
    /// `Data`, `Instruction` or `Unified`.
    pub kind: Fact,
    /// Its size, as in `32K`.
    pub size: Fact,
    /// The CPUs that share it, as a list of ranges.
    pub shared_by_cpus: Fact,
}

impl Host {
    /// Reads what this machine is.
    pub(super) fn read() -> Self {
        let dmi = |name: &str| source::line(Path::new("/sys/class/dmi/id").join(name));
        let (vendor, product) = (dmi("sys_vendor"), dmi("product_name"));
        let hypervisor = hypervisor::read(&vendor, &product);
        let topology = topology();
        let nodes = source::numbered("/sys/devices/system/node", "node");

        Self {
            kind: kind(&hypervisor).into(),
            hypervisor,
            cloud: Cloud::of(&vendor, &product),
            dmi_vendor: vendor,
            dmi_product: product,
            cpu_model: cpu::model(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default()),
            microcode: source::field("/proc/cpuinfo", "microcode"),
            sockets: count(topology.as_ref(), |&(socket, _)| socket),
            cores: count(topology.as_ref(), |&core| core),
            smt: source::line(format!("{CPUS}/smt/control")),
            online_cpus: source::line(format!("{CPUS}/online")),
            numa_nodes: nodes.and_then(|nodes| nodes.len().try_into().ok()),
            caches: caches(),
            memory_total_kib: source::memory_kib("MemTotal"),
            memory_speed_mts: None,
            swap_total_kib: source::memory_kib("SwapTotal"),
            mitigations: mitigations(),
            cgroup: Cgroup::read(),
        }
    }
}

impl Host {
    /// Returns `bare`, `vm` or `container`: Linux on Windows runs in a virtual machine.
    pub(super) fn class(&self) -> &str {
        match self.kind.as_str() {
            "wsl" => "vm",
            kind => kind,
        }
    }
}

impl Cloud {
    /// Returns what the names in the firmware report. No provider is asked: that would be a request
    /// to an address beyond loopback.
    fn of(vendor: &Fact, product: &Fact) -> Self {
        let (provider, instance_type) = match vendor.as_str() {
            "Amazon EC2" => ("AWS".into(), product.clone()),
            "Google" => ("Google Cloud".into(), Fact::default()),
            "DigitalOcean" | "Hetzner" | "Alibaba Cloud" | "OpenStack Foundation" | "Scaleway" => {
                (vendor.clone(), Fact::default())
            }
            _ => (Fact::default(), Fact::default()),
        };
        Self { provider, instance_type, region: Fact::default() }
    }
}

/// Returns what kind of machine this is.
fn kind(hypervisor: &Fact) -> &'static str {
    let marks = ["/.dockerenv", "/run/.containerenv", "/run/systemd/container"];
    let release = source::line("/proc/sys/kernel/osrelease");
    match hypervisor.as_str() {
        _ if marks.iter().any(|mark| Path::new(mark).exists()) => "container",
        _ if release.as_str().to_lowercase().contains("microsoft") => "wsl",
        "none" | "unknown" => "bare",
        _ => "vm",
    }
}

/// Returns socket and core of each CPU that is online.
fn topology() -> Option<Vec<(i64, i64)>> {
    let cpus = source::numbered(CPUS, "cpu")?;
    // A CPU that is offline has no such folder.
    let cores = cpus.iter().filter_map(|cpu| {
        let id = |name: &str| source::number(format!("{CPUS}/{cpu}/topology/{name}"));
        Some((id("physical_package_id")?, id("core_id")?))
    });
    Some(cores.collect()).filter(|cores: &Vec<_>| !cores.is_empty())
}

/// Returns how many different things the CPUs belong to.
fn count<T: Ord>(
    topology: Option<&Vec<(i64, i64)>>,
    thing: impl Fn(&(i64, i64)) -> T,
) -> Option<u64> {
    let things: BTreeSet<T> = topology?.iter().map(thing).collect();
    things.len().try_into().ok()
}

/// Returns the caches of CPU 0.
fn caches() -> Option<Vec<Cache>> {
    let folder = format!("{CPUS}/cpu0/cache");
    let caches = source::numbered(&folder, "index")?;
    let cache = |index: String| {
        let file = |name: &str| format!("{folder}/{index}/{name}");
        Cache {
            level: source::number(file("level")),
            kind: source::line(file("type")),
            size: source::line(file("size")),
            shared_by_cpus: source::line(file("shared_cpu_list")),
        }
    };
    Some(caches.into_iter().map(cache).collect())
}

/// Returns the kernel's word on each flaw of the CPU.
fn mitigations() -> Option<BTreeMap<String, Fact>> {
    let folder = format!("{CPUS}/vulnerabilities");
    let flaws = source::names(&folder)?;
    let word = |flaw: String| {
        let reported = source::line(Path::new(&folder).join(&flaw));
        (flaw, reported)
    };
    Some(flaws.into_iter().map(word).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_and_cores_are_counted_once() {
        let topology = vec![(0, 0), (0, 0), (0, 1), (1, 0), (1, 0), (1, 1)];
        assert_eq!(count(Some(&topology), |&(socket, _)| socket), Some(2));
        assert_eq!(count(Some(&topology), |&core| core), Some(4));
        assert_eq!(count(None, |&core| core), None);
    }

    #[test]
    fn a_cloud_is_known_only_by_its_firmware() {
        let cloud = Cloud::of(&"Amazon EC2".into(), &"m5.large".into());
        assert_eq!((cloud.provider.as_str(), cloud.instance_type.as_str()), ("AWS", "m5.large"));
        assert_eq!(Cloud::of(&"LENOVO".into(), &"20XW".into()), Cloud::default());
    }
}
