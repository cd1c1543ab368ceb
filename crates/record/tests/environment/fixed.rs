//! The fixed values of the golden files: an environment in which everything is told.

use std::collections::BTreeMap;

use record::Environment;
use record::environment::{
    Activity, Build, Cache, CargoSettings, Cgroup, Cloud, Host, IrqTimeAccounting, Isolation,
    Kernel, Limits, Net, Operator, Power, Price, SoftHard, TcpNodelay, Tool,
};
use serde_json::json;

use super::GOLDEN_1_0;

/// Returns texts of one's own.
fn owned((name, version): (&str, &str)) -> (String, String) {
    (name.to_owned(), version.to_owned())
}

/// Returns the fixed values of the golden file: those of 1.0 with every section filled.
pub(crate) fn fixed() -> Environment {
    Environment {
        schema: "inflight.environment/1.3".to_owned(),
        python: Some([("aiohttp", "3.14.5"), ("python", "3.11.7")].map(owned).into()),
        tool: tool(),
        operator: Operator {
            name: "anonymous".into(),
            conflict_of_interest: "none".into(),
            ..Operator::default()
        },
        host: host(),
        power: power(),
        kernel_settings: kernel(),
        net: net(),
        limits: limits(),
        isolation: isolation(),
        build: build(),
        concurrent_activity: Activity {
            read_utc: "2026-11-22T21:00:20Z".into(),
            load_averages: "0.56 1.12 1.11".into(),
            threads_runnable: Some(1),
            processes: Some(31),
            cpu_pressure_percent: "0.12".into(),
        },
        model_prices: Some(BTreeMap::from([("tokio".to_owned(), price())])),
        ..serde_json::from_str(GOLDEN_1_0).expect("it is read")
    }
}

/// Returns a fixed price, of a model whose build was not timed.
fn price() -> Price {
    Price {
        lines: Some(44),
        dependencies: Some(31),
        program_bytes: Some(1_204_080),
        program_bytes_without_symbols: Some(861_304),
        build_ms: None,
    }
}

/// Returns a fixed tool.
fn tool() -> Tool {
    Tool {
        name: "inflight".into(),
        version: "0.1.0".into(),
        git_commit: "cb0e75ac709a69417f21c5ea407b99b59d5caca7".into(),
        modified: "no".into(),
        built_before_source: "no".into(),
        cargo_lock_sha256: "91ac49a2".into(),
        command_line: "fetch-1a2b --bench PATH".into(),
    }
}

/// Returns a fixed host.
fn host() -> Host {
    Host {
        kind: "container".into(),
        hypervisor: "KVM".into(),
        cloud: Cloud {
            provider: "AWS".into(),
            instance_type: "m7a.large".into(),
            ..Cloud::default()
        },
        dmi_vendor: "Amazon EC2".into(),
        dmi_product: "m7a.large".into(),
        cpu_model: "AMD EPYC".into(),
        microcode: "0x1000065".into(),
        sockets: Some(1),
        cores: Some(2),
        smt: "notsupported".into(),
        online_cpus: "0-1".into(),
        numa_nodes: Some(1),
        caches: Some(vec![Cache {
            level: Some(1),
            kind: "Data".into(),
            size: "32K".into(),
            shared_by_cpus: "0".into(),
        }]),
        memory_total_kib: Some(24_684_000),
        memory_speed_mts: None,
        swap_total_kib: Some(0),
        mitigations: Some(BTreeMap::from([("meltdown".to_owned(), "Not affected".into())])),
        cgroup: Cgroup {
            version: "v2".into(),
            cpu_max: "max".into(),
            memory_max: "8589934592".into(),
            cpuset_cpus: "0-1".into(),
            pids_max: "1024".into(),
        },
    }
}

/// Returns fixed settings of power.
fn power() -> Power {
    Power {
        governor: "performance".into(),
        driver: "acpi-cpufreq".into(),
        energy_performance_preference: "performance".into(),
        turbo: "off".into(),
        frequency_khz_min: "1500000".into(),
        frequency_khz_max: "2600000".into(),
        idle_driver: "haltpoll".into(),
        idle_governor: "haltpoll".into(),
        temperature_millicelsius: Some(41_000),
        on_battery: "no".into(),
    }
}

