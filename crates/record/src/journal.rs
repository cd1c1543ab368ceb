//! The journal: what happened, in order, one line each with a checksum, failures included.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use rules::{Charged, Reason};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use workload::Receipt;
use workload::pipe::Turned;

use crate::Held;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The first line.
    Begin(Begin),
    /// A turn has ended.
    Turn(Box<TurnRecord>),
    /// A round has ended, and counts or is measured again.
    Round(RoundRecord),
    /// A block has ended: what its participants' stays add up to.
    Block(Box<BlockRecord>),
    /// A block begins anew, since its origin failed.
    Again(Again),
    /// A cell has enough blocks, or the run has had its time.
    Stop(Stop),
    /// The run went on after it had been cut short.
    Resume(Resume),
}

/// How the lines that follow are to be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Begin {
    /// `inflight.journal/2.0`.
    pub schema: String,
    /// The name of the run, whatever its folder is called later; not there in a journal that was
    /// written before this was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// What became of one turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TurnRecord {
    /// The number of its block.
    pub block: u32,
    /// Its round in the block, from 0.
    pub round: u32,
    /// Its place in the order of the round, from 0.
    pub position: u32,
    /// The name of the cell.
    pub cell: String,
    /// The name of the participant: a model, a control, or a program by its package.
    pub model: String,
    /// When it began, in UTC.
    pub started_utc: String,
    /// How long it took with everything around it, in microseconds.
    pub spent_us: u64,
    /// Whether its figures may be used.
    pub state: State,
    /// How many operations were asked for, where their number differs from turn to turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<u64>,
    /// What the participant reported, if it reported anything; its latencies stand in the block's
    /// line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turned: Option<Turned>,
    /// What the origin saw, if it could say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// CPU time that the kernel charged the process with from before the turn until after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charged_ns: Option<u64>,
    /// What was read while all fetches were in flight, where the origin holds them; nothing if they
    /// never were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

/// What became of one round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoundRecord {
    /// The number of its block.
    pub block: u32,
    /// Its place in the block, from 0.
    pub round: u32,
    /// What disturbed it; a round with a reason here is measured again, and its turns count for
    /// nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbed: Vec<Reason>,
    /// What the machine did meanwhile, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
}

/// What became of one block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BlockRecord {
    /// Its number.
    pub block: u32,
    /// The participants, by name.
    pub stays: BTreeMap<String, StayRecord>,
}

/// What the counted turns of a participant in a block add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StayRecord {
    /// The versions that the model reported.
    pub versions: BTreeMap<String, String>,
    /// Why no turn of the stay may be used: laws that one turn has too few fetches for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invalid: Vec<Reason>,
    /// Service times of the ok fetches of its windows, as pairs of value (three digits) and count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latencies_ns: Vec<(u64, u64)>,
    /// How late each wake-up of the probe task was that was due in a window, in the same form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wake_up_delays_ns: Vec<(u64, u64)>,
    /// How long after its arrival each ok fetch was answered that arrived in a window at a rate, in
    /// the same form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responses_ns: Vec<(u64, u64)>,
    /// How long after its arrival each of them was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lags_ns: Vec<(u64, u64)>,
    /// The most memory that the process held at once, in KiB; of several the most.
    pub memory_peak_kib: u64,
    /// The time between its turns, in nanoseconds.
    pub idle_wall_ns: u64,
    /// CPU time that the kernel charged it with meanwhile.
    pub idle_cpu_ns: u64,
    /// Whether the kernel does not say which processes it started.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hides_children: bool,
}

/// Whether a turn's figures may be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It kept every law.
    Valid,
    /// It ended, and these reasons forbid its use.
    Invalid(Vec<Reason>),
    /// It did not end as it should have, for this reason.
    Failed(String),
    /// It was not taken: the participant had failed before in the block.
    Out,
}

