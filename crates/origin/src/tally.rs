//! What an origin counts of a cell that it serves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Mount;
use crate::connections::Connections;
use crate::kernel::{self, Counters, grown};
use workload::content::{delay_ms, split_mix_64};
use workload::{Receipt, arrivals_ns};

/// The count of one mount, shared by all shards.
#[derive(Debug)]
pub struct Tally {
    /// What is served.
    pub mount: Mount,
    bodies: Vec<Vec<u8>>,
    counted: Mutex<Counted>,
    /// What counts the connections of a server that reports nothing of them.
    connections: Option<Arc<Mutex<Connections>>>,
    counters: Counters,
    mounted: Instant,
    /// When each fetch arrives after the beginning of the turn, where they do so at a rate.
    arrivals_ns: Vec<u64>,
}

/// What changes with every request.
#[derive(Debug, Default)]
struct Counted {
    receipt: Receipt,
    /// When in flight last changed.
    changed: Option<Instant>,
    /// The integral of in flight over the window, in fetch-seconds.
    area: f64,
    /// The length of the window so far, in seconds.
    width: f64,
    lateness_ms: Vec<f64>,
    /// How long after its arrival each request of the window came that arrives at a rate, counted
    /// from the mount, whenever the turn began.
    arrivals_late_ms: Vec<f64>,
}

impl Tally {
    /// Starts to count for a mount whose server reports each connection by [`Self::connect`].
    pub fn new(mount: Mount) -> Self {
        let receipt = Receipt { connections: Some(0), ..Receipt::default() };
        let counted = Counted { receipt, ..Counted::default() };
        Self::of(mount, Counters::read(), None, counted)
    }

    /// Starts to count for a mount whose server reports nothing of connections.
    pub fn watching(mount: Mount, connections: Arc<Mutex<Connections>>) -> Self {
        let counters = Counters::read();
        locked(&connections).begin(counters.accepted);
        Self::of(mount, counters, Some(connections), Counted::default())
    }

    /// Starts to count.
    fn of(
        mount: Mount,
        counters: Counters,
        connections: Option<Arc<Mutex<Connections>>>,
        counted: Counted,
    ) -> Self {
        let body = |id| workload::content::body(mount.seed, id, mount.cell.body_bytes);
        let bodies = (0..workload::content::BODIES as u64).map(body).collect();
        let arrivals_ns = arrivals_ns(&mount.cell, &mount.turn);
        let (counted, mounted) = (Mutex::new(counted), Instant::now());
        Self { mount, bodies, counted, connections, counters, mounted, arrivals_ns }
    }

    /// Returns whether an id belongs to the turn that is served.
    pub fn has(&self, id: u64) -> bool {
        self.mount.turn.ids(&self.mount.cell).contains(&id)
    }

    /// Returns the delay of an id.
    pub fn delay(&self, id: u64) -> Duration {
        Duration::from_millis(delay_ms(self.mount.delay_seed, id, self.mount.cell.delay_ms))
    }

    /// Returns the body of an id.
    pub fn body(&self, id: u64) -> &[u8] {
        let count = self.bodies.len() as u64;
        &self.bodies[usize::try_from(id % count).expect("the remainder is small")]
    }

    /// Counts a connection.
    pub fn connect(&self) {
        let connections = &mut self.counted().receipt.connections;
        *connections = connections.map(|count| count + 1);
    }

    /// Counts a request for a fetch, whose head has this digest.
    pub fn arrive(&self, id: u64, head: u64) {
        let mut counted = self.counted();
        let window_is_open = self.window_is_open(&counted.receipt);
        counted.pass(window_is_open);
        counted.arrivals_late_ms.extend(self.late_ms(id));
        let receipt = &mut counted.receipt;
        receipt.answered += 1;
        receipt.ids_digest = receipt.ids_digest.wrapping_add(split_mix_64(id));
        receipt.heads_digest = receipt.heads_digest.wrapping_add(head);
        receipt.in_flight_now += 1;
        receipt.in_flight_peak_estimate =
            receipt.in_flight_peak_estimate.max(receipt.in_flight_now);
    }

