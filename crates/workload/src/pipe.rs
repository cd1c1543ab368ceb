//! The pipe between the harness and a model: one JSON object a line, over stdin and stdout.
//!
//! The same two functions read and write the lines on both sides, and on the pipe of the origin,
//! so that there is no second reader of the protocol.

use std::collections::BTreeMap;
use std::io::{BufRead, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cell::is_0;
use crate::{Error, Plan, Turn, plain_line};

/// The version of the protocol.
pub const PROTOCOL: u32 = 2;
/// The longest line; a turn with every possible latency has a tenth of it.
pub const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// What the harness sends to a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToModel {
    /// The work of this process.
    Plan(Plan),
    /// The next turn.
    Turn(Turn),
}

/// What a model sends to the harness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "there is one of it in a turn")]
pub enum FromModel {
    /// The first line: who speaks.
    Hello(Hello),
    /// Its units exist, or, of a batch, can be started.
    Ready,
    /// A turn is over: what was counted and what it cost.
    Turned(Turned),
}

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The version of the protocol.
    pub protocol: u32,
    /// The model's name.
    pub model: String,
    /// The versions of what the model is built on.
    pub versions: BTreeMap<String, String>,
    /// Whether it was compiled with debug assertions; such a model is never measured.
    #[serde(default)]
    pub debug_assertions: bool,
}

/// What was counted in a turn and what it cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Turned {
    /// The number of the turn.
    pub turn: u32,
    /// The measured window.
    pub window: Window,
    /// All fetches, those of the warm-up and the surplus included.
    pub total: Total,
    /// The threads of the process.
    pub threads: u64,
    /// The most fetches that had been dealt and had not ended.
    pub in_flight_peak: u64,
    /// What the threads had used and waited for in the turn, if the kernel reports.
    #[serde(default)]
    pub scheduled: Option<Scheduled>,
    /// Service times of the window's ok fetches, as pairs of value (three digits) and count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latencies_ns: Vec<(u64, u64)>,
    /// How late each wake-up of the probe task was that was due in the window, in the same form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wake_up_delays_ns: Vec<(u64, u64)>,
    /// Of fetches that arrive at a rate: how long after its arrival each was answered that arrived
    /// in the window, in the same form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responses_ns: Vec<(u64, u64)>,
    /// How long after its arrival each of them was sent, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lags_ns: Vec<(u64, u64)>,
}

/// The measured window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Window {
    /// Fetches that ended in it.
    pub ended: u64,
    /// Those of them that were ok.
    pub ok: u64,
    /// Its length by the monotonic clock.
    pub wall_ns: u64,
    /// CPU time of all threads of the process, but for that of the pacer.
    pub cpu_ns: u64,
    /// CPU time of the pacer, which hands fetches in where a cell asks for that.
    #[serde(default, skip_serializing_if = "is_0")]
    pub pacer_ns: u64,
    /// The part of both spent in user mode, as the kernel samples it.
    pub user_ns: u64,
    /// The part of both spent in the kernel, as the kernel samples it.
    pub system_ns: u64,
    /// Times a thread other than the pacer gave the CPU up, if the kernel counts them.
    pub switches_voluntary: Option<u64>,
    /// Times a thread lost the CPU, likewise.
    pub switches_involuntary: Option<u64>,
    /// Pages mapped without reading from disk, likewise.
    pub faults_minor: Option<u64>,
}

impl Window {
    /// Returns the CPU time of each fetch that ended in it, or of each operation, in nanoseconds:
    /// no number if none ended.
    #[expect(clippy::cast_precision_loss, reason = "neither comes near to 2^53")]
    pub fn cpu_ns_each(&self) -> f64 {
        self.cpu_ns as f64 / self.ended as f64
    }
}

/// What the kernel's scheduler gave to threads, and let them wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Scheduled {
    /// Time on a CPU.
    pub cpu_ns: u64,
    /// Time spent ready to run, waiting for a CPU.
    pub run_delay_ns: u64,
}

/// All fetches of a turn: `issued == ok + the sum of errors`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Total {
    /// Ids that were dealt.
    pub issued: u64,
    /// Fetches whose reply was read whole and verified.
    pub ok: u64,
    /// Failed fetches by the number of their code.
    pub errors: BTreeMap<String, u64>,
    /// Replies that were followed by bytes belonging to none; these fetches may be ok.
    #[serde(default)]
    pub extra_bytes: u64,
}

impl Hello {
    /// Returns the hello of a package: its name without `model-` or `primitives-`, and the exact
    /// versions that its manifest pins with `=`. [`hello!`](crate::hello) calls it with both.
    pub fn of_package(package: &str, manifest: &str) -> Self {
        let name = package.strip_prefix("model-").or(package.strip_prefix("primitives-"));
        let name = name.unwrap_or(package);
        Self {
            protocol: PROTOCOL,
            model: name.to_owned(),
            versions: manifest.lines().filter_map(pin).collect(),
            debug_assertions: cfg!(debug_assertions),
        }
    }
}

/// Returns the hello of the package that calls it, read from its manifest at compile time, so
/// that a version stands in one place.
#[macro_export]
macro_rules! hello {
    () => {
        $crate::pipe::Hello::of_package(
            env!("CARGO_PKG_NAME"),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")),
        )
    };
}

