//! The report as one HTML file that works from disk: no request, whole without its script.
//!
//! The policy in its head forbids everything but the one style and the one script that stand in it,
//! by their hashes, so that nothing that a model or a machine says of itself can run or fetch.

mod again;
mod answer;
mod believe;
mod chart;
mod diff;
mod figures;
mod merge;
mod models;
mod origin;
mod pairs;
mod primitives;
mod quirks;
mod reading;
mod sweep;
mod trust;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use record::Run;
use sha2::{Digest, Sha256};

use crate::figure::Charts;
use crate::figure::draw::signs;
use crate::figures::Figures;
use crate::trust::Trust;

pub use self::diff::diff_page;
pub use self::merge::merge_page;

/// How the page looks.
const STYLE: &str = include_str!("page.css");
/// What sorts, filters, copies and switches the theme.
const SCRIPT: &str = include_str!("page.js");

/// What a page is written from.
pub(crate) struct Page<'a> {
    /// The run.
    pub(crate) run: &'a Run,
    /// Its figures.
    pub(crate) figures: &'a Figures,
    /// Whether it may be believed.
    pub(crate) trust: &'a Trust,
    /// What is drawn of it.
    pub(crate) charts: &'a Charts,
}

/// A section of a page.
pub(crate) struct Section {
    /// Its anchor.
    pub(crate) id: String,
    /// Its heading.
    pub(crate) title: String,
    /// What stands in it.
    pub(crate) body: Markup,
}

/// A page before it is written: what differs between the pages of runs, which all look alike.
pub(crate) struct Frame {
    /// What a browser calls it.
    pub(crate) title: String,
    /// The version of Inflight that measured what it shows, if that is one.
    pub(crate) version: Option<String>,
    /// The question that it answers.
    pub(crate) question: &'static str,
    /// What stands below the question.
    pub(crate) lead: Markup,
    /// Its sections, in their order.
    pub(crate) sections: Vec<Section>,
    /// How it ends.
    pub(crate) foot: Markup,
}

/// Returns the page of a run.
pub(crate) fn page(page: &Page<'_>) -> Vec<u8> {
    let frame = Frame {
        title: page.run.id.clone(),
        version: Some(page.run.schedule.version.clone()),
        question: "What does each way of keeping many fetches in flight cost?",
        lead: page.lead(),
        sections: page.sections(),
        foot: page.foot(),
    };
    written(&frame).into_bytes()
}

/// Returns the section of a cell on a page of several runs: its name as the title, since that
/// stands in the contents too, and its numbers below.
pub(crate) fn of_cell(place: usize, heading: &str, body: &Markup) -> Section {
    let (name, numbers) = heading.split_once(": ").unwrap_or((heading, ""));
    Section {
        id: format!("cell-{place}"),
        title: name.to_owned(),
        body: html! { p.run { (numbers) } (body) },
    }
}

