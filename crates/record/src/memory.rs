//! What a process and the kernel hold while all fetches of a turn are in flight.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was read of a process before its turn, and while all of its fetches were held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Held {
    /// Before its turn, in which it connects.
    pub before: MemoryReading,
    /// At the end of the time in which all fetches were held.
    pub during: MemoryReading,
    /// By how many bytes each kind of object of the kernel grew meanwhile, in the whole system, so
    /// that both ends of each connection are in it; only root can read them. Kinds that grew by
    /// less than eight bytes a fetch are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slab_bytes: Option<BTreeMap<String, u64>>,
    /// How long all of them were held, in nanoseconds.
    pub wall_ns: u64,
    /// CPU time that the process used in that time, if the kernel reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ns: Option<u64>,
}

/// One reading; what the kernel does not show is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryReading {
    /// Memory of the process, pages that it shares by their share (`Pss`), in KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pss_kib: Option<u64>,
    /// The part of it that nobody shares, in KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_kib: Option<u64>,
    /// Page tables of the process (`VmPTE`), in KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_tables_kib: Option<u64>,
    /// Threads of the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u64>,
    /// Stacks that the kernel has for all threads of the system, in KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel_stacks_kib: Option<u64>,
    /// Objects of the kernel in the whole system (`Slab`), in KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slab_kib: Option<u64>,
    /// Pages that hold data queued in TCP sockets of the network namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp_pages: Option<u64>,
    /// Connections of the network namespace that a firewall tracks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracked: Option<u64>,
}

/// What the kernel has as the stack of a thread, in KiB, on the machines that Linux is used on.
const KERNEL_STACK_KIB: u64 = 16;

impl Held {
    /// Returns the memory of the process in KiB, if the kernel shows it.
    pub fn user_kib(&self) -> Option<u64> {
        self.during.pss_kib
    }

    /// Returns the memory that the kernel has for the process in KiB: its page tables, a stack for
    /// each thread, and what the objects of the kernel grew by; nothing where a part is unknown.
    pub fn kernel_kib(&self) -> Option<u64> {
        let slab = self.slab_bytes.as_ref()?.values().sum::<u64>() / 1024;
        let stacks = self.during.threads? * KERNEL_STACK_KIB;
        Some(self.during.page_tables_kib? + stacks + slab)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_holds_is_page_tables_stacks_and_objects_or_unknown() {
        let during = MemoryReading {
            pss_kib: Some(900),
            page_tables_kib: Some(40),
            threads: Some(2),
            ..MemoryReading::default()
        };
        let slab_bytes = [("TCP", 2_048), ("filp", 3_072)];
        let slab_bytes = Some(slab_bytes.map(|(name, bytes)| (name.to_owned(), bytes)).into());
        let held = Held { during, slab_bytes, ..Held::default() };
        assert_eq!((held.user_kib(), held.kernel_kib()), (Some(900), Some(40 + 32 + 5)));
        assert_eq!(Held { slab_bytes: None, ..held }.kernel_kib(), None);
    }
}
