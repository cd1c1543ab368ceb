//! Models held against an origin that misbehaves: every model counts every failure once, and bare
//! models say the same of it.
//!
//! A bare model in another language has a reader of its own: it must say the same, but for a quirk
//! of it. What a model with a library client must say is less, since a library hides where a fetch
//! broke: as many failures, each in the family of the bare model's code, or the code for a
//! deadline. Where a library does something else, that is a quirk with a name, in [`QUIRKS`].

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use origin::{FAULTS, FULL, Fault, REFUSING, Record, SCRIPTED, Script, Verdict};
use record::Model;
use rules::STALLED_MS;
use workload::pipe::Total;
use workload::{Cell, DelayRange, ErrorCode, Plan, Workload, ids_digest};

use crate::quirks::{Finds, QUIRKS, Quirk};
use crate::{OriginProcess, Program, Reported, converse, language};

/// The seed of every trial.
const SEED: u64 = 6;
/// The length of every body.
const BODY_BYTES: u32 = 128;
/// Fetches of a trial.
const FETCHES: u64 = 12;
/// Those of them that get a bad reply, where good ones are mixed in.
const FAULTY: u64 = 4;
/// The limit of time where a fault has no end of its own, in milliseconds.
const DEADLINE_MS: u64 = 300;
/// The limit with which it is made again if a model disagrees: on a busy machine good replies are
/// late too.
const PATIENT_DEADLINE_MS: u64 = 1_500;

/// One trial with one fault.
#[derive(Clone, Copy, Debug)]
pub struct FaultCase {
    /// The row of the table of faults.
    pub row: &'static str,
    /// The name of the fault.
    pub name: &'static str,
    /// What is scripted, if anything listens.
    fault: Option<&'static Fault>,
    /// Which of the origin's addresses is fetched from.
    place: usize,
    /// What a bare model says where nothing is scripted.
    unheard: Option<ErrorCode>,
}

/// What a model made of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// It says what it must.
    Agrees,
    /// Its library does what is known of it.
    Quirk(String),
    /// It says something else.
    Fails(String),
}

/// A model held against a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultVerified {
    /// The row of the table of faults.
    pub row: String,
    /// The name of the fault.
    pub fault: String,
    /// The name of the model.
    pub model: String,
    /// The failures that it counted, by code.
    pub failures: BTreeMap<String, u64>,
    /// What came of it.
    pub agreement: Agreement,
}

/// Returns every trial that a model is put through.
pub fn fault_cases() -> Vec<FaultCase> {
    let unheard =
        |row, name, place, code| FaultCase { row, name, fault: None, place, unheard: Some(code) };
    let scripted = FAULTS.iter().map(|fault| FaultCase {
        row: fault.row,
        name: fault.name,
        fault: Some(fault),
        place: SCRIPTED,
        unheard: None,
    });
    let refused = unheard("F01", "refused", REFUSING, ErrorCode::ConnectRefused);
    let full = unheard("F02", "backlog_full", FULL, ErrorCode::ConnectTimeout);
    [refused, full].into_iter().chain(scripted).collect()
}

impl FaultCase {
    /// Returns what a bare model says of it, in words.
    pub fn expected(&self) -> String {
        let code = |reused| self.unheard.or_else(|| self.fault?.code(reused));
        let reused = !self.is_for_all();
        match (code(reused), self.name) {
            // Whoever looks before it uses a connection again has no failure.
            (_, "close_unannounced") => "ok, then 1402 unless noticed".to_owned(),
            (Some(code), _) => code.number().to_string(),
            (None, _) => "ok".to_owned(),
        }
    }

    /// Returns whether every reply is bad, so that every connection is fresh.
    fn is_for_all(&self) -> bool {
        ["F01", "F02", "F03", "F11"].contains(&self.row)
    }

    /// Returns whether only a deadline ends it.
    fn needs_a_deadline(&self) -> bool {
        self.place == FULL || self.fault.is_some_and(Fault::needs_a_deadline)
    }

    /// Holds a model against it, and once more with patience if it disagrees at a limit of time.
    ///
    /// # Errors
    ///
    /// Says that the origin failed, or was stalled where the model disagrees.
    pub(crate) fn verify(
        &self,
        model: (&Model, &Program),
        origin: &mut OriginProcess,
    ) -> Result<FaultVerified> {
        let once = self.verify_within(DEADLINE_MS, model, origin)?;
        match self.needs_a_deadline() && !once.works() {
            true => self.verify_within(PATIENT_DEADLINE_MS, model, origin),
            false => Ok(once),
        }
    }

