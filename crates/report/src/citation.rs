//! What a citation of a run says: which run it is, to the byte; what measured it, when and on what;
//! and every reason for a reader to hold its figures for less than they look.
//!
//! The warnings stand in the text of every form, for whoever copies a citation copies them with it.
//! Nothing says whose machine it was.

use std::error::Error;
use std::fmt;

use analysis::cell_figures::RowState;
use analysis::figures::Figures;
use analysis::line::{line, paragraph};
use analysis::number::{count, shortened};
use analysis::{INFLIGHT, Integrity, Summary};

use crate::hold_text;
use crate::summary::origins;
use crate::table::{heading, state_word};

/// Who is cited.
pub(crate) const AUTHORS: &str = "The Inflight authors";
/// Digits of the commit that a citation shows.
pub(crate) const COMMIT_DIGITS: usize = 12;

/// What a citation of a run says, as plain text of one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Citation {
    /// The name of the run.
    pub(crate) run: String,
    /// The first digits of the SHA-256 of its manifest.
    pub(crate) hash: String,
    /// SHA-256 of its manifest.
    pub(crate) sha256: String,
    /// The version of Inflight that measured it.
    pub(crate) version: String,
    /// The commit of the source that measured it.
    pub(crate) commit: String,
    /// The day on which it began, in UTC, if a turn says so.
    pub(crate) date: Option<Date>,
    /// What it was measured on.
    pub(crate) machine: String,
    /// How it was measured, in a sentence.
    pub(crate) methods: String,
    /// What a reader must know before any figure, a sentence each.
    pub(crate) warnings: Vec<String>,
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    /// The year.
    pub(crate) year: u16,
    /// The month, from 1.
    pub(crate) month: u8,
    /// The day of the month.
    pub(crate) day: u8,
}

/// Why a run cannot be cited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotCitable {
    /// It did not come to its end.
    Unfinished(String),
    /// It is not what was measured: its name, and the files that differ.
    Altered(String, Vec<String>),
}

impl fmt::Display for NotCitable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfinished(run) => write!(
                f,
                "the run {run} cannot be cited: it has no MANIFEST, since it did not come to its \
                 end; `{INFLIGHT} run --resume {run}` goes on with it"
            ),
            Self::Altered(run, files) => write!(
                f,
                "the run {run} cannot be cited: it was altered after it was measured: {}",
                files.join(", ")
            ),
        }
    }
}

impl Error for NotCitable {}

impl Citation {
    /// Gathers what a citation of a run says.
    ///
    /// # Errors
    ///
    /// Says why it cannot be cited: a figure of a run that may still change proves nothing.
    pub(crate) fn of(run: &Summary) -> Result<Self, NotCitable> {
        let sha256 = match (&run.integrity, &run.content_sha256) {
            (Integrity::Altered(files), _) => {
                return Err(NotCitable::Altered(line(&run.id), files.clone()));
            }
            (Integrity::Whole, Some(sha256)) => sha256.clone(),
            (Integrity::Whole | Integrity::Unfinished, _) => {
                return Err(NotCitable::Unfinished(line(&run.id)));
            }
        };
        let commit = line(&run.environment.commit);
        Ok(Self {
            run: line(&run.id),
            hash: shortened(&sha256),
            sha256,
            version: line(&run.version),
            commit: commit.chars().take(COMMIT_DIGITS).collect(),
            date: Date::of_run(run),
            machine: machine(run),
            methods: methods(run),
            warnings: warnings(run),
        })
    }

    /// Returns the title: what it is, of which machine, on which day.
    pub(crate) fn title(&self) -> String {
        let date = self.date.map_or_else(String::new, |date| format!(", {}", date.iso()));
        format!("Inflight results: {}{date}", self.machine)
    }

    /// Returns which run it is, to the byte, and what measured it.
    pub(crate) fn identity(&self) -> String {
        format!("run {}, SHA-256 {}, {}", self.run, self.hash, self.tool())
    }

    /// Returns the version and commit that measured.
    pub(crate) fn tool(&self) -> String {
        format!("Inflight {} (commit {})", self.version, self.commit)
    }

    /// Returns the warnings as one text.
    pub(crate) fn caution(&self) -> String {
        self.warnings.join(" ")
    }
}

