//! What a model is built with: the plan that it is given, the slots that it drives, and the pipe
//! to the harness. This page is the guide for whoever writes a model.
//!
//! A **model** is a way to keep many fetches in flight. It is a program whose `main` calls
//! [`serve`] with the one thing that makes it different: how it waits. It decides nothing else.
//! What a fetch is, what counts as a failure, when to connect again, when the clocks are read:
//! all that is in the [`Slot`], and costs every model the same.
//!
//! # The slot
//!
//! A slot is one of the `in_flight` places that a fetch can occupy. It never touches a socket. It
//! says the next [`Step`]; the model performs it in its own way of waiting and reports the result:
//!
//! ```text
//!                     ┌──────────── the connection is kept ────────────┐
//!                     ▼                                                │
//!  ┌──────┐ id  ┌───────────┐ sent  ┌───────────┐ received (whole) ┌───┴───┐
//!  │ idle ├────▶│   Send    ├──────▶│  Receive  ├─────────────────▶│ ended │
//!  └┬───▲─┘     └──▲─────┬──┘       └──┬────────┘                  └───┬───┘
//!   │   │          │     │ lost        │ lost, malformed, late         │ closed
//!   │   │  ┌───────┴───┐ │             ▼                               │ by the
//!   │   │  │  Connect  │◀┴──── the next fetch, if there is one ◀───────┘ reply
//!   │   │  └───────────┘
//!   │   └── (each end of a fetch is counted, ok or by its error code)
//!   └─ no id left ──▶ Done
//! ```
//!
//! A fetch whose slot is dropped before its end is counted too: as 1006 if its unit panicked, else
//! as 1005.
//!
//! | step | what the model does | what it reports |
//! |---|---|---|
//! | [`Step::Connect`] | drops the old connection, connects, sets `TCP_NODELAY` | [`Slot::connected`] |
//! | [`Step::Send`] | writes the bytes, once | [`Slot::sent`] |
//! | [`Step::Receive`] | reads into the buffer, once | [`Slot::received`] |
//! | [`Step::Wait`] | waits until then by its own timer | [`Slot::waited`] |
//! | [`Step::Rest`] | waits for the next turn, or for a fetch that is handed in | [`Slot::next_turn`] |
//! | [`Step::Done`] | leaves | |
//!
//! Buffers are owned: they move out of the slot with the step and come back with the report. So
//! the same slot serves a blocking socket, a readiness loop, an async runtime, and a runtime that
//! must own a buffer while the kernel writes into it.
//!
//! Asked again without a report, a slot repeats its step. A readiness loop reports `WouldBlock`
//! with the buffer, waits, and asks again; an interrupted call is repeated the same way. A model
//! with a timer reports `TimedOut` once [`Slot::deadline`] has passed.
//!
//! # A walk-through
//!
//! The whole life of a slot against an origin that answers from memory:
//!
//! ```
//! use model_kit::{Cell, DelayRange, Outcome, Plan, Step, Workload, content, rehearse};
//!
//! let plan = Plan {
//!     cell: Cell {
//!         name: "walk".into(),
//!         workload: Workload::Batch,
//!         in_flight: 1,
//!         warmup: 0,
//!         fetches: 2,
//!         delay_ms: DelayRange { lo: 0, hi: 0 },
//!         body_bytes: 16,
//!         ..Cell::least(Workload::Batch)
//!     },
//!     origins: vec!["127.0.0.1:4100".parse()?],
//!     workers: 1,
//!     seed: 42,
//!     deadline_ms: None,
//!     surcharge_ns: 0,
//! };
//! let trial = rehearse(&plan, |slots| {
//!     for mut slot in slots {
//!         // The first fetch needs a connection.
//!         let Step::Connect(address) = slot.step() else { panic!() };
//!         assert_eq!(address, "127.0.0.1:4100".parse().unwrap());
//!         slot.connected(Ok("a connection")).unwrap();
//!
//!         // The request goes out, here in two pieces.
//!         let Step::Send(bytes) = slot.step() else { panic!() };
//!         assert!(bytes.starts_with(b"GET /f/0 HTTP/1.1\r\n"));
//!         slot.sent(bytes, Ok(10));
//!         let Step::Send(rest) = slot.step() else { panic!() };
//!         let length = rest.len();
//!         slot.sent(rest, Ok(length));
//!
//!         // The reply comes in.
//!         let Step::Receive(mut buffer) = slot.step() else { panic!() };
//!         let body = content::body(42, 0, 16);
//!         let head = b"HTTP/1.1 200 OK\r\ninflight-id: 0\r\ncontent-length: 16\r\n\r\n";
//!         let reply = [&head[..], &body].concat();
//!         buffer[..reply.len()].copy_from_slice(&reply);
//!         slot.received(buffer, Ok(reply.len()));
//!         assert!(matches!(slot.take_outcome(), Some(Outcome::Ok(_))));
//!
//!         // The second fetch uses the same connection, which is lost.
//!         let Step::Send(bytes) = slot.step() else { panic!() };
//!         slot.sent(bytes, Err(std::io::ErrorKind::BrokenPipe.into()));
//!         assert!(matches!(slot.take_outcome(), Some(Outcome::Failed(_))));
//!         assert!(matches!(slot.step(), Step::Done));
//!     }
//! })?;
//! assert_eq!((trial.total.issued, trial.total.ok), (2, 1));
//! assert_eq!(trial.total.errors["1402"], 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Ways to drive it
//!
//! * Blocking: [`blocking::drive`], or [`blocking::Connection::fetch`] for one fetch at a time.
//!   What blocks is a thread, unless the model says how its units do ([`blocking::Runtime`]).
//! * An async runtime: say how it connects, writes, reads and keeps time
//!   ([`asynchronous::Runtime`]), and give each task [`asynchronous::drive`], or
//!   [`asynchronous::Connection::fetch`] for one fetch.
//! * A readiness loop: [`readiness::Connection::advance`], whenever the socket is ready.
//! * A runtime that owns a buffer while the kernel uses it: say the same, and give each buffer back
//!   with the result ([`completion::Runtime`], [`completion::drive`]).
//! * A loop over completions: say what the ring does ([`ring::Ring`], [`ring::drive`]).
//! * Anything else: call [`Slot::step`] in a loop of your own.
//!
//! A model whose HTTP is spoken by a library takes a [`Fetch`] from [`Slot::next_fetch`] and gives
//! back what the library got, or why it got nothing, to [`Slot::finish`], which verifies it as
//! strictly.
//!
//! # Primitives
//!
//! A program that measures primitives, what models are made of, is built with [`primitive`].
//!
//! # What the kit does not do
//!
//! It never retries, follows no redirect, asks for no encoding, and knows no model by name.

mod arrivals;
pub mod asynchronous;
pub mod blocking;
mod checksums;
mod chunked;
pub mod completion;
mod fetch;
mod gate;
mod ledger;
mod pacer;
pub mod primitive;
mod probe_task;
pub mod readiness;
mod reading;
mod reply;
pub mod ring;
mod serve;
mod slot;
mod strays;
mod work;

pub use crate::fetch::{Fetch, LibraryReply};
pub use crate::serve::{ModelResult, Slots, rehearse, rehearse_turn, serve};
pub use crate::slot::{Slot, Step};
pub use workload::{
    Cell, Datum, DelayRange, Error, ErrorCode, ID_FIELD, Outcome, Plan, Receipt, Turn, Workload,
    bare_heads_digest, content, hello, ids_digest, mixed, pipe, plain, plain_line,
};
