//! What others do on the machine: counters of the kernel, read twice, a second apart.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};

use super::text::{after, counter, percent, text, unseen};
use super::{Health, Opinion, Readings, grade, quota};

/// How long the machine is watched: a hundred ticks of each CPU, which resolves a percent.
const WATCHED: Duration = Duration::from_secs(1);
/// Blocks even out the first share, which is usual in rented machines; above the second a figure
/// is the neighbours'.
const STEAL: [f64; 2] = [0.02, 0.10];
/// Blocks even out the first share; the second is one of four CPUs, or half of one of two.
const FOREIGN: [f64; 2] = [0.05, 0.25];
/// Threads that wait for a CPU make models wait just so: the limits are those of foreign load.
const PRESSURE: [f64; 2] = FOREIGN;
/// Load for each CPU above which the last minute was not quiet.
const AVERAGE_A_CPU: f64 = 0.5;

/// What happened within the second.
#[derive(Default)]
pub(super) struct Load {
    /// The share of all CPU time that the hypervisor took.
    pub(super) steal: Option<f64>,
    /// The share that other processes used.
    pub(super) foreign: Option<f64>,
    /// The load average of the last minute.
    pub(super) average: Option<f64>,
    /// The share of the second in which some thread waited for a CPU.
    pub(super) cpu_pressure: Option<f64>,
    /// The share in which some thread waited for memory.
    pub(super) memory_pressure: Option<f64>,
    /// How often a quota stopped this process's group, ever and within the second.
    pub(super) throttled: Option<(u64, u64)>,
    /// Pages that went to swap or came from it.
    pub(super) swapped: Option<u64>,
    /// Connections that a listener dropped.
    pub(super) dropped: Option<u64>,
}

/// The counters at one time.
#[derive(Clone, Default)]
struct Counters {
    ticks: Option<Ticks>,
    own: Duration,
    cpu_waits_us: Option<u64>,
    memory_waits_us: Option<u64>,
    throttled: Option<u64>,
    swapped: Option<u64>,
    dropped: Option<u64>,
}

/// Where the time of all CPUs went, in the ticks of `/proc/stat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ticks {
    cpus: u32,
    busy: u64,
    stolen: u64,
    all: u64,
}

impl Load {
    /// Watches the machine for a second.
    pub(super) fn read(groups: &[PathBuf]) -> Self {
        let average = text("/proc/loadavg").and_then(|text| first_number(&text));
        let before = Counters::read(groups);
        let began = Instant::now();
        thread::sleep(WATCHED);
        let after = Counters::read(groups);
        Self { average, ..Self::between((&before, &after), began.elapsed()) }
    }

    /// Returns what happened between two readings.
    fn between((before, after): (&Counters, &Counters), elapsed: Duration) -> Self {
        let more = |before: Option<u64>, after: Option<u64>| Some(after?.saturating_sub(before?));
        let waits = |before, after| Some(micros(more(before, after)?) / elapsed.as_secs_f64());
        let ticks = before.ticks.zip(after.ticks).and_then(|(before, after)| after.since(before));
        let own = after.own.saturating_sub(before.own).as_secs_f64() / elapsed.as_secs_f64();
        Self {
            steal: ticks.map(|(stolen, _)| stolen),
            foreign: ticks
                .zip(after.ticks)
                .map(|((_, busy), ticks)| (busy - own / f64::from(ticks.cpus.max(1))).max(0.0)),
            average: None,
            cpu_pressure: waits(before.cpu_waits_us, after.cpu_waits_us),
            memory_pressure: waits(before.memory_waits_us, after.memory_waits_us),
            throttled: after.throttled.zip(more(before.throttled, after.throttled)),
            swapped: more(before.swapped, after.swapped),
            dropped: more(before.dropped, after.dropped),
        }
    }
}

impl Counters {
    /// Reads them.
    fn read(groups: &[PathBuf]) -> Self {
        let pages = text("/proc/vmstat");
        Self {
            ticks: text("/proc/stat").and_then(|text| Ticks::of(&text)),
            own: own_time(),
            cpu_waits_us: text("/proc/pressure/cpu").and_then(|text| waits(&text)),
            memory_waits_us: text("/proc/pressure/memory").and_then(|text| waits(&text)),
            throttled: quota::throttled(groups),
            swapped: pages
                .and_then(|text| Some(after(&text, "pswpin")? + after(&text, "pswpout")?)),
            dropped: dropped(text("/proc/net/snmp"), text("/proc/net/netstat")),
        }
    }
}

