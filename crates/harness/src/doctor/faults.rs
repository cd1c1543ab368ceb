//! The fixture of a machine that is fit, and everything that can be wrong with it, one thing a row;
//! and fixture folders, where files of the kernel are to be read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use record::{OriginKind, Placement};

use super::build::Build;
use super::clock::{Clock, Late};
use super::cpus::{Cpus, Turbo};
use super::load::Load;
use super::memory::Memory;
use super::network::Network;
use super::quota::Quota;
use super::work::Work;
use super::{Health, Opinion, Readings};
use crate::Limits;
use crate::cores::{Cores, LeftOut};
use crate::language::{Python, Unavailable};
use crate::resource_limits::Shortage;

use Grade::{Bad, Doubtful, Good, Refused};

/// How a fault is graded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Grade {
    /// As good.
    Good,
    /// As doubtful.
    Doubtful,
    /// As bad; a run begins all the same.
    Bad,
    /// As bad, and no run begins.
    Refused,
}

impl Grade {
    /// Returns the grade of an opinion.
    pub(super) fn of(opinion: &Opinion) -> Self {
        match (opinion.state, opinion.refuses) {
            (Health::Bad, true) => Refused,
            (Health::Bad, false) => Bad,
            (Health::Doubtful, _) => Doubtful,
            (Health::Good, _) => Good,
        }
    }
}

/// The name of a check, what is changed of a fit machine, what is then found, and words of it.
type Fault = (&'static str, fn(&mut Readings), Grade, &'static str);