    /// Holds a model against it with that limit of time where nothing else ends it.
    fn verify_within(
        &self,
        deadline_ms: u64,
        (model, program): (&Model, &Program),
        origin: &mut OriginProcess,
    ) -> Result<FaultVerified> {
        let deadline_ms = self.needs_a_deadline().then_some(deadline_ms);
        let plan = self.plan(deadline_ms, model, origin);
        origin.misbehave(self.script(&plan))?;
        let reported = converse(model, program, (&plan, &[]));
        let issued = reported.as_ref().map_or(0, |reported| reported.turned.total.issued);
        let record = origin.record_of(if self.fault.is_some() { issued } else { 0 })?;
        let (failures, agreement) = match reported {
            Err(why) => (BTreeMap::new(), Agreement::Fails(why)),
            Ok(reported) => {
                let agreement = self.compare(model, &reported, &record);
                (reported.turned.total.errors, agreement)
            }
        };
        let verified = FaultVerified {
            row: self.row.to_owned(),
            fault: self.name.to_owned(),
            model: model.name.clone(),
            failures,
            agreement,
        };
        // What a model makes of an origin that was stopped says nothing of the model.
        let (is_stalled, line) = (record.late_ms_max > STALLED_MS, verified.line());
        ensure!(verified.works() || !is_stalled, "the origin was stalled, hence {line}");
        Ok(verified)
    }

    /// Returns what a model is sent: one fetch at a time, so that each is on the same kind of
    /// connection in every model; more where each waits for its deadline.
    fn plan(&self, deadline_ms: Option<u64>, model: &Model, origin: &OriginProcess) -> Plan {
        let wanted = if deadline_ms.is_some() { 4 } else { 1 };
        let cell = Cell {
            name: self.name.to_owned(),
            workload: Workload::Batch,
            in_flight: wanted.min(model.max_in_flight.unwrap_or(u32::MAX)),
            warmup: 0,
            fetches: if self.place == FULL { FAULTY } else { FETCHES },
            delay_ms: DelayRange { lo: 0, hi: 0 },
            body_bytes: BODY_BYTES,
            ..Cell::least(Workload::Batch)
        };
        let origins = vec![origin.ready.origins[self.place]];
        Plan { cell, origins, workers: 1, seed: SEED, deadline_ms, surcharge_ns: 0 }
    }

    /// Returns what the origin is sent.
    fn script(&self, plan: &Plan) -> Script {
        let fetches = plan.cell.fetches;
        Script {
            seed: plan.seed,
            body_bytes: plan.cell.body_bytes,
            fetches,
            faulty: if self.is_for_all() { fetches } else { FAULTY },
            faults: self.fault.iter().map(|fault| fault.name.to_owned()).collect(),
        }
    }

    /// Compares what a model reported with what the origin did.
    fn compare(&self, model: &Model, reported: &Reported, record: &Record) -> Agreement {
        let total = &reported.turned.total;
        let issued = total.issued;
        let failures = match self.unheard {
            Some(code) => BTreeMap::from([(code.number().to_string(), issued)]),
            None => record.failures.clone(),
        };
        let reported_all = laws(self, reported, record).or_else(|| {
            let bad: u64 = record.bad.values().sum();
            let followed = match self.fault {
                Some(fault) if fault.name == "extra_bytes" => bad,
                // Those before the first reply of a connection belong to it.
                Some(Fault { verdict: Verdict::OkIfReused(_), .. }) => {
                    bad.saturating_sub(failures.values().sum())
                }
                _ => 0,
            };
            (model.is_bare() && total.extra_bytes != followed).then(|| {
                format!("{} replies with extra bytes, of {followed} sent", total.extra_bytes)
            })
        });
        let versions = &reported.hello.versions;
        let quirk = QUIRKS.iter().find(|quirk| quirk.is_of(model, versions, self.name));
        let differs = reported_all.or_else(|| match (quirk, model.is_bare()) {
            (Some(quirk), _) => quirk.differs(total, &failures),
            (None, true) => (total.errors != failures).then(|| {
                format!("counted {}, expected {}", shown(&total.errors), shown(&failures))
            }),
            (None, false) => in_family(self, total, &failures),
        });
        match (differs, quirk) {
            (Some(why), _) => Agreement::Fails(why),
            (None, Some(quirk)) => Agreement::Quirk(quirk.named(&reported.hello)),
            (None, None) => Agreement::Agrees,
        }
    }
}

