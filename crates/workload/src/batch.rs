//! The workload `batch`: so many fetches, at most `in_flight` at once.

use crate::list::{Datum, Definition};

/// It costs what a program costs that is started for the work: the window opens as the slots are
/// handed out, so that starting and connecting belong to it, and each turn has a process of its
/// own. A slot that finds no fetch left leaves, so that a model with fewer slots does the same
/// work.
pub(crate) const DEFINITION: Definition = Definition {
    name: "batch",
    datum: Datum::Turn,
    cpus: 1,
    is_resident: false,
    needs_every_slot: false,
    surplus: |_| 0,
    opens_at: |_| None,
    fault: |warmup| (warmup > 0).then_some("a batch has no warm-up"),
};
