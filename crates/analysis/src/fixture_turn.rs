//! What a fixture's participants, origin and machine say of one turn, one round and one stay.

use std::collections::BTreeMap;

use record::{Host, State, StayRecord, TurnRecord};
use stats::random::SplitMix64;
use workload::pipe::{Scheduled, Total, Turned, Window};
use workload::{Cell, Receipt};

/// What a fetch costs the baseline, in nanoseconds of CPU time.
const COST_NS: f64 = 20_000.0;
/// What a fetch costs the origin, in nanoseconds of CPU time.
const ORIGIN_NS: f64 = 35_000.0;
/// How far the origin's timers are late, in milliseconds.
const LATE_MS: f64 = 1.1;
/// Segments that arrive for each fetch.
const SEGMENTS: f64 = 2.7;
/// All else before a window opens, in nanoseconds.
const BEFORE_NS: u64 = 2_000_000;
/// The most memory that a process holds, in KiB.
const MEMORY_KIB: u64 = 6_000;

/// Returns a valid turn whose fetches cost `factor` times the baseline's; `before` says how many
/// the origin has served in the block.
pub fn turn_of((cell, before): (&Cell, u64), factor: f64, draws: &mut SplitMix64) -> TurnRecord {
    let turned = turned(cell, factor, draws);
    let receipt = receipt_of((cell, before), &turned, draws);
    TurnRecord {
        block: 0,
        round: 0,
        position: 0,
        cell: cell.name.clone(),
        model: String::new(),
        started_utc: "2026-11-22T10:15:02.000Z".to_owned(),
        spent_us: receipt.wall_ns / 1_000,
        state: State::Valid,
        charged_ns: Some(2 * turned.window.cpu_ns),
        asked: None,
        held: None,
        turned: Some(turned),
        receipt: Some(receipt),
    }
}

/// Returns what a model reports.
fn turned(cell: &Cell, factor: f64, draws: &mut SplitMix64) -> Turned {
    let batches = real(cell.fetches) / f64::from(cell.in_flight);
    let wall_ns = times(1_000_000, batches * served_ns(cell) * near_one(0.002, draws) / 1e6);
    let cpu_ns = times(cell.fetches, COST_NS * factor);
    let (ended, dealt) = (cell.fetches, cell.dealt());
    Turned {
        turn: 0,
        window: Window {
            ended,
            ok: ended,
            wall_ns,
            cpu_ns,
            pacer_ns: 0,
            user_ns: cpu_ns / 3,
            system_ns: 2 * cpu_ns / 3,
            switches_voluntary: Some(ended / 2),
            switches_involuntary: Some(1),
            faults_minor: Some(20),
        },
        total: Total { issued: dealt, ok: dealt, errors: BTreeMap::new(), extra_bytes: 0 },
        threads: 1,
        in_flight_peak: u64::from(cell.slots()),
        scheduled: Some(Scheduled { cpu_ns: 2 * cpu_ns, run_delay_ns: cpu_ns / 20 }),
        latencies_ns: Vec::new(),
        wake_up_delays_ns: Vec::new(),
        responses_ns: Vec::new(),
        lags_ns: Vec::new(),
    }
}

/// Returns what the origin saw of it; it keeps something of each fetch.
fn receipt_of((cell, before): (&Cell, u64), reported: &Turned, draws: &mut SplitMix64) -> Receipt {
    let (dealt, wall_ns) = (cell.dealt(), reported.window.wall_ns);
    Receipt {
        answered: dealt,
        in_flight_peak_estimate: u64::from(cell.slots()),
        in_flight_mean_estimate: f64::from(cell.slots()) * near_one(0.001, draws),
        delay_late_ms_p50_estimate: LATE_MS,
        delay_late_ms_p99_estimate: 2.0,
        cpu_ns: times(dealt, ORIGIN_NS * near_one(0.01, draws)),
        wall_ns: times(wall_ns, real(dealt) / real(cell.fetches)) + BEFORE_NS,
        connections: Some(u64::from(cell.slots())),
        segments_in: Some(times(dealt, SEGMENTS * near_one(0.002, draws))),
        listen_overflows: Some(0),
        listen_drops: Some(0),
        timeouts: Some(0),
        retransmits: Some(0),
        resident_kib: Some(20_000 + 4 * dealt * before),
        ..Receipt::default()
    }
}

/// Returns what the machine of two CPUs did while the turns of a round were taken.
pub fn host_of(turns: &[TurnRecord], draws: &mut SplitMix64) -> Host {
    let receipts = || turns.iter().filter_map(|turn| turn.receipt.as_ref());
    let capacity_ns = 2 * receipts().map(|receipt| receipt.wall_ns + 1_000_000).sum::<u64>();
    let models_ns = turns.iter().filter_map(|turn| turn.charged_ns).sum();
    let origin_ns = receipts().map(|receipt| receipt.cpu_ns).sum();
    let (harness_ns, foreign_ns) = (capacity_ns / 2, capacity_ns / 100);
    Host {
        capacity_ns,
        busy_ns: models_ns + origin_ns + harness_ns + foreign_ns,
        steal_ns: capacity_ns / 500,
        models_ns,
        origin_ns,
        harness_ns,
        probe_per_ms: times(10_000, near_one(0.005, draws)),
        clock_jump_ms: 0,
        throttled: Some(0),
        lingering: None,
        unclosed: false,
    }
}

/// Returns what the turns of a participant in a block add up to.
pub fn stay_of(name: &str, cell: &Cell, turns: &[TurnRecord]) -> StayRecord {
    let own = turns.iter().filter(|turn| turn.model == name);
    let ok = own.filter_map(|turn| turn.turned.as_ref()).map(|turned| turned.window.ok).sum();
    StayRecord {
        versions: BTreeMap::new(),
        invalid: Vec::new(),
        latencies_ns: vec![(times(1, served_ns(cell)), ok)],
        wake_up_delays_ns: Vec::new(),
        responses_ns: Vec::new(),
        lags_ns: Vec::new(),
        memory_peak_kib: MEMORY_KIB,
        idle_wall_ns: 1_000_000_000,
        idle_cpu_ns: 100_000,
        hides_children: false,
    }
}

/// Returns the mean time of a fetch at the origin, in nanoseconds.
fn served_ns(cell: &Cell) -> f64 {
    (f64::midpoint(real(cell.delay_ms.lo), real(cell.delay_ms.hi)) + LATE_MS) * 1e6
}

/// Returns a factor that scatters around 1.
pub fn near_one(noise: f64, draws: &mut SplitMix64) -> f64 {
    (noise * normal(draws)).exp()
}

/// Returns a number that is normally distributed, nearly: twelve even draws less their mean.
#[expect(clippy::cast_precision_loss, reason = "53 bits of a word are kept")]
fn normal(draws: &mut SplitMix64) -> f64 {
    let even = |_| (draws.word() >> 11) as f64 / (1_u64 << 53) as f64;
    (0..12).map(even).sum::<f64>() - 6.0
}

/// Returns a share of a count, as a count.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the counts are small and positive"
)]
pub fn times(count: u64, factor: f64) -> u64 {
    (count as f64 * factor) as u64
}

/// Returns a count as a real number.
#[expect(clippy::cast_precision_loss, reason = "the counts are small")]
fn real(count: u64) -> f64 {
    count as f64
}
