//! The turns of a block whose fetches are all held in flight at once: each is taken by a group of
//! fresh processes, of which most have one.

use anyhow::{Error, Result};
use record::State;
use rules::Evidence;
use workload::{Plan, Receipt, Turn};

use super::Measuring;
use crate::outcome::Outcome;
use crate::participant::{Participant, Taken};
use crate::{group, hold};

impl Measuring<'_> {
    /// Lets a participant take its turn, and waits until nothing of it is left: whoever is next
    /// finds no connection of it.
    pub(super) fn held_turn(&mut self, place: (u32, &str)) -> Result<Outcome> {
        let open = self.service.open_files();
        let outcome = self.hold(place)?;
        self.unclosed |= !self.service.wait_until_closed(&open);
        Ok(outcome)
    }

    /// Starts the processes of a participant, lets them take its turn together, and holds what they
    /// say against what was seen of them.
    fn hold(&mut self, (round, name): (u32, &str)) -> Result<Outcome> {
        let mut plan = self.plan(name).map_err(Error::msg)?;
        // The origins of a group share their CPUs, and have no more time than one.
        let threads = self.schedule.placement.shards as usize;
        plan.origins.truncate(threads * self.cell.addresses() as usize);
        let group = match self.entered(name, &plan) {
            Ok(group) => group,
            Err(why) => return Ok(self.without(name, why)),
        };
        let turn = self.turn_of_round(name, round);
        let mount = self.mount(&plan, turn, u64::from(round) + 1);
        if let Err(error) = self.service.mount(&mount) {
            return self.origin_failed(&error);
        }
        let taken = hold::take(group, &turn, &mut self.service);
        let turned = taken.as_ref().map(|(_, taken)| &taken.turned);
        let went_well = turned.is_ok_and(|turned| turned.total.errors.is_empty());
        let receipt = match self.service.receipt(went_well) {
            Ok(receipt) => receipt,
            Err(error) => return self.origin_failed(&error),
        };
        match taken {
            Ok((group, taken)) => self.held((name, &plan), turn, (group, taken, receipt)),
            Err(why) => Ok(Outcome { receipt, ..self.without(name, why) }),
        }
    }

    /// Starts the processes of a participant, each with its part of a plan, and its origin.
    fn entered(&self, name: &str, plan: &Plan) -> Result<Vec<Participant>, String> {
        let shares = group::shares(&plan.cell, self.schedule.processes(&self.cell.name));
        let processes = shares.len();
        let mut group = Vec::with_capacity(processes);
        for (place, cell) in shares.into_iter().enumerate() {
            let own = Plan { cell, origins: self.service.origins_of(place), ..plan.clone() };
            let entered = self.started(name).and_then(|started| started.enter(own));
            group.push(entered.map_err(|why| group::said(why, (place, processes)))?);
        }
        Ok(group)
    }

    /// Holds a turn against its receipt and the kernel's clock, and lets the processes leave.
    fn held(
        &mut self,
        (name, plan): (&str, &Plan),
        turn: Turn,
        (group, taken, receipt): (Vec<Participant>, Taken, Option<Receipt>),
    ) -> Result<Outcome> {
        let origin = self.cell.served_by(self.schedule.placement.origin);
        let evidence = Evidence { turned: &taken.turned, receipt: receipt.as_ref(), origin };
        let claims = self.described(name)?.claims();
        let reasons = rules::validate(claims, (plan, &turn), evidence);
        let mut reasons = self.schedule.held_against(self.cell, reasons);
        self.stays.look(name, &group);
        reasons.extend(self.stays.look_for_children(name, &group));
        let processes = group.len();
        for (place, participant) in group.into_iter().enumerate() {
            if let Err(why) = participant.leave() {
                let why = group::said(why, (place, processes));
                return Ok(Outcome { receipt, ..Outcome::of(State::Failed(why)) });
            }
        }
        let state = if reasons.is_empty() { State::Valid } else { State::Invalid(reasons) };
        Ok(Outcome { state, asked: None, taken: Some(taken), receipt })
    }
}
