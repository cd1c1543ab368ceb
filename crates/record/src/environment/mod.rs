//! The machine that a run ran on: what a reader must know to judge a figure, and nothing that
//! shows whose machine it is. What cannot be had is "unknown" or null, never absent.
//!
//! The fields of 1.0 stay on top. 1.1 adds a section a subject, each in a file of its own here, 1.2
//! the footprints of models and the Python of some, and 1.3 who chose the compiler and its
//! settings; a file written before is read with everything in them unknown. Names of hosts and
//! people, paths and addresses are left out where a section is read, not afterwards: what was never
//! read cannot slip through.

mod activity;
mod build;
mod cargo_config;
mod cgroup;
mod compiler;
mod cpu;
mod fact;
mod flags;
mod footprint;
mod git;
mod host;
mod hypervisor;
mod isolation;
mod kernel;
mod kernel_config;
mod limits;
mod net;
mod operator;
mod power;
mod private;
mod profile;
mod program;
mod source;
mod tool;
mod toolchain;

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;

use serde::{Deserialize, Serialize};

pub use self::activity::Activity;
pub use self::build::{Build, flags_in_force};
pub use self::cargo_config::{CargoSettings, target_folders};
pub use self::cgroup::Cgroup;
pub use self::fact::Fact;
pub use self::footprint::Footprint;
pub use self::host::{Cache, Cloud, Host};
pub use self::isolation::Isolation;
pub use self::kernel::{IrqTimeAccounting, Kernel};
pub use self::limits::{Limits, SoftHard};
pub use self::net::{Net, TcpNodelay};
pub use self::operator::Operator;
pub use self::power::Power;
pub use self::tool::Tool;

/// The machine, the kernel, the build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Environment {
    /// `inflight.environment/2.0`.
    pub schema: String,
    /// The model of the CPU.
    pub cpu: String,
    /// CPUs that may be used.
    pub cpus: usize,
    /// `bare`, `vm` or `container`.
    pub kind: String,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// The kernel's release.
    pub kernel: String,
    /// Whether interrupts are charged to the process that they interrupt.
    pub irq_time_accounting: String,
    /// The clock.
    pub clocksource: String,
    /// The frequency governor.
    pub governor: String,
    /// Congestion control of TCP.
    pub tcp_congestion_control: String,
    /// The compiler.
    pub rustc: String,
    /// Compiler flags set from outside, whatever sets them.
    pub rustflags: String,
    /// The profile that was in force when programs were compiled, in a few words.
    pub profile: String,
    /// The commit of the source, and whether the tree differed from it.
    pub commit: String,
    /// Whether the tree differed from the commit, results aside.
    pub modified: String,
    /// SHA-256 of `Cargo.lock`.
    pub cargo_lock_sha256: String,
    /// The origin's server with its version.
    pub origin: String,
    /// SHA-256 of each program that ran, by package.
    pub programs_sha256: BTreeMap<String, String>,
    /// Which source measured, and by which command.
    #[serde(default)]
    pub tool: Tool,
    /// Who ran it, as far as they say so.
    #[serde(default)]
    pub operator: Operator,
    /// What the machine is.
    #[serde(default)]
    pub host: Host,
    /// What may change the CPU's speed.
    #[serde(default)]
    pub power: Power,
    /// How the kernel accounts, schedules, and keeps the time. The name `kernel` was
    /// taken by the release, which stands here too.
    #[serde(default)]
    pub kernel_settings: Kernel,
    /// How loopback and TCP are set.
    #[serde(default)]
    pub net: Net,
    /// How many threads and connections may exist.
    #[serde(default)]
    pub limits: Limits,
    /// What keeps others off the CPUs.
    #[serde(default)]
    pub isolation: Isolation,
    /// With what, and how, every program was compiled.
    #[serde(default)]
    pub build: Build,
    /// What else the machine was doing.
    #[serde(default)]
    pub concurrent_activity: Activity,
    /// What each model costs beside its speed, by its name; null where nobody looked.
    #[serde(default)]
    #[serde(rename = "model_prices")]
    pub model_footprints: Option<BTreeMap<String, Footprint>>,
    /// The versions of the interpreters that ran models, such as `python` and `node`, and of their
    /// packages; null if none did.
    #[serde(default)]
    pub python: Option<BTreeMap<String, String>>,
}

impl Environment {
    /// Reads it; `root` is the folder of the workspace.
    pub fn read(root: &Path, origin: &str, programs_sha256: BTreeMap<String, String>) -> Self {
        // First, before the programs that are asked count as activity.
        let concurrent_activity = Activity::read();
        // Programs take their time to answer, and may do so while files are read.
        thread::scope(|scope| {
            let build = scope.spawn(|| Build::read(root));
            let tool = scope.spawn(|| Tool::read(root));
            let host = Host::read();
            let sections = Sections {
                power: Power::read(),
                kernel: Kernel::read(),
                net: Net::read(),
                limits: Limits::read(host.cgroup.pids_max.clone()),
                host,
                isolation: Isolation::read(),
                build: build.join().unwrap_or_default(),
                tool: tool.join().unwrap_or_default(),
                concurrent_activity,
            };
            sections.with(origin, programs_sha256)
        })
    }

    /// Returns whether this is known to be the CPU of another; unknown ones are never equal.
    pub fn has_cpu_of(&self, other: &Self) -> bool {
        let is_known = Fact::from(self.cpu.as_str()).is_known();
        is_known && self.cpu == other.cpu
    }

    /// Returns the class of the machine, as it stands in the name of a run: `2c-vm`.
    pub fn class(&self) -> String {
        format!("{}c-{}", self.cpus, self.kind)
    }
}

/// The sections that were read, before the fields of 1.0 are made of them.
struct Sections {
    tool: Tool,
    host: Host,
    power: Power,
    kernel: Kernel,
    net: Net,
    limits: Limits,
    isolation: Isolation,
    build: Build,
    concurrent_activity: Activity,
}

impl Sections {
    /// Returns the whole, with the fields of 1.0.
    fn with(self, origin: &str, programs_sha256: BTreeMap<String, String>) -> Environment {
        let version = self.build.rustc.as_ref().and_then(|reported| reported.get("version"));
        Environment {
            schema: "inflight.environment/2.0".to_owned(),
            cpu: self.host.cpu_model.to_string(),
            cpus: thread::available_parallelism().map_or(1, usize::from),
            kind: self.host.class().to_owned(),
            memory_mib: self.host.memory_total_kib.unwrap_or_default() / 1024,
            kernel: self.kernel.release.to_string(),
            irq_time_accounting: self.kernel.irq_time_accounting.state.to_string(),
            clocksource: self.kernel.clocksource.to_string(),
            governor: self.power.governor.to_string(),
            tcp_congestion_control: self.net.tcp_congestion_control.to_string(),
            rustc: Fact::from(version.map(String::as_str)).to_string(),
            rustflags: self.build.flags_or_empty(),
            profile: self.build.profile_in_words().to_string(),
            commit: self.tool.git_commit.to_string(),
            modified: self.tool.modified.to_string(),
            cargo_lock_sha256: self.tool.cargo_lock_sha256.to_string(),
            origin: origin.to_owned(),
            programs_sha256,
            tool: self.tool,
            operator: Operator::default(),
            host: self.host,
            power: self.power,
            kernel_settings: self.kernel,
            net: self.net,
            limits: self.limits,
            isolation: self.isolation,
            build: self.build,
            concurrent_activity: self.concurrent_activity,
            model_footprints: None,
            python: None,
        }
    }
}
