//! What models, origins and the harness promise, tested with real processes.
//!
//! They are modules of one program, so that each model is built once and linked to nothing twice,
//! and those tests that wait do so at the same time (`support::beside`).

mod support;

mod conformance;
mod endurance;
mod exposure;
mod failures;
mod fast_origin;
mod faults;
mod hold;
mod origins;
mod other_builds;
mod paced;
mod primitives;
mod probe_tasks;
mod resources;
mod seeded;
mod shortages;
mod sweep;
mod turns;