/// What the machine did while a round ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Host {
    /// CPU time that all CPUs together had, in nanoseconds.
    pub capacity_ns: u64,
    /// The part of it in which they were busy.
    pub busy_ns: u64,
    /// The part of it that the hypervisor gave to others.
    pub steal_ns: u64,
    /// CPU time of all participants.
    pub models_ns: u64,
    /// CPU time of the origin.
    pub origin_ns: u64,
    /// CPU time of the harness.
    pub harness_ns: u64,
    /// How fast a model's CPU went through a fixed loop just before, in loops per millisecond.
    pub probe_per_ms: u64,
    /// How much further the time of day went than the monotonic clock, in milliseconds: the machine
    /// slept or was paused, or its clock was set.
    #[serde(default)]
    pub clock_jump_ms: i64,
    /// How often the control group that was hit most withheld the CPU from its processes; null
    /// where no group reports.
    #[serde(default)]
    pub throttled: Option<u64>,
    /// Connections of the whole network namespace that lingered after their end (`TIME_WAIT`) as
    /// the round ended: what it has left for the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lingering: Option<u64>,
    /// Whether an origin still had connections of a turn in which fetches were held a minute after
    /// its end, so that the next turn began beside them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unclosed: bool,
}

/// A block begins anew: turns before this line that belong to it were cut. They stay, and are left
/// out of every figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Again {
    /// Its number.
    pub block: u32,
    /// Why.
    pub reason: Reason,
}

/// Why blocks that were planned were not measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stop {
    /// The cell that has enough; none stands for the whole run.
    pub cell: Option<String>,
    /// After so many blocks of the cell, or of the run.
    pub blocks: u32,
    /// Why.
    pub reason: String,
}

/// A run went on after it had been cut short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resume {
    /// When, in UTC.
    pub at_utc: String,
    /// The first block that is measured now. Turns before this line that belong to it were cut:
    /// they stay, and are left out of every figure.
    pub block: u32,
    /// The session to which that block belongs.
    #[serde(default)]
    pub session: u32,
    /// SHA-256 of each program that ran from then on, by package.
    #[serde(default)]
    pub programs_sha256: BTreeMap<String, String>,
}

impl TurnRecord {
    /// Returns the participant's own figures, if they may be used.
    pub fn valid(&self) -> Option<&Turned> {
        self.turned.as_ref().filter(|_| self.state == State::Valid)
    }

    /// Returns its CPU time as reported and as charged, if the kernel said what it charged.
    pub fn charged(&self) -> Option<Charged> {
        let turned = self.turned.as_ref()?;
        Some(Charged {
            // The kernel charges the process with its pacer too.
            reported_ns: turned.window.cpu_ns.saturating_add(turned.window.pacer_ns),
            ended: turned.window.ended,
            charged_ns: self.charged_ns?,
            issued: turned.total.issued,
        })
    }
}

impl State {
    /// Returns why the figures may not be used, in a sentence; of a turn that is valid nothing.
    pub fn why(&self) -> String {
        match self {
            Self::Valid => String::new(),
            Self::Invalid(reasons) => {
                reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
            }
            Self::Failed(why) => why.clone(),
            Self::Out => "it had failed before in the block".to_owned(),
        }
    }

    /// Returns whether it speaks against the model: not where the origin or the machine brought it
    /// about, or where a busy machine excuses it.
    pub fn blames_the_model(&self) -> bool {
        match self {
            Self::Valid => false,
            Self::Invalid(reasons) => reasons.iter().any(Reason::blames_the_model),
            Self::Failed(_) | Self::Out => true,
        }
    }
}

impl Entry {
    /// Returns the line that stands for it in the journal. The checksum covers the exact text of
    /// what the line is about.
    ///
    /// # Errors
    ///
    /// Says what cannot be written.
    pub fn to_line(&self) -> Result<String> {
        let whole = serde_json::to_string(self).context("failed to write a line of the journal")?;
        let content = content(&whole)?;
        Ok(format!("{{\"crc32\":\"{}\",{}\n", checksum(content), &whole[1..]))
    }

    /// Returns what a line stands for.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the line.
    pub fn from_line(line: &str) -> Result<Self> {
        serde_json::from_str(&whole(line)?).context("failed to read what the line is about")
    }
}

/// Returns what a line is without its checksum, which is held against it.
fn whole(line: &str) -> Result<String> {
    let (reported, whole) = split(line).context("failed to read the line")?;
    ensure!(reported == checksum(content(&whole)?), "failed to match the checksum of the line");
    Ok(whole)
}

