//! The kinds of origins that serve cells, and how far each knows what it counts.

use serde::{Deserialize, Serialize};

/// A kind of origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OriginKind {
    /// A server that others maintain.
    #[default]
    Wiremock,
    /// An event loop of our own, which costs less and counts exactly.
    Fast,
}

impl OriginKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Wiremock, Self::Fast];

    /// Returns what it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wiremock => "wiremock",
            Self::Fast => "fast",
        }
    }

    /// Returns whether it counts what is in flight, and how late its replies are. A kind that does
    /// not estimates them, and may report a few more in flight than there are.
    pub fn counts_in_flight(self) -> bool {
        self == Self::Fast
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_name_in_schedules_and_on_the_command_line() {
        for kind in OriginKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
