//! The arithmetic behind a claim of Inflight: from trials to intervals, tests, verdicts and ranks.
//!
//! Everything here is a pure function of its arguments: no clock, no files, no threads, no
//! dependencies. What is random is drawn from a seed, so the same trials give the same numbers
//! again, on other machines up to the last digit of a logarithm. A claim needs few trials of
//! heavy-tailed noise, hence exact rank statistics where they exist and resampling where they do
//! not; nothing here assumes a normal distribution except [`student`], [`effect`] and [`session`],
//! which say so.
//!
//! The way a pair of models is judged runs [`rounds`] → [`Paired`] → [`hodges_lehmann`] and
//! [`signed_rank`] → [`bonferroni`] → [`verdict`] → [`ranking`]. A model is compared with itself in
//! another run, where nothing is paired, by [`polish`] and [`two_sample`] instead of the first
//! three. `benches/README.md` says which statistic answers which question, and why.

pub mod interval;
pub mod paired;
pub mod sample;

pub mod hodges_lehmann;
pub mod median;
pub mod polish;
pub mod rounds;
pub mod signed_rank;
pub mod two_sample;

pub mod bonferroni;
pub mod crossover;
pub mod kendall;
pub mod ranking;
pub mod verdict;

pub mod capacity;
pub mod effect;
pub mod mean_cost;
pub mod session;
pub mod student;

pub mod block_line;
pub mod theil_sen;

pub mod drift;
pub mod order;
pub mod warm_up;

pub mod histogram;
pub mod pooled;
pub mod random;
pub mod williams;

mod inversions;
mod number;
mod order_statistic;
mod rank;
mod resample;

#[cfg(test)]
mod reference;

pub use interval::{Estimate, Interval};
pub use paired::Paired;
pub use sample::Sample;
