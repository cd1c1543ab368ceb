//! What tests of plans are about: a model, and CPUs, as these might be; and scripts that stand for
//! programs of a machine.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use record::{Model, OriginKind, Placement};

/// Returns a bare model whose units are tasks on one thread.
pub(crate) fn model(name: &str) -> Model {
    Model {
        name: name.to_owned(),
        package: format!("model-{name}"),
        label: name.to_owned(),
        unit: "task".to_owned(),
        client: "bare".to_owned(),
        threads: "1".to_owned(),
        max_in_flight: None,
        connections: None,
        env: BTreeMap::new(),
        knobs: Vec::new(),
        language: None,
        baseline: None,
        requirements: Vec::new(),
        may_be_slow: None,
        runtime: None,
        needs: Vec::new(),
        core: None,
        variant: None,
        levers: Vec::new(),
    }
}

/// Writes a script that can be run at once, by another process: what this one has open for writing
/// while another test starts a child cannot be run before that child runs its own program.
pub(crate) fn executable(path: &Path, script: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(path).stdin(Stdio::piped());
    let mut shell = shell.spawn().expect("sh starts");
    let mut input = shell.stdin.take().expect("it is a pipe");
    write!(input, "#!/bin/sh\n{script}\n").expect("it reads");
    drop(input);
    assert!(shell.wait().expect("it ends").success(), "{}", path.display());
}

/// Returns the CPUs of so many each for the origin and the model, the origin's first.
pub(crate) fn placement(cpus: u8) -> Placement {
    let each = usize::from(cpus);
    Placement {
        model_cpus: (each..2 * each).collect(),
        origin_cpus: (0..each).collect(),
        several_cpus: Vec::new(),
        workers: cpus.into(),
        shards: cpus.into(),
        awake: false,
        unequal_cores: false,
        origin: OriginKind::Wiremock,
    }
}
