//! The footprint of a model beside its speed: what it takes to write, to trust, to build and to
//! carry. What the run does not tell is said to be unknown, and how it could be known.

use record::Run;
use record::environment::Footprint;
use serde::Serialize;

use crate::summary::{Form, joined};
use crate::table::{NOTHING, drawn};

/// The columns.
pub(crate) const COLUMNS: [&str; 6] =
    ["model", "lines", "dependencies", "program KiB", "without symbols", "build s"];
/// What the columns are, for whoever reads them.
const WHAT: &str = "Lines: of the model's own sources, neither blank nor only a comment. \
                    Dependencies: packages from outside that the program is made of or built with. \
                    Program: as it ran, in KiB, and without the symbols that the profile keeps. \
                    Build: seconds from nothing, with everything downloaded.";
/// How the time of a build becomes known.
const BUILDS: &str = "No build was timed with these packages, this compiler and this machine: \
                      `cargo bench --bench claims -- builds` does it for the runs that follow.";
/// What is said of a run that tells nothing.
const UNKNOWN: &str = "Unknown: the run does not tell what its models cost beside their speed.";

/// The footprints of all models of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelFootprints {
    /// The models, in the order of the schedule.
    pub rows: Vec<ModelFootprint>,
    /// What the columns are, and why some are unknown: a sentence each, or a few.
    pub notes: Vec<&'static str>,
}

/// The footprint of a model; what is unknown is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelFootprint {
    /// The model.
    pub model: String,
    /// What it costs.
    #[serde(flatten)]
    pub footprint: Footprint,
}

/// Returns the footprints of a run's models.
pub fn model_footprints(run: &Run) -> ModelFootprints {
    let told = run.environment.model_footprints.as_ref();
    let footprint =
        |name: &String| told.and_then(|told| told.get(name)).cloned().unwrap_or_default();
    let models = run.schedule.models.iter();
    let rows: Vec<ModelFootprint> = models
        .map(|model| ModelFootprint {
            model: model.name.clone(),
            footprint: footprint(&model.name),
        })
        .collect();
    let notes = match (told, rows.iter().any(|row| row.footprint.build_ms.is_some())) {
        (None, _) => vec![UNKNOWN],
        (Some(_), true) => vec![WHAT],
        (Some(_), false) => vec![WHAT, BUILDS],
    };
    ModelFootprints { rows, notes }
}

impl ModelFootprints {
    /// Returns whether the run tells anything of them.
    pub(crate) fn is_known(&self) -> bool {
        !self.notes.contains(&UNKNOWN)
    }

    /// Writes them for people.
    pub fn text(&self, form: Form) -> String {
        let title = match form {
            Form::Terminal => "The footprint of a model",
            Form::Markdown => "### The footprint of a model\n",
        };
        let mut parts = vec![title.to_owned()];
        if self.is_known() {
            let rows: Vec<Vec<String>> = self.rows.iter().map(ModelFootprint::columns).collect();
            parts.push(drawn(&COLUMNS, &rows, form));
        }
        parts.extend(self.notes.iter().map(|&note| note.to_owned()));
        joined(parts, form)
    }
}

impl ModelFootprint {
    /// Returns the columns of a row.
    pub(crate) fn columns(&self) -> Vec<String> {
        let Footprint { lines, dependencies, program_bytes, .. } = self.footprint;
        let kib = |bytes: Option<u64>| bytes.map(|bytes| bytes.div_ceil(1024));
        let build = self.footprint.build_ms.map(|ms| format!("{}.{}", ms / 1000, ms % 1000 / 100));
        vec![
            self.model.clone(),
            known(lines),
            known(dependencies),
            known(kib(program_bytes)),
            known(kib(self.footprint.program_bytes_without_symbols)),
            build.unwrap_or_else(|| NOTHING.to_owned()),
        ]
    }
}

/// Writes a count, if it is known.
fn known(count: Option<u64>) -> String {
    count.map_or_else(|| NOTHING.to_owned(), |count| count.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::fixture::Fixture;

    /// Returns a run that tells this footprint of its baseline.
    fn run(footprint: Footprint) -> Run {
        let mut run = Fixture { blocks: 2, ..Fixture::good() }.run();
        run.environment.model_footprints = Some(BTreeMap::from([("tokio".to_owned(), footprint)]));
        run
    }

    #[test]
    fn what_is_known_stands_in_its_column_and_what_is_not_is_a_dash() {
        let footprint = Footprint {
            lines: Some(44),
            dependencies: Some(31),
            program_bytes: Some(1_204_080),
            program_bytes_without_symbols: Some(861_304),
            build_ms: Some(12_345),
        };
        let text = model_footprints(&run(footprint)).text(Form::Markdown);
        let row = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(&format!("| {name} "))).unwrap();
            line.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>()
        };
        assert_eq!(row("tokio"), ["tokio", "44", "31", "1176", "842", "12.3"]);
        assert_eq!(row("smol"), ["smol", "-", "-", "-", "-", "-"]);
        assert!(!text.contains("claims -- builds"), "{text}");
    }

    #[test]
    fn a_build_that_nobody_timed_is_said_to_be_unknown_with_the_command_that_times_it() {
        let text = model_footprints(&run(Footprint { lines: Some(44), ..Footprint::default() }));
        assert!(text.text(Form::Terminal).contains("`cargo bench --bench claims -- builds`"));
    }

    #[test]
    fn a_run_that_tells_no_footprint_has_a_sentence_and_no_table() {
        let run = Fixture { blocks: 2, ..Fixture::good() }.run();
        let text = model_footprints(&run).text(Form::Markdown);
        assert_eq!(text, format!("### The footprint of a model\n\n{UNKNOWN}\n"));
    }
}
