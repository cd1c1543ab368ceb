//! What the clients of a run hide, forgive or call something else, as the run has it: errors of
//! models with such a client do not mean what those of bare models mean.

use record::{Quirk, Run};

/// What the clients of a run do otherwise than bare models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quirks<'a> {
    /// The clients, in the order in which they are told.
    pub clients: Vec<Client<'a>>,
    /// What they do, likewise.
    pub habits: Vec<Habit<'a>>,
}

/// A client that counts some faults in its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version in this run, if a turn told it.
    pub version: Option<&'a str>,
    /// The models that use it.
    pub models: Vec<&'a str>,
    /// The faults that it counts so.
    pub faults: usize,
}

/// What one or more clients do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Habit<'a> {
    /// What it is, as a verb and what follows it.
    pub does: &'a str,
    /// The code that is counted instead, or none where no failure is counted.
    pub counts: Option<&'a str>,
    /// The faults that show it.
    pub faults: Vec<&'a str>,
    /// The clients that do it.
    pub clients: Vec<&'a str>,
}

/// Returns what the clients of a run do otherwise, if the run tells it.
pub fn quirks(run: &Run) -> Option<Quirks<'_>> {
    let told = run.schedule.quirks.as_ref()?;
    let mut all = Quirks { clients: Vec::new(), habits: Vec::new() };
    for Quirk { client, fault, does, counts } in told {
        match all.clients.iter_mut().find(|known| known.name == client) {
            Some(known) => known.faults += 1,
            None => all.clients.push(Client { faults: 1, ..Client::of(run, client) }),
        }
        let counts = counts.as_deref();
        let same = |habit: &&mut Habit<'_>| habit.does == does && habit.counts == counts;
        match all.habits.iter_mut().find(same) {
            Some(habit) => {
                add(&mut habit.faults, fault);
                add(&mut habit.clients, client);
            }
            None => {
                all.habits.push(Habit { does, counts, faults: vec![fault], clients: vec![client] });
            }
        }
    }
    Some(all)
}

/// Adds a name to a list that holds each once.
fn add<'a>(names: &mut Vec<&'a str>, name: &'a str) {
    if !names.contains(&name) {
        names.push(name);
    }
}

impl<'a> Client<'a> {
    /// Returns what a run tells of a client.
    fn of(run: &'a Run, name: &'a str) -> Self {
        let models = run.schedule.models.iter().filter(|model| model.has_client(name));
        let models: Vec<&str> = models.map(|model| model.name.as_str()).collect();
        let mut own = run.blocks.iter().flat_map(|block| &block.stays);
        let version = own.find_map(|(model, stay)| {
            stay.versions.get(name).filter(|_| models.contains(&model.as_str()))
        });
        let version = version.map(String::as_str);
        Self { name, version, models, faults: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    /// Returns a run that knows something of its clients.
    fn run(told: Option<Vec<Quirk>>) -> Run {
        let mut run = Fixture { blocks: 2, ..Fixture::good() }.run();
        run.schedule.quirks = told;
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
    fn each_client_is_told_once_with_the_version_of_the_run_and_what_it_does() {
        let run = run(Some(vec![
            quirk("reqwest", "no_length", "takes what comes", None),
            quirk("reqwest", "nul", "takes any byte", None),
            quirk("reqwest", "bare_cr", "takes any byte", None),
            quirk("hyper", "nul", "takes any byte", None),
            quirk("hyper", "gzip", "takes any byte", Some("1604")),
        ]));
        let told = quirks(&run).unwrap();
        let [reqwest, hyper] = told.clients.as_slice() else { panic!("{told:?}") };
        assert_eq!((reqwest.version, reqwest.faults), (Some("0.13.5"), 3));
        assert_eq!(reqwest.models, ["tokio-reqwest"]);
        assert_eq!((hyper.version, hyper.faults), (None, 2));
        let [first, second, third] = told.habits.as_slice() else { panic!("{told:?}") };
        assert_eq!((first.does, first.counts), ("takes what comes", None));
        assert_eq!(second.faults, ["nul", "bare_cr"]);
        assert_eq!(second.clients, ["reqwest", "hyper"]);
        assert_eq!(third.counts, Some("1604"));
    }

    #[test]
    fn a_run_that_tells_nothing_of_its_clients_is_not_called_free_of_quirks() {
        assert_eq!(quirks(&run(None)), None);
        assert!(quirks(&run(Some(Vec::new()))).unwrap().clients.is_empty());
    }
}
