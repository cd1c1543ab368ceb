//! Carries one block out: fresh processes of every participant, round after round, each participant
//! one turn while all others are idle.
//!
//! A round that the origin or the machine disturbed is measured again, whole and a bounded number
//! of times; what a turn cost has no say in it. What a participant did counts against it.

mod held;

use std::collections::BTreeMap;
use std::mem;
use std::slice::from_ref;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use origin::Mount;
use record::{Block, BlockRecord, Described, Host, RoundRecord, Schedule, State, TurnRecord};
use rules::Reason;
use workload::{Cell, Datum, Plan, Receipt, Turn};

use crate::disturbed::{clock_jump_ms, disturbances};
use crate::host::HostReading;
use crate::kernel_threads;
use crate::operations::{Calibration, length_permille};
use crate::outcome::Outcome;
use crate::participant::{self, Participant, Taken};
use crate::run::{Event, Watch, connecting, places, planned, renewed, turn_of};
use crate::service::Service;
use crate::stays::{Stays, give_times, take_times};
use crate::{Programs, interrupt};

/// After a pause of this length connections may be gone: libraries drop those that were idle.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How a block ended.
pub(crate) enum How {
    /// It was measured whole.
    Whole,
    /// Its origin failed, and with it every connection: it has to begin anew.
    OriginFailed(Reason),
}

/// A block that is being measured.
pub(crate) struct Measuring<'a> {
    schedule: &'a Schedule,
    programs: &'a Programs,
    block: &'a Block,
    cell: &'a Cell,
    service: Service,
    /// What sits on each participant's place: the process, or why there is none. Those of a batch
    /// are started for each turn.
    seats: BTreeMap<String, Result<Participant, String>>,
    /// The number of each participant's next turn.
    next: BTreeMap<String, u32>,
    /// How many operations each participant's shortest turn has.
    shortest: BTreeMap<String, u64>,
    /// Whether an origin did not close all connections of a turn of this round in time.
    unclosed: bool,
    stays: Stays,
}

impl<'a> Measuring<'a> {
    /// Starts an origin, if there are fetches, and, where they stay, every participant of a block.
    ///
    /// # Errors
    ///
    /// Says why no origin could be had, or that a signal came.
    pub(crate) fn begin(
        (schedule, programs): (&'a Schedule, &'a Programs),
        block: &'a Block,
    ) -> Result<Self> {
        let cell = schedule.cell(&block.cell).context("failed to find a cell of the schedule")?;
        let fetches = cell.workload.fetches();
        let service = fetches.then(|| renewed(schedule, programs, block)).transpose()?;
        let mut measuring = Self {
            schedule,
            programs,
            block,
            cell,
            service: service.unwrap_or_default(),
            seats: BTreeMap::new(),
            next: BTreeMap::new(),
            shortest: BTreeMap::new(),
            unclosed: false,
            stays: Stays::default(),
        };
        if cell.stays() {
            measuring.seat_all()?;
        }
        Ok(measuring)
    }

    /// Carries the rounds out, and lets the participants leave. `repeats` is how many rounds may
    /// still be measured again.
    ///
    /// # Errors
    ///
    /// Says what `watch` said, or that a signal came.
    pub(crate) fn carry_out(mut self, repeats: &mut u32, watch: &mut Watch<'_>) -> Result<How> {
        let block = self.block;
        for (round, order) in (0..).zip(&block.rounds) {
            loop {
                let (turns, host) = self.round((round, order), watch)?;
                let mut disturbed = disturbances(&turns, host.as_ref());
                let failed = disturbed.iter().find(|r| matches!(r, Reason::OriginFailed { .. }));
                if let Some(reason) = failed.filter(|_| self.cell.stays()) {
                    return Ok(How::OriginFailed(reason.clone()));
                }
                if *repeats == 0 {
                    disturbed.clear();
                }
                let counts = disturbed.is_empty();
                let record = RoundRecord { block: block.number, round, disturbed, host };
                watch(Event::Round(&record))?;
                if counts {
                    self.stays.add(turns);
                    break;
                }
                *repeats -= 1;
            }
        }
        let record = self.end()?;
        watch(Event::Block(block, &record))?;
        Ok(How::Whole)
    }

