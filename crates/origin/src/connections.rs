//! How many connections the shards have accepted, and nobody else in this network namespace.
//!
//! wiremock reports nothing of connections. What is still open is counted by this process's own
//! sockets, which costs microseconds. Only where the kernel has accepted more than that, here
//! or anywhere in the namespace, its table of connections is read, which takes milliseconds: what
//! has been closed lingers there for a minute, at the end that closed first.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The states of the table that are no accepted connection, in hexadecimal: a listener, and three
/// of a connection that is being opened.
const NOT_ACCEPTED: [&str; 4] = ["0A", "02", "03", "0C"];
/// The state of a connection that was closed and lingers.
const LINGERS: &str = "06";
/// How much longer than it should a connection has to linger to be another on the same ports. On
/// loopback the kernel takes ports again from a second on (`net.ipv4.tcp_tw_reuse`), and each
/// connection lingers as long as the next.
const LONGER: Duration = Duration::from_millis(500);

/// What the shards have accepted.
#[derive(Debug)]
pub struct Connections {
    ports: Vec<u16>,
    /// Sockets that were open as the count began.
    open: u64,
    /// Connections that the namespace had accepted then.
    accepted: Option<u64>,
    /// Connections of the shards that the table had then, open or closed. A descriptor may outlive
    /// its connection: that of a process that has just left is closed a moment later.
    known: Table,
    /// What `open` and `accepted` were when the table was read for `known`.
    read_at: Option<(u64, Option<u64>)>,
}

/// The connections of the shards that the kernel's table had once.
#[derive(Debug)]
struct Table {
    read: Instant,
    /// By the ports of the one end and of the other: each end has its own entry.
    ends: HashMap<(u16, u16), End>,
}

/// One end of a connection in the table.
#[derive(Clone, Copy, Debug)]
struct End {
    /// The port of the shard, and the other.
    connection: (u16, u16),
    /// For how long it goes on to linger, if it was closed first.
    lingers: Option<Duration>,
}

impl Connections {
    /// Begins to count for shards at these addresses.
    pub fn of(shards: &[SocketAddr]) -> Self {
        let ports = shards.iter().map(SocketAddr::port).collect();
        Self { ports, open: 0, accepted: None, known: Table::of("", &[]), read_at: None }
    }

    /// Begins to count anew; `accepted` is how many the namespace has accepted so far.
    pub(crate) fn begin(&mut self, accepted: Option<u64>) {
        (self.open, self.accepted) = (open(), accepted);
        // Where nothing was accepted or closed since it was read, the table has nothing new.
        let now = Some((self.open, accepted));
        if self.read_at != now {
            self.known = self.table().unwrap_or_else(|| Table::of("", &[]));
            self.read_at = now;
        }
    }

    /// Returns how many the shards have accepted since then; nothing where the kernel does not
    /// report.
    pub(crate) fn so_far(&self, accepted: Option<u64>) -> Option<u64> {
        let kept = open().saturating_sub(self.open);
        let most = accepted?.saturating_sub(self.accepted?);
        if most <= kept {
            return Some(most);
        }
        Some((self.table()?.new_since(&self.known) as u64).min(most))
    }

    /// Reads the connections of the shards that the kernel's table has.
    fn table(&self) -> Option<Table> {
        Some(Table::of(&fs::read_to_string("/proc/net/tcp").ok()?, &self.ports))
    }
}

impl Table {
    /// Reads the entries that have one of these ports at either end.
    fn of(text: &str, ports: &[u16]) -> Self {
        let read = Instant::now();
        Self { read, ends: text.lines().skip(1).filter_map(|line| end(line, ports)).collect() }
    }

    /// Returns how many connections are of later than another table. One that was there by either
    /// end is not: its ends close one after the other, and either may show alone.
    fn new_since(&self, known: &Self) -> usize {
        let passed = self.read.duration_since(known.read);
        let was_there: HashSet<_> = known.ends.values().map(|end| end.connection).collect();
        // What lingers goes on to, and for less and less long.
        let is_another = |ports: &(u16, u16), end: &End| {
            let was = known.ends.get(ports).and_then(|known| known.lingers);
            was.is_some_and(|was| {
                end.lingers.is_none_or(|lingers| lingers > was.saturating_sub(passed) + LONGER)
            })
        };
        let is_new = |(ports, end): &(&(u16, u16), &End)| {
            !was_there.contains(&end.connection) || is_another(ports, end)
        };
        let new = self.ends.iter().filter(is_new).map(|(_, end)| end.connection);
        new.collect::<HashSet<_>>().len()
    }
}

/// Returns how many sockets this process has open: several descriptors may be of one.
fn open() -> u64 {
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let links = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    let sockets = links.filter(|link| link.to_string_lossy().starts_with("socket:"));
    sockets.collect::<HashSet<_>>().len() as u64
}

