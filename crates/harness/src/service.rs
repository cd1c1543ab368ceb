//! What serves the fetches of a block: an origin, one for each process of a group, or nothing where
//! operations are measured.

use std::fs;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use origin::Mount;
use workload::Receipt;

use crate::origin_process::OriginProcess;

/// How long an origin may take to close the connections of those that have left, and how often it
/// is looked at.
const CLOSING: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(20);

/// The origins of a block, if its cell is one of fetches.
#[derive(Debug, Default)]
pub(crate) struct Service(pub(crate) Vec<OriginProcess>);

impl Service {
    /// Returns where it is fetched.
    pub(crate) fn origins(&self) -> Vec<SocketAddr> {
        self.0.iter().flat_map(|origin| origin.ready.origins.iter().copied()).collect()
    }

    /// Returns where a process of a group fetches, by its place.
    pub(crate) fn origins_of(&self, place: usize) -> Vec<SocketAddr> {
        self.0.get(place).map_or_else(Vec::new, |origin| origin.ready.origins.clone())
    }

    /// Has every origin serve a turn.
    ///
    /// # Errors
    ///
    /// Says why one does not.
    pub(crate) fn mount(&mut self, mount: &Mount) -> Result<()> {
        self.0.iter_mut().try_for_each(|origin| origin.mount(mount.clone()))
    }

    /// Returns whether an origin answers, and has been stalled.
    pub(crate) fn was_stalled(&mut self) -> bool {
        self.0.iter_mut().any(OriginProcess::was_stalled)
    }

    /// Returns what the origins saw in a turn. Whoever has failed may have met one that no longer
    /// accepts; to ask it costs a connection, which would be counted.
    ///
    /// # Errors
    ///
    /// Says why there is no receipt, or that an origin no longer accepts.
    pub(crate) fn receipt(&mut self, went_well: bool) -> Result<Option<Receipt>> {
        let receipts = self.0.iter_mut().map(OriginProcess::receipt);
        let receipts = receipts.collect::<Result<Vec<_>>>()?;
        if !went_well {
            self.0.iter().try_for_each(OriginProcess::accepts)?;
        }
        Ok(receipts.into_iter().reduce(|left, right| both(&left, &right)))
    }

    /// Returns what the origin of a process of a group has seen so far.
    ///
    /// # Errors
    ///
    /// Says why there is no receipt.
    pub(crate) fn seen_of(&mut self, place: usize) -> Result<Receipt> {
        self.0.get_mut(place).context("failed to find the origin of a process")?.seen()
    }

    /// Returns how many fetches are in flight now.
    ///
    /// # Errors
    ///
    /// Says why that is not known.
    pub(crate) fn in_flight(&mut self) -> Result<u64> {
        self.0.iter_mut().map(|origin| Ok(origin.seen()?.in_flight_now)).sum()
    }

    /// Has the origins send the replies that they hold: each is asked, whatever another says.
    ///
    /// # Errors
    ///
    /// Says why one does not.
    pub(crate) fn release(&mut self) -> Result<()> {
        let released: Vec<Result<()>> = self.0.iter_mut().map(OriginProcess::release).collect();
        released.into_iter().collect()
    }

    /// Returns the CPU time that the origins have used so far, if the system reports it.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        self.0.iter().map(OriginProcess::cpu).sum()
    }

    /// Returns how many files each origin has open.
    pub(crate) fn open_files(&self) -> Vec<usize> {
        self.0.iter().map(open_files).collect()
    }

    /// Waits until no origin has more files open than it had, and returns whether that came about:
    /// it closes the connections of those that have left by a reset, and one that was killed before
    /// would leave them to linger.
    pub(crate) fn wait_until_closed(&self, before: &[usize]) -> bool {
        let began = Instant::now();
        let is_open = |(origin, files): (&OriginProcess, &usize)| open_files(origin) > *files;
        while self.0.iter().zip(before).any(is_open) {
            if began.elapsed() >= CLOSING {
                return false;
            }
            thread::sleep(LOOK);
        }
        true
    }
}

/// Returns how many files an origin has open.
fn open_files(origin: &OriginProcess) -> usize {
    fs::read_dir(format!("/proc/{}/fd", origin.id())).into_iter().flatten().count()
}

/// Returns what two origins of a group saw together.
///
/// The sum of their peaks is the peak of all: where replies are held, no fetch leaves before all
/// are there but one that fails, and a turn in which one failed does not count.
fn both(left: &Receipt, right: &Receipt) -> Receipt {
    let sum = |left: Option<u64>, right: Option<u64>| left.zip(right).map(|(l, r)| l + r);
    Receipt {
        answered: left.answered + right.answered,
        strays: left.strays + right.strays,
        ids_digest: left.ids_digest.wrapping_add(right.ids_digest),
        slow: left.slow + right.slow,
        heads_digest: left.heads_digest.wrapping_add(right.heads_digest),
        in_flight_now: left.in_flight_now + right.in_flight_now,
        in_flight_peak_estimate: left.in_flight_peak_estimate + right.in_flight_peak_estimate,
        in_flight_mean_estimate: left.in_flight_mean_estimate + right.in_flight_mean_estimate,
        connections: sum(left.connections, right.connections),
        delay_late_ms_p50_estimate: left
            .delay_late_ms_p50_estimate
            .max(right.delay_late_ms_p50_estimate),
        delay_late_ms_p99_estimate: left
            .delay_late_ms_p99_estimate
            .max(right.delay_late_ms_p99_estimate),
        delay_late_ms_max_estimate: left
            .delay_late_ms_max_estimate
            .max(right.delay_late_ms_max_estimate),
        // Only turns whose fetches arrive at a rate have these.
        arrival_late_ms_p50: None,
        arrival_late_growth_ms: None,
        stolen_ns: None,
        cpu_ns: left.cpu_ns + right.cpu_ns,
        wall_ns: left.wall_ns.max(right.wall_ns),
        // Those of the kernel are of the whole namespace, and each origin has counted all of them.
        listen_overflows: left.listen_overflows.max(right.listen_overflows),
        listen_drops: left.listen_drops.max(right.listen_drops),
        timeouts: left.timeouts.max(right.timeouts),
        retransmits: left.retransmits.max(right.retransmits),
        segments_in: left.segments_in.max(right.segments_in),
        resident_kib: sum(left.resident_kib, right.resident_kib),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_receipts_of_a_group_are_added_up_but_for_what_each_has_seen_of_all() {
        let receipt = Receipt {
            answered: 3,
            ids_digest: u64::MAX,
            in_flight_peak_estimate: 3,
            connections: Some(3),
            delay_late_ms_max_estimate: 2.0,
            cpu_ns: 5,
            wall_ns: 7,
            listen_overflows: Some(1),
            resident_kib: Some(9),
            ..Receipt::default()
        };
        let other = Receipt { wall_ns: 8, resident_kib: None, ..receipt.clone() };
        let both = both(&receipt, &other);
        assert_eq!((both.answered, both.in_flight_peak_estimate), (6, 6));
        assert_eq!(both.connections, Some(6));
        assert_eq!((both.ids_digest, both.cpu_ns, both.wall_ns), (u64::MAX - 1, 10, 8));
        assert_eq!((both.listen_overflows, both.resident_kib), (Some(1), None));
        assert!((both.delay_late_ms_max_estimate - 2.0).abs() < f64::EPSILON);
    }
}
