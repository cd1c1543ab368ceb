//! Carries one block out: fresh processes of every participant, round after round, each participant
//! one turn while all others are idle.
//!
//! A round that the origin or the machine disturbed is measured again, whole and a bounded number
//! of times; what a turn cost has no say in it. What a participant did counts against it.

use std::collections::BTreeMap;
use std::mem;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use origin::Mount;
use record::{Block, BlockRecord, Host, Model, RoundRecord, Schedule, State, TurnRecord};
use rules::{Evidence, Reason, validate};
use workload::content::{first_id, split_mix_64};
use workload::{Cell, Plan, Turn};

use crate::disturbed::{clock_jump_ms, disturbances};
use crate::host::HostReading;
use crate::origin_process::OriginProcess;
use crate::participant::{self, Participant, Taken};
use crate::run::{Event, Watch, planned, renewed};
use crate::stays::Stays;
use crate::{Program, Programs, interrupt};

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
    origin: OriginProcess,
    /// What sits on each participant's place: the process, or why there is none. Those of a batch
    /// are started for each turn.
    seats: BTreeMap<String, Result<Participant, String>>,
    /// The number of each participant's next turn.
    next: BTreeMap<String, u32>,
    stays: Stays,
}

/// What came of a turn.
struct Outcome {
    state: State,
    taken: Option<Taken>,
    receipt: Option<workload::Receipt>,
}

