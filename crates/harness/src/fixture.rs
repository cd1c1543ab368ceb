//! What tests of plans are about: a model, and CPUs, as these might be.

use std::collections::BTreeMap;

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
    }
}

/// Returns the CPUs of so many each for the origin and the model, the origin's first.
pub(crate) fn placement(cpus: u8) -> Placement {
    let each = usize::from(cpus);
    Placement {
        model_cpus: (each..2 * each).collect(),
        origin_cpus: (0..each).collect(),
        workers: cpus.into(),
        shards: cpus.into(),
        awake: false,
        unequal_cores: false,
        origin: OriginKind::Wiremock,
    }
}