impl Ticks {
    /// Reads the first line of `/proc/stat`, and counts the lines of single CPUs.
    fn of(stat: &str) -> Option<Self> {
        let (name, numbers) = stat.lines().next()?.split_once(' ')?;
        let numbers: Vec<u64> = numbers.split_whitespace().map_while(|n| n.parse().ok()).collect();
        // The two last, time of guests, are contained in the two first.
        let [user, nice, system, idle, io_wait, irq, soft_irq, stolen, ..] = numbers[..] else {
            return None;
        };
        let busy = user + nice + system + irq + soft_irq;
        let single = stat.lines().skip(1).take_while(|line| line.starts_with(name));
        let cpus = u32::try_from(single.count()).ok()?;
        Some(Self { cpus, busy, stolen, all: busy + idle + io_wait + stolen })
    }

    /// Returns the stolen and the busy share since an earlier time.
    fn since(self, before: Self) -> Option<(f64, f64)> {
        let all = self.all.checked_sub(before.all).filter(|all| *all > 0)?;
        let share = |after: u64, before: u64| ratio(after.saturating_sub(before), all);
        Some((share(self.stolen, before.stolen), share(self.busy, before.busy)))
    }
}

/// Checks what the hypervisor takes.
pub(super) fn steal(readings: &Readings) -> Opinion {
    let Some(share) = readings.load.steal else {
        return Opinion::doubtful(unseen("Stolen time", "the host may slow trials unnoticed"));
    };
    let found = format!("The host took {} of the CPU time", percent(share));
    match grade(share, STEAL) {
        Health::Good => Opinion::good(format!("{found} within a second.")),
        Health::Doubtful => Opinion::doubtful(format!(
            "{found} within a second: intervals will be wider; a quieter hour or host helps."
        )),
        Health::Bad => Opinion::bad(format!(
            "{found} within a second: costs would be the neighbours'; wait for a quieter hour or \
             take another host."
        )),
    }
}

/// Checks what other processes use.
pub(super) fn foreign(readings: &Readings) -> Opinion {
    let Some(share) = readings.load.foreign else {
        let matters = "other processes may slow trials unnoticed";
        return Opinion::doubtful(unseen("The load of other processes", matters));
    };
    let found = format!("Other processes use {} of the CPUs", percent(share));
    match grade(share, FOREIGN) {
        Health::Good => Opinion::good(format!("{found}.")),
        Health::Doubtful => Opinion::doubtful(format!(
            "{found}, which displaces models and cools their caches, so figures scatter more."
        ))
        .fix("top -o %CPU"),
        Health::Bad => Opinion::bad(format!(
            "{found}, so a good part of each figure would be theirs, and wall times would say \
             nothing."
        ))
        .fix("top -o %CPU"),
    }
}

/// Checks the load of the last minute.
pub(super) fn average(readings: &Readings) -> Opinion {
    let (Some(average), Some(cpus)) = (readings.load.average, readings.cpu_count()) else {
        return Opinion::good(unseen("The load average", "foreign load was looked at instead"));
    };
    let found = format!("The load average of the last minute is {average:.1} on {cpus} CPUs");
    if average <= AVERAGE_A_CPU * f64::from(u32::try_from(cpus).unwrap_or(u32::MAX)) {
        return Opinion::good(format!("{found}."));
    }
    Opinion::doubtful(format!(
        "{found}: what ran, if only a build, may run again or have left the CPUs hot."
    ))
    .fix("sleep 60")
}

/// Checks how long threads wait for a CPU.
pub(super) fn cpu_pressure(readings: &Readings) -> Opinion {
    pressure(readings.load.cpu_pressure, "a CPU")
}

/// Checks how long threads wait for memory.
pub(super) fn memory_pressure(readings: &Readings) -> Opinion {
    pressure(readings.load.memory_pressure, "memory")
}

/// Checks how long threads wait for something.
fn pressure(share: Option<f64>, what: &str) -> Opinion {
    let Some(share) = share else {
        let waiting = format!("How long threads wait for {what}");
        return Opinion::good(unseen(waiting, "the kernel does not count it"));
    };
    let found = format!("Some thread waited for {what} during {} of a second", percent(share));
    let opinion = match grade(share, PRESSURE) {
        Health::Good => return Opinion::good(format!("{found}.")),
        Health::Doubtful => {
            Opinion::doubtful(format!("{found}: models would wait too, and wall times scatter."))
        }
        Health::Bad => Opinion::bad(format!("{found}: models would wait as long, and be blamed.")),
    };
    opinion.fix(match what {
        "memory" => "top -o %MEM",
        _ => "top -o %CPU",
    })
}