/// What the checks say of one change each.
pub(super) const FAULTS: &[Fault] = &[
    ("cpus", |r| r.cpus.placement = None, Refused, "a run is refused"),
    ("cpus", |r| r.cpus.placement = Some(placed(&[0], &[0])), Doubtful, "share CPU 0"),
    ("cpus", |r| r.cpus.placement = Some(placed(&[1], &[0])), Doubtful, "cannot be ranked"),
    ("cpus", |r| r.cpus.placement = Some(set_apart()), Good, "CPU 3, or CPUs 2, 3 where a cell"),
    ("siblings", |r| share_cores(r), Doubtful, "echo off | sudo tee"),
    ("siblings", |r| r.cpus.cores = None, Good, "cannot be seen here"),
    ("core-kinds", |r| cores(r).are_equal = false, Doubtful, "the model gets the most capable"),
    ("core-kinds", |r| leave_out(r), Good, "CPUs 4-5 (of another kind) and CPU 6 (of another "),
    ("core-kinds", |r| r.cpus.cores = None, Good, "cannot be seen here"),
    ("virtual-machine", |r| r.cpus.virtual_machine = Some(true), Doubtful, "neighbours"),
    ("cpu-quota", |r| r.cpus.quota = limited(1.5), Bad, "echo max | sudo tee /group/cpu.max"),
    ("cpu-quota", |r| r.cpus.quota = limited(8.0), Good, "covers all"),
    ("throttling", |r| r.load.throttled = Some((9, 2)), Bad, "2 times within a second"),
    ("throttling", |r| r.load.throttled = Some((9, 0)), Doubtful, "9 times before"),
    ("governor", |r| r.cpus.governors.clear(), Doubtful, "cannot be seen here"),
    ("governor", |r| mixed_governors(r), Doubtful, "performance, powersave"),
    ("turbo", |r| r.cpus.turbo = Some(turbo()), Doubtful, "echo 1 | sudo tee /intel/no_turbo"),
    ("power", |r| r.cpus.on_battery = true, Doubtful, "plug it in"),
    ("idle-wake-ups", |r| r.clock.late = late(300, 900), Doubtful, "300µs late at the median"),
    ("idle-wake-ups", |r| r.clock.late = late(80, 2_000), Doubtful, "2ms at p99"),
    ("idle-wake-ups", |r| r.clock.late = late(4_000, 9_000), Bad, "turns be invalid"),
    ("idle-wake-ups", |r| r.clock.late = None, Doubtful, "cannot be seen here"),
    ("clock", |r| r.clock.source = Some("hpet".into()), Doubtful, "echo tsc | sudo tee"),
    ("clock", |r| without_good_clock(r), Doubtful, "cat /sys"),
    ("clock", |r| r.clock.source = None, Doubtful, "cannot be seen here"),
    ("clock-reading", |r| r.clock.reading = nanoseconds(250), Doubtful, "takes 250 ns"),
    ("clock-reading", |r| r.clock.reading = nanoseconds(1_500), Bad, "would be the clock's"),
    ("irq-time", |r| r.clock.irq_time = None, Doubtful, "with no other machine"),
    ("irq-time", |r| r.clock.irq_time = Some("on".into()), Good, "charged to nobody"),
    ("steal", |r| r.load.steal = Some(0.03), Doubtful, "3.0 %"),
    ("steal", |r| r.load.steal = Some(0.11), Bad, "take another host"),
    ("foreign-load", |r| r.load.foreign = Some(0.06), Doubtful, "top -o %CPU"),
    ("foreign-load", |r| r.load.foreign = Some(0.5), Bad, "50.0 %"),
    ("load-average", |r| r.load.average = Some(2.1), Doubtful, "sleep 60"),
    ("cpu-pressure", |r| r.load.cpu_pressure = Some(0.1), Doubtful, "waited for a CPU"),
    ("cpu-pressure", |r| r.load.cpu_pressure = Some(0.3), Bad, "top -o %CPU"),
    ("memory-pressure", |r| r.load.memory_pressure = Some(0.1), Doubtful, "top -o %MEM"),
    ("memory-pressure", |r| r.load.memory_pressure = Some(0.3), Bad, "waited for memory"),
    ("room", |r| r.shortage = Some(shortage()), Refused, "needs 128 threads, and there are 127"),
    ("memory", |r| r.memory.available_mib = Some(255), Bad, "255 MiB of memory are free"),
    ("memory", |r| r.memory.available_mib = Some(1_000), Doubtful, "building"),
    ("swap", |r| r.memory.swap_mib = Some(7), Doubtful, "7 MiB lie in swap"),
    ("swap", |r| r.load.swapped = Some(3), Bad, "sudo swapoff -a"),
    ("huge-pages", |r| r.memory.huge_pages = Some("always".into()), Doubtful, "echo madvise"),
    ("address-layout", |r| r.memory.layout = Some(0), Doubtful, "randomize_va_space=2"),
    ("open-files", |r| limit(r, 191, 60_999), Refused, "--nofile=192:192"),
    ("open-files", |r| r.network.limits = None, Refused, "a run is refused"),
    ("ports", |r| limit(r, 1_024, 33_022), Refused, "255 local ports, and the cells need 256"),
    ("ports", |r| r.network.limits = None, Refused, "a run is refused"),
    ("time-wait", |r| r.network.time_wait = Some(15_000), Doubtful, "sleep 60"),
    ("time-wait", |r| r.network.time_wait = Some(28_000), Bad, "too few are left"),
    ("backlog", |r| r.network.backlog = Some(63), Doubtful, "net.core.somaxconn=4096"),
    ("listen-overflows", |r| r.load.dropped = Some(1), Doubtful, "ss --tcp"),
    ("listen-overflows", |r| r.load.dropped = None, Doubtful, "stay unknown"),
    ("congestion-control", |r| r.network.control = Some("bbr".into()), Doubtful, "paces"),
    ("congestion-control", |r| r.network.control = Some("vegas".into()), Doubtful, "=cubic"),
    ("congestion-control", |r| r.network.control = None, Doubtful, "cannot be seen here"),
    ("loopback", |r| r.network.loopback_error = Some("down".into()), Refused, "link set lo up"),
    ("loopback", |r| r.network.loopback_mtu = Some(1_500), Doubtful, "lo mtu 65536"),
    ("disk", |r| r.work.write_error = Some("read-only".into()), Bad, "(read-only)"),
    ("disk", |r| r.work.free_mib = Some(15), Refused, "15 MiB are free where a run writes, and it"),
    ("disk", |r| r.work.free_mib = Some(99), Bad, "cargo clean"),
    ("build-room", |r| r.build.write_error = Some("/t: no".into()), Refused, "(/t: no)"),
    ("build-room", |r| r.build.free_mib = Some(299), Refused, "not built yet needs 300"),
    ("build-room", |r| r.build.free_mib = Some(500), Doubtful, "500 MiB"),
    ("build-room", |r| r.build.free_mib = None, Good, "cannot be seen here"),
    ("tree", |r| r.work.modified = Some("yes".into()), Doubtful, "git stash"),
    ("tree", |r| r.work.is_older = Some("yes".into()), Doubtful, "cargo build --release"),
    ("tree", |r| r.work.modified = None, Doubtful, "cannot be traced"),
    ("toolchain", |r| r.work.rustc = None, Refused, "rustup default stable"),
    ("toolchain", |r| without_compiler(r), Refused, "unset RUSTC"),
    ("toolchain", |r| compiler(r, "rustc 1.94.1"), Refused, "is older than 1.95"),
    ("toolchain", |r| compiler(r, "rustc 1.97.0-nightly"), Doubtful, "is no release"),
    ("toolchain", |r| otherwise(r, &["RUSTFLAGS"]), Doubtful, "flags -O. unset RUSTFLAGS"),
    ("toolchain", |r| otherwise(r, &[]), Doubtful, "cat ~/.cargo/config.toml"),
    ("python", |r| r.work.python = Some(Err(no_python())), Doubtful, "no python3 was found"),
    ("python", |r| r.work.has_venv = Some(false), Doubtful, "apt-get install python3-venv"),
    ("user", |r| r.work.is_root = true, Doubtful, "This is root"),
    ("browser", |r| r.work.browser = None, Doubtful, "which no figure needs"),
];