/// Splits a line into its checksum and what the line is without it.
fn split(line: &str) -> Option<(&str, String)> {
    let rest = line.strip_prefix("{\"crc32\":\"")?;
    let (reported, rest) = rest.split_at_checked(8)?;
    let rest = rest.strip_prefix("\",")?;
    Some((reported, format!("{{{rest}")))
}

/// Returns the text that the checksum covers: the value of the one field.
fn content(whole: &str) -> Result<&str> {
    let fields: BTreeMap<&str, &RawValue> =
        serde_json::from_str(whole).context("failed to read the line")?;
    ensure!(fields.len() == 1, "failed to read the line: it is about {} things", fields.len());
    Ok(fields.into_values().next().map_or("", RawValue::get))
}

/// Returns the CRC-32 of a text, as eight hexadecimal digits.
fn checksum(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(state: State) -> Entry {
        Entry::Turn(Box::new(TurnRecord {
            block: 1,
            round: 3,
            position: 2,
            cell: "steady".to_owned(),
            model: "tokio".to_owned(),
            started_utc: "2026-11-22T10:15:02Z".to_owned(),
            spent_us: 95_000,
            state,
            turned: None,
            receipt: None,
            asked: None,
            charged_ns: Some(7),
            held: None,
        }))
    }

    fn round(disturbed: Vec<Reason>) -> Entry {
        Entry::Round(RoundRecord { block: 1, round: 3, disturbed, host: Some(Host::default()) })
    }

    #[test]
    fn what_the_kernel_charges_is_held_against_what_a_model_and_its_pacer_used_together() {
        let turned = serde_json::from_value(serde_json::json!({
            "turn": 0,
            "window": {
                "ended": 2, "ok": 2, "wall_ns": 9, "cpu_ns": 3, "pacer_ns": 4, "user_ns": 0,
                "system_ns": 0
            },
            "total": { "issued": 3, "ok": 3, "errors": {} }, "threads": 2, "in_flight_peak": 1
        }));
        let Entry::Turn(turn) = turn(State::Valid) else { panic!("it is a turn") };
        let charged = TurnRecord { turned: Some(turned.unwrap()), ..*turn }.charged().unwrap();
        assert_eq!((charged.reported_ns, charged.charged_ns), (7, 7));
    }

    #[test]
    fn every_kind_of_line_comes_back_as_it_went_in() {
        let stop = Stop { cell: None, blocks: 3, reason: "40 minutes are over".to_owned() };
        let resume = Resume {
            at_utc: "2026-11-22T10:15:02Z".to_owned(),
            block: 7,
            session: 0,
            programs_sha256: BTreeMap::new(),
        };
        let entries = [
            Entry::Begin(Begin { schema: "inflight.journal/2.0".to_owned(), run: None }),
            turn(State::Valid),
            turn(State::Invalid(vec![Reason::NoTime, Reason::Strays { count: 2 }])),
            turn(State::Failed("b".to_owned())),
            turn(State::Out),
            round(Vec::new()),
            round(vec![Reason::ClockJumped { ms: -3 }]),
            Entry::Block(Box::new(BlockRecord {
                block: 1,
                stays: [("tokio".to_owned(), StayRecord::default())].into(),
            })),
            Entry::Again(Again { block: 1, reason: Reason::OriginFailed { why: "c".into() } }),
            Entry::Stop(stop),
            Entry::Resume(resume),
        ];
        for entry in entries {
            assert_eq!(Entry::from_line(&entry.to_line().unwrap()).unwrap(), entry);
        }
    }

    #[test]
    fn a_line_with_any_byte_changed_is_refused() {
        let line = turn(State::Valid).to_line().unwrap();
        for place in 0..line.len() - 1 {
            let mut bytes = line.clone().into_bytes();
            bytes[place] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(Entry::from_line(&changed).is_err(), "{changed}");
        }
    }

    #[test]
    fn a_line_about_two_things_or_none_is_refused() {
        for line in ["", "{}", "[1]", "{\"crc32\":\"00000000\",\"a\":1,\"b\":2}"] {
            assert!(Entry::from_line(line).is_err(), "{line}");
        }
    }
}
