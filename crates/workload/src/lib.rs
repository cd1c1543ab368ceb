//! What is asked of a participant: the workloads, the cells that are made of them, the plan, the
//! turn, and the messages of the pipe in which it is asked and answers.
//!
//! Each workload is one file. It says what the work is; what a turn of it is held to, and how
//! reports describe it, is `rules`, which no participant links: a sentence that changes there
//! builds no model anew.

mod batch;
mod cell;
mod churn;
pub mod content;
mod error;
mod hold;
mod list;
mod origin_kind;
mod outcome;
mod paced;
pub mod pipe;
mod plain;
mod plan;
mod primitives;
mod receipt;
mod steady;
mod turn;

pub use crate::cell::{Cell, DelayRange, SLOW_TIMES};
pub use crate::content::ID_FIELD;
pub use crate::error::Error;
pub use crate::list::{Datum, Workload};
pub use crate::origin_kind::OriginKind;
pub use crate::outcome::{ErrorCode, Outcome};
pub use crate::paced::{arrivals_ns, shortest_window_ns};
pub use crate::plain::{plain, plain_line};
pub use crate::plan::Plan;
pub use crate::receipt::{Receipt, bare_heads_digest, ids_digest, mixed};
pub use crate::turn::Turn;
