//! The network of this machine: limits of connections, and what loopback does to them.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use workload::Cell;

use super::text::{after, number, text, unseen};
use super::{Opinion, Readings};
use crate::Limits;
use crate::machine::WIDEST_RANGE;

/// Congestion control that sends when it may, without timers of its own.
const GOOD_CONTROL: [&str; 2] = ["cubic", "reno"];
/// What Linux gives loopback.
const LOOPBACK_MTU: u64 = 65_536;
/// How long a packet to oneself may take, on a machine that is busy with something else.
const ARRIVES: Duration = Duration::from_secs(5);
/// The range of ports that Linux starts with.
const WIDE_RANGE: &str = "sudo sysctl -w net.ipv4.ip_local_port_range=\"32768 60999\"";
/// How many ports it has.
const WIDE_PORTS: u64 = 28_232;

/// What was read of the network.
#[derive(Default)]
pub(super) struct Network {
    /// Open files and ports.
    pub(super) limits: Option<Limits>,
    /// Connections that hold a port after their end.
    pub(super) time_wait: Option<u64>,
    /// The most connections that a listener may keep waiting.
    pub(super) backlog: Option<u64>,
    /// Congestion control of TCP.
    pub(super) control: Option<String>,
    /// The longest packet of loopback.
    pub(super) loopback_mtu: Option<u64>,
    /// Why nothing can be sent over loopback.
    pub(super) loopback_error: Option<String>,
}

impl Network {
    /// Reads it, but for the congestion control, which a run writes down.
    pub(super) fn read() -> Self {
        Self {
            limits: Limits::read().ok(),
            time_wait: time_wait_count(),
            backlog: number("/proc/sys/net/core/somaxconn"),
            control: None,
            loopback_mtu: number("/sys/class/net/lo/mtu"),
            loopback_error: send_to_oneself().err().map(|error| error.to_string()),
        }
    }
}

/// Returns how many connections linger after their end.
pub(crate) fn time_wait_count() -> Option<u64> {
    text("/proc/net/sockstat").and_then(|text| after(&text, "tw"))
}

/// Checks the limit of open files.
pub(super) fn open_files(readings: &Readings) -> Opinion {
    let Some(limits) = &readings.network.limits else { return unseen_limits() };
    let (files, needed) =
        (limits.files, readings.most(|cell| Limits::files_for(cell, &readings.models)));
    if files >= needed {
        return Opinion::good(format!(
            "A process may open {files} files, and the cells need {needed}."
        ));
    }
    Opinion::refusal(format!("A process may open {files} files, and the cells need {needed}."))
        .fix(format!("sudo prlimit --pid $$ --nofile={needed}:{needed}"))
}

/// Checks the range of ports.
pub(super) fn ports(readings: &Readings) -> Opinion {
    let Some(limits) = &readings.network.limits else { return unseen_limits() };
    let (ports, needed) =
        (limits.port_count(), readings.most(|cell| Limits::ports_for(cell, &readings.models)));
    if ports >= needed {
        return Opinion::good(format!(
            "There are {ports} local ports, and the cells need {needed}."
        ));
    }
    Opinion::refusal(format!("There are {ports} local ports, and the cells need {needed}."))
        .fix(if needed > WIDE_PORTS { WIDEST_RANGE } else { WIDE_RANGE })
}

/// Checks how many ports wait to be given back.
pub(super) fn time_wait(readings: &Readings) -> Opinion {
    let (Some(waiting), Some(limits)) = (readings.network.time_wait, &readings.network.limits)
    else {
        return Opinion::good(unseen(
            "How many connections hold a port after their end",
            "a model that finds no port fails and says so",
        ));
    };
    let ports = limits.port_count();
    let found = format!("{waiting} connections hold a port after their end, of {ports}");
    if ports.saturating_sub(waiting)
        < readings.most(|cell| Limits::ports_for(cell, &readings.models))
    {
        // No refusal: a port that is held for one server is free for another, and loopback takes it
        // again for the same from a second on (`net.ipv4.tcp_tw_reuse`).
        return Opinion::bad(format!(
            "{found}: too few are left for the cells, so fetches may fail."
        ))
        .fix("sleep 60");
    }
    if waiting > ports / 2 {
        return Opinion::doubtful(format!(
            "{found}: finding a free one takes longer, which is charged to who connects."
        ))
        .fix("sleep 60");
    }
    Opinion::good(format!("{found}."))
}