/// Returns name and version where a line of a manifest pins a dependency: `name = "=1.2.3"` or
/// `name = { version = "=1.2.3", … }`.
fn pin(line: &str) -> Option<(String, String)> {
    let (name, rest) = line.split_once('=')?;
    let (_, rest) = rest.split_once("\"=")?;
    let (version, _) = rest.split_once('"')?;
    Some((name.trim().to_owned(), version.trim().to_owned()))
}

/// Reads one message, or nothing at the end of the pipe.
///
/// # Errors
///
/// Says what is wrong with the line, if it is too long, not UTF-8, cut off, or not this message.
pub fn read<M: DeserializeOwned>(pipe: &mut impl BufRead) -> Result<Option<M>, Error> {
    let mut line = Vec::new();
    pipe.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        let what = match line.len() as u64 + 1 {
            LINE_BYTES_MAX.. => format!("a line of more than {LINE_BYTES_MAX} bytes"),
            length => format!("the last line is cut off after {length} bytes"),
        };
        return Err(Error::Protocol(what));
    }

    serde_json::from_slice(&line).map(Some).map_err(|error| {
        let shown: String = String::from_utf8_lossy(&line).chars().take(120).collect();
        // The error may quote the line too.
        let error = plain_line(&error.to_string(), 160);
        Error::Protocol(format!("expected a message, found {shown:?}: {error}"))
    })
}

/// Writes one message and flushes it.
///
/// # Errors
///
/// Returns the error of the pipe.
pub fn write<M: Serialize>(pipe: &mut impl Write, message: &M) -> Result<(), Error> {
    let mut line = serde_json::to_vec(message)
        .map_err(|error| Error::Protocol(format!("a message cannot be written: {error}")))?;
    line.push(b'\n');
    pipe.write_all(&line)?;
    pipe.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain;

    #[test]
    fn two_messages_come_out_as_they_went_in() {
        let first = Hello::of_package("model-a", "");
        let second = Hello::of_package("model-b", "x = \"=1.0.0\"");
        let mut bytes = Vec::new();
        write(&mut bytes, &first).unwrap();
        write(&mut bytes, &second).unwrap();
        let mut pipe = bytes.as_slice();
        assert_eq!(read::<Hello>(&mut pipe).unwrap(), Some(first));
        assert_eq!(read::<Hello>(&mut pipe).unwrap(), Some(second));
        assert_eq!(read::<Hello>(&mut pipe).unwrap(), None);
    }

    #[test]
    fn only_exact_pins_are_versions() {
        let manifest = "[dependencies]\nmodel-kit = { workspace = true }\ntokio = { version = \
                        \"=1.2.3\", features = [\"rt\"] }\nmio = \"=1.0.1\"\nserde = \"1\"\n";
        let hello = Hello::of_package("model-tokio", manifest);
        let expected = [("mio", "1.0.1"), ("tokio", "1.2.3")];
        assert_eq!(hello.model, "tokio");
        assert_eq!(hello.versions, expected.map(|(n, v)| (n.to_owned(), v.to_owned())).into());
    }

    #[test]
    fn a_malformed_line_on_the_pipe_is_reported_in_one_sentence() {
        let long = vec![b'x'; 2_000_000];
        let deep = [&b"{\"versions\":"[..], &[b'['; 5_000], b"\n"].concat();
        let name = format!("{{\"model\":1,\"{}\":2}}\n", "x".repeat(9_000));
        let cases: [(&[u8], &str); 17] = [
            (b"hello\n", "expected a message"),
            (b"{\"protocol\":1", "cut off after"),
            (b"{\"protocol\":-1}\n", "expected a message"),
            (b"\xff\xfe\n", "expected a message"),
            (&long, "more than 1048576 bytes"),
            (b"\n", "expected a message"),
            (b"{\"protocol\":NaN}\n", "expected a message"),
            (b"{\"protocol\":1e400}\n", "out of range"),
            (b"{\"protocol\":1.5}\n", "expected u32"),
            (b"{\"protocol\":18446744073709551616}\n", "expected u32"),
            (b"{\"protocol\":1,\"protocol\":1}\n", "duplicate field"),
            (b"{\"protocol\":1,\"model\":\"\xff\"}\n", "invalid unicode"),
            (b"{\"__proto__\":{\"protocol\":1}}\n", "missing field"),
            (b"[[[[\n", "expected a message"),
            (b"{\"protocol\":1} {\n", "expected a message"),
            (&deep, "invalid type: sequence"),
            (name.as_bytes(), "expected a message"),
        ];
        for (mut bytes, expected) in cases {
            let error = read::<Hello>(&mut bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(error.len() < 400, "{error}");
            assert_eq!(error, plain(&error), "nothing of it moves a cursor");
        }
    }

    #[test]
    fn a_message_that_would_move_a_cursor_is_reported_without_it() {
        let line = b"{\"\\u001b]0;title\\u0007\":1}\n";
        let error = read::<FromModel>(&mut &line[..]).unwrap_err().to_string();
        assert!(error.contains("title") && !error.contains('\u{1b}'), "{error:?}");
    }
}
