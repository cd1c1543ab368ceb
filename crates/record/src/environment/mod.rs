//! The machine that a run ran on: what a reader must know to judge a figure, and nothing that
//! tells whose machine it is. What cannot be had is "unknown", never absent.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// What is said where something cannot be had.
const UNKNOWN: &str = "unknown";

/// The machine, the kernel, the build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// `inflight.environment/1.0`.
    pub schema: String,
    /// The model of the CPU.
    pub cpu: String,
    /// CPUs that may be used.
    pub cpus: usize,
    /// `bare`, `vm` or `container`.
    pub kind: String,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// The kernel's release.
    pub kernel: String,
    /// Whether interrupts are charged to the process that they interrupt.
    pub irq_time_accounting: String,
    /// The clock.
    pub clocksource: String,
    /// The frequency governor.
    pub governor: String,
    /// Congestion control of TCP.
    pub tcp_congestion_control: String,
    /// The compiler.
    pub rustc: String,
    /// Compiler flags set from outside.
    pub rustflags: String,
    /// The profile that all models were compiled with.
    pub profile: String,
    /// The commit of the source, and whether the tree differed from it.
    pub commit: String,
    /// Whether the tree differed from the commit, results aside.
    pub modified: String,
    /// SHA-256 of `Cargo.lock`.
    pub cargo_lock_sha256: String,
    /// The origin's server with its version.
    pub origin: String,
    /// SHA-256 of each program that ran, by package.
    pub programs_sha256: BTreeMap<String, String>,
}

impl Environment {
    /// Reads it; `root` is the folder of the workspace.
    pub fn read(root: &Path, origin: &str, programs_sha256: BTreeMap<String, String>) -> Self {
        let lock = fs::read(root.join("Cargo.lock")).ok();
        Self {
            schema: "inflight.environment/1.0".to_owned(),
            cpu: field("/proc/cpuinfo", "model name"),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            kind: kind(),
            memory_mib: field("/proc/meminfo", "MemTotal")
                .trim_end_matches(" kB")
                .parse()
                .map_or(0, |kib: u64| kib / 1024),
            kernel: first_line("/proc/sys/kernel/osrelease"),
            irq_time_accounting: irq_time_accounting(),
            clocksource: first_line(
                "/sys/devices/system/clocksource/clocksource0/current_clocksource",
            ),
            governor: first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            tcp_congestion_control: first_line("/proc/sys/net/ipv4/tcp_congestion_control"),
            rustc: said(Command::new("rustc").arg("--version")),
            rustflags: std::env::var("RUSTFLAGS").unwrap_or_default(),
            profile: "release, thin LTO, one codegen unit".to_owned(),
            commit: said(git(root).args(["rev-parse", "HEAD"])),
            modified: modified(root),
            cargo_lock_sha256: lock
                .map_or_else(|| UNKNOWN.to_owned(), |b| crate::folder::sha256(&b)),
            origin: origin.to_owned(),
            programs_sha256,
        }
    }

    /// Returns the class of the machine, as it stands in the name of a run: `2c-vm`.
    pub fn class(&self) -> String {
        format!("{}c-{}", self.cpus, self.kind)
    }
}

/// Returns the value of a `key: value` line.
fn field(path: &str, key: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(key));
    let value = line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim());
    value.unwrap_or(UNKNOWN).to_owned()
}

/// Returns the first line of a file.
fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or(UNKNOWN).to_owned()
}

/// Returns what kind of machine this is.
fn kind() -> String {
    let kind = match () {
        () if Path::new("/.dockerenv").exists() => "container",
        () if field("/proc/cpuinfo", "flags").contains(" hypervisor") => "vm",
        () => "bare",
    };
    kind.to_owned()
}

/// Returns whether interrupt time is taken out of the CPU time of processes. Interrupt pressure
/// is only accounted where it is.
fn irq_time_accounting() -> String {
    let exists = |name: &str| Path::new("/proc/pressure").join(name).exists();
    let told = match (exists("cpu"), exists("irq")) {
        (_, true) => "on",
        (true, false) => "off",
        (false, false) => UNKNOWN,
    };
    told.to_owned()
}

/// Returns git, in the folder of the workspace.
fn git(root: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(root);
    git
}

/// Returns whether the tree differs from its commit; what lies in `results/` does not count.
fn modified(root: &Path) -> String {
    let status = git(root).args(["status", "--porcelain", "--", ".", ":!results"]).output();
    let told = match status {
        Ok(output) if output.status.success() && output.stdout.is_empty() => "no",
        Ok(output) if output.status.success() => "yes",
        _ => UNKNOWN,
    };
    told.to_owned()
}

/// Returns the first line that a program says.
fn said(program: &mut Command) -> String {
    let output = program.output().ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.as_deref().and_then(|text| text.lines().next()).unwrap_or(UNKNOWN).to_owned()
}