/// Returns what is read of a machine that could not be better.
pub(super) fn fit() -> Readings {
    Readings {
        models: Vec::new(),
        cells: crate::quick().cells,
        cpus: Cpus {
            cores: Some(Cores {
                used: vec![vec![0], vec![1], vec![2], vec![3]],
                left_out: LeftOut::default(),
                are_equal: true,
            }),
            placement: Some(placed(&[2, 3], &[0, 1])),
            virtual_machine: Some(false),
            quota: None,
            governors: BTreeSet::from(["performance".to_owned()]),
            turbo: Some(Turbo { on: false, ..turbo() }),
            on_battery: false,
        },
        clock: Clock {
            source: Some("tsc".to_owned()),
            sources: vec!["hpet".to_owned(), "tsc".to_owned()],
            reading: nanoseconds(25),
            late: late(60, 200),
            irq_time: Some("off".to_owned()),
        },
        load: quiet(),
        memory: Memory {
            available_mib: Some(16_000),
            swap_mib: Some(0),
            huge_pages: Some("madvise".to_owned()),
            layout: Some(2),
        },
        network: Network {
            limits: Some(Limits { files: 1_024, ports: (32_768, 60_999) }),
            time_wait: Some(3),
            backlog: Some(4_096),
            control: Some("cubic".to_owned()),
            loopback_mtu: Some(65_536),
            loopback_error: None,
        },
        shortage: None,
        build: Build { free_mib: Some(50_000), needed_mib: 300, write_error: None },
        work: at_work(),
    }
}

/// Returns what too few threads are reported as.
fn shortage() -> Shortage {
    Shortage {
        cell: "steady".to_owned(),
        needed: "128 threads".to_owned(),
        has: 127,
        raise: "ulimit -u unlimited".to_owned(),
    }
}

/// Returns what is read of a second in which nothing happened.
fn quiet() -> Load {
    Load {
        steal: Some(0.0),
        foreign: Some(0.01),
        average: Some(0.2),
        cpu_pressure: Some(0.0),
        memory_pressure: Some(0.0),
        throttled: Some((0, 0)),
        swapped: Some(0),
        dropped: Some(0),
    }
}

/// Returns what is read of a tree that is ready.
fn at_work() -> Work {
    Work {
        free_mib: Some(50_000),
        write_error: None,
        modified: Some("no".to_owned()),
        rustc: Some("rustc 1.95.0 (59807616e 2026-04-14)".to_owned()),
        rust_version: Some("1.95".to_owned()),
        otherwise: Vec::new(),
        variables: Vec::new(),
        is_older: Some("no".to_owned()),
        python: Some(Ok("3.11.7".to_owned())),
        has_venv: Some(true),
        languages: Vec::new(),
        browser: Some(PathBuf::from("/usr/bin/chromium")),
        is_root: false,
    }
}

