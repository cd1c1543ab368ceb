//! Checks on what connections leave in the kernel where there are many of them: those that linger
//! after their end, and a firewall that keeps a record of each.

use std::collections::BTreeSet;

use record::{Host, Run};
use workload::Cell;

use crate::checks::question::{Question, RUN, Trouble, ValidityCheck};

/// How many connections may begin to linger in a round in which fetches are held, for each hundred
/// that are held: the origin resets all of them. What lingers takes memory of the kernel and ports.
const LINGERING_PERCENT_MAX: u64 = 1;
/// So many may do so whatever is held: other programs of the namespace have connections too.
const LINGERING_LEAST: u64 = 64;
/// Why connections that linger matter where fetches are held, and where each has its own.
const STAYED: &str = "connections of models, or of other programs in the network namespace, \
                      lingered after their end beside those that were held";
const FORGOTTEN: &str = "the kernel has little room for more connections that linger: it may \
                         forget some early, and their ports be used again";

/// How many connections lingered as the round before ended, and what the machine did in a round.
type RoundHost<'a> = (Option<u64>, &'a Host);

/// Returns the checks on connections of a run: few runs are asked.
pub(crate) fn checks(run: &Run) -> Vec<ValidityCheck> {
    let cells = run.schedule.cells.iter().chain(&run.schedule.holds);
    cells.filter_map(|cell| lingering(run, cell)).chain(tracked(run)).collect()
}

/// G25: where fetches are held, no connection lingers after its end, and where each fetch has a
/// connection of its own, the kernel still remembers those that do. Other cells are not asked.
fn lingering(run: &Run, cell: &Cell) -> Option<ValidityCheck> {
    let is_held = cell.workload.is_held();
    if !is_held && !cell.workload.ends_connections() {
        return None;
    }
    let most = most(run, cell);
    let question = Question {
        id: "G25",
        name: "lingering",
        scope: &cell.name,
        threshold: match (is_held, most) {
            (true, Some(most)) => format!("a round adds at most {most}"),
            (false, Some(most)) => format!("at most {most}, half of what the kernel remembers"),
            (_, None) => "at most half of what the kernel remembers".to_owned(),
        },
    };
    let hosts = hosts(run, cell);
    let Some(seen) = hosts.iter().filter_map(|(_, host)| host.lingering).max() else {
        return Some(question.unknown("the run does not say how many connections lingered"));
    };
    let added = |(before, host): &RoundHost<'_>| Some(host.lingering?.saturating_sub((*before)?));
    let added = hosts.iter().filter_map(added).max().unwrap_or(0);
    let measured = match is_held {
        true => format!("at most {seen} lingered, of which a round had added {added}"),
        false => format!("at most {seen} lingered"),
    };
    let Some(most) = most else {
        let unknown = question.unknown("the run does not say how many the kernel remembers");
        return Some(ValidityCheck { measured, ..unknown });
    };
    let mut troubles: Vec<Trouble> = Vec::new();
    if is_held && added > most {
        troubles.push(("LINGERING", STAYED.to_owned()));
    }
    if !is_held && seen > most {
        troubles.push(("LINGERING", FORGOTTEN.to_owned()));
    }
    troubles.extend(unclosed(&hosts));
    Some(question.marked(measured, troubles))
}

/// Returns how many connections may linger in a cell, where they are held how many a round may
/// add; nothing where the run does not say what the kernel remembers.
fn most(run: &Run, cell: &Cell) -> Option<u64> {
    if cell.workload.is_held() {
        let share = u64::from(cell.in_flight) * LINGERING_PERCENT_MAX / 100;
        return Some(share.max(LINGERING_LEAST));
    }
    Some(run.environment.net.tcp_max_tw_buckets? / 2)
}