/// Checks how many connections may wait for the origin.
pub(super) fn backlog(readings: &Readings) -> Opinion {
    let needed = readings.most(|cell: &Cell| (cell.in_flight / cell.addresses()).into());
    match readings.network.backlog {
        Some(backlog) if backlog < needed => Opinion::doubtful(format!(
            "A listener keeps {backlog} connections waiting, and a model may make {needed} at \
             once: those that are dropped try again a second later, which a batch would show."
        ))
        .fix("sudo sysctl -w net.core.somaxconn=4096"),
        Some(backlog) => {
            Opinion::good(format!("A listener keeps up to {backlog} connections waiting."))
        }
        None => Opinion::good(unseen(
            "How many connections may wait",
            "the receipt counts those that are dropped",
        )),
    }
}

/// Checks whether listeners drop connections now.
pub(super) fn overflows(readings: &Readings) -> Opinion {
    match readings.load.dropped {
        Some(dropped @ 1..) => Opinion::doubtful(format!(
            "A listener dropped connections {dropped} times within a second: another program \
             here is overwhelmed, and receipts would count its connections too."
        ))
        .fix("ss --tcp --listening --processes"),
        Some(0) => Opinion::good("No listener drops connections."),
        None => Opinion::doubtful(unseen(
            "The kernel's counters of TCP",
            "connections, segments and losses stay unknown, and no trial is held against them",
        )),
    }
}

/// Checks congestion control.
pub(super) fn congestion(readings: &Readings) -> Opinion {
    let control = match readings.network.control.as_deref() {
        Some(control) if GOOD_CONTROL.contains(&control) => {
            return Opinion::good(format!("TCP uses {control}, which sends without timers."));
        }
        Some(control) => control,
        None => {
            let matters = "pacing would add timers to what a fetch costs";
            return Opinion::doubtful(unseen("The congestion control of TCP", matters));
        }
    };
    let does = match control {
        "bbr" => "paces what is sent with timers of its own, which costs CPU time",
        _ => "is not what figures are usually taken with",
    };
    Opinion::doubtful(format!("TCP uses {control}, which {does}: absolute costs may differ."))
        .fix("sudo sysctl -w net.ipv4.tcp_congestion_control=cubic")
}

/// Checks loopback.
pub(super) fn loopback(readings: &Readings) -> Opinion {
    let network = &readings.network;
    if let Some(error) = &network.loopback_error {
        return Opinion::refusal(format!(
            "Nothing can be sent over loopback ({error}), so that no model would reach the origin."
        ))
        .fix("sudo ip link set lo up");
    }
    match network.loopback_mtu {
        Some(mtu) if mtu < LOOPBACK_MTU => Opinion::doubtful(format!(
            "Loopback carries packets of {mtu} bytes where {LOOPBACK_MTU} are usual: long bodies \
             come in more pieces, and cost more than elsewhere."
        ))
        .fix(format!("sudo ip link set lo mtu {LOOPBACK_MTU}")),
        Some(mtu) => Opinion::good(format!("Loopback carries packets of {mtu} bytes.")),
        None => Opinion::good(unseen("The longest packet of loopback", "a probe got through")),
    }
}

/// Says what a run says where limits cannot be read.
fn unseen_limits() -> Opinion {
    Opinion::refusal(unseen("The limits of open files and ports", "a run is refused"))
}

/// Sends a packet to oneself, and waits for it. A connection would leave a port behind, and the
/// flags in `/sys` can be those of another network namespace.
fn send_to_oneself() -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(ARRIVES))?;
    socket.send_to(b"probe", socket.local_addr()?)?;
    socket.recv_from(&mut [0; 5]).map(drop)
}
