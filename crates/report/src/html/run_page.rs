//! What the page of a run is written from.

use analysis::Summary;
use analysis::figures::Figures;
use analysis::trust::Trust;

use crate::figure::Charts;

/// What a page is written from.
pub(crate) struct Page<'a> {
    /// The run.
    pub(crate) run: &'a Summary,
    /// Its figures.
    pub(crate) figures: &'a Figures,
    /// Whether it may be believed.
    pub(crate) trust: &'a Trust,
    /// What is drawn of it.
    pub(crate) charts: &'a Charts,
}

impl Page<'_> {
    /// Returns the versions of what the models are built on, runtimes first.
    pub(crate) fn versions_of_all(&self) -> Vec<String> {
        let mut models: Vec<&analysis::Model> = self.run.models.iter().collect();
        models.sort_by_key(|model| (model.language.is_some(), !model.is_bare()));
        let mut reported: Vec<String> = Vec::new();
        for model in models {
            let versions = self.versions(&model.name);
            for version in versions.split(", ").filter(|version| !version.is_empty()) {
                if !reported.iter().any(|known| known == version) {
                    reported.push(version.to_owned());
                }
            }
        }
        reported
    }

    /// Says what happened to the run that a reader has to know first, if anything did.
    pub(crate) fn warning(&self) -> Option<String> {
        use analysis::Integrity;
        let mut reported = Vec::new();
        match &self.run.integrity {
            Integrity::Whole => {}
            Integrity::Unfinished => reported.push("unfinished".to_owned()),
            Integrity::Altered(files) => {
                reported.push(format!("altered after it was measured ({})", files.join(", ")));
            }
        }
        match self.run.resumes {
            0 => {}
            times => reported.push(format!("resumed {}", analysis::number::count(times, "time"))),
        }
        let built = match self.run.environment.modified.as_str() {
            "no" => "",
            "yes" => "Built from a source tree with changes.",
            _ => "Whether the source tree had changes is unknown.",
        };
        let run = match reported.is_empty() {
            true => String::new(),
            false => format!("This run is {}. ", reported.join("; ")),
        };
        Some(run + built).filter(|text| !text.is_empty())
    }
}
