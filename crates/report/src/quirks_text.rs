//! Which clients of a run count faults in their own way, in a line.

use analysis::Summary;
use analysis::number::count;
use analysis::quirks::Client;

/// Writes in a line which clients count faults in their own way, if any do.
pub(crate) fn quirks_line(run: &Summary) -> Option<String> {
    let clients = &run.quirks.as_ref()?.clients;
    let reported: Vec<String> = clients.iter().map(client).collect();
    (!reported.is_empty()).then(|| {
        format!(
            "Clients that accept faulty replies or report them under another error code: {}; \
             report.html says which",
            reported.join(", ")
        )
    })
}

/// Writes a client with its version, and how many faults it counts in its own way.
pub(crate) fn client(of: &Client) -> String {
    let version = of.version.as_deref().unwrap_or("of unknown version");
    format!("{} {version} ({})", of.name, count(of.faults, "fault"))
}

#[cfg(test)]
mod tests {
    use record::Quirk;

    use analysis::fixture::{BASELINE, FLOOR, Fixture};
    use analysis::summarize;

    use super::*;

    #[test]
    fn clients_are_named_with_their_faults_and_none_where_the_run_knows_nothing() {
        let mut run = Fixture { blocks: 2, ..Fixture::good() }.run();
        let quirk = |client: &str, fault: &str| {
            let [client, fault, does] = [client, fault, "takes any byte"].map(str::to_owned);
            Quirk { client, fault, does, counts: None }
        };
        run.schedule.quirks = Some(vec![quirk("reqwest", "nul"), quirk("hyper", "nul")]);
        let stay = run.blocks[0].stays.get_mut("tokio-reqwest").unwrap();
        stay.versions.insert("reqwest".to_owned(), "0.13.5".to_owned());
        let line = quirks_line(&summarize(&run, BASELINE, FLOOR)).unwrap();
        assert!(line.contains("reqwest 0.13.5 (1 fault), hyper of unknown version"), "{line}");
        run.schedule.quirks = None;
        assert_eq!(quirks_line(&summarize(&run, BASELINE, FLOOR)), None);
    }
}
