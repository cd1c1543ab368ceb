//! The receipt: what an origin has seen, the truth that every turn is held against.
//!
//! What the server hides is estimated, and the field says so in its name. wiremock shows the
//! arrival of a request to its responder but not the moment at which the reply leaves, so what is
//! in flight, and the delay as served, come from a shadow timer that starts with the arrival.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::cell::is_0;
use crate::content::split_mix_64;

/// What an origin has seen since the mount.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Receipt {
    /// Requests for a fetch that were answered.
    pub answered: u64,
    /// Requests for anything else.
    pub strays: u64,
    /// The sum over all requests of `SplitMix64(id)`: it shows whether just the dealt ids came.
    pub ids_digest: u64,
    /// Requests that were answered with a slow reply, in a cell that asks for some.
    #[serde(default, skip_serializing_if = "is_0")]
    pub slow: u64,
    /// A sum over all request heads (method, target, sorted fields without Host), free of order.
    pub heads_digest: u64,
    /// Requests whose shadow timer is still running.
    pub in_flight_now: u64,
    /// The most requests in flight, by their shadow timers: never low, and high by a few.
    pub in_flight_peak_estimate: u64,
    /// The mean number in flight between the arrivals that open and close the window.
    pub in_flight_mean_estimate: f64,
    /// Connections that the origin accepted: exact, unless a port was used twice within a minute,
    /// which makes it low; nothing where the kernel does not report.
    #[serde(default)]
    pub connections: Option<u64>,
    /// The median by which the shadow timers were late, in milliseconds.
    pub delay_late_ms_p50_estimate: f64,
    /// The 99th percentile of the same.
    pub delay_late_ms_p99_estimate: f64,
    /// The most by which one was late.
    #[serde(default)]
    pub delay_late_ms_max_estimate: f64,
    /// The median by which requests that arrive at a rate reached the origin after their moment,
    /// counted from the least late of them, in milliseconds; nothing if the origin does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival_late_ms_p50: Option<f64>,
    /// By how much later they came at the end of the window than halfway, in milliseconds: the
    /// median of the last quarter less that of the second; nothing likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival_late_growth_ms: Option<f64>,
    /// CPU time of the origin's process, in nanoseconds.
    pub cpu_ns: u64,
    /// Wall time since the mount, in nanoseconds.
    pub wall_ns: u64,
    /// Where fetches arrive at a rate: CPU time that the hypervisor gave to others since the mount,
    /// in nanoseconds, of all CPUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stolen_ns: Option<u64>,
    /// Connections that the kernel dropped because a backlog was full, in this namespace.
    pub listen_overflows: Option<u64>,
    /// Connections that the kernel dropped at a listener for any reason, in this namespace.
    #[serde(default)]
    pub listen_drops: Option<u64>,
    /// Times the kernel gave up waiting for an acknowledgement, in this namespace.
    #[serde(default)]
    pub timeouts: Option<u64>,
    /// Segments that the kernel sent again, in this namespace.
    pub retransmits: Option<u64>,
    /// Segments received, in this namespace.
    pub segments_in: Option<u64>,
    /// Resident memory of the origin's process, in KiB.
    pub resident_kib: Option<u64>,
}

/// Returns the digest that a receipt shows when just these ids were asked for.
pub fn ids_digest(ids: Range<u64>) -> u64 {
    ids.map(split_mix_64).fold(0, u64::wrapping_add)
}

/// Returns the digest that a receipt shows of the heads of a bare model which fetched these ids: no
/// field but Host, which is left out.
pub fn bare_heads_digest(ids: Range<u64>) -> u64 {
    let head = |id: u64| mixed(mixed(0, b"GET"), format!("/f/{id}").as_bytes());
    ids.map(head).fold(0, u64::wrapping_add)
}

/// Mixes bytes into a digest.
pub fn mixed(digest: u64, bytes: &[u8]) -> u64 {
    let end = split_mix_64(digest ^ bytes.len() as u64);
    bytes.iter().fold(end, |digest, &byte| split_mix_64(digest ^ u64::from(byte)))
}
