//! The workload `hold`: all fetches in flight at once, held by the origin until it is told.

use crate::list::{Datum, Definition};

/// It is a batch of one fetch a slot, whose replies the origin holds until all are in flight and
/// what they take was read. So it costs what being in flight costs, not what fetching does, and a
/// model that cannot have all of them in flight at once cannot do it.
pub(crate) const DEFINITION: Definition = Definition {
    name: "hold",
    datum: Datum::Turn,
    cpus: 1,
    is_resident: false,
    needs_every_slot: true,
    surplus: |_| 0,
    opens_at: |_| None,
    fault: |warmup| (warmup > 0).then_some("hold has no warm-up"),
};
