//! What the baseline differs from itself, as JSON.

use serde::Serialize;

use crate::cell_figures::Noise;
use crate::figure::{Figure, rounded};

/// What the baseline differs from itself.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct NoiseSummary {
    /// Its second process in times its first, of CPU time per fetch.
    cpu_ratio: Figure,
    /// The smallest difference that this many blocks would show, three times out of four.
    can_show: Share,
    /// Differences below this may be missed: what can be shown, and at least the margin.
    missed_below: Share,
}

/// A relative difference, or why there is none.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Share {
    /// As a share of 1.
    value: Option<f64>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl NoiseSummary {
    /// Writes what the baseline differs from itself.
    pub(crate) fn of(noise: Option<&Noise>) -> Self {
        let share = |value: Option<f64>| Share {
            value: value.and_then(rounded),
            reason: value
                .is_none()
                .then_some("too few blocks with a second process of the baseline"),
        };
        Self {
            cpu_ratio: Figure::or(
                noise.map(|noise| &noise.ratio),
                "the baseline had no second process",
            ),
            can_show: share(noise.and_then(|noise| noise.can_show)),
            missed_below: share(noise.and_then(|noise| noise.missed_below)),
        }
    }
}
