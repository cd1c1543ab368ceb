//! Memory: whether it suffices, whether it is swapped, and how it is laid out.

use super::text::{after, number, text, unseen};
use super::{Opinion, Readings};
use crate::resource_limits::Shortage;

/// Model and origin hold some tens of MiB each; the rest is for sockets and the page cache.
const NEEDED_MIB: u64 = 256;
/// A guess at what a compiler with link-time optimisation takes at most; it was not measured.
const BUILD_MIB: u64 = 2_048;

/// What was read of memory.
#[derive(Default)]
pub(super) struct Memory {
    /// What can be had without swapping.
    pub(super) available_mib: Option<u64>,
    /// What lies in swap.
    pub(super) swap_mib: Option<u64>,
    /// When transparent huge pages are used.
    pub(super) huge_pages: Option<String>,
    /// How addresses are drawn: 0 is not at all.
    pub(super) layout: Option<u8>,
}

impl Memory {
    /// Reads it.
    pub(super) fn read() -> Self {
        let meminfo = text("/proc/meminfo").unwrap_or_default();
        let kib = |name| after(&meminfo, name);
        let modes = text("/sys/kernel/mm/transparent_hugepage/enabled");
        Self {
            available_mib: kib("MemAvailable").map(|kib| kib / 1024),
            swap_mib: kib("SwapTotal")
                .zip(kib("SwapFree"))
                .map(|(all, free)| all.saturating_sub(free) / 1024),
            huge_pages: modes.as_deref().and_then(chosen),
            layout: number("/proc/sys/kernel/randomize_va_space"),
        }
    }
}

/// Checks whether threads and memory suffice for the cells.
pub(super) fn room(readings: &Readings) -> Opinion {
    match &readings.shortage {
        None => Opinion::good("Threads and memory suffice for the cells."),
        Some(Shortage { cell, needed, has, raise }) => {
            let found = format!("The cell {cell} needs {needed}, and there are {has}.");
            Opinion::refusal(found).fix(raise)
        }
    }
}

/// Checks how much there is.
pub(super) fn available(readings: &Readings) -> Opinion {
    let Some(mib) = readings.memory.available_mib else {
        return Opinion::good(unseen(
            "Free memory",
            "a model that runs out of it fails and says so",
        ));
    };
    let found = format!("{mib} MiB of memory are free");
    match mib {
        ..NEEDED_MIB => Opinion::bad(format!(
            "{found}, and model and origin may need {NEEDED_MIB}: trials would fail or swap."
        ))
        .fix("top -o %MEM"),
        NEEDED_MIB..BUILD_MIB => Opinion::doubtful(format!(
            "{found}, and building a program may take {BUILD_MIB}: builds may fail or push others \
             into swap."
        ))
        .fix("top -o %MEM"),
        _ => Opinion::good(format!("{found}.")),
    }
}

/// Checks what lies in swap.
pub(super) fn swap(readings: &Readings) -> Opinion {
    let (moved, mib) = (readings.load.swapped, readings.memory.swap_mib);
    match (moved, mib) {
        (Some(pages @ 1..), _) => Opinion::bad(format!(
            "{pages} pages were swapped within a second: trials would wait for the disk."
        ))
        .fix("sudo swapoff -a"),
        (_, Some(mib @ 1..)) => Opinion::doubtful(format!(
            "{mib} MiB lie in swap: whoever needs them back disturbs a trial."
        ))
        .fix("sudo swapoff -a"),
        (_, Some(0)) => Opinion::good("Nothing lies in swap."),
        (_, None) => Opinion::good(unseen("Swap", "none is known to be used")),
    }
}

/// Checks transparent huge pages.
pub(super) fn huge_pages(readings: &Readings) -> Opinion {
    match readings.memory.huge_pages.as_deref() {
        Some("always") => Opinion::doubtful(
            "Huge pages are given to all who did not ask: memory figures count what is never \
             touched, most for models with many stacks.",
        )
        .fix("echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"),
        Some(mode) => Opinion::good(format!("Huge pages are on {mode}: nobody gets one unasked.")),
        None => Opinion::good(unseen("Huge pages", "this kernel may have none")),
    }
}

/// Checks whether addresses are drawn at random.
pub(super) fn address_layout(readings: &Readings) -> Opinion {
    match readings.memory.layout {
        Some(0) => Opinion::doubtful(
            "Addresses are not drawn at random: every trial has the same layout, whose luck is \
             taken for the model's.",
        )
        .fix("sudo sysctl -w kernel.randomize_va_space=2"),
        Some(_) => Opinion::good(
            "Addresses are drawn at random: the luck of a layout is spread over the blocks.",
        ),
        None => Opinion::good(unseen("The layout of addresses", "it is taken to be random")),
    }
}

/// Returns the choice that stands in brackets.
fn chosen(modes: &str) -> Option<String> {
    let (_, rest) = modes.split_once('[')?;
    rest.split_once(']').map(|(mode, _)| mode.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_stands_in_brackets() {
        assert_eq!(chosen("always [madvise] never").as_deref(), Some("madvise"));
        assert_eq!(chosen("always madvise"), None);
    }
}
