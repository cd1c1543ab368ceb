//! Promises of `environment.json`: the bytes do not drift, nothing is absent, and nothing reports
//! whose machine it is.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use record::Environment;
use record::environment::{
    Activity, Build, Cache, CargoSettings, Cgroup, Cloud, Footprint, Host, IrqTimeAccounting,
    Isolation, Kernel, Limits, Net, Operator, Power, SoftHard, TcpNodelay, Tool,
};
use serde_json::{Value, json};

/// What 2.0 writes for the fixed values of this file.
const GOLDEN: &str = include_str!("golden/environment-2.0.json");

/// A hash of a program.
const HASH: &str = "d0a2655bd1180431ca277ed702dfaef6533362b5de9e3f2596c7122e87c55b9c";

/// Returns the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("it is there")
}

/// Returns the environment of this machine, as JSON.
fn here() -> Value {
    let programs = BTreeMap::from([("origin".to_owned(), "0".repeat(64))]);
    serde_json::to_value(Environment::read(&root(), "wiremock 0.6.5", programs))
        .expect("it is JSON")
}

/// Returns texts of one's own.
fn owned((name, version): (&str, &str)) -> (String, String) {
    (name.to_owned(), version.to_owned())
}

/// Returns the fixed values of the golden file, with every section filled.
fn fixed() -> Environment {
    Environment {
        schema: "inflight.environment/2.0".to_owned(),
        cpu: "AMD EPYC".into(),
        cpus: 2,
        kind: "container".into(),
        memory_mib: 24_105,
        kernel: "6.18.44-fc-v669".into(),
        irq_time_accounting: "off".into(),
        clocksource: "tsc".into(),
        governor: "unknown".into(),
        tcp_congestion_control: "bbr".into(),
        rustc: "rustc 1.95.0 (59807616e 2026-04-14)".into(),
        rustflags: String::new(),
        profile: "release, thin LTO, one codegen unit".into(),
        commit: "cb0e75ac709a69417f21c5ea407b99b59d5caca7".into(),
        modified: "no".into(),
        cargo_lock_sha256: "91ac49a2feb1ba225df5d12e7e2854b9682f3f4d9effa03c837054f8e2a18d77"
            .into(),
        origin: "wiremock 0.6.5".into(),
        programs_sha256: ["model-tokio", "origin"].map(|name| owned((name, HASH))).into(),
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
        model_footprints: Some(BTreeMap::from([("tokio".to_owned(), footprint())])),
    }
}

/// Returns a fixed footprint, of a model whose build was not timed.
fn footprint() -> Footprint {
    Footprint {
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
fn kernel() -> Kernel {
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
        rustc_bootstrap: "none".into(),
        incremental: "none".into(),
        cargo: "cargo 1.95.0".into(),
        flags_in_force: "-Clinker=PATH".into(),
        rustflags: "none".into(),
        encoded_rustflags: "none".into(),
        config: CargoSettings {
            found: "workspace".into(),
            rustflags: "-Clinker=PATH".into(),
            release_profile: "no".into(),
            replacements: "none".into(),
            variables: "none".into(),
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

/// Collects the paths of all fields, and all texts, which the keys of maps are among.
fn collect(value: &Value, path: &str, found: &mut (BTreeSet<String>, Vec<(String, String)>)) {
    found.0.insert(path.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                found.1.push((path.to_owned(), name.clone()));
                collect(value, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, path, found)),
        Value::String(text) => found.1.push((path.to_owned(), text.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Returns the paths of all fields and all texts of a value.
fn collected(value: &Value) -> (BTreeSet<String>, Vec<(String, String)>) {
    let mut found = (BTreeSet::new(), Vec::new());
    collect(value, "", &mut found);
    found
}

#[test]
fn a_file_of_2_0_has_exactly_the_golden_bytes_and_is_read_back_the_same() {
    let written = serde_json::to_string_pretty(&fixed()).unwrap() + "\n";
    assert_eq!(written, GOLDEN);
    assert_eq!(serde_json::from_str::<Environment>(GOLDEN).unwrap(), fixed());
}

#[test]
fn every_field_is_present_on_every_machine() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let (fields, _) = collected(&here());
    // What lies in these depends on the machine; in all else no field may be missing.
    let of_the_machine = [
        ".programs_sha256.",
        ".host.caches.",
        ".host.mitigations.",
        ".build.rustc.",
        ".build.profile_environment.",
        ".build.profile_overrides.",
        ".build.profile_release.",
        ".build.toolchains.",
        ".model_prices.",
        ".python.",
    ];
    for field in collected(&golden).0 {
        let depends = of_the_machine.iter().any(|map| field.starts_with(map));
        assert!(depends || fields.contains(&field), "{field}");
    }
}

#[test]
fn what_reading_the_clock_takes_is_reported_and_not_nothing() {
    let reported = here()["kernel_settings"]["clock_reading_ns"].as_u64();
    assert!(reported.is_some_and(|nanoseconds| nanoseconds > 0), "{reported:?}");
}

#[test]
fn no_text_is_empty_in_the_sections() {
    for (path, text) in collected(&here()).1 {
        assert!(!text.is_empty() || path == ".rustflags", "{path}");
    }
}

#[test]
fn nothing_reports_whose_machine_it_is() {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let user = ["USER", "LOGNAME"].map(|name| env::var(name).unwrap_or_default());
    let home = env::home_dir().unwrap();
    let home_name = home.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let root = root();
    // Kinds are words of ours, which a host may happen to be called by.
    let ours = [".kind", ".host.kind"];

    for (path, text) in collected(&here()).1 {
        for place in [home.as_path(), root.as_path()] {
            let place = place.to_str().unwrap();
            assert!(place == "/" || !text.contains(place), "{path}: {text}");
        }
        let is_part = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        let words: Vec<&str> = text.split(|c| !is_part(c)).collect();
        for name in [host.trim(), &user[0], &user[1], &home_name] {
            let reported =
                !name.is_empty() && words.contains(&name) && !ours.contains(&path.as_str());
            assert!(!reported, "{path} reports {name}: {text}");
        }
    }
}

#[test]
fn nothing_looks_like_a_path_or_an_address() {
    for (path, text) in collected(&here()).1 {
        // The kernel's own words divide alternatives by a slash: "usercopy/swapgs barriers".
        let by_the_kernel = path.starts_with(".host.mitigations");
        let word = |word: &str| word.starts_with('/') || word.starts_with('~');
        assert!(!text.split([' ', '=']).any(word) || by_the_kernel, "{path}: {text}");
        let numbers = |word: &str| word.parse::<std::net::IpAddr>().is_ok();
        assert!(!text.split([' ', '=']).any(numbers), "{path}: {text}");
    }
}
