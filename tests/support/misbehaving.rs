//! The origin that misbehaves, started for a test.

use std::net::SocketAddr;

use harness::OriginProcess;
use origin::{SCRIPTED, Script};

use super::{built, plan_seed};

/// The length of the bodies that are served.
const BODY_BYTES: u32 = 128;

/// Starts an origin that answers so many of so many fetches badly, with these faults in turn.
pub(crate) fn misbehaving(faults: &[&str], (bad, fetches): (u64, u64)) -> OriginProcess {
    let mut origin = OriginProcess::start_faulty(&built("origin")).expect("it starts");
    origin.misbehave(script(faults, (bad, fetches))).expect("it takes a script");
    origin
}

/// Starts an origin that misbehaves in nothing.
pub(crate) fn behaving() -> OriginProcess {
    misbehaving(&[], (0, 0))
}

/// Returns a script for the seed of every plan in tests.
pub(crate) fn script(faults: &[&str], (bad, fetches): (u64, u64)) -> Script {
    let faults = faults.iter().map(|&name| name.to_owned()).collect();
    Script { seed: plan_seed(), body_bytes: BODY_BYTES, fetches, faulty: bad, faults }
}

/// Returns where the script is followed.
pub(crate) fn scripted(origin: &OriginProcess) -> Vec<SocketAddr> {
    vec![origin.ready.origins[SCRIPTED]]
}