    /// Lets every participant take its turn, and returns what came of it and what the machine did
    /// meanwhile.
    fn round(
        &mut self,
        (round, order): (u32, &[String]),
        watch: &mut Watch<'_>,
    ) -> Result<(Vec<TurnRecord>, Option<Host>)> {
        let mut turns: Vec<TurnRecord> = Vec::with_capacity(order.len());
        let began = (Instant::now(), SystemTime::now());
        let before = HostReading::before(&self.schedule.placement);
        let used = self.used();
        for (position, name) in (0..).zip(order) {
            watch(Event::Begin(self.block, (round, position)))?;
            let started = (Instant::now(), SystemTime::now());
            let outcome = match self.cell.workload.is_held() {
                true => self.held_turn((round, name))?,
                false => self.turn((round, name))?,
            };
            // A signal has ended the turn too: it says nothing.
            ensure!(interrupt::exit_code().is_none(), "interrupted");
            let mut turn = outcome.record((self.block, name), (round, position), started);
            let times = turn.turned.as_mut().map(take_times);
            watch(Event::Turn(&turn))?;
            // They go into the line of the block, merged over the stay.
            if let (Some(turned), Some(times)) = (&mut turn.turned, times) {
                give_times(turned, times);
            }
            turns.push(turn);
        }
        let after = self.used();
        // Without the clocks of processes, all that they used would be called somebody else's.
        let host = before
            .zip(used.zip(after))
            .and_then(|(before, used)| before.since(&self.schedule.placement, used));
        let (clock_jump_ms, unclosed) = (clock_jump_ms(began), mem::take(&mut self.unclosed));
        Ok((turns, host.map(|host| Host { clock_jump_ms, unclosed, ..host })))
    }