/// Returns how many connections listeners dropped, where all counters can be read that a receipt
/// reports.
fn dropped(snmp: Option<String>, netstat: Option<String>) -> Option<u64> {
    let (snmp, netstat) = (snmp?, netstat?);
    let count = |name| counter(&netstat, "TcpExt", name);
    let reported =
        ["PassiveOpens", "RetransSegs", "InSegs"].map(|name| counter(&snmp, "Tcp", name));
    let are_reported = reported.iter().all(Option::is_some) && count("TCPTimeouts").is_some();
    are_reported.then(|| Some(count("ListenOverflows")? + count("ListenDrops")?))?
}

/// Returns the first number of a text.
fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Returns the microseconds in which some thread waited, from a file of `/proc/pressure`.
fn waits(text: &str) -> Option<u64> {
    let some = text.lines().find(|line| line.starts_with("some "))?;
    some.rsplit_once("total=")?.1.parse().ok()
}

/// Returns the CPU time of this process, which is no foreign load.
fn own_time() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    let micros = |time: TimeVal| u64::try_from(time.num_microseconds()).unwrap_or(0);
    Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time()))
}

/// Returns microseconds as seconds.
fn micros(us: u64) -> f64 {
    Duration::from_micros(us).as_secs_f64()
}

/// Returns the ratio of two numbers of ticks, which are few.
fn ratio(part: u64, all: u64) -> f64 {
    let float = |ticks: u64| f64::from(u32::try_from(ticks).unwrap_or(u32::MAX));
    float(part) / float(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns counters whose first line of `/proc/stat` has these numbers.
    fn counters(numbers: &str) -> Counters {
        let stat = format!("cpu  {numbers}\ncpu0 1\ncpu1 1\nintr 5\n");
        Counters { ticks: Ticks::of(&stat), ..Counters::default() }
    }

    #[test]
    fn shares_are_taken_of_what_all_cpus_did() {
        let before = counters("100 0 0 500 0 0 0 10 0 0");
        let mut after = counters("110 10 10 650 0 5 5 20 0 0");
        after.own = Duration::from_millis(100);
        let load = Load::between((&before, &after), WATCHED);
        assert_eq!(load.steal, Some(0.05));
        // 40 of 200 ticks were busy, of which 10, half a CPU's tenth, are ours.
        assert!((load.foreign.unwrap() - 0.15).abs() < 1e-9, "{:?}", load.foreign);
    }

    #[test]
    fn counters_that_stand_still_or_are_absent_give_nothing() {
        let still = counters("100 0 0 500 0 0 0 10 0 0");
        assert_eq!(Load::between((&still, &still), WATCHED).steal, None);
        assert_eq!(Ticks::of("cpu 1 2 3"), None);
        assert_eq!(Ticks::of(""), None);
        let nothing = Load::between((&Counters::default(), &Counters::default()), WATCHED);
        assert_eq!((nothing.foreign, nothing.swapped), (None, None));
    }

    #[test]
    fn waits_and_events_are_those_of_the_second() {
        let before = Counters {
            cpu_waits_us: Some(1_000_000),
            throttled: Some(3),
            dropped: Some(7),
            ..Counters::default()
        };
        let after = Counters {
            cpu_waits_us: Some(1_500_000),
            throttled: Some(5),
            dropped: Some(7),
            ..Counters::default()
        };
        let load = Load::between((&before, &after), WATCHED);
        assert_eq!(load.cpu_pressure, Some(0.5));
        assert_eq!((load.throttled, load.dropped), (Some((5, 2)), Some(0)));
    }

    #[test]
    fn drops_are_known_where_all_counters_of_a_receipt_are() {
        let snmp = "Tcp: PassiveOpens InSegs RetransSegs\nTcp: 1 2 3\n";
        let netstat = "TcpExt: ListenOverflows ListenDrops TCPTimeouts\nTcpExt: 4 5 6\n";
        let reported = |snmp: Option<&str>, netstat: Option<&str>| {
            dropped(snmp.map(str::to_owned), netstat.map(str::to_owned))
        };
        assert_eq!(reported(Some(snmp), Some(netstat)), Some(9));
        assert_eq!(reported(None, Some(netstat)), None);
        assert_eq!(reported(Some(snmp), None), None);
        assert_eq!(reported(Some("Tcp: InSegs\nTcp: 2\n"), Some(netstat)), None);
    }

    #[test]
    fn pressure_is_that_of_some_thread() {
        let text = "some avg10=0.12 avg60=1.42 total=512\nfull avg10=0.00 total=9";
        assert_eq!(waits(text), Some(512));
        assert_eq!(waits("full total=9"), None);
    }
}
