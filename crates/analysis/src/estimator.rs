//! What a ratio, a difference and their intervals are, in words: blocks of one session are one
//! sample, and several sessions are first estimated one by one ([`stats::session`]).

use std::collections::BTreeSet;

use record::Run;

/// How ratios and differences of a run were estimated, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimator {
    /// What the estimates are, without a capital.
    pub estimates: String,
    /// Where their intervals are from.
    pub interval: &'static str,
}

impl Estimator {
    /// Returns how those of a run are estimated.
    pub fn of(run: &Run) -> Self {
        let measured: BTreeSet<u32> = run.turns.iter().map(|turn| turn.block).collect();
        let blocks = run.schedule.blocks.iter().filter(|block| measured.contains(&block.number));
        match blocks.map(|block| block.session).collect::<BTreeSet<u32>>().len() {
            0 | 1 => Self {
                estimates: "Hodges-Lehmann estimates over blocks".to_owned(),
                interval: "signed-rank test",
            },
            several => Self {
                estimates: format!(
                    "means over {several} sessions of their Hodges-Lehmann estimates"
                ),
                interval: "signed-rank test over all blocks, or Student's t over the sessions \
                           where that is wider",
            },
        }
    }

    /// Returns both for the words of a caption.
    pub fn both(&self) -> String {
        format!("{}, {}", self.estimates, self.interval)
    }
}
