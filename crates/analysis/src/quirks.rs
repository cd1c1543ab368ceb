//! What the clients of a run hide, forgive or call something else, as the run has it: errors of
//! models with such a client do not mean what those of bare models mean.

use record::{Quirk, Run};
use serde::Serialize;

/// What the clients of a run do otherwise than bare models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Quirks {
    /// The clients, in the order in which they are reported.
    pub clients: Vec<Client>,
    /// What they do, likewise.
    pub habits: Vec<Habit>,
}

/// A client that counts some faults in its own way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Its version in this run, if a turn reported it.
    pub version: Option<String>,
    /// The models that use it.
    pub models: Vec<String>,
    /// The faults that it counts so.
    pub faults: usize,
}

/// What one or more clients do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Habit {
    /// What it is, as a verb and what follows it.
    pub does: String,
    /// The code that is counted instead, or none where no failure is counted.
    pub counts: Option<String>,
    /// The faults that show it.
    pub faults: Vec<String>,
    /// The clients that do it.
    pub clients: Vec<String>,
}

/// Returns what the clients of a run do otherwise, if the run reports it.
pub fn quirks(run: &Run) -> Option<Quirks> {
    let reported = run.schedule.quirks.as_ref()?;
    let mut all = Quirks { clients: Vec::new(), habits: Vec::new() };
    for Quirk { client, fault, does, counts } in reported {
        match all.clients.iter_mut().find(|known| known.name == *client) {
            Some(known) => known.faults += 1,
            None => all.clients.push(Client { faults: 1, ..Client::of(run, client) }),
        }
        let same = |habit: &&mut Habit| habit.does == *does && habit.counts == *counts;
        match all.habits.iter_mut().find(same) {
            Some(habit) => {
                add(&mut habit.faults, fault);
                add(&mut habit.clients, client);
            }
            None => {
                all.habits.push(Habit {
                    does: does.clone(),
                    counts: counts.clone(),
                    faults: vec![fault.clone()],
                    clients: vec![client.clone()],
                });
            }
        }
    }
    Some(all)
}

/// Adds a name to a list that holds each once.
fn add(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

impl Client {
    /// Returns what a run says of a client.
    fn of(run: &Run, name: &str) -> Self {
        let models = run.schedule.models.iter().filter(|model| model.has_client(name));
        let models: Vec<String> = models.map(|model| model.name.clone()).collect();
        let mut own = run.blocks.iter().flat_map(|block| &block.stays);
        let version = own
            .find_map(|(model, stay)| stay.versions.get(name).filter(|_| models.contains(model)));
        let version = version.cloned();
        Self { name: name.to_owned(), version, models, faults: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    /// Returns a run that knows something of its clients.
    fn run(reported: Option<Vec<Quirk>>) -> Run {
        let mut run = Fixture { blocks: 2, ..Fixture::good() }.run();
        run.schedule.quirks = reported;
        for block in &mut run.blocks {
            let stay = block.stays.get_mut("tokio-reqwest").unwrap();
            stay.versions.insert("reqwest".to_owned(), "0.13.5".to_owned());
        }
        run
    }

    /// Returns a quirk of a client.
    fn quirk(client: &str, fault: &str, does: &str, counts: Option<&str>) -> Quirk {
        let [client, fault, does] = [client, fault, does].map(str::to_owned);
        Quirk { client, fault, does, counts: counts.map(str::to_owned) }
    }

    #[test]
    fn each_client_is_reported_once_with_the_version_of_the_run_and_what_it_does() {
        let run = run(Some(vec![
            quirk("reqwest", "no_length", "takes what comes", None),
            quirk("reqwest", "nul", "takes any byte", None),
            quirk("reqwest", "bare_cr", "takes any byte", None),
            quirk("hyper", "nul", "takes any byte", None),
            quirk("hyper", "gzip", "takes any byte", Some("1604")),
        ]));
        let reported = quirks(&run).unwrap();
        let [reqwest, hyper] = reported.clients.as_slice() else { panic!("{reported:?}") };
        assert_eq!((reqwest.version.as_deref(), reqwest.faults), (Some("0.13.5"), 3));
        assert_eq!(reqwest.models, ["tokio-reqwest"]);
        assert_eq!((&hyper.version, hyper.faults), (&None, 2));
        let [first, second, third] = reported.habits.as_slice() else { panic!("{reported:?}") };
        assert_eq!((first.does.as_str(), &first.counts), ("takes what comes", &None));
        assert_eq!(second.faults, ["nul", "bare_cr"]);
        assert_eq!(second.clients, ["reqwest", "hyper"]);
        assert_eq!(third.counts.as_deref(), Some("1604"));
    }

    #[test]
    fn a_run_that_reports_nothing_of_its_clients_is_not_called_free_of_quirks() {
        assert_eq!(quirks(&run(None)), None);
        assert!(quirks(&run(Some(Vec::new()))).unwrap().clients.is_empty());
    }
}
