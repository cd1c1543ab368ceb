//! How to read the report, what it does not show, and how to cite, check and repeat the run.

use std::collections::BTreeSet;

use maud::{Markup, html};

use crate::cite::{CiteForm, cite};
use analysis::family::MARGIN;
use analysis::proof::{OriginState, Proof};
use analysis::{Family, INFLIGHT};

use crate::figure::data::Data;
use crate::html::again;
use crate::html::chart::table;
use crate::html::quoted::quoted;
use crate::html::run_page::Page;
use crate::summary::origins;

impl Page<'_> {
    /// Writes how to read the report, and what it does not show.
    pub(crate) fn reading(&self) -> Markup {
        let family = match self.figures.family {
            Family::AgainstBaseline => "each model against the baseline",
            Family::AllPairs => "every pair of models in a cell",
        };
        let (baseline, floor) = (&self.figures.baseline, &self.figures.floor);
        let estimator = &self.run.estimator;
        html! {
            h3 { "How to read it" }
            p {
                "A " b { "fetch" } " is one HTTP GET over loopback whose whole reply is verified; "
                "a " b { "model" } " is one way to keep many of them in flight: a task, a thread, \
                    a state of a loop for each. A " b { "cell" } " is a kind of work with its \
                    numbers, a " b { "turn" } " some of that work by one model, a " b { "round" }
                " a turn of every model of a cell in random order. A " b { "block" }
                " is some rounds with one process of each model; a " b { "stay" }
                " is one model's turns in a block."
            }
            ul {
                li { b { "Cost" } " is CPU time of the model's process per fetch, at equal rate. \
                    It includes what the kernel does in the process's name, also part of the \
                    server's receiving: over loopback the sender runs it. The cost above " (floor)
                        ", the floor, has that subtracted." }
                li { b { "Ratios" } " compare turns less the mean of their round, so what slows \
                    the machine for longer cancels. They are "
                    (estimator.estimates) " with intervals at the level that holds for "
                    (family) " together (" (estimator.interval) ")." }
                li { b { "different" } ": the interval, adjusted for all comparisons \
                    (Bonferroni), excludes 1, and the difference exceeds "
                    (format!("{:.0} %", 100.0 * MARGIN)) ". "
                    b { "equivalent" } ": the whole interval lies within it. "
                    b { "inconclusive" } ": neither; this is not equal." }
                li { b { "Ranks" } " are shared (=) by models that the verdicts do not separate. \
                    A model is n/a where it cannot hold the cell by design, and invalid where no \
                    turn kept the validity rules; invalid numbers are used nowhere." }
                li { b { "Client overhead" } " is a model with an HTTP library against \
                    the same model on the shared core." }
            }
            (self.method())
            h3 { "What this does not show" }
            (self.limits())
            h3 { "Bias" }
            ul {
                li { "The shared HTTP core and " (floor) " were written by the authors of this \
                    project." }
                li { (baseline) " is the baseline because most readers know it, not because it is \
                    right." }
                li { "The cells are many short fetches, which shows what a model costs and is \
                    seldom what a program does." }
            }
        }
    }

    /// Says how it was measured.
    fn method(&self) -> Markup {
        html! {
            h3 { "Method" }
            p {
                "In each block every model is a fresh process, and all of them take short turns, \
                 round after round in random order; of a batch each turn is a fresh process. "
                (self.figures.baseline) " has a second process in each block, so that noise is \
                     known. \
                     All models of a block fetch the same ids with the same delays and bodies; \
                     status, length, CRC-32 and echoed id of every reply are checked, and each \
                     turn is held against what the server counted. The server, "
                (origins(self.run)) ", has a process of its own, renewed every block. "
                "More stands in the source, in " code { "benches/README.md" } "."
            }
        }
    }

    /// Says what the run does not show.
    fn limits(&self) -> Markup {
        html! {
            ul {
                @if self.run.is_estimate {
                    li { "It is an estimate: a citable run has the preset " code { "citable" }
                        ", with several sessions, programs of several layouts, and controls." }
                }
                @if self.run.environment.cpus <= 2 {
                    li { "With " (self.run.environment.cpus) " CPUs the server is at its limit \
                        before any compiled model is: models are not ranked by throughput." }
                }
                @if let Some(cells) = self.censored() {
                    li { "The server set the pace in " (cells) ": rates there are lower bounds of \
                        what the models could do." }
                }
                @if let Some(languages) = self.languages() {
                    li { "Models in " (languages) " mix language, client and runtime: they are \
                        context, and no comparison of models." }
                }
                li { "Loopback only: no network card, round-trip time, loss, TLS, DNS, HTTP/2 or \
                    3. CPU time includes work of the kernel for the other end" (self.accounting())
                    "." }
                li { "One machine in one period. Costs of two machines do not compare; ratios may \
                    differ on other CPUs, kernels and numbers of cores." }
                li { "Small bodies and no work on them: differences shrink as the work per fetch \
                    grows, see " a href="#answer" { "what they mean" } "." }
                li { "CPU time is neither energy nor effort, safety or semantics of cancellation; \
                    fairness between fetches, back-pressure and shutdown are not scored." }
                li { "Stalls that are shorter or rarer than the windows are not seen." }
                li { "Versions are those of the lock file; library clients run as their \
                    documentation says, with the settings that each model names." }
            }
        }
    }

    /// Returns the cells in which the server set the pace, if there are any.
    fn censored(&self) -> Option<String> {
        let is_bound = |proof: &&Proof| proof.origin == Some(OriginState::ServerBound);
        let cells = self.trust.proofs.iter().filter(is_bound).map(|proof| proof.cell.as_str());
        listed(cells.collect())
    }

    /// Returns the languages of models that stand apart, if there are any.
    fn languages(&self) -> Option<String> {
        let languages = self.figures.cells.iter().flat_map(|cell| &cell.languages);
        listed(languages.map(|of| of.language.as_str()).collect())
    }

    /// Says how the kernel accounted for CPU time, as far as the run reports it.
    fn accounting(&self) -> String {
        let machine = &self.run.environment;
        let ways = [
            ("of interrupts", machine.irq_time_accounting.as_str()),
            ("of CPU time", machine.kernel_settings.virt_cpu_accounting.as_str()),
        ];
        let known = ways.into_iter().filter(|(_, way)| !["", "unknown"].contains(way));
        let known: Vec<String> = known.map(|(what, way)| format!("{what}: {way}")).collect();
        match known.is_empty() {
            true => String::new(),
            false => format!(" (accounting {})", known.join("; ")),
        }
    }

    /// Writes how to cite, check and repeat the run.
    pub(crate) fn cite(&self) -> Markup {
        let environment = &self.run.environment;
        let again = format!("git checkout {}\n{}", environment.commit, again::command(self.run));
        let id = &self.run.id;
        let mut hashes = Data::new(&["program", "SHA-256"]);
        for (program, hash) in &environment.programs_sha256 {
            hashes.push(vec![program.clone(), hash.clone()]);
        }
        let (reference, more) = self.citation();
        html! {
            div.two.commands {
                div {
                    h3 { "Run it again" }
                    (copied("again", &again))
                    h3 { "Check it" }
                    (copied("check", &format!("{INFLIGHT} check {id}")))
                }
                div { h3 { "Cite it" } (reference) }
            }
            div.folds {
                (more)
                details.more {
                    summary { "What these commands do" }
                    p {
                        "In a checkout of Inflight, the first measures again. The second compares \
                         every measured file with its hash, and this page with one that it \
                         computes again. On another machine numbers differ and \
                         verdicts may. The order of the turns was drawn from a seed: "
                        code { (again::seed(self.run)) } " of " code { (INFLIGHT) " run" }
                        "; " code { "cargo bench" } " takes none and draws its own."
                    }
                }
                details.more { summary { "Programs and their hashes" } (table(&hashes,
                    "Programs that were measured")) }
            }
        }
    }

    /// Writes how the run is cited, or why it cannot be; and, folded, the other forms.
    fn citation(&self) -> (Markup, Markup) {
        let cited = |form| cite(self.run, form);
        match (cited(CiteForm::Methods), cited(CiteForm::Bibtex)) {
            (Ok(methods), Ok(bibtex)) => (
                copied("cite-bibtex", bibtex.trim_end()),
                html! { details.more {
                    summary { "A sentence on the method, and other forms" }
                    (copied("cite-methods", methods.trim_end()))
                    p {
                        code { (INFLIGHT) " cite " (self.run.id) " --as FORM" }
                        " prints other forms: " (CiteForm::ALL.map(CiteForm::name).join(", "))
                        ". " code { (INFLIGHT) " report " (self.run.id) " --figures png" }
                        " or " code { "pdf" } " also writes each chart as a file."
                    }
                } },
            ),
            (Err(why), _) | (_, Err(why)) => {
                (html! { p.missing { (quoted(&why.to_string())) } }, html! {})
            }
        }
    }
}

