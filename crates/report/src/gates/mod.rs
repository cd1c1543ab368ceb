//! Gates: what must hold before a figure may be read, each with what was measured and its
//! threshold.
//!
//! A gate never changes a turn or hides a figure: it passes, or puts a badge on every figure of
//! its scope, or says that it cannot know. What a gate measures is computed from the run alone, so
//! the same run gives the same gates; why a threshold stands where it does is said beside it.

mod likeness;
pub(crate) mod machine;
pub(crate) mod meaning;
mod origin;
mod provenance;
mod sensitivity;
mod steadiness;
mod story;
pub(crate) mod table;

use record::Run;
use serde::Serialize;

use crate::cell_turns::CellTurns;
pub(crate) use crate::family::{ALPHA, MARGIN};

pub use crate::gates::table::gates_table;

/// The scope of a gate that is about the whole run.
pub(crate) const RUN: &str = "run";

/// A check of a run or of one of its cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// `G1` to `G22`. One id may stand for several gates: one a cell.
    pub id: &'static str,
    /// What it is about, in a word or two.
    pub name: &'static str,
    /// The name of the cell, or `run`.
    pub scope: String,
    /// What came of it.
    pub state: GateState,
    /// What was measured, in a sentence; empty if nothing could be.
    pub measured: String,
    /// What it is held against.
    pub threshold: String,
    /// What stands below every figure of its scope; empty if it passed or does not apply.
    pub badges: Vec<&'static str>,
}

/// What came of a gate; all but the first say why in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// Nothing speaks against the figures.
    Passed,
    /// The figures are to be read with this in mind.
    Badge(String),
    /// The figures of the scope, or of the models named, must not be relied on.
    Failed(String),
    /// The run does not tell.
    Unknown(String),
    /// It asks nothing of this run.
    NotApplicable(String),
}

/// A gate before it is answered.
#[derive(Clone, Debug)]
pub(crate) struct Question<'a> {
    /// `G1` to `G22`.
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

/// Returns all gates of a run, by number and then in the order of the cells; `baseline` and `floor`
/// name models.
pub fn gates(run: &Run, baseline: &str, floor: &str) -> Vec<Gate> {
    let mut gates = provenance::gates(run);
    gates.extend([machine::frequency(run), origin::swap()]);
    for cell in &run.schedule.cells {
        let turns = CellTurns::of(run, cell);
        gates.extend(story::gates(&turns));
        gates.extend(origin::gates(&turns, baseline));
        gates.extend(sensitivity::gates(&turns, baseline));
        gates.push(likeness::gate(&turns, (baseline, floor)));
        gates.extend(machine::gates(&turns));
        gates.extend(steadiness::gates(&turns));
    }
    // The sort is stable: gates of one number stay in the order of the cells.
    gates.sort_by_key(Gate::number);
    gates
}

/// Returns the badges of gates, each once, in the order of the gates.
pub fn badges(gates: &[Gate]) -> Vec<String> {
    once(gates.iter())
}

/// Returns the badges that stand below the figures of a cell: its own and those of the run.
pub(crate) fn badges_of(gates: &[Gate], cell: &str) -> Vec<String> {
    once(gates.iter().filter(|gate| gate.scope == RUN || gate.scope == cell))
}

/// Returns the badges of gates, each once.
fn once<'a>(gates: impl Iterator<Item = &'a Gate>) -> Vec<String> {
    let mut badges: Vec<String> = Vec::new();
    for badge in gates.flat_map(|gate| &gate.badges) {
        if !badges.iter().any(|known| known == badge) {
            badges.push((*badge).to_owned());
        }
    }
    badges
}

impl Gate {
    /// Returns the number in its id.
    fn number(&self) -> u32 {
        self.id.trim_start_matches('G').parse().unwrap_or(u32::MAX)
    }
}

