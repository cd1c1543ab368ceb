//! What an origin does that is asked for more than it can serve, which is its ceiling.

use stats::capacity::HEADROOM;

use crate::Reason;

/// Returns whether so many fetches a second are more than an origin with such a ceiling serves
/// without being what is measured.
#[expect(clippy::cast_precision_loss, reason = "rates are far below 2^52")]
pub fn is_beyond_ceiling(asked_per_s: u64, ceiling_per_s: u64) -> bool {
    asked_per_s as f64 > HEADROOM * ceiling_per_s as f64
}

impl Reason {
    /// Returns whether an origin brings it about that is asked for more than it can serve: it is
    /// busy and late, and requests wait where it has not seen them yet.
    pub fn is_of_ceiling(&self) -> bool {
        matches!(
            self,
            Self::OriginBusy { .. }
                | Self::OriginLate { .. }
                | Self::Peak { .. }
                | Self::Mean { .. }
                | Self::Waves { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_ceiling_is_not_beyond_it_and_more_is() {
        assert!(!is_beyond_ceiling(10_000, 20_000) && is_beyond_ceiling(10_001, 20_000));
    }

    #[test]
    fn what_a_model_did_wrong_is_of_no_ceiling() {
        assert!(Reason::OriginBusy { percent: 99, threads: 1 }.is_of_ceiling());
        assert!(!Reason::NoTime.is_of_ceiling());
        assert!(!Reason::Connections { seen: 1, least: 0, most: 0 }.is_of_ceiling());
    }
}