/// Writes a page.
pub(crate) fn written(frame: &Frame) -> String {
    let version = frame.version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(format!("Inflight{version}"));
                title { "Inflight: " (frame.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the answer" }
                header.top {
                    p.brand { "Inflight" span { (version) } }
                    button #theme type="button" hidden { "Theme" }
                    h1 { (frame.question) }
                    (frame.lead)
                }
                (signs())
                (contents(&frame.sections))
                main #main {
                    @for section in &frame.sections {
                        section id=(section.id) aria-labelledby=(format!("{}-title", section.id)) {
                            h2 id=(format!("{}-title", section.id)) { (section.title) }
                            (section.body)
                        }
                    }
                }
                footer { p { (frame.foot) } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    crate::number::visible(&compact(markup.into_string())) + "\n"
}

/// Leaves out the ends that HTML lets one leave out, which are a tenth of a page of tables and
/// figures. Texts cannot hold them, since their signs are escaped.
fn compact(markup: String) -> String {
    const ENDS: [&str; 6] = ["</td>", "</th>", "</tr>", "</li>", "</dt>", "</dd>"];
    const EMPTY: [&str; 5] = ["line", "use", "path", "rect", "circle"];
    let markup = ENDS.iter().fold(markup, |markup, end| markup.replace(end, ""));
    let empty = EMPTY.map(|name| format!("></{name}>"));
    empty.iter().fold(markup, |markup, end| markup.replace(end, "/>"))
}

impl Page<'_> {
    /// Returns the sections, in their order.
    fn sections(&self) -> Vec<Section> {
        let section = |id: &str, title: &str, body| Section {
            id: id.to_owned(),
            title: title.to_owned(),
            body,
        };
        vec![
            section("answer", "The answer", self.answer()),
            section("trust", "Can this run be trusted?", self.trust()),
            section("cost", "What a fetch costs", self.cost()),
            section("ratios", "Who differs, and by how much", self.ratios()),
            section("breakdown", "Where the microseconds go", self.breakdown()),
            section("primitives", "What models are made of", self.primitives()),
            section("ideas", "What the teaching page says, measured", self.ideas()),
            section("wall", "Wall time", self.wall()),
            section("latency", "Latency", self.latency()),
            section("memory", "Memory and context switches", self.memory()),
            section("scaling", "Scaling", self.scaling()),
            section("errors", "Errors", self.errors()),
            section("models", "The models, one by one", self.models()),
            section("stays", "Every stay", self.stays()),
            section("origin", "Where it was measured", self.origin()),
            section("reading", "How to read it, and what it does not show", self.reading()),
            section("cite", "Cite it, check it, run it again", self.cite()),
        ]
    }

    /// Writes which run it is, and what its figures may be called.
    fn lead(&self) -> Markup {
        let machine = &self.run.environment;
        html! {
            p.words {
                "A " b { "fetch" } " is one HTTP GET over loopback whose whole reply is verified; "
                "a " b { "model" } " is one way to keep many of them in flight: a task, a thread, \
                    a state of a loop for each. A " b { "cell" } " is a kind of work with its \
                    numbers, a " b { "turn" } " some of that work by one model, a " b { "round" }
                " a turn of every model of a cell in random order, a " b { "block" }
                " rounds with one process of each model, whose " b { "stay" } " it is."
            }
            p.run {
                (machine.cpu) ", " (machine.cpus) " CPUs (" (machine.kind) "), Linux "
                (machine.kernel) ", models on CPU "
                (format!("{:?}", self.run.schedule.placement.model_cpus)) " with "
                (crate::number::count(self.run.schedule.placement.workers as usize, "worker"))
                "; " (machine.rustc) "; server " (machine.origin)
                @for version in self.versions_of_all() { ", " (version) }
                ". Run " code { (self.run.id) } "."
            }
            @if let Some(warning) = self.warning() { p.warning { (warning) } }
        }
    }

    /// Returns the versions of what the models are built on, runtimes first.
    fn versions_of_all(&self) -> Vec<String> {
        let mut models: Vec<&record::Model> = self.run.schedule.models.iter().collect();
        models.sort_by_key(|model| (model.language.is_some(), !model.is_bare()));
        let mut told: Vec<String> = Vec::new();
        for model in models {
            let versions = self.versions(&model.name);
            for version in versions.split(", ").filter(|version| !version.is_empty()) {
                if !told.iter().any(|known| known == version) {
                    told.push(version.to_owned());
                }
            }
        }
        told
    }

    /// Says what the figures of the run may be called, if there is anything to be said.
    fn warning(&self) -> Option<String> {
        use record::Integrity;
        let mut told = Vec::new();
        if crate::summary::is_estimate(self.run) {
            told.push(format!("an estimate (preset {})", self.run.schedule.preset));
        }
        match &self.run.integrity {
            Integrity::Whole => {}
            Integrity::Unfinished => told.push("unfinished".to_owned()),
            Integrity::Altered(files) => {
                told.push(format!("altered after it was measured ({})", files.join(", ")));
            }
        }
        match crate::summary::times_cut_short(self.run) {
            0 => {}
            times => told.push(format!("resumed {}", crate::number::count(times, "time"))),
        }
        if self.run.environment.modified != "no" {
            told.push(format!(
                "from a source tree with changes: {}",
                self.run.environment.modified
            ));
        }
        (!told.is_empty()).then(|| format!("This run is {}.", told.join("; ")))
    }

    /// Writes the end of the page.
    fn foot(&self) -> Markup {
        html! {
            "Written by Inflight " (self.run.schedule.version) " from run " code { (self.run.id) }
            " alone; the same run gives the same bytes. "
            code { "inflight check " (self.run.id) } " computes them again."
        }
    }
}

/// Writes the contents.
fn contents(sections: &[Section]) -> Markup {
    html! {
        nav aria-label="Contents" {
            ol {
                @for section in sections {
                    li { a href=(format!("#{}", section.id)) { (section.title) } }
                }
            }
        }
    }
}

/// Returns the policy of the page: nothing but its own style and script.
fn policy() -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}
