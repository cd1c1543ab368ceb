//! A run cited in the forms that papers, pages and programs take.

use std::str::FromStr;

use analysis::Summary;
use analysis::line::paragraph;
use anyhow::{Result, anyhow};

use crate::citation::{AUTHORS, Citation, NotCitable};
use crate::escape::{latex, yaml};
use crate::paper;
use crate::words::capital;

/// A form of citing a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CiteForm {
    /// An entry of BibTeX, which biber reads too.
    Bibtex,
    /// A `CITATION.cff`.
    Cff,
    /// Tables with captions in LaTeX, with booktabs.
    Latex,
    /// Tables with captions in Markdown.
    Markdown,
    /// One sentence for the methods of a paper, and what must be said beside it.
    Methods,
}

impl CiteForm {
    /// Every form.
    pub const ALL: [Self; 5] =
        [Self::Bibtex, Self::Cff, Self::Latex, Self::Markdown, Self::Methods];

    /// Returns what a command line calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bibtex => "bibtex",
            Self::Cff => "cff",
            Self::Latex => "latex",
            Self::Markdown => "markdown",
            Self::Methods => "methods",
        }
    }
}

impl FromStr for CiteForm {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let form = Self::ALL.into_iter().find(|form| form.name() == text);
        let names = Self::ALL.map(Self::name).join(", ");
        form.ok_or_else(|| anyhow!("no form is called {text}, expected one of: {names}"))
    }
}

/// Cites a run in a form.
///
/// # Errors
///
/// Says why it cannot be cited.
pub fn cite(run: &Summary, form: CiteForm) -> Result<String, NotCitable> {
    let citation = Citation::of(run)?;
    Ok(match form {
        CiteForm::Bibtex => bibtex(&citation),
        CiteForm::Cff => cff(&citation),
        CiteForm::Latex => paper::latex(&citation, &run.figures, &run.trust.checks),
        CiteForm::Markdown => paper::markdown(&citation, &run.figures, &run.trust.checks),
        CiteForm::Methods => methods(&citation),
    })
}

/// Writes an entry of BibTeX. What a style shows of an entry differs, but a note is always shown.
fn bibtex(citation: &Citation) -> String {
    let note = format!("{}. {}", capital(&citation.identity()), citation.caution());
    let mut fields = vec![
        ("author", format!("{{{}}}", latex(AUTHORS))),
        ("title", format!("{{{}}}", latex(&citation.title()))),
        ("howpublished", "Data set".to_owned()),
    ];
    if let Some(date) = citation.date {
        fields.push(("year", format!("{:04}", date.year)));
        fields.push(("month", date.month.to_string()));
        fields.push(("date", date.iso()));
    }
    fields.push(("version", latex(&citation.version)));
    fields.push(("note", latex(&note)));
    let fields = fields.iter().map(|(name, value)| format!("  {name} = {{{value}}},\n"));
    format!("@misc{{{},\n{}}}\n", key(citation), fields.collect::<String>())
}

/// Returns the key of the entry: nothing in it means anything to BibTeX.
fn key(citation: &Citation) -> String {
    let letters = citation.run.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-');
    format!("inflight-{}", letters.take(100).collect::<String>())
}

/// Writes a `CITATION.cff` of version 1.2.0.
fn cff(citation: &Citation) -> String {
    let mut lines = vec![
        "cff-version: 1.2.0".to_owned(),
        format!("message: {}", yaml("Cite this run as below, with what its abstract warns of.")),
        "type: dataset".to_owned(),
        format!("title: {}", yaml(&citation.title())),
        "authors:".to_owned(),
        format!("  - name: {}", yaml(AUTHORS)),
    ];
    let date = citation.date.map(|date| format!("date-released: {}", yaml(&date.iso())));
    lines.extend(date);
    let text = [citation.methods.as_str()].into_iter();
    let text = text.chain(citation.warnings.iter().map(String::as_str));
    lines.push("abstract: >-".to_owned());
    lines.extend(text.map(|sentence| format!("  {}", folded(sentence))));
    lines.extend([
        "identifiers:".to_owned(),
        "  - type: other".to_owned(),
        format!("    value: {}", yaml(&format!("sha256:{}", citation.sha256))),
        format!("    description: {}", yaml("SHA-256 of the MANIFEST of the run")),
        "  - type: other".to_owned(),
        format!("    value: {}", yaml(&citation.run)),
        format!("    description: {}", yaml("The name of the run")),
        "references:".to_owned(),
        "  - type: software".to_owned(),
        format!("    title: {}", yaml("Inflight")),
        "    authors:".to_owned(),
        format!("      - name: {}", yaml(AUTHORS)),
        format!("    version: {}", yaml(&citation.version)),
        format!("    commit: {}", yaml(&citation.commit)),
    ]);
    lines.join("\n") + "\n"
}

/// Returns a sentence as it may stand in a folded scalar: ASCII on one line.
fn folded(text: &str) -> String {
    text.chars().map(|character| if character.is_ascii() { character } else { '?' }).collect()
}

/// Writes one sentence for the methods of a paper, and what must be said beside it.
fn methods(citation: &Citation) -> String {
    let identity = capital(&citation.identity());
    let text = format!("{} {identity}. {}", citation.methods, citation.caution());
    paragraph(&text) + "\n"
}
