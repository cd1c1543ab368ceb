//! Where a run was measured: what a reader asks first, then everything that was read of the
//! machine.

use analysis::number::count;
use maud::{Markup, html};
use serde_json::Value;

use crate::html::run_page::Page;
use crate::summary::origins;

impl Page<'_> {
    /// Writes where the run was measured.
    pub(crate) fn origin(&self) -> Markup {
        let environment = &self.run.environment;
        let placement = &self.run.placement;
        let awake = if placement.awake { "kept awake" } else { "left to sleep" };
        let mut all = serde_json::to_value(environment).unwrap_or(Value::Null);
        // The hashes of programs stand with how the run is checked.
        if let Value::Object(fields) = &mut all {
            fields.remove("programs_sha256");
        }
        let facts = [
            ("profile", environment.profile.clone()),
            (
                "placement",
                format!(
                    "model on CPU {:?}, server on CPU {:?}, {}, CPUs {awake}",
                    placement.model_cpus,
                    placement.origin_cpus,
                    count(placement.workers as usize, "worker")
                ),
            ),
            (
                "source",
                format!("commit {}, modified: {}", environment.commit, environment.modified),
            ),
            ("run", self.run.id.clone()),
            ("began", self.run.began_utc.clone().unwrap_or_else(|| "no turn".to_owned())),
        ];
        html! {
            p.wide { (self.machine()) }
            details.more {
                summary { "Everything that was read of the machine" }
                dl.facts { @for (name, fact) in facts { dt { (name) } dd { (fact) } } }
                div.scroll.long tabindex="0" role="group" aria-label="Environment" {
                    table {
                        caption { "environment.json" }
                        thead { tr { th scope="col" { "what" } th scope="col" { "value" } } }
                        tbody { (facts_of("", &all)) }
                    }
                }
            }
        }
    }

    /// Says in a sentence where a run was measured.
    fn machine(&self) -> String {
        let environment = &self.run.environment;
        let placement = &self.run.placement;
        format!(
            "{}, {} CPUs ({}), {} GiB, Linux {}, {}. {}; model on CPU {:?}, server on CPU {:?}, \
             {}.",
            environment.cpu,
            environment.cpus,
            environment.kind,
            environment.memory_mib.div_ceil(1024),
            environment.kernel,
            environment.rustc,
            [vec![origins(self.run)], self.versions_of_all()].concat().join(", "),
            placement.model_cpus,
            placement.origin_cpus,
            count(placement.workers as usize, "worker"),
        )
    }
}

/// Writes the leaves of a JSON document as rows, each under its path.
fn facts_of(path: &str, value: &Value) -> Markup {
    let under = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    html! {
        @match value {
            Value::Object(fields) => @for (name, field) in fields { (facts_of(&under(name),
                field)) },
            Value::Array(items) if items.iter().any(Value::is_object) => {
                @for (index, item) in items.iter().enumerate() {
                    (facts_of(&under(&index.to_string()), item)) }
            },
            leaf => tr { th scope="row" { (path) } td { (text(leaf)) } },
        }
    }
}

/// Writes a leaf.
fn text(leaf: &Value) -> String {
    match leaf {
        Value::Null => "unknown".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