    /// Counts a request that was due at a moment and is now thought to be answered.
    pub fn leave(&self, due: Instant) {
        let mut counted = self.counted();
        let window_is_open = self.window_is_open(&counted.receipt);
        counted.pass(window_is_open);
        counted.receipt.in_flight_now -= 1;
        counted.lateness_ms.push(due.elapsed().as_secs_f64() * 1e3);
    }

    /// Counts a request for something that is not served.
    pub fn stray(&self) {
        self.counted().receipt.strays += 1;
    }

    /// Returns what was seen so far.
    pub fn receipt(&self) -> Receipt {
        let (before, now) = (self.counters, Counters::read());
        let watched = self.connections.as_ref();
        let watched = watched.map(|connections| locked(connections).so_far(now.accepted));
        let mut counted = self.counted();
        counted.lateness_ms.sort_by(f64::total_cmp);
        counted.arrivals_late_ms.sort_by(f64::total_cmp);
        let late = &counted.arrivals_late_ms;
        Receipt {
            in_flight_mean_estimate: counted.area / counted.width.max(f64::MIN_POSITIVE),
            connections: watched.unwrap_or(counted.receipt.connections),
            delay_late_ms_p50_estimate: at_share(&counted.lateness_ms, 50),
            delay_late_ms_p99_estimate: at_share(&counted.lateness_ms, 99),
            delay_late_ms_max_estimate: counted.lateness_ms.last().copied().unwrap_or(0.0),
            arrival_late_ms_p50: late.first().map(|least| at_share(late, 50) - least),
            cpu_ns: nanoseconds(now.cpu.saturating_sub(before.cpu)),
            wall_ns: nanoseconds(self.mounted.elapsed()),
            listen_overflows: grown(before.overflows, now.overflows),
            listen_drops: grown(before.drops, now.drops),
            timeouts: grown(before.timeouts, now.timeouts),
            retransmits: grown(before.retransmits, now.retransmits),
            segments_in: grown(before.segments_in, now.segments_in),
            resident_kib: kernel::resident_kib(),
            ..counted.receipt.clone()
        }
    }

    /// Returns how long after its arrival a request came just now, if it arrives in the window.
    fn late_ms(&self, id: u64) -> Option<f64> {
        let turn = &self.mount.turn;
        let place = id.checked_sub(turn.first_id).filter(|place| *place >= turn.warmup)?;
        let due = self.arrivals_ns.get(usize::try_from(place).ok()?)?;
        let due = Duration::from_nanos(*due).as_secs_f64();
        Some((self.mounted.elapsed().as_secs_f64() - due) * 1e3)
    }

    /// Returns whether the window is open, by the count of arrivals.
    fn window_is_open(&self, receipt: &Receipt) -> bool {
        let turn = &self.mount.turn;
        (turn.warmup..turn.warmup + turn.fetches).contains(&receipt.answered)
    }

    /// Returns the count.
    fn counted(&self) -> MutexGuard<'_, Counted> {
        locked(&self.counted)
    }
}

/// Locks a value; a thread that panicked while it held it has left it whole.
fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Counted {
    /// Adds the time since in flight last changed to the mean, if the window is open.
    #[expect(clippy::cast_precision_loss, reason = "in flight is far below 2^52")]
    fn pass(&mut self, window_is_open: bool) {
        let now = Instant::now();
        if let Some(changed) = self.changed.replace(now).filter(|_| window_is_open) {
            let seconds = (now - changed).as_secs_f64();
            self.area += self.receipt.in_flight_now as f64 * seconds;
            self.width += seconds;
        }
    }
}

/// Returns the value below which so many hundredths of the sorted values lie; 0 of none.
fn at_share(sorted: &[f64], hundredths: usize) -> f64 {
    let place = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or(0.0)
}

/// Returns a duration in whole nanoseconds.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