impl<'a> Measuring<'a> {
    /// Starts an origin and, where they stay, every participant of a block.
    ///
    /// # Errors
    ///
    /// Says why no origin could be had, or that a signal came.
    pub(crate) fn begin(
        (schedule, programs): (&'a Schedule, &'a Programs),
        block: &'a Block,
    ) -> Result<Self> {
        let cell = schedule.cell(&block.cell).context("failed to find a cell of the schedule")?;
        let origin = renewed(schedule, programs, block)?;
        let (seats, next, stays) = (BTreeMap::new(), BTreeMap::new(), Stays::default());
        let mut measuring = Self { schedule, programs, block, cell, origin, seats, next, stays };
        if cell.workload.is_resident() {
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
                if let Some(reason) = failed.filter(|_| self.cell.workload.is_resident()) {
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
        let before = self.read_host();
        let used = self.used();
        for (position, name) in (0..).zip(order) {
            watch(Event::Begin(self.block, (round, position)))?;
            let started = (Instant::now(), SystemTime::now());
            let outcome = self.turn((round, name))?;
            // A signal has ended the turn too: it says nothing.
            ensure!(interrupt::exit_code().is_none(), "interrupted");
            let mut turn = outcome.record((self.block, name), (round, position), started);
            let latencies = turn.turned.as_mut().map(|turned| {
                (mem::take(&mut turned.latencies_ns), mem::take(&mut turned.wake_up_delays_ns))
            });
            watch(Event::Turn(&turn))?;
            // They go into the line of the block, merged over the stay.
            if let (Some(turned), Some((ns, late))) = (&mut turn.turned, latencies) {
                (turned.latencies_ns, turned.wake_up_delays_ns) = (ns, late);
            }
            turns.push(turn);
        }
        let after = self.used();
        // Without the clocks of processes, all that they used would be called somebody else's.
        let host = before
            .zip(used.zip(after))
            .and_then(|(before, used)| before.since(&self.schedule.placement, used));
        let clock_jump_ms = clock_jump_ms(began);
        Ok((turns, host.map(|host| Host { clock_jump_ms, ..host })))
    }

    /// Lets a participant take its turn, and holds what it says against what was seen of it.
    fn turn(&mut self, (round, name): (u32, &str)) -> Result<Outcome> {
        let is_resident = self.cell.workload.is_resident();
        let seat = match is_resident {
            true => self.seats.remove(name).unwrap_or_else(|| Err("it has no place".to_owned())),
            false => self.started(name).and_then(|started| started.enter(self.plan(name)?)),
        };
        let mut participant = match seat {
            Ok(participant) => participant,
            Err(why) => return Ok(self.without(name, why)),
        };
        if is_resident && participant.rested_for() > PAUSE_MAX {
            participant = match self.connect(name, participant) {
                Ok(participant) => participant,
                Err(why) => return Ok(self.without(name, why)),
            };
        }

        let turn = self.next_turn(name);
        let plan = self.plan(name).map_err(anyhow::Error::msg)?;
        let mount = self.mount(&plan, turn, u64::from(round) + 1);
        if let Err(error) = self.origin.mount(mount) {
            self.seats.insert(name.to_owned(), Ok(participant));
            return self.origin_failed(&error);
        }
        let origin = &mut self.origin;
        let taken = participant.take(&turn, || origin.was_stalled());
        // Whoever has failed may have met an origin that no longer accepts; to ask it costs a
        // connection, which would be counted.
        let went_well = taken.as_ref().is_ok_and(|taken| taken.turned.total.errors.is_empty());
        let receipt = self.origin.receipt();
        let receipt = match (went_well, receipt) {
            (false, Ok(receipt)) => self.origin.accepts().map(|()| receipt),
            (_, receipt) => receipt,
        };
        let receipt = match receipt {
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
                return Ok(Outcome { receipt: Some(receipt), ..self.without(name, why) });
            }
        };
        self.validate((name, &plan), turn, (participant, taken, receipt))
    }

    /// Holds a turn against its receipt and the kernel's clock, and keeps the participant.
    fn validate(
        &mut self,
        (name, plan): (&str, &Plan),
        turn: Turn,
        (participant, taken, receipt): (Participant, Taken, workload::Receipt),
    ) -> Result<Outcome> {
        let model = self.model(name)?;
        let evidence = Evidence {
            turned: &taken.turned,
            receipt: &receipt,
            origin: self.schedule.placement.origin,
        };
        let mut reasons = validate(model.claims(), (plan, &turn), evidence);
        self.stays.look(name, &participant);
        if self.cell.workload.is_resident() {
            self.seats.insert(name.to_owned(), Ok(participant));
        } else {
            reasons.extend(self.stays.look_for_children(name, &participant));
            if let Err(why) = participant.leave() {
                return Ok(Outcome {
                    state: State::Failed(why),
                    taken: None,
                    receipt: Some(receipt),
                });
            }
        }
        let state = if reasons.is_empty() { State::Valid } else { State::Invalid(reasons) };
        Ok(Outcome { state, taken: Some(taken), receipt: Some(receipt) })
    }

    /// Starts all participants at once, and lets one after the other connect.
    fn seat_all(&mut self) -> Result<()> {
        let block = self.block;
        let names = block.participants();
        let started: Vec<_> = names.iter().map(|name| (*name, self.started(name))).collect();
        for (name, started) in started {
            ensure!(interrupt::exit_code().is_none(), "interrupted");
            let seat = started.and_then(|started| started.enter(self.plan(name)?));
            let seat = seat.and_then(|participant| self.connect(name, participant));
            self.seats.insert(name.to_owned(), seat);
        }
        Ok(())
    }

    /// Lets a participant take a turn that counts for nothing: it connects, and everything that is
    /// slow the first time happens in it.
    fn connect(&mut self, name: &str, mut participant: Participant) -> Result<Participant, String> {
        let turn = self.next_turn(name);
        let plan = self.plan(name)?;
        let mount = self.mount(&plan, turn, 0);
        // Where the origin fails, the next turn says so.
        if self.origin.mount(mount).is_err() {
            return Ok(participant);
        }
        let origin = &mut self.origin;
        match participant.take(&turn, || origin.was_stalled()) {
            Ok(_) => {
                self.stays.enter(name, &participant);
                // A receipt is asked for so that the next turn begins when all is quiet.
                let _ = self.origin.receipt();
                Ok(participant)
            }
            Err(error) => Err(participant.end_after(&error)),
        }
    }

    /// Ends the block: every participant leaves, and its stay is summed up.
    fn end(&mut self) -> Result<BlockRecord> {
        let mut left: BTreeMap<String, (Vec<Reason>, Option<String>)> = BTreeMap::new();
        for (name, seat) in mem::take(&mut self.seats) {
            let Ok(participant) = seat else { continue };
            self.stays.look(&name, &participant);
            let started = self.stays.look_for_children(&name, &participant);
            let started = started.into_iter().collect();
            left.insert(name, (started, participant.leave().err()));
        }
        let mut record = BlockRecord { block: self.block.number, stays: BTreeMap::new() };
        for name in self.block.participants() {
            let model = self.model(name)?;
            let plan = self.plan(name).map_err(anyhow::Error::msg)?;
            let (mut reasons, failed) = left.remove(name).unwrap_or_default();
            if let Some(why) = failed {
                reasons.push(Reason::Unruly { why });
            }
            let stay = self.stays.sum(name, (model.claims(), &plan.cell), reasons);
            record.stays.insert(name.to_owned(), stay);
        }
        Ok(record)
    }

    /// Returns the outcome of a turn whose participant is not there, and has it be out from now on.
    fn without(&mut self, name: &str, why: String) -> Outcome {
        let is_out = self.stays.is_out(name);
        if self.cell.workload.is_resident() {
            self.seats.insert(name.to_owned(), Err(why.clone()));
            self.stays.out(name);
        }
        let state = if is_out { State::Out } else { State::Failed(why) };
        Outcome { state, taken: None, receipt: None }
    }

    /// Returns the outcome of a turn whose origin failed, and replaces the origin where that helps.
    fn origin_failed(&mut self, error: &anyhow::Error) -> Result<Outcome> {
        let why = format!("{error:#}");
        if !self.cell.workload.is_resident() {
            self.seats.clear();
            self.origin = renewed(self.schedule, self.programs, self.block)?;
        }
        let state = State::Invalid(vec![Reason::OriginFailed { why }]);
        Ok(Outcome { state, taken: None, receipt: None })
    }

    /// Returns what the origin serves in a turn: all participants of a round meet the same delays.
    fn mount(&self, plan: &Plan, turn: Turn, round: u64) -> Mount {
        let delay_seed = split_mix_64(self.block.seed ^ round);
        Mount { cell: plan.cell.clone(), turn, seed: plan.seed, delay_seed }
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
        let origins = self.origin.ready.origins.clone();
        planned(self.schedule, (self.block, name), origins)
            .ok_or_else(|| "the schedule does not know it".to_owned())
    }

    /// Returns the model behind a participant.
    fn model(&self, name: &str) -> Result<&'a Model> {
        self.schedule.model(name).context("failed to find a model of the schedule")
    }

