//! What a badge means to whoever reads a figure, in a sentence, and what may remove it.

/// Each badge, and what a reader does with it.
const MEANINGS: [(&str, &str); 29] = [
    ("ALTERED", "files are not what was measured: believe nothing of it"),
    ("BELOW-FLOOR", "a model costs less than the least that it could: do not believe its cost"),
    ("BUILD", "programs were not built alike, or not for speed: believe no cost"),
    ("CLOCK", "the clock is slow or coarse: short times are doubtful"),
    ("COARSE", "the noise hides small differences, so that no two models can be called equal"),
    ("CORES", "model and origin had cores of different kinds: costs hold for one kind alone"),
    ("DIRTY", "the source had changes that no commit holds: nobody can repeat it exactly"),
    ("DRIFT", "costs moved while it ran: compare ratios, which are taken inside blocks, not costs"),
    ("FEW-BLOCKS", "so few repetitions that a difference is hard to see; verdicts stand as tested"),
    ("FREQ", "the CPU changed its speed: costs in µs are inexact, ratios are safer"),
    ("GREY", "the server was busy: throughput and latencies may be its own"),
    ("INSENSITIVE", "a difference that was added on purpose was not found: others may be missing"),
    ("INVALID", "some turns do not count: their figures are used nowhere"),
    ("LIMITS", "the system's limits were too low for the work: failures may be theirs"),
    (
        "LINGERING",
        "connections of the past were still there: doubt memory, and failures to connect",
    ),
    ("NOISY", "others used the CPU meanwhile: intervals are wider, ratios still hold"),
    ("ORDER", "who ran before or when moved costs: small differences are doubtful"),
    ("ORIGIN", "who is cheaper depends on the server: the order holds for this one alone"),
    (
        "ORIGIN-DRIFT",
        "the server's own cost or memory moved: it cancels in ratios, not in latencies",
    ),
    ("QUEUED", "models waited for a CPU: doubt their latencies, not their costs"),
    ("SERVER-BOUND", "the server was the limit: throughput says nothing of models"),
    ("SHARED", "model and origin shared CPUs: compare costs, not times, rates or latencies"),
    ("TCP", "the network lost or repeated something: doubt the latencies"),
    (
        "TRACKED",
        "a firewall took memory and time for each connection: some of a fetch's is its own",
    ),
    ("UNEQUAL-IO", "models made other pieces of the same bytes: part of a difference is that"),
    ("UNEQUAL-RATE", "models ran at different rates: costs are not like for like"),
    ("UNFINISHED", "it did not come to its end: figures may change"),
    ("UNTRUSTED", "the baseline differs from itself: do not believe small differences"),
    ("WARM-UP", "stays were not steady yet: part of a cost is the start"),
];

/// Badges of which `inflight doctor` may find the cause.
pub const DOCTORED: [&str; 9] =
    ["CLOCK", "CORES", "DIRTY", "FREQ", "LIMITS", "NOISY", "QUEUED", "SHARED", "TCP"];
/// Badges that more blocks may remove.
pub const BLOCKS: [&str; 2] = ["COARSE", "FEW-BLOCKS"];

/// Returns what a badge means to a reader, if it is known here.
pub fn meaning(badge: &str) -> Option<&'static str> {
    MEANINGS.iter().find(|(name, _)| *name == badge).map(|(_, meaning)| *meaning)
}
