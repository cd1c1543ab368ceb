//! Promises about a slot: policy is its own, however a model waits.

use super::*;
use crate::pipe::Turned;
use crate::{Cell, DelayRange, LibraryReply, Plan, Workload, content, rehearse};

/// Returns a plan for so many fetches in one slot, with a deadline if asked for.
fn plan(fetches: u64, deadline_ms: Option<u64>) -> Plan {
    let cell = Cell {
        name: "test".to_owned(),
        workload: Workload::Batch,
        in_flight: 1,
        warmup: 0,
        fetches,
        delay_ms: DelayRange { lo: 0, hi: 0 },
        body_bytes: 16,
        ..Cell::least(Workload::Batch)
    };
    let origins = vec![SocketAddr::from(([127, 0, 0, 1], 4100))];
    Plan { cell, origins, workers: 1, seed: 1, deadline_ms, surcharge_ns: 0 }
}

/// Drives the one slot of a plan.
fn drive(plan: &Plan, mut work: impl FnMut(&mut Slot)) -> Turned {
    rehearse(plan, |slots| {
        for mut slot in slots {
            while !matches!(slot.step(), Step::Done) {
                work(&mut slot);
            }
        }
    })
    .unwrap()
}

/// Takes the connection and sends the request, until the slot waits for a reply.
fn send(slot: &mut Slot) {
    loop {
        match slot.step() {
            Step::Connect(_) => assert!(slot.connected(Ok(())).is_some()),
            Step::Send(bytes) => {
                let count = bytes.len();
                slot.sent(bytes, Ok(count));
            }
            Step::Receive(_) | Step::Wait(_) | Step::Rest | Step::Done => return,
        }
    }
}

/// Receives a reply with these extra fields.
fn reply(slot: &mut Slot, fields: &str) {
    let body = content::body(1, slot.id, 16);
    let id = slot.id;
    let head =
        format!("HTTP/1.1 200 OK\r\ninflight-id: {id}\r\ncontent-length: 16\r\n{fields}\r\n");
    receive(slot, &[head.as_bytes(), &body].concat());
}

/// Lets these bytes come.
fn receive(slot: &mut Slot, bytes: &[u8]) {
    let Step::Receive(mut buffer) = slot.step() else { panic!("it waits for a reply") };
    buffer[..bytes.len()].copy_from_slice(bytes);
    slot.received(buffer, Ok(bytes.len()));
}

/// Returns the codes that a trial counted.
fn codes(trial: &Turned) -> Vec<(&str, u64)> {
    trial.total.errors.iter().map(|(code, &count)| (code.as_str(), count)).collect()
}

#[test]
fn a_kept_connection_serves_the_next_fetch() {
    let mut connects = 0;
    let trial = drive(&plan(5, None), |slot| {
        connects += usize::from(matches!(slot.step(), Step::Connect(_)));
        send(slot);
        reply(slot, "");
    });
    assert_eq!((connects, trial.total.ok), (1, 5));
}

#[test]
fn a_connection_that_the_reply_ends_is_made_again() {
    let mut connects = 0;
    let trial = drive(&plan(5, None), |slot| {
        connects += usize::from(matches!(slot.step(), Step::Connect(_)));
        send(slot);
        reply(slot, "connection: close\r\n");
    });
    assert_eq!((connects, trial.total.ok), (5, 5));
}

#[test]
fn a_step_asked_for_again_is_the_same_step() {
    let trial = drive(&plan(1, None), |slot| {
        assert!(matches!(slot.step(), Step::Connect(_)));
        assert!(matches!(slot.step(), Step::Connect(_)));
        slot.connected(Ok(()));
        let (Step::Send(first), Step::Send(second)) = (slot.step(), slot.step()) else {
            panic!("it sends")
        };
        assert_eq!(first, second);
        slot.sent(second, Err(io::ErrorKind::WouldBlock.into()));
        send(slot);
        let Step::Receive(buffer) = slot.step() else { panic!("it receives") };
        slot.received(buffer, Err(io::ErrorKind::Interrupted.into()));
        reply(slot, "");
    });
    assert_eq!(trial.total.ok, 1);
}

