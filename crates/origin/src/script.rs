//! What a faulty origin is asked to do, and the record that it keeps of what it did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use workload::content::split_mix_64;

use crate::Fault;

/// The address, among those of a faulty origin, at which the script is followed.
pub const SCRIPTED: usize = 0;
/// The address at which nothing listens.
pub const REFUSING: usize = 1;
/// The address at which the backlog is full, so that whoever connects waits.
pub const FULL: usize = 2;

/// Which replies are bad, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// Decides the bodies, and which of the ids get a bad reply.
    pub seed: u64,
    /// The length of every body.
    pub body_bytes: u32,
    /// The ids that will come: `0 .. fetches`.
    pub fetches: u64,
    /// How many of them get a bad reply.
    pub faulty: u64,
    /// The names of the faults, dealt in turn.
    pub faults: Vec<String>,
}

/// What a faulty origin has seen and done since it was sent its script.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Connections accepted.
    pub accepted: u64,
    /// Requests for a fetch that were read whole.
    pub requests: u64,
    /// The sum over them of `SplitMix64(id)`.
    pub requests_digest: u64,
    /// Requests for anything else.
    pub strays: u64,
    /// Good replies.
    pub good: u64,
    /// Bad replies, by fault.
    pub bad: BTreeMap<String, u64>,
    /// Requests that came after the connection was closed, and got no reply.
    pub unanswered: u64,
    /// The failures that a bare model must count, by code.
    pub failures: BTreeMap<String, u64>,
    /// The most by which a thread was late that only sleeps, in milliseconds.
    pub late_ms_max: f64,
}

impl Script {
    /// Returns the fault with which an id is answered, if it gets a bad reply.
    ///
    /// The ids are cut into as many equal parts as there are bad replies, and the seed decides
    /// which id of each part it is; never the first, so that with one fetch in flight a bad reply
    /// always follows a good one.
    pub fn fault(&self, id: u64) -> Option<&'static Fault> {
        let width = self.fetches.checked_div(self.faulty)?;
        let part = id / width.max(1);
        let chosen = match width {
            0 => return None,
            1 => 0,
            _ => 1 + split_mix_64(self.seed ^ part) % (width - 1),
        };
        if part >= self.faulty || id % width != chosen {
            return None;
        }
        let turn = usize::try_from(part).ok()?.checked_rem(self.faults.len())?;
        Fault::named(&self.faults[turn])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_so_many_ids_are_faulty_and_none_follows_another() {
        let faults = vec!["wrong_byte".to_owned(), "status_500".to_owned()];
        for seed in 0..50 {
            let script =
                Script { seed, body_bytes: 8, fetches: 400, faulty: 40, faults: faults.clone() };
            let ids: Vec<u64> = (0..400).filter(|id| script.fault(*id).is_some()).collect();
            assert_eq!(ids.len(), 40);
            assert!(ids[0] > 0 && ids.windows(2).all(|pair| pair[1] > pair[0] + 1), "{ids:?}");
            let first = |id: &&u64| script.fault(**id).is_some_and(|f| f.name == "wrong_byte");
            assert_eq!(ids.iter().filter(first).count(), 20);
        }
    }

    #[test]
    fn all_ids_may_be_faulty_or_none() {
        let script = |faulty| Script {
            seed: 1,
            body_bytes: 8,
            fetches: 10,
            faulty,
            faults: vec!["status_500".to_owned()],
        };
        assert!((0..10).all(|id| script(10).fault(id).is_some()));
        assert!((0..10).all(|id| script(0).fault(id).is_none()));
    }
}
