//! Which faults library clients accept, or report under another code.

use analysis::quirks::{Habit, Quirks};
use maud::{Markup, html};

use crate::html::run_page::Page;

impl Page<'_> {
    /// Writes how the clients of the run count faults, folded.
    pub(crate) fn quirks(&self) -> Markup {
        html! {
            @match self.run.quirks.as_ref() {
                None => p.missing {
                    "How library clients report faults was not recorded in this run."
                },
                Some(Quirks { clients, .. }) if clients.is_empty() => p {
                    "No client of this run is known to accept or rename a fault."
                },
                Some(reported) => details.more #quirks {
                    summary { "Clients that accept faulty replies or rename the error" }
                    (listed(reported))
                },
            }
        }
    }
}

/// Writes the clients, and what they do.
fn listed(reported: &Quirks) -> Markup {
    html! {
        p {
            "Every model was tested against a faulty server. These libraries report some faults \
             differently, so compare their error counts with care. None retries: the origin counts \
             the requests of every turn."
        }
        ul { @for client in &reported.clients {
            li { b { (crate::quirks_text::client(client)) } ": " (client.models.join(", ")) }
        } }
        ul { @for habit in &reported.habits { li { (written(habit)) } } }
    }
}

/// Writes what clients do.
fn written(habit: &Habit) -> String {
    let counts =
        habit.counts.as_ref().map_or_else(|| "no failure".to_owned(), |code| format!("as {code}"));
    let Habit { does, faults, clients, .. } = habit;
    format!("{}: {does} ({}; counted {counts})", clients.join(", "), faults.join(", "))
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture};
    use analysis::summarize;
    use record::Quirk;

    use crate::derive::derive;

    /// Returns the page of a run that knows this of its clients.
    fn page(reported: Option<Vec<Quirk>>) -> String {
        let mut run = Fixture { blocks: 2, ..Fixture::good() }.run();
        run.schedule.quirks = reported;
        let mut files = derive(&summarize(&run, BASELINE, FLOOR));
        String::from_utf8(files.remove("report.html").unwrap()).unwrap()
    }

    #[test]
    fn the_page_says_what_clients_do_and_a_run_that_reports_none_is_not_called_free_of_quirks() {
        let reported = Quirk {
            client: "reqwest".to_owned(),
            fault: "<b>".to_owned(),
            does: "takes what comes".to_owned(),
            counts: Some("1604".to_owned()),
        };
        let written = "reqwest: takes what comes (&lt;b&gt;; counted as 1604)";
        assert!(page(Some(vec![reported])).contains(written));
        assert!(page(Some(Vec::new())).contains("No client of this run is known to accept"));
        assert!(page(None).contains("was not recorded in this run"));
    }
}
