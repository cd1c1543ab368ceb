//! What an origin counts of a cell that it serves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Mount;
use crate::connections::Connections;
use crate::kernel::{self, Counters, grown};
use workload::content::split_mix_64;
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
    /// What the hypervisor had given to others before, where that is asked for.
    stolen_ns: Option<u64>,
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
    /// from the mount, whenever the turn began; in the order in which they came.
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
        // To read it takes as long as some fetches: only moments that are compared need it.
        let stolen_ns = mount.cell.is_open().then(kernel::stolen_ns).flatten();
        // Last: what it takes to prepare a turn, such as to look at all connections, is no fetch's.
        let counters = Counters { cpu: kernel::cpu(), ..counters };
        Self { mount, bodies, counted, connections, counters, mounted, stolen_ns, arrivals_ns }
    }

    /// Returns whether an id belongs to the turn that is served.
    pub fn has(&self, id: u64) -> bool {
        self.mount.turn.ids(&self.mount.cell).contains(&id)
    }

    /// Returns the delay of an id.
    pub fn delay(&self, id: u64) -> Duration {
        let Mount { cell, seed, delay_seed, .. } = &self.mount;
        self.stall(id) + Duration::from_millis(cell.delay_ms_of((*seed, *delay_seed), id))
    }

    /// Returns what is left of the stall of the turn when a fetch is due, if it is due meanwhile.
    fn stall(&self, id: u64) -> Duration {
        let Mount { cell, turn, stall_ms, .. } = &self.mount;
        let Some(stall) = stall_ms.map(Duration::from_millis) else { return Duration::ZERO };
        let middle = turn.first_id + turn.warmup + turn.fetches / 2;
        let Some(after) = id.checked_sub(middle) else { return Duration::ZERO };
        match self.due(middle).zip(self.due(id)) {
            Some((begins, due)) => stall.saturating_sub(due.saturating_sub(begins)),
            None if after < u64::from(cell.in_flight) => stall,
            None => Duration::ZERO,
        }
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
        receipt.slow += u64::from(self.mount.cell.is_slow(self.mount.seed, id));
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
        let late = sorted(&counted.arrivals_late_ms);
        Receipt {
            in_flight_mean_estimate: counted.area / counted.width.max(f64::MIN_POSITIVE),
            connections: watched.unwrap_or(counted.receipt.connections),
            delay_late_ms_p50_estimate: at_share(&counted.lateness_ms, 50),
            delay_late_ms_p99_estimate: at_share(&counted.lateness_ms, 99),
            delay_late_ms_max_estimate: counted.lateness_ms.last().copied().unwrap_or(0.0),
            arrival_late_ms_p50: late.first().map(|least| at_share(&late, 50) - least),
            arrival_late_growth_ms: growth(&counted.arrivals_late_ms),
            cpu_ns: nanoseconds(now.cpu.saturating_sub(before.cpu)),
            wall_ns: nanoseconds(self.mounted.elapsed()),
            stolen_ns: self.stolen_ns.and_then(|since| grown(Some(since), kernel::stolen_ns())),
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
        let due = self.due(id).filter(|_| id - turn.first_id >= turn.warmup)?.as_secs_f64();
        Some((self.mounted.elapsed().as_secs_f64() - due) * 1e3)
    }

    /// Returns when a fetch arrives after the beginning of the turn, if it does so at a rate.
    fn due(&self, id: u64) -> Option<Duration> {
        let place = id.checked_sub(self.mount.turn.first_id)?;
        let due = self.arrivals_ns.get(usize::try_from(place).ok()?)?;
        Some(Duration::from_nanos(*due))
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

/// Returns by how much later requests came at the end than halfway, of all in the order in which
/// they came; nothing of fewer than four.
///
/// It is the median of the last quarter less that of the second: what piles up for good is in
/// every request of the end, while a burst or a stall that drains again is in few of them. The
/// first quarter is left out, since a queue that will be stable fills in it.
fn growth(late_ms: &[f64]) -> Option<f64> {
    let quarter = late_ms.len() / 4;
    let median = |place: usize| at_share(&sorted(&late_ms[place * quarter..][..quarter]), 50);
    (quarter > 0).then(|| median(3) - median(1))
}

/// Returns values in rising order.
fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
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

#[cfg(test)]
mod tests {
    use super::*;
    use workload::{Cell, Workload};

    /// Returns how long replies take to the fetches of a turn, in order, that an origin stalls in
    /// for so long.
    fn delays(cell: &Cell, stall_ms: u64) -> Vec<Duration> {
        let mount = Mount { stall_ms: Some(stall_ms), ..Mount::whole(cell, 7) };
        let (ids, tally) = (mount.turn.ids(cell), Tally::new(mount));
        ids.map(|id| tally.delay(id)).collect()
    }

    #[test]
    fn whoever_arrives_during_a_stall_is_answered_after_its_end_and_all_others_as_ever() {
        let least = Cell::least(Workload::Paced);
        let cell = Cell { warmup: 100, fetches: 1_000, rate_per_s: 1_000, ..least };
        let arrivals = arrivals_ns(&cell, &Mount::whole(&cell, 7).turn);
        let (begins, ends) = (arrivals[600], arrivals[600] + 100_000_000);
        let delays = delays(&cell, 100);
        for (due, delay) in arrivals.iter().zip(&delays) {
            let is_met = (begins..ends).contains(due);
            let expected = if is_met { ends - due } else { 0 };
            assert_eq!(delay.as_nanos(), u128::from(expected), "due after {due} ns");
        }
        let met = delays.iter().filter(|delay| !delay.is_zero()).count();
        assert!((50..150).contains(&met), "about as many as arrive in that time: {met}");
    }

    #[test]
    fn a_closed_loop_meets_a_stall_with_one_fetch_a_slot() {
        let least = Cell::least(Workload::Steady);
        let cell = Cell { in_flight: 4, warmup: 8, fetches: 100, ..least };
        let delays = delays(&cell, 100);
        let met = delays.iter().enumerate().filter(|(_, delay)| !delay.is_zero());
        let met: Vec<_> = met.map(|(place, delay)| (place, delay.as_millis())).collect();
        assert_eq!(met, [58, 59, 60, 61].map(|place| (place, 100)));
        let mount = Mount::whole(&cell, 7);
        assert!(mount.turn.ids(&cell).all(|id| Tally::new(mount.clone()).delay(id).is_zero()));
    }

    /// Returns how late a thousand requests are, a millisecond apart, of which each is later than
    /// the one before by so much.
    fn late(more_ms: f64) -> Vec<f64> {
        (0..1_000_u32).map(|place| f64::from(place) * more_ms).collect()
    }

    #[test]
    fn whoever_falls_behind_by_five_thousandths_is_later_by_as_much_of_half_of_the_time() {
        let growth = growth(&late(0.005)).unwrap();
        assert!((growth - 2.5).abs() < 1e-9, "{growth}");
    }

    #[test]
    fn what_drains_again_is_no_growth_wherever_it_is() {
        for begins in (0..1_000).step_by(50) {
            let mut late = late(0.0);
            for (left, own) in (0..100_u32).rev().zip(late.iter_mut().skip(begins)) {
                *own = f64::from(left);
            }
            assert!(growth(&late).unwrap().abs() < 1e-9, "from {begins}");
        }
        assert_eq!(growth(&late(1.0)[..3]), None);
    }
}