/// Returns which law of counting is broken, if one is: every fetch ends once, is one request, and
/// is in the latencies if and only if it is ok.
fn laws(case: &FaultCase, reported: &Reported, record: &Record) -> Option<String> {
    let (trial, total) = (&reported.turned, &reported.turned.total);
    let failed: u64 = total.errors.values().sum();
    let timed: u64 = trial.latencies_ns.iter().map(|(_, count)| count).sum();
    let requests = if case.fault.is_some() { total.issued } else { 0 };
    let other = total.errors.get("1999").copied().unwrap_or(0);
    match () {
        () if total.ok + failed != total.issued => {
            Some(format!("{} ok and {failed} failed of {} fetches", total.ok, total.issued))
        }
        () if timed != total.ok => Some(format!("{timed} latencies for {} ok fetches", total.ok)),
        () if record.requests != requests || record.strays > 0 => Some(format!(
            "the origin read {} requests and {} strays of {} fetches",
            record.requests, record.strays, total.issued
        )),
        () if requests > 0 && record.requests_digest != ids_digest(0..total.issued) => {
            Some("the origin read other ids than were dealt".to_owned())
        }
        () if other > 0 => Some(format!("{other} failures without a code of their own")),
        () => None,
    }
}

/// Returns how the failures differ in number or family, if they do. A library that was cut at its
/// deadline does not show where.
fn in_family(case: &FaultCase, total: &Total, failures: &BTreeMap<String, u64>) -> Option<String> {
    let may = |code: &String| {
        failures.keys().any(|expected| code[..2] == expected[..2])
            || (code == "1007" && case.needs_a_deadline())
    };
    let sum = |failures: &BTreeMap<String, u64>| failures.values().sum::<u64>();
    let agrees = sum(&total.errors) == sum(failures) && total.errors.keys().all(may);
    (!agrees).then(|| {
        format!("counted {}, expected the families of {}", shown(&total.errors), shown(failures))
    })
}

impl Quirk {
    /// Returns what its client does, with the version of the client.
    fn named(&self, hello: &workload::pipe::Hello) -> String {
        // A model that is its own client has the version of its language.
        let version =
            hello.versions.get(self.client).or_else(|| language::version(&hello.versions));
        format!("{} {} {}", self.client, version.map_or("", String::as_str), self.does)
    }

    /// Returns how a model differs from what is known of its client, if it does.
    fn differs(&self, total: &Total, failures: &BTreeMap<String, u64>) -> Option<String> {
        let (found, expected) =
            (total.errors.values().sum::<u64>(), failures.values().sum::<u64>());
        let all = |code: ErrorCode| total.errors.keys().all(|c| *c == code.number().to_string());
        let known = match self.finds {
            Finds::Nothing => found == 0,
            Finds::Code(code) => found == expected && all(code),
            Finds::Refuses(code) => found == FAULTY && all(code),
        };
        (!known).then(|| {
            format!(
                "counted {}, and {} was known to say otherwise: {:?}",
                shown(&total.errors),
                self.client,
                self.finds
            )
        })
    }
}

impl FaultVerified {
    /// Returns whether the model counts as it must, or as is known of its library.
    pub fn works(&self) -> bool {
        !matches!(self.agreement, Agreement::Fails(_))
    }

    /// Returns it as a line.
    pub fn line(&self) -> String {
        let name = format!("{} {}/{}", self.row, self.fault, self.model);
        match &self.agreement {
            Agreement::Agrees => format!("OK         {name}: {}", shown(&self.failures)),
            Agreement::Quirk(what) => {
                format!("QUIRK      {name}: {}; {what}", shown(&self.failures))
            }
            Agreement::Fails(why) => format!("FAIL       {name}: {why}"),
        }
    }
}

/// Returns counts by code in words.
fn shown(failures: &BTreeMap<String, u64>) -> String {
    let counts = failures.iter().map(|(code, count)| format!("{count} x {code}"));
    match failures.is_empty() {
        true => "no failure".to_owned(),
        false => counts.collect::<Vec<_>>().join(", "),
    }
}