    /// Starts the process of a participant.
    fn started(&self, name: &str) -> Result<participant::Started, String> {
        let model = self.model(name).map_err(|error| error.to_string())?;
        let program: Option<&Program> = self.programs.models.get(&model.name);
        let program = program.ok_or("its program was not built")?;
        let placement = &self.schedule.placement;
        participant::start((model, program), (placement.workers, &placement.model_cpus))
    }

    /// Reads what the machine does.
    fn read_host(&self) -> Option<HostReading> {
        HostReading::before(&self.schedule.placement)
    }

    /// Returns the CPU time that the participants that stay and the origin have used so far, if the
    /// system reports of each.
    fn used(&self) -> Option<(Duration, Duration)> {
        let models = self.seats.values().flatten().map(Participant::cpu).sum::<Option<_>>()?;
        Some((models, self.origin.cpu()?))
    }
}

impl Outcome {
    /// Returns what is written down of it.
    fn record(
        self,
        (block, model): (&Block, &str),
        (round, position): (u32, u32),
        (began, started): (Instant, SystemTime),
    ) -> TurnRecord {
        let charged_ns = self.taken.as_ref().and_then(|taken| taken.charged_ns);
        TurnRecord {
            block: block.number,
            round,
            position,
            cell: block.cell.clone(),
            model: model.to_owned(),
            started_utc: humantime::format_rfc3339_millis(started).to_string(),
            spent_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            state: self.state,
            turned: self.taken.map(|taken| taken.turned),
            receipt: self.receipt,
            charged_ns,
        }
    }
}

/// Returns the turn of that number that a participant takes in a block.
pub(crate) fn turn_of((block, cell): (&Block, &Cell), name: &str, number: u32) -> Turn {
    let place = block.participants().iter().position(|other| *other == name);
    Turn::of(cell, number, first_id(place.unwrap_or_default() as u64, number))
}
