//! The footprint of models as a table.

use analysis::FootprintFacts;
use analysis::footprint::{ModelFootprint, ModelFootprints};

use crate::form::{Form, joined};
use crate::table::{NOTHING, drawn};

/// The columns.
pub(crate) const COLUMNS: [&str; 6] =
    ["model", "lines", "dependencies", "program KiB", "without symbols", "build s"];

/// Writes the footprints of a run's models for people.
pub fn footprints_text(of: &ModelFootprints, form: Form) -> String {
    let title = match form {
        Form::Terminal => "The footprint of a model",
        Form::Markdown => "### The footprint of a model\n",
    };
    let mut parts = vec![title.to_owned()];
    if of.is_known() {
        let rows: Vec<Vec<String>> = of.rows.iter().map(columns).collect();
        parts.push(drawn(&COLUMNS, &rows, form));
    }
    parts.extend(of.notes.iter().map(|&note| note.to_owned()));
    joined(parts, form)
}

/// Returns the columns of a row.
pub(crate) fn columns(of: &ModelFootprint) -> Vec<String> {
    let FootprintFacts { lines, dependencies, program_bytes, .. } = of.footprint;
    let kib = |bytes: Option<u64>| bytes.map(|bytes| bytes.div_ceil(1024));
    let build = of.footprint.build_ms.map(|ms| format!("{}.{}", ms / 1000, ms % 1000 / 100));
    vec![
        of.model.clone(),
        known(lines),
        known(dependencies),
        known(kib(program_bytes)),
        known(kib(of.footprint.program_bytes_without_symbols)),
        build.unwrap_or_else(|| NOTHING.to_owned()),
    ]
}

/// Writes a count, if it is known.
fn known(count: Option<u64>) -> String {
    count.map_or_else(|| NOTHING.to_owned(), |count| count.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use record::Run;
    use record::environment::Footprint;

    use analysis::fixture::Fixture;
    use analysis::footprint::model_footprints;

    use super::*;

    /// Returns a run that reports this footprint of its baseline.
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
        let text = footprints_text(&model_footprints(&run(footprint)), Form::Markdown);
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
        assert!(
            footprints_text(&text, Form::Terminal)
                .contains("`cargo bench --bench claims -- builds`")
        );
    }

    #[test]
    fn a_run_that_reports_no_footprint_has_a_sentence_and_no_table() {
        let run = Fixture { blocks: 2, ..Fixture::good() }.run();
        let text = footprints_text(&model_footprints(&run), Form::Markdown);
        assert_eq!(
            text,
            format!("### The footprint of a model\n\n{}\n", model_footprints(&run).notes[0])
        );
    }
}
