//! The metrics: what is read off a turn or a stay, and how it is shown.

use std::fmt;

use workload::pipe::Window;

/// A metric.
#[derive(Clone, Copy)]
pub struct Metric {
    /// What a command line and JSON call it.
    pub key: &'static str,
    /// What a column or a field of a file calls it, with the unit.
    pub field: &'static str,
    /// What a sentence calls it.
    pub label: &'static str,
    /// The heading of its column, with the unit.
    pub column: &'static str,
    /// The unit of its values.
    pub unit: &'static str,
    /// Whether places and verdicts are computed for it. That is the primary metric alone: a family
    /// of comparisons for each further one would find differences by chance.
    pub is_judged: bool,
    /// Which values are good ones.
    pub better: Better,
    /// How it is read.
    pub read: Read,
}

/// Which values of a metric are good ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Small ones.
    Lower,
    /// Large ones.
    Higher,
}

/// How a metric is read.
#[derive(Clone, Copy, Debug)]
pub enum Read {
    /// Off the window of a turn, if the machine reports it.
    Window(fn(&Window) -> Option<f64>),
    /// Off the most memory that a process held in its stay, in KiB, which is 0 where the machine
    /// does not report it.
    MemoryPeak(fn(u64) -> Option<f64>),
}

/// CPU time of the model's process per fetch.
pub const CPU: Metric = Metric {
    key: "cpu",
    field: "cpu_us_per_fetch",
    label: "CPU time per fetch",
    column: "CPU/fetch us",
    unit: "us per fetch",
    is_judged: true,
    better: Better::Lower,
    read: Read::Window(|window| Some(window.cpu_ns_each() / 1e3)),
};

/// Wall time of the window.
pub const WALL: Metric = Metric {
    key: "wall",
    field: "wall_ms",
    label: "wall time",
    column: "wall ms",
    unit: "ms",
    is_judged: false,
    better: Better::Lower,
    read: Read::Window(|window| Some(real(window.wall_ns) / 1e6)),
};

/// Context switches per fetch.
pub const SWITCHES: Metric = Metric {
    key: "switches",
    field: "switches_per_fetch",
    label: "context switches per fetch",
    column: "switches/fetch",
    unit: "per fetch",
    is_judged: false,
    better: Better::Lower,
    read: Read::Window(|window| {
        let switches = window.switches_voluntary?.saturating_add(window.switches_involuntary?);
        Some(real(switches) / real(window.ended))
    }),
};

/// Pages mapped per fetch, without those that were read from disk.
pub const FAULTS: Metric = Metric {
    key: "faults",
    field: "faults_per_fetch",
    label: "page faults per fetch",
    column: "page faults/fetch",
    unit: "per fetch",
    is_judged: false,
    better: Better::Lower,
    read: Read::Window(|window| Some(real(window.faults_minor?) / real(window.ended))),
};

/// The most memory that the process held at once.
pub const MEMORY: Metric = Metric {
    key: "memory",
    field: "memory_peak_mib",
    label: "peak resident memory",
    column: "memory MiB",
    unit: "MiB",
    is_judged: false,
    better: Better::Lower,
    read: Read::MemoryPeak(|kib| (kib > 0).then(|| real(kib) / 1024.0)),
};

/// Every metric, the primary one first.
pub const METRICS: [Metric; 5] = [CPU, WALL, SWITCHES, FAULTS, MEMORY];

impl Metric {
    /// Returns the metric that a command line calls so.
    pub fn find(key: &str) -> Option<Self> {
        METRICS.into_iter().find(|metric| metric.key == key)
    }

    /// Returns whether it is read off a stay, and not off a window.
    pub fn is_of_stays(&self) -> bool {
        matches!(self.read, Read::MemoryPeak(_))
    }

    /// Returns it of a window; nothing if it is not read off one, or the machine did not report it.
    pub fn of_window(&self, window: &Window) -> Option<f64> {
        match self.read {
            Read::Window(read) => read(window),
            Read::MemoryPeak(_) => None,
        }
    }

    /// Returns it of a stay, by the most memory that its process held; nothing if it is not read
    /// off a stay, or the machine did not report it.
    pub fn of_stay(&self, memory_peak_kib: u64) -> Option<f64> {
        match self.read {
            Read::Window(_) => None,
            Read::MemoryPeak(read) => read(memory_peak_kib),
        }
    }
}

/// A key is the name of one metric.
impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key)
    }
}

impl Better {
    /// Returns it in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Lower => "lower is better",
            Self::Higher => "higher is better",
        }
    }
}

/// Returns a count as a real number.
#[expect(clippy::cast_precision_loss, reason = "counts of a turn are far below 2^52")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_found_by_its_key_and_the_first_alone_has_verdicts() {
        for (place, metric) in METRICS.iter().enumerate() {
            assert_eq!(Metric::find(metric.key).as_ref(), Some(metric));
            assert_eq!(metric.is_judged, place == 0, "{metric:?}");
        }
        assert_eq!(Metric::find("elegance"), None);
    }

    #[test]
    fn a_metric_is_read_off_a_window_or_off_a_stay() {
        let window = Window {
            ended: 4,
            ok: 4,
            wall_ns: 2_000_000,
            cpu_ns: 40_000,
            pacer_ns: 0,
            user_ns: 0,
            system_ns: 0,
            switches_voluntary: Some(5),
            switches_involuntary: Some(1),
            faults_minor: Some(2),
        };
        let read = METRICS.map(|metric| metric.of_window(&window));
        assert_eq!(read, [Some(10.0), Some(2.0), Some(1.5), Some(0.5), None]);
        let hidden = Window { switches_voluntary: None, faults_minor: None, ..window };
        let read = METRICS.map(|metric| metric.of_window(&hidden));
        assert_eq!(read, [Some(10.0), Some(2.0), None, None, None], "nothing is none of it");
        let read = METRICS.map(|metric| metric.of_stay(3 * 512));
        assert_eq!(read, [None, None, None, None, Some(1.5)]);
        assert_eq!(MEMORY.of_stay(0), None);
    }
}
