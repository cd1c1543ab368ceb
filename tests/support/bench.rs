//! The programs that `cargo bench` runs, and results such as criterion keeps.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::Message;
use serde_json::{Value, json};

use super::{WORKSPACE, executable};

/// Builds the program of a bench in a profile, and returns its path.
pub(crate) fn bench_program(name: &str, profile: &str) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["bench", "--bench", name, "--no-run", "--quiet", "--profile", profile])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(&WORKSPACE.root)
        .output()
        .expect("cargo starts");
    let artifacts = Message::parse_stream(output.stdout.as_slice());
    let program = artifacts.filter_map(|message| match message.expect("cargo speaks JSON") {
        Message::CompilerArtifact(artifact) if artifact.target.name == name => artifact.executable,
        _ => None,
    });
    program.last().expect("cargo builds the bench").into_string()
}

/// Writes a cargo below a folder that describes a workspace in which no package but these is
/// measured, and else does what the usual one does; returns its path.
pub(crate) fn cargo_with(folder: &Path, packages: &[&str]) -> PathBuf {
    let usual = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut metadata = Command::new(&usual);
    metadata.args(["metadata", "--format-version", "1", "--no-deps"]);
    let said = metadata.current_dir(&WORKSPACE.root).output().expect("cargo starts").stdout;
    let mut described: Value = serde_json::from_slice(&said).expect("cargo speaks JSON");
    let stays = |package: &Value| {
        let section = |key: &str| !package["metadata"][key].is_null();
        let is_measured = section("inflight") || section("inflight-primitives");
        !is_measured || packages.iter().any(|name| package["name"] == *name)
    };
    described["packages"].as_array_mut().expect("it lists packages").retain(stays);
    let file = folder.join("described.json");
    fs::write(&file, described.to_string()).expect("it is ours");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = metadata ]; then exec cat '{}'; fi\n\
         export CARGO='{usual}'\nexec \"$CARGO\" \"$@\"\n",
        file.display()
    );
    let cargo = folder.join("cargo");
    executable(&cargo, &script);
    cargo
}

/// Writes results of a benchmark below a home of criterion's, under a name, as it keeps them.
pub(crate) fn keep(home: &Path, benchmark: &str, name: &str) {
    let folder = home.join(benchmark).join(name);
    fs::create_dir_all(&folder).expect("it is ours");
    let interval = json!({ "confidence_level": 0.95, "lower_bound": 9.0, "upper_bound": 11.0 });
    let estimate = json!({ "confidence_interval": interval, "point_estimate": 10.0,
                           "standard_error": 0.5 });
    let estimates = json!({ "mean": estimate, "median": estimate, "median_abs_dev": estimate,
                            "slope": null, "std_dev": estimate });
    let times: Vec<f64> = (0..12).map(|sample| 20.0 + f64::from(sample % 3)).collect();
    let sample = json!({ "sampling_mode": "Flat", "iters": vec![2.0; 12], "times": times });
    for (file, value) in [("estimates.json", estimates), ("sample.json", sample)] {
        fs::write(folder.join(file), value.to_string()).expect("it is ours");
    }
}