/// Lists names, each once, if there are any.
fn listed(names: BTreeSet<&str>) -> Option<String> {
    (!names.is_empty()).then(|| names.into_iter().collect::<Vec<_>>().join(", "))
}

/// Writes a text that can be copied.
pub(crate) fn copied(id: &str, text: &str) -> Markup {
    html! {
        div.copied {
            pre tabindex="0" { code id=(id) { (text) } }
            button.copy type="button" data-of=(id) hidden { "Copy" }
        }
    }
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture};
    use record::Run;

    /// Returns what a page says that its run does not show.
    fn limits(run: &Run) -> String {
        let page = crate::derive::derive(&analysis::summarize(run, BASELINE, FLOOR))
            .remove("report.html")
            .unwrap();
        let page = String::from_utf8(page).unwrap();
        let (_, limits) = page.split_once("What this does not show</h3>").unwrap();
        limits.split_once("Bias</h3>").unwrap().0.to_owned()
    }

    #[test]
    fn what_a_run_does_not_show_is_said_where_the_run_has_it_and_nowhere_else() {
        let (bound, mixed) = ("rates there are lower bounds", "mix language, client and runtime");
        let mut run = Fixture::good().run();
        let plain = limits(&run);
        assert!(!plain.contains(bound) && !plain.contains(mixed), "{plain}");
        assert!(plain.contains("the other end (accounting of interrupts: off)."), "{plain}");

        run.schedule.probes[1].ceiling_per_s = 2_000;
        let threads = run.schedule.models.iter_mut().find(|model| model.name == "threads");
        let threads = threads.unwrap();
        (threads.language, threads.baseline) =
            (Some("Python".to_owned()), Some("threads".to_owned()));
        run.environment.kernel_settings.virt_cpu_accounting = "ticks".into();
        let reported = limits(&run);
        assert!(reported.contains("The server set the pace in steady: "), "{reported}");
        assert!(
            reported.contains(bound) && reported.contains("Models in Python mix language"),
            "{reported}"
        );
        assert!(
            reported.contains("(accounting of interrupts: off; of CPU time: ticks)."),
            "{reported}"
        );
    }
}