    /// Lets a participant take its turn, and holds what it says against what was seen of it.
    fn turn(&mut self, (round, name): (u32, &str)) -> Result<Outcome> {
        let (stays, workload) = (self.cell.stays(), self.cell.workload);
        let seat = match stays {
            true => self.seats.remove(name).unwrap_or_else(|| Err("it has no place".to_owned())),
            false => self.started(name).and_then(|started| started.enter(self.plan(name)?)),
        };
        let mut participant = match seat {
            Ok(participant) => participant,
            Err(why) => return Ok(self.without(name, why)),
        };
        let has_paused = stays && workload.fetches() && participant.rested_for() > PAUSE_MAX;
        if has_paused || (workload.is_resident() && !stays) {
            participant = match self.connect(name, participant) {
                Ok(participant) => participant,
                Err(why) => return Ok(self.without(name, why)),
            };
        }

        let turn = self.turn_of_round(name, round);
        let plan = self.plan(name).map_err(anyhow::Error::msg)?;
        let mount = self.mount(&plan, turn, u64::from(round) + 1);
        if let Err(error) = self.service.mount(&mount) {
            self.seats.insert(name.to_owned(), Ok(participant));
            return self.origin_failed(&error);
        }
        let service = &mut self.service;
        let taken = participant.take(&turn, || service.was_stalled());
        let went_well = taken.as_ref().is_ok_and(|taken| taken.turned.total.errors.is_empty());
        let receipt = match self.service.receipt(went_well) {
            Ok(receipt) => receipt,
            Err(error) => {
                self.seats.insert(name.to_owned(), Ok(participant));
                return self.origin_failed(&error);
            }
        };
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                let why = participant.end_after(&error);
                return Ok(Outcome { receipt, ..self.without(name, why) });
            }
        };
        self.validate((name, &plan), turn, (participant, taken, receipt))
    }

    /// Holds a turn against its receipt and the kernel's clock, and keeps the participant.
    fn validate(
        &mut self,
        (name, plan): (&str, &Plan),
        turn: Turn,
        (participant, mut taken, receipt): (Participant, Taken, Option<Receipt>),
    ) -> Result<Outcome> {
        let origin = self.cell.served_by(self.schedule.placement.origin);
        let seen = (&mut taken.turned, receipt.as_ref(), origin);
        let claims = self.described(name)?.claims();
        let reasons = kernel_threads::validate(claims, (plan, &turn), seen, participant.id());
        let mut reasons = self.schedule.held_against(self.cell, reasons);
        self.stays.look(name, from_ref(&participant));
        if self.cell.stays() {
            self.seats.insert(name.to_owned(), Ok(participant));
        } else {
            reasons.extend(self.stays.look_for_children(name, from_ref(&participant)));
            if let Err(why) = participant.leave() {
                return Ok(Outcome { receipt, ..Outcome::of(State::Failed(why)) });
            }
        }
        let state = if reasons.is_empty() { State::Valid } else { State::Invalid(reasons) };
        let asked = (self.cell.workload.datum() == Datum::Slope).then_some(turn.fetches);
        Ok(Outcome { state, asked, taken: Some(taken), receipt })
    }

    /// Starts all participants at once, and lets one after the other connect.
    fn seat_all(&mut self) -> Result<()> {
        let block = self.block;
        let names = block.participants();
        let started: Vec<_> = names.iter().map(|name| (*name, self.started(name))).collect();
        for (name, started) in started {
            ensure!(interrupt::exit_code().is_none(), "interrupted");
            let seat = started.and_then(|started| started.enter(self.plan(name)?));
            let seat = seat.and_then(|participant| match self.cell.workload.datum() {
                Datum::Slope => self.calibrate(name, participant),
                Datum::Turn | Datum::Timed(_) => self.connect(name, participant),
            });
            self.seats.insert(name.to_owned(), seat);
        }
        Ok(())
    }

    /// Lets a participant take a turn that counts for nothing: it connects, and everything that is
    /// slow the first time happens in it.
    fn connect(&mut self, name: &str, mut participant: Participant) -> Result<Participant, String> {
        let (turn, plan) = connecting(self.next_turn(name), self.plan(name)?);
        let mount = self.mount(&plan, turn, 0);
        // Where the origin fails, the next turn says so.
        if self.service.mount(&mount).is_err() {
            return Ok(participant);
        }
        let service = &mut self.service;
        match participant.take(&turn, || service.was_stalled()) {
            Ok(_) => {
                self.stays.enter(name, &participant);
                // A receipt is asked for so that the next turn begins when all is quiet.
                let _ = self.service.receipt(true);
                Ok(participant)
            }
            Err(error) => Err(participant.end_after(&error)),
        }
    }

    /// Lets a participant take turns that count for nothing, until it is known how many operations
    /// make one that is long enough.
    fn calibrate(
        &mut self,
        name: &str,
        mut participant: Participant,
    ) -> Result<Participant, String> {
        let mut calibration = Calibration::new(self.schedule.batch_ns);
        loop {
            let turn = Turn { fetches: calibration.count(), ..self.next_turn(name) };
            let window = match participant.take(&turn, || false) {
                Ok(taken) => taken.turned.window,
                Err(error) => return Err(participant.end_after(&error)),
            };
            // Who cannot count will not learn it, and is seen in the turns that count.
            let counts = window.ended == turn.fetches;
            let known = calibration.took(if counts { window.wall_ns } else { u64::MAX });
            if let Some(shortest) = known.or((!counts).then_some(turn.fetches)) {
                self.shortest.insert(name.to_owned(), shortest);
                self.stays.enter(name, &participant);
                return Ok(participant);
            }
        }
    }

    /// Ends the block: every participant leaves, and its stay is summed up.
    fn end(&mut self) -> Result<BlockRecord> {
        let mut left: BTreeMap<String, (Vec<Reason>, Option<String>)> = BTreeMap::new();
        for (name, seat) in mem::take(&mut self.seats) {
            let Ok(participant) = seat else { continue };
            self.stays.look(&name, from_ref(&participant));
            let started = self.stays.look_for_children(&name, from_ref(&participant));
            let started = started.into_iter().collect();
            left.insert(name, (started, participant.leave().err()));
        }
        let mut record = BlockRecord { block: self.block.number, stays: BTreeMap::new() };
        for name in self.block.participants() {
            let claims = self.described(name)?.claims();
            let plan = self.plan(name).map_err(anyhow::Error::msg)?;
            let (mut reasons, failed) = left.remove(name).unwrap_or_default();
            if let Some(why) = failed {
                reasons.push(Reason::Unruly { why });
            }
            let mut stay = self.stays.sum(name, (claims, &plan.cell), reasons);
            stay.invalid = self.schedule.held_against(self.cell, stay.invalid);
            record.stays.insert(name.to_owned(), stay);
        }
        Ok(record)
    }

    /// Returns the outcome of a turn whose participant is not there, and has it be out from now on.
    fn without(&mut self, name: &str, why: String) -> Outcome {
        let is_out = self.stays.is_out(name);
        if self.cell.stays() {
            self.seats.insert(name.to_owned(), Err(why.clone()));
            self.stays.out(name);
        }
        Outcome::of(if is_out { State::Out } else { State::Failed(why) })
    }

    /// Returns the outcome of a turn whose origin failed, and replaces the origin where that helps.
    fn origin_failed(&mut self, error: &anyhow::Error) -> Result<Outcome> {
        let why = format!("{error:#}");
        if !self.cell.stays() {
            self.seats.clear();
            self.service = renewed(self.schedule, self.programs, self.block)?;
        }
        Ok(Outcome::of(State::Invalid(vec![Reason::OriginFailed { why }])))
    }

    /// Returns what the origin serves in a turn: all participants of a round meet the same delays.
    fn mount(&self, plan: &Plan, turn: Turn, round: u64) -> Mount {
        let delay_seed = self.block.delay_seed(round);
        Mount { turn, delay_seed, ..Mount::whole(&plan.cell, plan.seed) }
    }

    /// Returns the next turn of a participant.
    fn next_turn(&mut self, name: &str) -> Turn {
        let number = self.next.entry(name.to_owned()).or_insert(0);
        let turn = turn_of((self.block, self.cell), name, *number);
        *number += 1;
        // One that holds fewer slots makes fewer fetches.
        match self.plan(name) {
            Ok(plan) => Turn { warmup: plan.cell.warmup, fetches: plan.cell.fetches, ..turn },
            Err(_) => turn,
        }
    }

    /// Returns what a participant is sent.
    fn plan(&self, name: &str) -> Result<Plan, String> {
        let origins = self.service.origins();
        planned(self.schedule, (self.block, name), origins)
            .ok_or_else(|| "the schedule does not know it".to_owned())
    }

    /// Returns the turn of a participant in a round: where operations are done many at a time, as
    /// many as the round says.
    fn turn_of_round(&mut self, name: &str, round: u32) -> Turn {
        let arrivals_seed = self.block.arrivals_seed(self.cell, round);
        let turn = Turn { arrivals_seed, ..self.next_turn(name) };
        let Some(&shortest) = self.shortest.get(name) else { return turn };
        let length = length_permille(self.block.seed, round);
        Turn { fetches: (shortest.saturating_mul(length) / 1_000).max(1), ..turn }
    }

    /// Returns what is behind a participant.
    fn described(&self, name: &str) -> Result<Described<'a>> {
        self.schedule.described(name).context("failed to find a participant of the schedule")
    }

    /// Starts the process of a participant.
    fn started(&self, name: &str) -> Result<participant::Started, String> {
        let described = self.described(name).map_err(|error| error.to_string())?;
        let program = self.programs.of(described).ok_or("its program was not built")?;
        let (workers, cpus) = places(self.schedule, self.cell);
        participant::start((described, program), (workers, &cpus))
    }

    /// Returns the CPU time that the participants that stay and the origin have used so far, if the
    /// system reports of each.
    fn used(&self) -> Option<(Duration, Duration)> {
        let models = self.seats.values().flatten().map(Participant::cpu).sum::<Option<_>>()?;
        Some((models, self.service.cpu()?))
    }
}
