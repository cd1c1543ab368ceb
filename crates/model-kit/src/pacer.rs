//! The pacer: hands fetches in as they arrive, whatever the model's own timer can do, so that the
//! grain of that timer is told apart from what else makes a fetch late.
//!
//! It is the control thread, which has nothing else to do while a turn runs. What it uses is no
//! part of the model, and is taken out of the window: what it costs to wake a unit, too, which a
//! model with a timer pays itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::Instant;

use nix::sys::prctl;

use crate::arrivals::Arrivals;
use crate::ledger::Ledger;
use crate::reading::Used;
use crate::serve::Shared;

/// By how much the kernel may let a pacer sleep longer, to wake it together with others.
const SLACK_NS: u64 = 1;

/// Where slots wait for their fetches.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    /// Who waits, by the id of its fetch.
    waiting: Mutex<BTreeMap<u64, Waker>>,
    /// What it had used when it last handed a fetch in.
    used: Mutex<Used>,
}

impl Pacer {
    /// Returns what it had used when it last handed a fetch in.
    pub(crate) fn used(&self) -> Used {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what the calling thread has used, which is the pacer.
    fn note(&self) {
        let used = Used::by_this_thread();
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = used;
    }

    /// Returns who waits; a thread that panicked while it held it has left it whole.
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<u64, Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands each fetch of a turn in at its moment and returns after the last; at once where nobody
/// asks for that.
pub(crate) fn pace(ledger: &Ledger, shared: &Shared) {
    let Some((arrivals, pacer)) = ledger.arrivals().zip(ledger.pacer()) else { return };
    // Where the kernel refuses, it is some 50 us later.
    let _ = prctl::set_timerslack(SLACK_NS);
    pacer.note();
    for id in arrivals.ids() {
        sleep_until(arrivals.due(id));
        hand_in((arrivals, pacer), id);
        shared.ring();
        pacer.note();
    }
}

/// Hands a fetch in, and wakes the slot that waits for it, if one does.
fn hand_in((arrivals, pacer): (&Arrivals, &Pacer), id: u64) {
    let mut waiting = pacer.waiting();
    arrivals.arrive(id);
    let waker = waiting.remove(&id);
    drop(waiting);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Returns whether a fetch was handed in; has the waker called once it is, if not.
pub(crate) fn handed_in_or_wake(arrivals: &Arrivals, id: u64, waker: &Waker) -> bool {
    let Some(pacer) = arrivals.pacer() else { return true };
    let mut waiting = pacer.waiting();
    let has_arrived = arrivals.has_arrived(id);
    if !has_arrived {
        waiting.insert(id, waker.clone());
    }
    has_arrived
}

/// Sleeps until then, and not less.
fn sleep_until(moment: Instant) {
    loop {
        let left = moment.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::sleep(left);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;
    use std::time::Duration;

    use super::*;
    use crate::pipe::Window;
    use crate::{Cell, DelayRange, Plan, Slot, Slots, Step, Turn, Workload, content, rehearse};

    /// Counts how often it was woken.
    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns a plan of four fetches, one of which warms up, in so many slots.
    fn plan(in_flight: u32) -> Plan {
        let cell = Cell {
            name: "test".to_owned(),
            workload: Workload::Paced,
            in_flight,
            warmup: 1,
            fetches: 3,
            delay_ms: DelayRange { lo: 0, hi: 0 },
            body_bytes: 16,
            rate_per_s: 100,
            handed_in: true,
            ..Cell::least(Workload::Paced)
        };
        let origins = vec![([127, 0, 0, 1], 4100).into()];
        Plan { cell, origins, workers: 1, seed: 1, deadline_ms: None, surcharge_ns: 0 }
    }

    /// Returns the slots of a plan and the count of their one turn, in which only the test hands
    /// fetches in.
    fn by_hand(plan: &Plan) -> (Vec<Slot>, Arc<Ledger>) {
        let ledger = Arc::new(Ledger::new(&plan.cell, &Turn::of(&plan.cell, 0, 0)));
        (Slots::new(plan, Some(Arc::clone(&ledger))).into_iter().collect(), ledger)
    }

    /// Hands a fetch in.
    fn hand(ledger: &Ledger, id: u64) {
        hand_in((ledger.arrivals().unwrap(), ledger.pacer().unwrap()), id);
    }

    /// Carries one fetch to its end that was handed in.
    fn fetch(slot: &mut Slot) {
        loop {
            match slot.step() {
                Step::Connect(_) => assert!(slot.connected(Ok(())).is_some()),
                Step::Send(bytes) => {
                    let count = bytes.len();
                    slot.sent(bytes, Ok(count));
                }
                Step::Receive(mut buffer) => {
                    let (id, body) = (slot.id, content::body(1, slot.id, 16));
                    let head =
                        format!("HTTP/1.1 200 OK\r\ninflight-id: {id}\r\ncontent-length: 16\r\n");
                    let reply = [head.as_bytes(), b"\r\n", &body].concat();
                    buffer[..reply.len()].copy_from_slice(&reply);
                    slot.received(buffer, Ok(reply.len()));
                    return;
                }
                step => panic!("it was handed in: {step:?}"),
            }
        }
    }

    #[test]
    fn a_slot_rests_until_its_fetch_is_handed_in_and_waits_for_no_timer() {
        let turned = rehearse(&plan(1), |slots| {
            for mut slot in slots {
                loop {
                    match slot.step() {
                        Step::Rest => {
                            slot.next_turn_blocking();
                            assert!(!matches!(slot.step(), Step::Rest), "it was woken for nothing");
                        }
                        Step::Wait(_) => panic!("it waits for a timer"),
                        Step::Done => break,
                        _ => fetch(&mut slot),
                    }
                }
            }
        });
        let turned = turned.unwrap();
        assert_eq!((turned.total.ok, turned.window.ok), (4, 3));
        assert_eq!(turned.lags_ns.iter().map(|(_, count)| count).sum::<u64>(), 3);
    }

    #[test]
    fn each_fetch_wakes_the_slot_that_waits_for_it_and_no_other_in_the_order_of_arrivals() {
        let (mut slots, ledger) = by_hand(&plan(3));
        let arrivals = ledger.arrivals().unwrap();
        let wakers: Vec<Arc<Woken>> = slots.iter().map(|_| Arc::default()).collect();
        for (slot, waker) in slots.iter_mut().zip(&wakers) {
            assert!(matches!(slot.step(), Step::Rest));
            let waker = Waker::from(Arc::clone(waker));
            // Asked again, a task has one place all the same.
            assert!(!handed_in_or_wake(arrivals, slot.id, &waker));
            assert!(!handed_in_or_wake(arrivals, slot.id, &waker));
        }
        let woken = || wakers.iter().map(|own| own.0.load(Ordering::Relaxed)).collect::<Vec<_>>();
        for (id, expected) in [(0, [1, 0, 0]), (1, [1, 1, 0]), (2, [1, 1, 1])] {
            hand(&ledger, id);
            assert_eq!(woken(), expected);
        }
        assert_eq!(slots.iter().map(|slot| slot.id).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(slots.iter_mut().all(|slot| matches!(slot.step(), Step::Connect(_))));
    }

    #[test]
    fn what_is_handed_in_while_every_slot_is_busy_is_taken_by_the_next_that_is_free() {
        let (mut slots, ledger) = by_hand(&plan(1));
        let slot = &mut slots[0];
        (0..4).for_each(|id| hand(&ledger, id));
        for _ in 0..4 {
            // It comes to no rest in between.
            fetch(slot);
        }
        assert!(matches!(slot.step(), Step::Done));
        assert_eq!(ledger.turned(1).unwrap().total.ok, 4);
    }

    /// Returns the window of a turn whose pacer computes before each fetch that it hands in.
    fn beside_a_busy_pacer() -> Window {
        let (mut slots, ledger) = by_hand(&plan(1));
        let (slot, its) = (&mut slots[0], &ledger);
        thread::scope(|scope| {
            scope.spawn(|| {
                let pacer = its.pacer().unwrap();
                for id in 0..4 {
                    let begun = Instant::now();
                    while begun.elapsed() < Duration::from_millis(10) {}
                    pacer.note();
                    hand(its, id);
                }
            });
            for _ in 0..4 {
                assert!(!matches!(slot.step(), Step::Done));
                slot.next_turn_blocking();
                fetch(slot);
            }
        });
        ledger.turned(1).unwrap().window
    }

    #[test]
    fn a_pacer_that_burns_the_cpu_does_not_change_what_the_model_is_charged() {
        // What other tests of this process use meanwhile is charged to the model, now and then.
        let is_left_out = |own: Window| own.pacer_ns > 0 && own.cpu_ns < own.pacer_ns / 2;
        assert!((0..200).any(|_| is_left_out(beside_a_busy_pacer())));
    }
}
