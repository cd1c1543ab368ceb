//! Promises about tables: what is compared, what is said of it, and that the same run gives the
//! same bytes.

#![expect(clippy::unwrap_used, reason = "what a test cannot do without is there")]

mod fixture;

mod answer;
mod compared;
mod controls;
mod families;
mod golden;
mod ideas;
mod languages;
mod metrics;
mod page;
mod primitives;
mod reporting;
mod seeded;
mod sweeps;
mod turns;