#[test]
fn a_request_written_in_pieces_is_one_request() {
    let mut request = Vec::new();
    drive(&plan(1, None), |slot| {
        slot.connected(Ok(()));
        while let Step::Send(bytes) = slot.step() {
            request.push(bytes[0]);
            slot.sent(bytes, Ok(1));
        }
        reply(slot, "");
    });
    assert_eq!(request, b"GET /f/0 HTTP/1.1\r\nHost: 127.0.0.1:4100\r\n\r\n");
}

#[test]
fn whichever_call_notices_it_a_lost_connection_has_one_code() {
    let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
    for noticed_by_send in [false, true] {
        let trial = drive(&plan(4, None), |slot| {
            if slot.id % 2 == 1 && !noticed_by_send {
                send(slot);
            }
            match slot.step() {
                Step::Send(bytes) => slot.sent(bytes, Err(broken())),
                Step::Receive(buffer) => slot.received(buffer, Ok(0)),
                _ => {
                    send(slot);
                    reply(slot, "");
                }
            }
        });
        assert_eq!(codes(&trial), [("1402", 2)]);
    }
}

#[test]
fn a_deadline_is_reported_by_the_step_that_it_cut() {
    let expired = |until: fn(&mut Slot)| {
        let trial = drive(&plan(1, Some(0)), |slot| {
            until(slot);
            assert!(slot.expire());
        });
        trial.total.errors.into_keys().next().unwrap()
    };
    assert_eq!(expired(|_| {}), "1202");
    assert_eq!(expired(|slot| assert!(slot.connected(Ok(())).is_some())), "1302");
    assert_eq!(expired(send), "1403");
}

#[test]
fn a_fetch_whose_unit_leaves_or_panics_is_counted() {
    let trial = rehearse(&plan(3, None), |slots| {
        for mut slot in slots {
            let mut left = Slot::new(Arc::clone(&slot.shared), slot.origin);
            send(&mut left);
            drop(left);
            let mut panics = Slot::new(Arc::clone(&slot.shared), slot.origin);
            let unit = thread::spawn(move || {
                send(&mut panics);
                panic!("a unit panics");
            });
            assert!(unit.join().is_err());
            send(&mut slot);
            reply(&mut slot, "");
        }
    });
    let trial = trial.unwrap();
    assert_eq!((codes(&trial), trial.total.ok), (vec![("1005", 1), ("1006", 1)], 1));
}

#[test]
fn without_a_deadline_nothing_expires() {
    let trial = drive(&plan(1, None), |slot| {
        assert!(slot.deadline().is_none() && !slot.expire());
        send(slot);
        reply(slot, "");
    });
    assert_eq!(trial.total.ok, 1);
}

#[test]
fn extra_bytes_cost_the_connection_and_not_the_fetch() {
    let mut connects = 0;
    let trial = drive(&plan(2, None), |slot| {
        connects += usize::from(matches!(slot.step(), Step::Connect(_)));
        send(slot);
        let head =
            format!("HTTP/1.1 200 OK\r\ninflight-id: {}\r\ncontent-length: 16\r\n\r\n", slot.id);
        receive(slot, &[head.as_bytes(), &content::body(1, slot.id, 16), b"extra"].concat());
    });
    assert_eq!((connects, trial.total.ok, trial.total.extra_bytes), (2, 2, 2));
}