/// Reads a line of the table, if it is of a connection that has one of these ports at either end.
fn end(line: &str, ports: &[u16]) -> Option<((u16, u16), End)> {
    let mut words = line.split_whitespace().skip(1);
    let (local, remote) = (port(words.next()?)?, port(words.next()?)?);
    let state = words.next()?;
    if NOT_ACCEPTED.contains(&state) {
        return None;
    }
    let connection = match (ports.contains(&local), ports.contains(&remote)) {
        (true, _) => (local, remote),
        (false, true) => (remote, local),
        (false, false) => return None,
    };
    // The kind of its timer and its hundredths of a second, in hexadecimal.
    let (_, left) = words.nth(1)?.split_once(':')?;
    let left = Duration::from_millis(10 * u64::from_str_radix(left, 16).ok()?);
    Some(((local, remote), End { connection, lingers: (state == LINGERS).then_some(left) }))
}

/// Returns the port of an address as the table has it.
fn port(address: &str) -> Option<u16> {
    u16::from_str_radix(address.split_once(':')?.1, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::*;

    /// Lets one test at a time open sockets: an origin has none but its own.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn connections_of_others_are_not_counted_and_own_ones_are_kept_or_closed() {
        let _alone = alone();
        let own = TcpListener::bind("127.0.0.1:0").unwrap();
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let (at, elsewhere) = (own.local_addr().unwrap(), other.local_addr().unwrap());
        let mut connections = Connections::of(&[at]);
        // What the kernel says of the namespace is made up: others may connect in it meanwhile.
        connections.begin(Some(100));
        let kept = TcpStream::connect(at).unwrap();
        let (served, _) = own.accept().unwrap();
        for _ in 0..5 {
            drop(TcpStream::connect(elsewhere).unwrap());
            drop(other.accept().unwrap());
        }
        assert_eq!(connections.so_far(Some(106)), Some(1));
        assert_eq!(connections.so_far(Some(999)), Some(1));
        assert_eq!(connections.so_far(None), None);

        connections.begin(Some(106));
        for _ in 0..3 {
            let client = TcpStream::connect(at).unwrap();
            let (mut other_end, _) = own.accept().unwrap();
            drop(client);
            assert_eq!(other_end.read(&mut [0; 8]).unwrap(), 0);
        }
        drop(TcpStream::connect(elsewhere).unwrap());
        assert_eq!(connections.so_far(Some(110)), Some(3));
        drop((kept, served));
    }

    #[test]
    fn one_on_the_ports_of_another_that_lingers_is_another() {
        let table = |state: &str, left: &str| {
            let line = format!("0: 0100007F:A000 0100007F:1F90 {state} 0:0 {left} 0 0 0 3 0");
            Table::of(&format!("sl\n{line}\n"), &[0x1F90])
        };
        let of = |known: (&str, &str), now: (&str, &str)| {
            table(now.0, now.1).new_since(&table(known.0, known.1))
        };
        let (old, fresh) = (("06", "03:00000A00"), ("06", "03:00001770"));
        assert_eq!((of(old, old), of(old, fresh)), (0, 1));
        assert_eq!((of(("01", "00:00000000"), fresh), of(old, ("01", "00:00000000"))), (0, 1));
        assert_eq!((of(("0A", "00:00000000"), fresh), of(old, ("0A", "00:00000000"))), (1, 0));
    }

    #[test]
    fn one_that_was_there_by_one_end_is_not_new_by_the_other() {
        let table = |ends: &str| {
            let line = |end: &str| format!("0: {end} 0:0 00:00000000 0 0 0 3 0\n");
            let text: String = ends.split(", ").map(line).collect();
            Table::of(&format!("sl\n{text}"), &[0x1F90])
        };
        let (served, client) = ("0:1F90 0:A000 08", "0:A000 0:1F90 05");
        assert_eq!(table(client).new_since(&table(served)), 0);
        assert_eq!(table(&format!("{client}, {served}")).new_since(&table(client)), 0);
        assert_eq!(table(&format!("{client}, 0:1F90 0:A001 01")).new_since(&table(served)), 1);
    }

    #[test]
    fn one_whose_descriptor_outlives_it_is_counted_in_its_own_turn_alone() {
        let _alone = alone();
        let own = TcpListener::bind("127.0.0.1:0").unwrap();
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let (at, elsewhere) = (own.local_addr().unwrap(), other.local_addr().unwrap());
        let mut connections = Connections::of(&[at]);
        connections.begin(Some(0));
        let left: Vec<_> = (0..4).map(|_| TcpStream::connect(at).unwrap()).collect();
        let lingering: Vec<_> = (0..4).map(|_| own.accept().unwrap().0).collect();
        drop(left);

        connections.begin(Some(4));
        let kept: Vec<_> = (0..3).map(|_| TcpStream::connect(at).unwrap()).collect();
        let served: Vec<_> = (0..3).map(|_| own.accept().unwrap().0).collect();
        drop(lingering);
        for _ in 0..5 {
            drop(TcpStream::connect(elsewhere).unwrap());
        }
        assert_eq!(connections.so_far(Some(12)), Some(3));
        drop((kept, served));
    }
}