/// Returns that an origin did not close what it had, if that was so in a round.
fn unclosed(hosts: &[RoundHost<'_>]) -> Option<Trouble> {
    let unclosed = hosts.iter().filter(|(_, host)| host.unclosed).count();
    let why = || {
        format!(
            "in {unclosed} of {} rounds an origin had not closed all connections of a model a \
             minute after its end, and the next began beside them",
            hosts.len()
        )
    };
    (unclosed > 0).then(|| ("LINGERING", why()))
}

/// Returns what the machine did in each round of a cell that counts, and how many connections
/// lingered as the round before ended, of whichever cell that was.
fn hosts<'a>(run: &'a Run, cell: &Cell) -> Vec<RoundHost<'a>> {
    let blocks = run.schedule.blocks.iter().filter(|block| block.cell == cell.name);
    let blocks: BTreeSet<u32> = blocks.map(|block| block.number).collect();
    let (mut before, mut hosts) = (None, Vec::new());
    for round in &run.rounds {
        let Some(host) = &round.host else { continue };
        if blocks.contains(&round.block) {
            hosts.push((before, host));
        }
        before = host.lingering;
    }
    hosts
}

/// G26: no firewall keeps a record of the connections that are held, by the most of them, of which
/// the others in the namespace are a small part. Where nothing is held, or no firewall could, this
/// is not asked.
fn tracked(run: &Run) -> Option<ValidityCheck> {
    let grown = |cell: &Cell| {
        let own = run.turns.iter().filter(|turn| turn.cell == cell.name && turn.valid().is_some());
        let held = own.filter_map(|turn| turn.held.as_ref());
        let each = held.filter_map(|held| Some((held.during.tracked?, held.before.tracked?)));
        each.map(|(during, before)| during.saturating_sub(before)).min()
    };
    let holds = run.schedule.holds.iter();
    let holds = holds.filter_map(|cell| Some((u64::from(cell.in_flight), grown(cell)?)));
    let (in_flight, grown) = holds.max()?;
    let question = Question {
        id: "G26",
        name: "firewall",
        scope: RUN,
        threshold: "fewer than half of the connections that are held are tracked".to_owned(),
    };
    let is_tracked = 2 * grown >= in_flight;
    let why = "a firewall keeps a record of each connection: part of what the kernel takes for a \
               fetch is that, in memory and in time";
    let troubles = if is_tracked { vec![("TRACKED", why.to_owned())] } else { Vec::new() };
    let measured = format!("at least {grown} more tracked while {in_flight} were held");
    Some(question.marked(measured, troubles))
}

#[cfg(test)]
mod tests {
    use record::{Held, MemoryReading};
    use workload::Workload;

    use super::*;
    use crate::checks::checks;
    use crate::checks::meaning::meaning;
    use crate::checks::question::CheckState;
    use crate::checks::tests::get;
    use crate::fixture::{BASELINE, FLOOR, Fixture, hosts, receipt};

    /// How many connections linger in each round of the runs of these tests, that of churn aside.
    const INHERITED: u64 = 9_000;

    /// Returns a run that holds so many at once, and one with a connection for each fetch, in
    /// which nothing is wrong.
    fn run(in_flight: u32) -> Run {
        let good = Fixture::good();
        let steady = good.cells[1].clone();
        let churn = Cell { name: "churn".to_owned(), workload: Workload::Churn, ..steady };
        let hold =
            Cell { name: "hold".to_owned(), workload: Workload::Hold, in_flight, ..churn.clone() };
        let mut run = Fixture { cells: vec![churn, hold], blocks: 3, ..good }.run();
        run.schedule.holds = run.schedule.cells.split_off(1);
        run.environment.net.tcp_max_tw_buckets = Some(40_000);
        for round in &mut run.rounds {
            round.host.as_mut().unwrap().lingering = Some(INHERITED);
        }
        for turn in run.turns.iter_mut().filter(|turn| turn.cell == "hold") {
            let reading = |tracked| MemoryReading { tracked, ..MemoryReading::default() };
            let (before, during) = (reading(Some(5)), reading(Some(6)));
            turn.held = Some(Held { before, during, ..Held::default() });
        }
        run
    }

