//! The workload `churn`: always `in_flight` fetches at once, and a new connection for each.

use crate::list::Definition;
use crate::steady;

/// It is steady but for the origin, which ends each connection with its reply and closes first. A
/// model need not know: every client obeys such a reply, and those that never keep a connection do
/// the same work here as all others.
pub(crate) const DEFINITION: Definition = Definition {
    name: "churn",
    fault: |warmup| (warmup == 0).then_some("warmup is 0, expected at least 1 for churn"),
    ..steady::DEFINITION
};