#[test]
fn extra_bytes_that_come_after_the_next_request_cost_the_same() {
    let (mut connects, mut fetched) = (0, 0);
    let trial = drive(&plan(3, None), |slot| {
        connects += usize::from(matches!(slot.step(), Step::Connect(_)));
        send(slot);
        fetched += 1;
        // The second reply comes behind what came late after the first.
        if fetched == 2 {
            receive(slot, b"extra");
        }
        reply(slot, "");
    });
    assert_eq!((connects, trial.total.ok, trial.total.extra_bytes), (2, 3, 1));
}

#[test]
fn a_library_reply_is_verified_as_strictly() {
    let trial = rehearse(&plan(4, None), |slots| {
        for mut slot in slots {
            while let Some(fetch) = slot.next_fetch_blocking() {
                let body = content::body(1, fetch.id, 16);
                slot.finish(match fetch.id {
                    0 => Ok(LibraryReply { status: 200, id: Some("0"), body }),
                    1 => Ok(LibraryReply { status: 500, id: Some("1"), body }),
                    2 => Ok(LibraryReply { status: 200, id: Some("3"), body }),
                    _ => Ok(LibraryReply { status: 200, id: Some("3"), body: vec![0; 16] }),
                });
            }
        }
    });
    let trial = trial.unwrap();
    assert_eq!(codes(&trial), [("1601", 1), ("1604", 1), ("1606", 1)]);
    assert_eq!(trial.total.ok, 1);
}

/// Returns a plan whose fetches arrive at a rate, in one slot.
fn paced(fetches: u64, rate_per_s: u32, deadline_ms: Option<u64>) -> Plan {
    let plan = plan(fetches, deadline_ms);
    let cell = Cell { workload: Workload::Paced, warmup: 1, fetches: fetches - 1, ..plan.cell };
    Plan { cell: Cell { rate_per_s, ..cell }, ..plan }
}

/// Waits by a timer as a model does, if the slot does so.
fn wait(slot: &mut Slot) {
    while let Step::Wait(due) = slot.step() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        slot.waited();
    }
}

#[test]
fn a_fetch_is_not_sent_before_it_arrives_whatever_the_timer_says() {
    let trial = drive(&paced(3, 20, None), |slot| {
        if let Step::Wait(due) = slot.step() {
            // A timer that is early is asked again.
            slot.waited();
            let waits = matches!(slot.step(), Step::Wait(again) if again == due);
            assert!(waits || Instant::now() >= due);
        }
        wait(slot);
        send(slot);
        reply(slot, "");
    });
    assert_eq!(trial.total.ok, 3);
    assert_eq!(trial.lags_ns.iter().map(|(_, count)| count).sum::<u64>(), 2);
}

#[test]
fn the_time_of_a_fetch_that_waits_for_a_slot_runs_from_its_arrival() {
    let mut slow = Duration::from_millis(60);
    let trial = drive(&paced(3, 1_000, None), |slot| {
        wait(slot);
        send(slot);
        // The first is slow, and those behind it arrive meanwhile.
        thread::sleep(std::mem::take(&mut slow));
        reply(slot, "");
    });
    assert!(trial.lags_ns.iter().all(|(ns, _)| *ns > 50_000_000), "{trial:?}");
    // What was waited for is in the response and not in the service, however long that took.
    let sum = |times: &[(u64, u64)]| times.iter().map(|(ns, count)| ns * count).sum::<u64>();
    let (whole, parts) = (sum(&trial.responses_ns), sum(&trial.lags_ns) + sum(&trial.latencies_ns));
    assert!(whole.abs_diff(parts) <= whole / 100, "{trial:?}");
}

#[test]
fn a_deadline_runs_from_the_arrival_too() {
    let mut slow = Duration::from_millis(600);
    let trial = drive(&paced(3, 1_000, Some(400)), |slot| {
        wait(slot);
        if slot.expire() {
            return;
        }
        send(slot);
        thread::sleep(std::mem::take(&mut slow));
        reply(slot, "");
    });
    assert_eq!((trial.total.ok, codes(&trial)), (1, vec![("1202", 1), ("1302", 1)]), "{trial:?}");
}
