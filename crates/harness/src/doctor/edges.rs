//! Where a grade ends and the next begins: for each number that the doctor grades, the last value
//! of one and the first of the next, on a machine that is fit but for that.

use std::path::PathBuf;
use std::time::Duration;

use super::clock::Late;
use super::faults::{Grade, fit};
use super::quota::Quota;
use super::{CHECKS, Readings};

use Grade::{Bad, Doubtful, Good, Refused};

/// The name of a check, how a number becomes what it reads, and how numbers are graded.
type Edges = (&'static str, fn(&mut Readings, u64), &'static [(u64, Grade)]);

/// The grades of every number. Shares are in thousandths.
const EDGES: &[Edges] = &[
    ("cpu-quota", |r, n| r.cpus.quota = quota(n), &[(39, Bad), (40, Good)]),
    ("throttling", |r, n| r.load.throttled = Some((n, 0)), &[(0, Good), (1, Doubtful)]),
    ("throttling", |r, n| r.load.throttled = Some((9, n)), &[(0, Doubtful), (1, Bad)]),
    (
        "idle-wake-ups",
        |r, n| r.clock.late = late(n, 1_000),
        &[(200, Good), (201, Doubtful), (3_000, Doubtful), (3_001, Bad)],
    ),
    ("idle-wake-ups", |r, n| r.clock.late = late(60, n), &[(1_000, Good), (1_001, Doubtful)]),
    (
        "clock-reading",
        |r, n| r.clock.reading = Some(Duration::from_nanos(n)),
        &[(99, Good), (100, Doubtful), (999, Doubtful), (1_000, Bad)],
    ),
    (
        "steal",
        |r, n| r.load.steal = share(n),
        &[(20, Good), (21, Doubtful), (100, Doubtful), (101, Bad)],
    ),
    ("foreign-load", |r, n| r.load.foreign = share(n), OF_OTHERS),
    ("load-average", |r, n| r.load.average = share(n), &[(2_000, Good), (2_001, Doubtful)]),
    ("cpu-pressure", |r, n| r.load.cpu_pressure = share(n), OF_OTHERS),
    ("memory-pressure", |r, n| r.load.memory_pressure = share(n), OF_OTHERS),
    (
        "memory",
        |r, n| r.memory.available_mib = Some(n),
        &[(255, Bad), (256, Doubtful), (2_047, Doubtful), (2_048, Good)],
    ),
    ("swap", |r, n| r.memory.swap_mib = Some(n), &[(0, Good), (1, Doubtful)]),
    ("swap", |r, n| r.load.swapped = Some(n), &[(0, Good), (1, Bad)]),
    ("address-layout", |r, n| r.memory.layout = n.try_into().ok(), &[(0, Doubtful), (1, Good)]),
    ("open-files", |r, n| limits(r).files = n, &[(191, Refused), (192, Good)]),
    ("ports", |r, n| last_port(r, n), &[(33_022, Refused), (33_023, Good)]),
    (
        "time-wait",
        |r, n| r.network.time_wait = Some(n),
        &[(14_116, Good), (14_117, Doubtful), (27_976, Doubtful), (27_977, Bad)],
    ),
    ("backlog", |r, n| r.network.backlog = Some(n), &[(63, Doubtful), (64, Good)]),
    ("listen-overflows", |r, n| r.load.dropped = Some(n), &[(0, Good), (1, Doubtful)]),
    ("loopback", |r, n| r.network.loopback_mtu = Some(n), &[(65_535, Doubtful), (65_536, Good)]),
    ("disk", |r, n| r.work.free_mib = Some(n), &[(15, Refused), (16, Bad), (99, Bad), (100, Good)]),
    (
        "build-room",
        |r, n| r.build.free_mib = Some(n),
        &[(299, Refused), (300, Doubtful), (2_047, Doubtful), (2_048, Good)],
    ),
];

/// How a share of the CPUs is graded that others have.
const OF_OTHERS: &[(u64, Grade)] = &[(50, Good), (51, Doubtful), (250, Doubtful), (251, Bad)];

/// Returns thousandths as a share.
#[expect(clippy::unnecessary_wraps, reason = "it stands where a share may be")]
fn share(permille: u64) -> Option<f64> {
    Some(f64::from(u32::try_from(permille).expect("it is a small number")) / 1e3)
}

/// Returns a quota of so many tenths of a CPU.
fn quota(tenths: u64) -> Option<Quota> {
    let cpus = share(tenths)? * 100.0;
    Some(Quota { cpus, file: PathBuf::from("/group/cpu.max"), lifted: "max" })
}

/// Returns by how many microseconds sleepers were late.
#[expect(clippy::unnecessary_wraps, reason = "it stands where latenesses may be")]
fn late(p50: u64, p99: u64) -> Option<Late> {
    Some(Late { p50: Duration::from_micros(p50), p99: Duration::from_micros(p99) })
}

/// Returns the limits.
fn limits(readings: &mut Readings) -> &mut crate::Limits {
    readings.network.limits.as_mut().expect("a fit machine has some")
}

/// Sets the last of the local ports.
fn last_port(readings: &mut Readings, last: u64) {
    limits(readings).ports.1 = u32::try_from(last).expect("it is a port");
}

#[test]
fn each_grade_ends_where_the_next_begins() {
    for (name, set, grades) in EDGES {
        for (number, grade) in *grades {
            let mut readings = fit();
            set(&mut readings, *number);
            let (_, check) = CHECKS.iter().find(|(other, _)| other == name).unwrap();
            assert_eq!(Grade::of(&check(&readings)), *grade, "{name} at {number}");
        }
    }
}
