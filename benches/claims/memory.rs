//! What a slot costs with replies from memory: no socket, so no noise, and no cold caches either.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use anyhow::Result;
use model_kit::{Cell, ID_FIELD, Plan, Slot, Step, content, rehearse};

use crate::runner::say;

/// Fetches of one round.
const FETCHES: u64 = 20_000;
/// Rounds of each kind, taken in turns.
const ROUNDS: usize = 25;

/// Prints what a slot costs beyond finding the end of a reply, and what share of a fetch on the
/// floor, in microseconds, that is.
pub(crate) fn print(floor_us: f64) -> Result<()> {
    let plan = Plan {
        cell: Cell { in_flight: 1, fetches: FETCHES, warmup: 1, ..super::cell() },
        origins: vec![([127, 0, 0, 1], 4100).into()],
        workers: 1,
        seed: 42,
        deadline_ms: None,
        surcharge_ns: 0,
    };
    let replies: Vec<Vec<u8>> = (0..plan.cell.dealt()).map(|id| reply(&plan, id)).collect();
    let mut extra: Vec<f64> = (0..ROUNDS)
        .map(|_| Ok(with_slot_ns(&plan, &replies)? - without_slot_ns(&plan, &replies)))
        .collect::<Result<_>>()?;
    extra.sort_by(f64::total_cmp);
    let (low, median, high) = (extra[2], extra[ROUNDS / 2], extra[ROUNDS - 3]);
    say(&format!(
        "from memory, a slot adds {median:.0} ns a fetch ({low:.0} to {high:.0} in nine of ten \
         rounds), {:.1} % of the floor's {floor_us:.1} us",
        median / floor_us / 10.0
    ))?;
    Ok(())
}

/// Returns the time per fetch with a slot, in nanoseconds.
fn with_slot_ns(plan: &Plan, replies: &[Vec<u8>]) -> Result<f64> {
    let mut spent = 0.0;
    let trial = rehearse(plan, |slots| {
        for mut slot in slots {
            let began = Instant::now();
            while serve(&mut slot, replies) {}
            spent = began.elapsed().as_secs_f64();
        }
    })?;
    assert!(trial.total.errors.is_empty(), "every reply is right");
    Ok(per_fetch(spent))
}

/// Carries out one step against memory; returns whether there is another.
fn serve(slot: &mut Slot, replies: &[Vec<u8>]) -> bool {
    match slot.step() {
        Step::Connect(_) => slot.connected(Ok(())).is_some(),
        Step::Send(bytes) => {
            let count = black_box(bytes.len());
            slot.sent(bytes, Ok(count));
            true
        }
        Step::Receive(mut buffer) => {
            // The slot deals ids in order, and there is one slot.
            let reply = &replies[NEXT.with(|next| next.replace(next.get() + 1))];
            buffer[..reply.len()].copy_from_slice(reply);
            slot.received(buffer, Ok(reply.len()));
            true
        }
        Step::Wait(_) | Step::Rest | Step::Done => {
            NEXT.with(|next| next.set(0));
            false
        }
    }
}

thread_local! {
    /// The id whose reply comes next.
    static NEXT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Returns the time per fetch of writing a request and finding the end of a reply.
fn without_slot_ns(plan: &Plan, replies: &[Vec<u8>]) -> f64 {
    let mut buffer = vec![0; 16 * 1024];
    let mut request = Vec::new();
    let request_end = format!(" HTTP/1.1\r\nHost: {}\r\n\r\n", plan.origins[0]).into_bytes();
    let began = Instant::now();
    for (id, reply) in replies.iter().enumerate() {
        request.clear();
        let _ = write!(request, "GET /f/{id}");
        request.extend_from_slice(&request_end);
        black_box(&request);
        buffer[..reply.len()].copy_from_slice(reply);
        let mut fields = [httparse::EMPTY_HEADER; 16];
        let mut head = httparse::Response::new(&mut fields);
        let end = head.parse(&buffer[..reply.len()]);
        let length = head.headers.iter().find(|f| f.name.eq_ignore_ascii_case("content-length"));
        let length = length.and_then(|f| std::str::from_utf8(f.value).ok()?.parse::<usize>().ok());
        black_box((end.ok(), length));
    }
    per_fetch(began.elapsed().as_secs_f64())
}

/// Returns the reply of wiremock to an id.
fn reply(plan: &Plan, id: u64) -> Vec<u8> {
    let body = content::body(plan.seed, id, plan.cell.body_bytes);
    let head = format!(
        "HTTP/1.1 200 OK\r\n{ID_FIELD}: {id}\r\ncontent-type: application/octet-stream\r\n\
         content-length: {}\r\ndate: Sun, 22 Nov 2026 20:00:00 GMT\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat()
}

/// Returns nanoseconds per fetch.
fn per_fetch(seconds: f64) -> f64 {
    seconds * 1e9 / super::real(FETCHES)
}