impl Date {
    /// Returns the day on which a run began, if a turn says so.
    pub(crate) fn of_run(run: &Summary) -> Option<Self> {
        run.began_utc.as_deref().and_then(Self::of)
    }

    /// Reads the day of a time such as `2026-11-22T10:15:02Z`.
    fn of(time: &str) -> Option<Self> {
        let mut parts = time.get(..10)?.splitn(3, '-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let date =
            Self { year: year.parse().ok()?, month: month.parse().ok()?, day: day.parse().ok()? };
        let is_day = (1..=12).contains(&date.month) && (1..=31).contains(&date.day);
        (is_day && date.year >= 1970).then_some(date)
    }

    /// Writes it as `2026-11-22`.
    pub(crate) fn iso(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// Returns what the run was measured on.
pub(crate) fn machine(run: &Summary) -> String {
    let machine = &run.environment;
    line(&format!("{}, {} ({})", machine.cpu, count(machine.cpus, "CPU"), machine.kind))
}

/// Returns how the run was measured, in a sentence for a paper.
fn methods(run: &Summary) -> String {
    let figures = &run.figures;
    let cells = figures.cells.iter().map(|cell| {
        format!("{} ({})", heading(&cell.cell), count(cell.blocks, "randomised complete block"))
    });
    let family = match figures.family {
        analysis::Family::AllPairs => "all pairs of models",
        analysis::Family::AgainstBaseline => "each model against the baseline",
    };
    let (environment, estimator) = (&run.environment, &run.estimator);
    if let (true, Some(holds)) = (figures.cells.is_empty(), &figures.holds) {
        return paragraph(&format!(
            "The {} was measured with Inflight {} (commit {}), preset {}, a fresh process each \
             time; slopes are Theil-Sen estimates, their 95 % intervals from drawing blocks again; \
             {}, Linux {}, {}, origin {}.",
            hold_text::heading(holds),
            run.version,
            commit(run),
            run.preset,
            machine(run),
            environment.kernel,
            environment.rustc,
            origins(run),
        ));
    }
    paragraph(&format!(
        "CPU time per fetch was measured with Inflight {} (commit {}), preset {}, in short \
         turns of resident processes, in {}; ratios to {} are {} with simultaneous 95 % intervals \
         ({}; Bonferroni, {family}); {}, Linux {}, {}, origin {}.",
        run.version,
        commit(run),
        run.preset,
        cells.collect::<Vec<_>>().join("; "),
        figures.baseline,
        estimator.estimates,
        estimator.interval,
        machine(run),
        environment.kernel,
        environment.rustc,
        origins(run),
    ))
}

/// Returns the commit of a run, as far as it is shown.
fn commit(run: &Summary) -> String {
    run.environment.commit.chars().take(COMMIT_DIGITS).collect()
}

/// Returns what a reader must know before any figure.
fn warnings(run: &Summary) -> Vec<String> {
    let mut warnings = Vec::new();
    if run.is_estimate {
        let preset = &run.preset;
        warnings.push(format!(
            "Its numbers are estimates (preset {preset}, not a complete run of citable)."
        ));
    }
    let of_no_use = run.turns.invalid + run.turns.failed;
    if of_no_use > 0 {
        let all = run.turns.all;
        warnings.push(format!("{of_no_use} of its {all} turns are invalid or failed."));
    }
    warnings.extend(lost_rows(&run.figures));
    let times = run.resumes;
    if times > 0 || run.turns_cut > 0 {
        warnings.push(format!(
            "It was cut short and resumed {}; {} left out.",
            count(times, "time"),
            match run.turns_cut {
                1 => "1 turn of a cut block is".to_owned(),
                cut => format!("{cut} turns of cut blocks are"),
            }
        ));
    }
    match run.environment.modified.as_str() {
        "no" => {}
        "yes" => warnings.push(
            "It was measured from a modified tree: the commit does not say what ran.".to_owned(),
        ),
        _ => warnings.push("Whether its tree was that of the commit is not known.".to_owned()),
    }
    if let Some(other) = &run.supersedes {
        warnings.push(format!("It supersedes the run {other}."));
    }
    warnings.iter().map(|warning| paragraph(warning)).collect()
}

/// Returns which models have no figures though they were to be measured, and why.
fn lost_rows(figures: &Figures) -> Option<String> {
    let mut lost = Vec::new();
    for cell in &figures.cells {
        let is_lost = |it: RowState| !matches!(it, RowState::Measured | RowState::NotApplicable);
        for row in cell.rows.iter().filter(|row| is_lost(row.state)) {
            lost.push(format!(
                "{} in {} ({})",
                line(&row.model),
                cell.cell.name,
                state_word(row.state)
            ));
        }
    }
    (!lost.is_empty()).then(|| format!("Without figures: {}.", lost.join(", ")))
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture, corrupt};
    use analysis::summarize;
    use record::{Run, State};

    use super::*;

    /// Corrupts a run.
    type Corruption<'a> = &'a dyn Fn(&mut Run);

    /// Returns the citation of a run that was corrupted.
    fn corrupted(corrupt: impl Fn(&mut Run)) -> Result<Citation, NotCitable> {
        let mut run = Fixture::good().run();
        corrupt(&mut run);
        Citation::of(&summarize(&run, BASELINE, FLOOR))
    }

    /// Returns how a run goes on.
    fn resume(block: u32, session: u32) -> record::Resume {
        let (at_utc, programs_sha256) = ("2026-11-22T10:15:02Z".to_owned(), [].into());
        record::Resume { at_utc, block, session, programs_sha256 }
    }

    #[test]
    fn a_session_that_the_schedule_asks_for_is_no_interruption() {
        let mut run = Fixture { preset: "citable", blocks: 60, ..Fixture::good() }.run();
        for block in &mut run.schedule.blocks {
            block.session = block.number / 40;
        }
        run.resumes = vec![resume(40, 1), resume(80, 2)];
        let reported = |run: &Run| Citation::of(&summarize(run, BASELINE, FLOOR)).unwrap();
        assert_eq!(reported(&run).warnings, [""; 0]);

        // The same session once more: now it was cut short.
        run.resumes.push(resume(80, 2));
        let expected = "It was cut short and resumed 1 time; 0 turns of cut blocks are left out.";
        assert_eq!(reported(&run).warnings, [expected]);
    }

    #[test]
    fn each_reason_for_doubt_is_reported_and_no_other() {
        let resume = || resume(3, 0);
        let invalid = |run: &mut Run| {
            for turn in corrupt(run, ("threads", "steady")) {
                turn.state = State::Invalid(vec![rules::Reason::NoTime]);
            }
        };
        let cases: [(Corruption<'_>, &[&str]); 5] = [
            (&|_| {}, &["estimates"]),
            (
                &invalid,
                &["estimates", "84 of its", "Without figures: threads in steady (invalid)."],
            ),
            (&|run| run.resumes.push(resume()), &["estimates", "resumed 1 time"]),
            (&|run| run.environment.modified = "yes".to_owned(), &["estimates", "modified tree"]),
            (&|run| run.environment.modified = "unknown".to_owned(), &["estimates", "not known"]),
        ];
        for (corrupt, reported) in cases {
            let warnings = corrupted(corrupt).unwrap().warnings;
            assert_eq!(warnings.len(), reported.len(), "{warnings:?}");
            for (warning, words) in warnings.iter().zip(reported) {
                assert!(warning.contains(words), "{warning}");
            }
        }
    }

    #[test]
    fn a_run_that_may_still_change_or_was_changed_is_not_cited() {
        let unfinished = |run: &mut Run| {
            (run.integrity, run.content_sha256) = (Integrity::Unfinished, None);
        };
        assert!(matches!(corrupted(unfinished), Err(NotCitable::Unfinished(_))));
        let altered = |run: &mut Run| run.integrity = Integrity::Altered(vec!["a".to_owned()]);
        assert!(matches!(corrupted(altered), Err(NotCitable::Altered(..))));
    }

    #[test]
    fn a_day_is_read_from_a_time_and_from_nothing_else() {
        let date = Date { year: 2026, month: 11, day: 22 };
        assert_eq!(Date::of("2026-11-22T10:15:02Z"), Some(date));
        for wrong in ["", "2026-13-22", "2026-11-32", "yesterday", "2026-1é-22", "0000-01-01"] {
            assert_eq!(Date::of(wrong), None, "{wrong}");
        }
    }
}