/// Returns why a path that leads nowhere has no Python.
fn no_python() -> Unavailable {
    Python::find("".as_ref()).expect_err("nothing is there")
}

/// Returns how these CPUs are divided.
fn placed(model: &[usize], origin: &[usize]) -> Placement {
    Placement {
        model_cpus: model.to_vec(),
        origin_cpus: origin.to_vec(),
        several_cpus: Vec::new(),
        workers: 1,
        shards: 1,
        awake: false,
        unequal_cores: false,
        origin: OriginKind::Wiremock,
    }
}

/// Returns how four CPUs are divided where cells ask for several workers.
fn set_apart() -> Placement {
    Placement { several_cpus: vec![2, 3], ..placed(&[3], &[0, 1]) }
}

/// Returns the cores.
fn cores(readings: &mut Readings) -> &mut Cores {
    readings.cpus.cores.as_mut().expect("a fit machine has some")
}

/// Leaves CPUs out, for either reason.
fn leave_out(readings: &mut Readings) {
    cores(readings).left_out = LeftOut { other_kind: vec![4, 5], other_node: vec![6] };
}

/// Makes CPUs share cores.
fn share_cores(readings: &mut Readings) {
    cores(readings).used = vec![vec![0, 2], vec![1, 3]];
}

/// Returns a quota.
#[expect(clippy::unnecessary_wraps, reason = "it stands where a quota may be")]
fn limited(cpus: f64) -> Option<Quota> {
    Some(Quota { cpus, file: PathBuf::from("/group/cpu.max"), lifted: "max" })
}

/// Returns Intel's switch, turned on.
fn turbo() -> Turbo {
    Turbo { on: true, file: PathBuf::from("/intel/no_turbo"), off: "1" }
}

/// Leaves one of the CPUs on another governor.
fn mixed_governors(readings: &mut Readings) {
    readings.cpus.governors.insert("powersave".to_owned());
}

/// Returns by how many microseconds sleepers were late.
#[expect(clippy::unnecessary_wraps, reason = "it stands where latenesses may be")]
fn late(p50: u64, p99: u64) -> Option<Late> {
    Some(Late { p50: Duration::from_micros(p50), p99: Duration::from_micros(p99) })
}

/// Returns what a reading of the clock costs.
#[expect(clippy::unnecessary_wraps, reason = "it stands where a cost may be")]
fn nanoseconds(cost: u64) -> Option<Duration> {
    Some(Duration::from_nanos(cost))
}

/// Leaves the kernel no better clock than the one in use.
fn without_good_clock(readings: &mut Readings) {
    readings.clock.source = Some("jiffies".to_owned());
    readings.clock.sources = vec!["jiffies".to_owned()];
}

/// Sets the limits of open files, and the last port.
fn limit(readings: &mut Readings, files: u64, last_port: u32) {
    readings.network.limits = Some(Limits { files, ports: (32_768, last_port) });
}

/// Lets programs be built with a flag that these variables set.
fn otherwise(readings: &mut Readings, variables: &[&str]) {
    readings.work.otherwise = vec!["the flags -O".to_owned()];
    readings.work.variables = variables.iter().map(|name| (*name).to_owned()).collect();
}

/// Lets a variable name a compiler that does not answer.
fn without_compiler(readings: &mut Readings) {
    otherwise(readings, &["RUSTC"]);
    readings.work.rustc = None;
}

/// Sets the compiler.
fn compiler(readings: &mut Readings, said: &str) {
    readings.work.rustc = Some(said.to_owned());
}

/// A folder that is removed when it is dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes a folder with these files, each a path and a text.
    pub(super) fn with(files: &[(&str, &str)]) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("inflight-doctor-{}-{number}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(folder.path()).expect("a folder can be made");
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a file has a folder")).expect("as above");
            fs::write(path, text).expect("a file can be written");
        }
        folder
    }

    /// Returns where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
