//! A validity check: what is asked, and what came of it.

use serde::Serialize;

/// The scope of a check that is about the whole run.
pub const RUN: &str = "run";

/// A check of a run or of one of its cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ValidityCheck {
    /// `G1` to `G26`. One id may stand for several checks: one a cell.
    pub id: &'static str,
    /// What it is about, in a word or two.
    pub name: &'static str,
    /// The name of the cell, or `run`.
    pub scope: String,
    /// What came of it.
    pub state: CheckState,
    /// What was measured, in a sentence; empty if nothing could be.
    pub measured: String,
    /// What it is held against.
    pub threshold: String,
    /// What stands below every figure of its scope; empty if it passed or does not apply.
    pub badges: Vec<&'static str>,
}

/// What came of a check; all but the first say why in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Nothing speaks against the figures.
    Passed,
    /// The figures are to be read with this in mind.
    Badge(String),
    /// The figures of the scope, or of the models named, must not be relied on.
    Failed(String),
    /// The run does not say.
    Unknown(String),
    /// It asks nothing of this run.
    NotApplicable(String),
}

/// A check before it is answered.
#[derive(Clone, Debug)]
pub(crate) struct Question<'a> {
    /// `G1` to `G26`.
    pub(crate) id: &'static str,
    /// What it is about.
    pub(crate) name: &'static str,
    /// The name of the cell, or `run`.
    pub(crate) scope: &'a str,
    /// What it is held against.
    pub(crate) threshold: String,
}

/// Something that is wrong: its badge, and a sentence.
pub(crate) type Trouble = (&'static str, String);

impl ValidityCheck {
    /// Returns the number in its id.
    pub(crate) fn number(&self) -> u32 {
        self.id.trim_start_matches('G').parse().unwrap_or(u32::MAX)
    }
}

impl Question<'_> {
    /// Says that nothing is wrong.
    pub(crate) fn passed(self, measured: impl Into<String>) -> ValidityCheck {
        self.check(CheckState::Passed, measured.into())
    }

    /// Puts a badge for each trouble; none is no badge.
    pub(crate) fn marked(
        self,
        measured: impl Into<String>,
        troubles: Vec<Trouble>,
    ) -> ValidityCheck {
        let (badges, sentences): (Vec<_>, Vec<_>) = troubles.into_iter().unzip();
        let state = match sentences.is_empty() {
            true => CheckState::Passed,
            false => CheckState::Badge(sentences.join("; ")),
        };
        ValidityCheck { badges, ..self.check(state, measured.into()) }
    }

    /// Says that figures must not be relied on.
    pub(crate) fn failed(
        self,
        measured: impl Into<String>,
        (badge, why): Trouble,
    ) -> ValidityCheck {
        ValidityCheck {
            badges: vec![badge],
            ..self.check(CheckState::Failed(why), measured.into())
        }
    }

    /// Says why the run does not say.
    pub(crate) fn unknown(self, why: impl Into<String>) -> ValidityCheck {
        self.check(CheckState::Unknown(why.into()), String::new())
    }

    /// Says why nothing is asked.
    pub(crate) fn not_applicable(self, why: impl Into<String>) -> ValidityCheck {
        self.check(CheckState::NotApplicable(why.into()), String::new())
    }

    /// Returns the check without a badge.
    fn check(self, state: CheckState, measured: String) -> ValidityCheck {
        let Self { id, name, scope, threshold } = self;
        let scope = scope.to_owned();
        ValidityCheck { id, name, scope, state, measured, threshold, badges: Vec::new() }
    }
}