    /// Checks that a good run passes a check, and that one which is corrupted gets this badge, or
    /// is unknown where there is none.
    fn trips(which: (&str, &str), corrupt: impl Fn(&mut Run), expected: Option<&str>) {
        let mut run = run(1_000);
        let found = |run: &Run| get(&checks(run, BASELINE, FLOOR), which).clone();
        assert_eq!(found(&run).state, CheckState::Passed);
        corrupt(&mut run);
        let found = found(&run);
        match expected {
            Some(badge) => {
                assert_eq!(found.badges, [badge], "{found:?}");
                assert!(meaning(badge).is_some(), "{badge} is not explained");
            }
            None => assert!(matches!(found.state, CheckState::Unknown(_)), "{found:?}"),
        }
    }

    #[test]
    fn g25_trips_on_connections_that_begin_to_linger_where_fetches_are_held() {
        let add = |run: &mut Run| {
            hosts(run, "hold").last().unwrap().lingering = Some(INHERITED + 65);
        };
        trips(("G25", "hold"), add, Some("LINGERING"));
        let mut large = run(10_000);
        add(&mut large);
        let found = lingering(&large, &large.schedule.holds[0]).unwrap();
        assert_eq!(found.state, CheckState::Passed, "less than a hundredth: {found:?}");
        let measured = "at most 9065 lingered, of which a round had added 65";
        assert_eq!(
            (found.measured.as_str(), found.threshold.as_str()),
            (measured, "a round adds at most 100")
        );
    }

    #[test]
    fn g25_trips_on_an_origin_that_does_not_close_what_it_had() {
        let unclosed = |run: &mut Run| hosts(run, "hold").next().unwrap().unclosed = true;
        trips(("G25", "hold"), unclosed, Some("LINGERING"));
    }

    #[test]
    fn g25_trips_on_more_connections_than_half_of_what_the_kernel_remembers() {
        let many = |run: &mut Run| hosts(run, "churn").next().unwrap().lingering = Some(20_001);
        trips(("G25", "churn"), many, Some("LINGERING"));
        let half = run(64);
        assert_eq!(
            lingering(&half, &half.schedule.cells[0]).unwrap().measured,
            "at most 9000 lingered"
        );
    }

    #[test]
    fn g25_is_unknown_where_the_kernel_hides_its_counts_and_asks_nothing_of_other_cells() {
        let hide = |run: &mut Run| {
            run.rounds.iter_mut().for_each(|round| round.host.as_mut().unwrap().lingering = None);
        };
        trips(("G25", "hold"), hide, None);
        trips(("G25", "churn"), |run| run.environment.net.tcp_max_tw_buckets = None, None);
        assert_eq!(super::checks(&Fixture::good().run()), []);
    }

    #[test]
    fn g26_trips_on_a_firewall_that_tracks_what_is_held() {
        let track = |run: &mut Run| {
            for held in run.turns.iter_mut().filter_map(|turn| turn.held.as_mut()) {
                held.during.tracked = Some(505);
            }
        };
        trips(("G26", "run"), track, Some("TRACKED"));
        let mut other = run(1_000);
        track(&mut other);
        other.turns.iter_mut().find_map(|turn| turn.held.as_mut()).unwrap().during.tracked =
            Some(9);
        assert_eq!(tracked(&other).unwrap().state, CheckState::Passed, "not in every turn");
        for held in other.turns.iter_mut().filter_map(|turn| turn.held.as_mut()) {
            held.before.tracked = None;
        }
        assert_eq!(tracked(&other), None, "no firewall could");
    }

    #[test]
    fn g15_trips_on_what_was_lost_while_fetches_were_held() {
        let lose = |run: &mut Run| {
            let turn = run.turns.iter_mut().find(|turn| turn.cell == "hold").unwrap();
            receipt(turn).listen_overflows = Some(1);
        };
        trips(("G15", "hold"), lose, Some("TCP"));
    }
}
