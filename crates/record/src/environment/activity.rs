//! Activity: what else the machine was doing when the run began.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::source;

/// What else the machine was doing. Processes are counted, never named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Activity {
    /// When this was read, in UTC: just before the first trial.
    pub read_utc: Fact,
    /// The mean number of runnable threads over the last 1, 5 and 15 minutes.
    pub load_averages: Fact,
    /// Threads that run or could run, the reader's own among them.
    pub threads_runnable: Option<u64>,
    /// Processes, the reader's own among them.
    pub processes: Option<u64>,
    /// Share of the last ten seconds in which a thread waited for a CPU, in percent.
    pub cpu_pressure_percent: Fact,
}

impl Activity {
    /// Reads what this machine is doing.
    pub(super) fn read() -> Self {
        let load = source::line("/proc/loadavg");
        let words: Vec<&str> = load.as_str().split(' ').collect();
        let processes = source::names("/proc").map(|names| {
            names.iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).count()
        });
        let pressure = source::line("/proc/pressure/cpu");
        let pressure = pressure.as_str().split("avg10=").nth(1).map(first_word);

        Self {
            read_utc: humantime::format_rfc3339_seconds(SystemTime::now()).to_string().into(),
            load_averages: words.get(..3).map(|averages| averages.join(" ")).into(),
            threads_runnable: words
                .get(3)
                .and_then(|threads| threads.split_once('/'))
                .and_then(|(runnable, _)| runnable.parse().ok()),
            processes: processes.and_then(|count| count.try_into().ok()),
            cpu_pressure_percent: pressure.into(),
        }
    }
}

/// Returns the first word of a text.
fn first_word(text: &str) -> String {
    text.split(' ').next().unwrap_or_default().to_owned()
}
