//! The network: how loopback and TCP are set, over which every fetch goes.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::source;

/// How loopback and TCP are set, in the words of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Net {
    /// The largest packet on loopback, in bytes.
    pub lo_mtu: Option<u64>,
    /// Congestion control of TCP.
    pub tcp_congestion_control: Fact,
    /// The queue that new devices get; one that paces makes replies late.
    pub default_qdisc: Fact,
    /// The first and the last port that connections may come from.
    pub ip_local_port_range: Fact,
    /// The longest queue of connections that wait to be accepted.
    pub somaxconn: Option<u64>,
    /// The longest queue of connections that are half made.
    pub tcp_max_syn_backlog: Option<u64>,
    /// Whether ports of closed connections are used again early: 0 no, 1 yes, 2 on loopback.
    pub tcp_tw_reuse: Fact,
    /// The most closed connections that are remembered.
    pub tcp_max_tw_buckets: Option<u64>,
    /// Least, usual and greatest size of a receive buffer, in bytes.
    pub tcp_rmem: Fact,
    /// Least, usual and greatest size of a send buffer, in bytes.
    pub tcp_wmem: Fact,
    /// Whether small packets are sent at once.
    pub tcp_nodelay: TcpNodelay,
}

/// Whether small packets are sent at once, `on` or `off`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TcpNodelay {
    /// By the models.
    pub model: Fact,
    /// By the origin.
    pub origin: Fact,
}

impl Net {
    /// Reads the settings of this network namespace.
    pub(super) fn read() -> Self {
        let core = Path::new("/proc/sys/net/core");
        let ipv4 = Path::new("/proc/sys/net/ipv4");
        Self {
            lo_mtu: source::number("/sys/class/net/lo/mtu"),
            tcp_congestion_control: source::line(ipv4.join("tcp_congestion_control")),
            default_qdisc: source::line(core.join("default_qdisc")),
            ip_local_port_range: source::line(ipv4.join("ip_local_port_range")),
            somaxconn: source::number(core.join("somaxconn")),
            tcp_max_syn_backlog: source::number(ipv4.join("tcp_max_syn_backlog")),
            tcp_tw_reuse: source::line(ipv4.join("tcp_tw_reuse")),
            tcp_max_tw_buckets: source::number(ipv4.join("tcp_max_tw_buckets")),
            tcp_rmem: source::line(ipv4.join("tcp_rmem")),
            tcp_wmem: source::line(ipv4.join("tcp_wmem")),
            // On by design: every model and the origin set it, as a delayed packet would be
            // measured as the model's latency.
            tcp_nodelay: TcpNodelay { model: "on".into(), origin: "on".into() },
        }
    }
}
