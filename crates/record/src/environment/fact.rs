//! A fact: what the machine reported in words, or "unknown" where it reported nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is said where something cannot be had.
const UNKNOWN: &str = "unknown";

/// What is said where a list has no entries and a setting is not set.
pub(super) const NONE: &str = "none";

/// What was reported, on one line and never empty. What was not reported is "unknown", so that a
/// reader need not guess whether a field was forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "String", into = "String")]
pub struct Fact(String);

impl Fact {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether anything was reported.
    pub fn is_known(&self) -> bool {
        self.0 != UNKNOWN
    }

    /// Returns the fact if it is known, else another one.
    #[must_use]
    pub fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        if self.is_known() { self } else { other() }
    }
}

impl Default for Fact {
    fn default() -> Self {
        Self(UNKNOWN.to_owned())
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Fact {
    /// Keeps the words, with one space between them.
    fn from(text: &str) -> Self {
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.is_empty() { Self::default() } else { Self(words.join(" ")) }
    }
}

impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl<T: Into<Fact>> From<Option<T>> for Fact {
    fn from(reported: Option<T>) -> Self {
        reported.map(Into::into).unwrap_or_default()
    }
}

impl From<Fact> for String {
    fn from(fact: Fact) -> Self {
        fact.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_reported_is_unknown() {
        for nothing in ["", " \n"] {
            assert_eq!(Fact::from(nothing).as_str(), "unknown");
        }
        assert_eq!(Fact::from(None::<&str>), Fact::default());
        assert!(!Fact::default().is_known());
    }

    #[test]
    fn what_is_reported_is_kept_on_one_line() {
        assert_eq!(Fact::from("4096\t131072\t6291456\n").as_str(), "4096 131072 6291456");
    }
}