impl Question<'_> {
    /// Says that nothing is wrong.
    pub(crate) fn passed(self, measured: impl Into<String>) -> Gate {
        self.gate(GateState::Passed, measured.into())
    }

    /// Puts a badge for each trouble; none is no badge.
    pub(crate) fn marked(self, measured: impl Into<String>, troubles: Vec<Trouble>) -> Gate {
        let (badges, sentences): (Vec<_>, Vec<_>) = troubles.into_iter().unzip();
        let state = match sentences.is_empty() {
            true => GateState::Passed,
            false => GateState::Badge(sentences.join("; ")),
        };
        Gate { badges, ..self.gate(state, measured.into()) }
    }

    /// Says that figures must not be relied on.
    pub(crate) fn failed(self, measured: impl Into<String>, (badge, why): Trouble) -> Gate {
        Gate { badges: vec![badge], ..self.gate(GateState::Failed(why), measured.into()) }
    }

    /// Says why the run does not tell.
    pub(crate) fn unknown(self, why: impl Into<String>) -> Gate {
        self.gate(GateState::Unknown(why.into()), String::new())
    }

    /// Says why nothing is asked.
    pub(crate) fn not_applicable(self, why: impl Into<String>) -> Gate {
        self.gate(GateState::NotApplicable(why.into()), String::new())
    }

    /// Returns the gate without a badge.
    fn gate(self, state: GateState, measured: String) -> Gate {
        let Self { id, name, scope, threshold } = self;
        let scope = scope.to_owned();
        Gate { id, name, scope, state, measured, threshold, badges: Vec::new() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::fixture::{BASELINE, FLOOR, Fixture};

    /// The gates of the good run.
    pub(crate) static GOOD: LazyLock<Vec<Gate>> =
        LazyLock::new(|| gates(&Fixture::good().run(), BASELINE, FLOOR));

    /// Returns a gate of a scope.
    pub(crate) fn gate<'a>(gates: &'a [Gate], (id, scope): (&str, &str)) -> &'a Gate {
        gates.iter().find(|gate| gate.id == id && gate.scope == scope).unwrap()
    }

    /// Returns the state of a gate of a scope.
    pub(crate) fn state<'a>(gates: &'a [Gate], which: (&str, &str)) -> &'a GateState {
        &gate(gates, which).state
    }

    /// Checks that the good run passes a gate, and that the run that is corrupted in one respect
    /// gets this badge there (`unknown` stands for that state) and no other anywhere.
    pub(crate) fn check(which: (&str, &str), corrupt: impl Fn(&mut Run), expected: &str) {
        assert_eq!(state(&GOOD, which), &GateState::Passed);
        let mut run = Fixture::good().run();
        corrupt(&mut run);
        let gates = gates(&run, BASELINE, FLOOR);
        let found = gate(&gates, which);
        match expected {
            "unknown" => assert!(matches!(found.state, GateState::Unknown(_)), "{found:?}"),
            badge => {
                assert!(found.badges.contains(&badge), "{found:?}");
                assert!(meaning::meaning(badge).is_some(), "{badge} is not explained");
            }
        }
        let tripped = |gate: &&Gate| !gate.badges.is_empty() && (gate.id, &*gate.scope) != which;
        assert_eq!(gates.iter().find(tripped), None);
    }

    #[test]
    fn the_good_run_passes_every_gate_that_asks_something_of_it() {
        let ids: Vec<u32> = GOOD.iter().map(Gate::number).collect();
        assert!(ids.is_sorted() && (1..=22).all(|id| ids.contains(&id)), "{ids:?}");
        for gate in GOOD.iter() {
            let fine = matches!(gate.state, GateState::Passed | GateState::NotApplicable(_));
            assert!(fine, "{gate:?}");
        }
        assert_eq!(badges(&GOOD), Vec::<String>::new());
    }

    #[test]
    fn gates_are_a_function_of_the_run() {
        let run = Fixture { noise: 0.05, ..Fixture::good() }.run();
        assert_eq!(gates(&run, BASELINE, FLOOR), gates(&run.clone(), BASELINE, FLOOR));
    }

    #[test]
    fn an_unwatched_run_and_an_empty_one_are_unknown_and_not_passed() {
        let mut run = Fixture::good().run();
        run.schedule.probes.clear();
        run.rounds.iter_mut().for_each(|round| round.host = None);
        for turn in &mut run.turns {
            turn.turned.as_mut().unwrap().scheduled = None;
            turn.receipt = None;
        }
        let unwatched = gates(&run, BASELINE, FLOOR);
        for id in ["G5", "G9", "G10", "G11", "G15"] {
            assert!(matches!(state(&unwatched, (id, "steady")), GateState::Unknown(_)), "{id}");
        }
        assert!(matches!(state(&unwatched, ("G12", "run")), GateState::Unknown(_)));

        run.turns.clear();
        for gate in gates(&run, BASELINE, FLOOR).iter().filter(|gate| gate.scope != RUN) {
            assert_ne!(gate.state, GateState::Passed, "{gate:?}");
        }
    }

    #[test]
    fn each_badge_is_told_once() {
        let mut run = Fixture { blocks: 7, noise: 0.2, ..Fixture::good() }.run();
        run.environment.modified = "yes".to_owned();
        let badges = badges(&gates(&run, BASELINE, FLOOR));
        let few = badges.iter().filter(|badge| *badge == "FEW-BLOCKS").count();
        assert!(few == 1 && badges.last().unwrap() == "DIRTY", "{badges:?}");
    }
}