/// Returns fixed settings of a kernel.
pub(crate) fn kernel() -> Kernel {
    Kernel {
        release: "6.18.44".into(),
        version: "#1 SMP PREEMPT_DYNAMIC".into(),
        command_line: "mitigations=auto".into(),
        configuration: "read".into(),
        hz: Some(250),
        preempt: "built as none, dynamic".into(),
        irq_time_accounting: IrqTimeAccounting {
            state: "off".into(),
            detected_by: "pressure files".into(),
        },
        virt_cpu_accounting: "ticks".into(),
        paravirt_time_accounting: "on".into(),
        schedstats: "off".into(),
        sched_ext: "none".into(),
        autogroup: "on".into(),
        transparent_hugepages: "madvise".into(),
        aslr: "2".into(),
        clocksource: "tsc".into(),
        clocksources: "tsc kvm-clock".into(),
        clock_reading_ns: Some(25),
        perf_event_paranoid: "2".into(),
        hardware_counters: "no".into(),
    }
}

/// Returns fixed settings of a network.
fn net() -> Net {
    Net {
        lo_mtu: Some(65_536),
        tcp_congestion_control: "bbr".into(),
        default_qdisc: "pfifo_fast".into(),
        ip_local_port_range: "32768 60999".into(),
        somaxconn: Some(4_096),
        tcp_max_syn_backlog: Some(1_024),
        tcp_tw_reuse: "2".into(),
        tcp_max_tw_buckets: Some(131_072),
        tcp_rmem: "4096 131072 6291456".into(),
        tcp_wmem: "4096 16384 4194304".into(),
        tcp_nodelay: TcpNodelay { model: "on".into(), origin: "on".into() },
    }
}

/// Returns fixed limits.
fn limits() -> Limits {
    Limits {
        nofile: SoftHard { soft: "20000".into(), hard: "unlimited".into() },
        nproc: SoftHard { soft: "96365".into(), hard: "96365".into() },
        pid_max: Some(32_768),
        threads_max: Some(192_730),
        max_map_count: Some(65_530),
        cgroup_pids_max: "1024".into(),
    }
}

/// Returns a fixed isolation.
fn isolation() -> Isolation {
    Isolation {
        isolated_cpus: "none".into(),
        nohz_full_cpus: "none".into(),
        default_irq_affinity: "3".into(),
        allowed_cpus: "0-1".into(),
        nice: Some(0),
        sched_policy: "other".into(),
    }
}

/// Returns a fixed build.
fn build() -> Build {
    let rustc = [("version", "rustc 1.95.0"), ("LLVM version", "22.1.2")];
    Build {
        rustc: Some(rustc.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
        rustc_chosen_by: "default".into(),
        rustc_wrapper: "sccache".into(),
        cargo: "cargo 1.95.0".into(),
        flags_in_force: "-Clinker=PATH".into(),
        rustflags: "none".into(),
        encoded_rustflags: "none".into(),
        config: CargoSettings {
            found: "workspace".into(),
            rustflags: "-Clinker=PATH".into(),
            release_profile: "no".into(),
        },
        profile_environment: Some(BTreeMap::from([(
            "CARGO_PROFILE_RELEASE_PANIC".to_owned(),
            "abort".into(),
        )])),
        profile_release: Some(BTreeMap::from([
            ("codegen-units".to_owned(), json!(1)),
            ("debug".to_owned(), json!(false)),
            ("lto".to_owned(), json!("thin")),
        ])),
        profile_overrides: Some([("panic".to_owned(), "abort".into())].into()),
        lto: "thin".into(),
        codegen_units: "1".into(),
        panic: "abort".into(),
        opt_level: "default".into(),
        target: "x86_64-unknown-linux-gnu".into(),
        target_cpu: "default".into(),
        allocator: "system (glibc 2.36)".into(),
        libc: "glibc 2.36".into(),
        linker: "default".into(),
        layout_seed: None,
        toolchains: Some(BTreeMap::from([("python3".to_owned(), "Python 3.11.2".into())])),
    }
}
