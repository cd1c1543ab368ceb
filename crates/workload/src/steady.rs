//! The workload `steady`: always `in_flight` fetches at once.

use crate::list::{Datum, Definition};

/// The window opens after a warm-up and closes while every slot is still busy: a surplus of one
/// fetch a slot follows it. A process takes one turn after the other.
pub(crate) const DEFINITION: Definition = Definition {
    name: "steady",
    datum: Datum::Turn,
    cpus: 1,
    is_resident: true,
    needs_every_slot: true,
    surplus: |cell| u64::from(cell.in_flight),
    opens_at: |turn| Some(turn.warmup),
    fault: |warmup| (warmup == 0).then_some("warmup is 0, expected at least 1 for steady"),
};
