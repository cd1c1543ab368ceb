//! The laws that hold over more than one turn: a turn is valid only if its stay is, and the stay
//! only if all stays of its model in the cell are.

use std::collections::BTreeMap;

use rules::{Charged, Reason, threads_vary, validate_all};
use workload::Cell;

use crate::{Run, Schedule, State, TurnRecord};

impl Run {
    /// Takes the turns out whose stay broke a law for which single turns have too few fetches.
    pub(crate) fn hold_over_stays(&mut self) {
        for turn in &mut self.turns {
            let block = self.blocks.iter().find(|block| block.block == turn.block);
            let stay = block.and_then(|block| block.stays.get(&turn.model));
            if let Some(stay) = stay.filter(|stay| !stay.invalid.is_empty())
                && turn.state == State::Valid
            {
                turn.state = State::Invalid(stay.invalid.clone());
            }
        }
    }

    /// Holds the turns of each participant in a cell, of all blocks, to the laws for which single
    /// blocks have too few.
    pub(crate) fn hold_over_blocks(&mut self) {
        for cell in self.schedule.all_cells() {
            let mut turns: BTreeMap<&str, Vec<&TurnRecord>> = BTreeMap::new();
            for turn in self.turns.iter().filter(|turn| turn.cell == cell.name) {
                turns.entry(&turn.model).or_default().push(turn);
            }
            for (model, turns) in turns {
                let broken = self.schedule.over_turns(cell, model, &turns);
                if !broken.is_empty() {
                    let place = (cell.name.clone(), model.to_owned());
                    self.over_blocks.insert(place, broken);
                }
            }
        }
        for turn in self.turns.iter_mut().filter(|turn| turn.state == State::Valid) {
            let place = (turn.cell.clone(), turn.model.clone());
            if let Some(broken) = self.over_blocks.get(&place) {
                turn.state = State::Invalid(broken.clone());
            }
        }
    }
}

impl Schedule {
    /// Returns which laws the turns of a participant in a cell broke together. How many were in
    /// flight is also seen in turns that a busy machine held up.
    pub fn over_turns(&self, cell: &Cell, name: &str, turns: &[&TurnRecord]) -> Vec<Reason> {
        let is_whole = |turn: &&&TurnRecord| match &turn.state {
            State::Invalid(reasons) => reasons.iter().all(Reason::is_excused),
            state => *state == State::Valid,
        };
        let receipts = turns.iter().filter(is_whole).filter_map(|t| t.receipt.as_ref());
        let peaks: Vec<u64> = receipts.map(|r| r.in_flight_peak_estimate).collect();
        let valid = || turns.iter().filter(|turn| turn.state == State::Valid);
        let charged: Vec<Charged> = valid().filter_map(|turn| turn.charged()).collect();
        let threads = valid().filter_map(|turn| Some(turn.turned.as_ref()?.threads));
        let threads: Vec<u64> = threads.collect();
        let described = self.model(name);
        let held = described.map_or_else(|| cell.clone(), |model| model.within(cell));
        let may_be_slow = described.is_none_or(|model| model.claims().may_be_slow);
        let mut reasons = validate_all(may_be_slow, &held, (&peaks, &charged));
        // Those of a batch may have ended before they are counted.
        let counted = described.filter(|_| cell.workload.is_resident());
        reasons.extend(counted.and_then(|model| threads_vary(model.claims(), &threads)));
        self.held_against(cell, reasons)
    }
}
