//! The probe task: a slot that fetches nothing and wakes at moments that are fixed in advance, by
//! the timer and among the units of its model. How late it is shows how long whatever is due has to
//! wait there.
//!
//! Wake-ups are due a period apart from the beginning of the turn. One that is taken late shifts
//! none of those that follow, and each that was missed counts for itself: else a model that lets
//! nothing in for long would have few late wake-ups instead of many (Tene calls that coordinated
//! omission).

use std::time::{Duration, Instant};

use crate::ledger::Ledger;

/// Room for so many wake-ups from the beginning, so that none of them waits for memory.
const WAKE_UPS: usize = 4096;

/// When the next wake-up is due, and how late those before were.
#[derive(Debug)]
pub(crate) struct ProbeTask {
    period: Duration,
    /// When the next wake-up is due in the turn that runs.
    due: Option<Instant>,
    late_ns: Vec<u64>,
}

impl ProbeTask {
    /// Creates a probe task that wakes for the first time a period after a turn has begun.
    pub(crate) fn new(period: Duration) -> Self {
        Self { period, due: None, late_ns: Vec::new() }
    }

    /// Returns when it is to wake, or nothing once the window has closed.
    pub(crate) fn due(&mut self, ledger: &Ledger) -> Option<Instant> {
        let due = *self.due.get_or_insert_with(|| {
            self.late_ns = Vec::with_capacity(WAKE_UPS);
            ledger.began() + self.period
        });
        if ledger.closed().is_none() {
            return Some(due);
        }
        // A unit that was not let in before the fetches were over missed its wake-ups until now.
        self.wake_up(ledger);
        ledger.keep_wake_ups(std::mem::take(&mut self.late_ns));
        self.due = None;
        None
    }

    /// Takes every wake-up that is due by now. Those that were due in the window count.
    pub(crate) fn wake_up(&mut self, ledger: &Ledger) {
        let Some(mut due) = self.due else { return };
        let (now, opened) = (Instant::now(), ledger.opened());
        let last = ledger.closed().map_or(now, |closed| closed.min(now));
        while due <= last {
            if opened.is_some_and(|opened| due >= opened) {
                let late = now.saturating_duration_since(due);
                self.late_ns.push(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX));
            }
            due += self.period;
        }
        self.due = Some(due);
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use crate::pipe::Turned;
    use crate::{Cell, DelayRange, Plan, Slot, Step, Workload, content, rehearse};

    use super::*;

    /// Fetches four times in one slot beside a probe task that wakes every 2 ms, and lets a
    /// function say what happens before each fetch ends.
    fn trial(mut before_end: impl FnMut(&mut Slot)) -> Turned {
        let cell = Cell {
            name: "test".to_owned(),
            workload: Workload::Batch,
            in_flight: 1,
            warmup: 0,
            fetches: 4,
            delay_ms: DelayRange { lo: 0, hi: 0 },
            body_bytes: 16,
            probe_period_us: 2_000,
            ..Cell::least(Workload::Batch)
        };
        let origins = vec![([127, 0, 0, 1], 4100).into()];
        let plan = Plan { cell, origins, workers: 1, seed: 1, deadline_ms: None, surcharge_ns: 0 };
        let trial = rehearse(&plan, |slots| {
            let mut slots: Vec<Slot> = slots.into_iter().collect();
            let mut probe_task = slots.pop().expect("the probe task comes last");
            let mut slot = slots.pop().expect("a slot fetches");
            assert!(slots.is_empty());
            while fetch(&mut slot, || before_end(&mut probe_task)) {}
            while let Step::Wait(_) = probe_task.step() {
                probe_task.waited();
            }
        });
        trial.expect("the window closes")
    }

    /// Fetches once; returns whether there was anything to fetch.
    fn fetch(slot: &mut Slot, before_end: impl FnOnce()) -> bool {
        loop {
            match slot.step() {
                Step::Connect(_) => drop(slot.connected(Ok(()))),
                Step::Send(bytes) => {
                    let count = bytes.len();
                    slot.sent(bytes, Ok(count));
                }
                Step::Receive(mut buffer) => {
                    before_end();
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ninflight-id: {}\r\ncontent-length: 16\r\n\r\n",
                        slot.id
                    );
                    let reply = [head.as_bytes(), &content::body(1, slot.id, 16)].concat();
                    buffer[..reply.len()].copy_from_slice(&reply);
                    slot.received(buffer, Ok(reply.len()));
                    return true;
                }
                Step::Wait(_) | Step::Rest | Step::Done => return false,
            }
        }
    }

    /// Returns how many wake-ups there were, and the latest of them.
    fn wake_ups(trial: &Turned) -> (u64, Duration) {
        let count = trial.wake_up_delays_ns.iter().map(|(_, count)| count).sum();
        let worst = trial.wake_up_delays_ns.last().map_or(0, |(late_ns, _)| *late_ns);
        (count, Duration::from_nanos(worst))
    }

    #[test]
    fn a_probe_task_that_is_let_in_wakes_while_others_fetch() {
        let trial = trial(|probe_task| {
            let Step::Wait(due) = probe_task.step() else { panic!("it waits") };
            sleep(due.saturating_duration_since(Instant::now()));
            probe_task.waited();
        });
        assert!(wake_ups(&trial).0 >= 4, "{:?}", trial.wake_up_delays_ns);
    }

    #[test]
    fn a_probe_task_that_is_let_in_after_all_fetches_counts_every_wake_up_that_it_missed() {
        let trial = trial(|_| sleep(Duration::from_millis(5)));
        let window = Duration::from_nanos(trial.window.wall_ns);
        let periods = u64::try_from(window.as_millis()).unwrap() / 2;
        let (count, worst) = wake_ups(&trial);
        assert!(count + 1 >= periods && count <= periods + 1, "{count} of {periods}");
        let least = window.saturating_sub(Duration::from_millis(5));
        assert!(worst >= least, "{worst:?} of {window:?}");
    }

    #[test]
    fn a_slot_that_a_library_drives_has_no_probe_task() {
        let trial = trial(|probe_task| assert!(probe_task.next_fetch_blocking().is_none()));
        assert_eq!(trial.wake_up_delays_ns, []);
    }
}
