//! The laws that hold over more than one turn: a turn is valid only if its stay is, and the stay
//! only if all stays of its model in the cell are.

use std::collections::BTreeMap;

use rules::{Charged, validate_all};
use workload::Cell;

use crate::{Run, State, TurnRecord};

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
        for cell in self.schedule.cells.iter().chain(&self.schedule.operations) {
            let mut turns: BTreeMap<&str, Vec<&TurnRecord>> = BTreeMap::new();
            for turn in self.turns.iter().filter(|turn| turn.cell == cell.name) {
                turns.entry(&turn.model).or_default().push(turn);
            }
            for (model, turns) in turns {
                let valid = || turns.iter().filter(|turn| turn.state == State::Valid);
                let receipts = valid().filter_map(|turn| turn.receipt.as_ref());
                let peaks: Vec<u64> = receipts.map(|r| r.in_flight_peak_estimate).collect();
                let charged: Vec<Charged> = valid().filter_map(|turn| turn.charged()).collect();
                let most = self.schedule.model(model).and_then(|model| model.max_in_flight);
                let in_flight = cell.in_flight.min(most.unwrap_or(u32::MAX));
                let broken = validate_all(&Cell { in_flight, ..cell.clone() }, &peaks, &charged);
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
