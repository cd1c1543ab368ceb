//! How many connections the shards have accepted, and nobody else in this network namespace.
//!
//! wiremock tells nothing of connections. What is still open is counted by this process's own
//! descriptors, which costs microseconds. Only where the kernel has accepted more than that, here or
//! anywhere in the namespace, its table of connections is read, which takes milliseconds: what has
//! been closed lingers there for a minute, at the end that closed first.

use std::collections::HashSet;
use std::fs;
use std::net::SocketAddr;

/// The states of the table that are no accepted connection, in hexadecimal: a listener, and three
/// of a connection that is being opened.
const NOT_ACCEPTED: [&str; 4] = ["0A", "02", "03", "0C"];

/// What the shards have accepted.
#[derive(Debug)]
pub struct Connections {
    ports: Vec<u16>,
    /// Descriptors that were open as the count began.
    open: u64,
    /// Connections that the namespace had accepted then.
    accepted: Option<u64>,
    /// Connections of the shards that the table had then, open or closed. A descriptor may outlive
    /// its connection: that of a process that has just left is closed a moment later.
    known: HashSet<(u16, u16)>,
    /// What `open` and `accepted` were when the table was read for `known`.
    read_at: Option<(u64, Option<u64>)>,
}

impl Connections {
    /// Begins to count for shards at these addresses.
    pub fn of(shards: &[SocketAddr]) -> Self {
        let ports = shards.iter().map(SocketAddr::port).collect();
        Self { ports, open: 0, accepted: None, known: HashSet::new(), read_at: None }
    }

    /// Begins to count anew; `accepted` is how many the namespace has accepted so far.
    pub(crate) fn begin(&mut self, accepted: Option<u64>) {
        (self.open, self.accepted) = (open(), accepted);
        // Where nothing was accepted or closed since it was read, the table has nothing new.
        let now = Some((self.open, accepted));
        if self.read_at != now {
            self.known = self.table().unwrap_or_default();
            self.read_at = now;
        }
    }

    /// Returns how many the shards have accepted since then; nothing where the kernel does not tell.
    pub(crate) fn so_far(&self, accepted: Option<u64>) -> Option<u64> {
        let kept = open().saturating_sub(self.open);
        let most = accepted?.saturating_sub(self.accepted?);
        // A server may have several descriptors for one connection.
        if most <= kept {
            return Some(most);
        }
        let new = self.table()?.difference(&self.known).count() as u64;
        Some(new.min(most))
    }

    /// Returns the connections of the shards that the kernel's table has.
    fn table(&self) -> Option<HashSet<(u16, u16)>> {
        let table = fs::read_to_string("/proc/net/tcp").ok()?;
        Some(at(&table, &self.ports).collect())
    }
}

/// Returns how many descriptors this process has open.
fn open() -> u64 {
    fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64)
}

/// Returns the connections of the table that have one of these ports at either end: the shard's
/// port, and the other.
fn at<'a>(table: &'a str, ports: &'a [u16]) -> impl Iterator<Item = (u16, u16)> + 'a {
    table.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let [local, remote] = [port(words.next()?)?, port(words.next()?)?];
        let state = words.next()?;
        if NOT_ACCEPTED.contains(&state) {
            return None;
        }
        match (ports.contains(&local), ports.contains(&remote)) {
            (true, _) => Some((local, remote)),
            (false, true) => Some((remote, local)),
            (false, false) => None,
        }
    })
}

/// Returns the port of an address as the table has it.
fn port(address: &str) -> Option<u16> {
    u16::from_str_radix(address.split_once(':')?.1, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// Returns how many connections the namespace has accepted.
    fn accepted() -> Option<u64> {
        crate::kernel::Counters::read().accepted
    }

    #[test]
    fn connections_of_others_are_not_counted_and_own_ones_are_kept_or_closed() {
        let own = TcpListener::bind("127.0.0.1:0").unwrap();
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let (at, elsewhere) = (own.local_addr().unwrap(), other.local_addr().unwrap());
        let mut connections = Connections::of(&[at]);
        connections.begin(accepted());
        let kept = TcpStream::connect(at).unwrap();
        let (served, _) = own.accept().unwrap();
        for _ in 0..5 {
            drop(TcpStream::connect(elsewhere).unwrap());
            drop(other.accept().unwrap());
        }
        assert_eq!(connections.so_far(accepted()), Some(1));

        connections.begin(accepted());
        for _ in 0..3 {
            let client = TcpStream::connect(at).unwrap();
            let (mut other_end, _) = own.accept().unwrap();
            drop(client);
            assert_eq!(other_end.read(&mut [0; 8]).unwrap(), 0);
        }
        drop(TcpStream::connect(elsewhere).unwrap());
        assert_eq!(connections.so_far(accepted()), Some(3));
        drop((kept, served));
    }

    #[test]
    fn one_whose_descriptor_outlives_it_is_counted_in_its_own_turn_alone() {
        let own = TcpListener::bind("127.0.0.1:0").unwrap();
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let (at, elsewhere) = (own.local_addr().unwrap(), other.local_addr().unwrap());
        let mut connections = Connections::of(&[at]);
        connections.begin(accepted());
        let left: Vec<_> = (0..4).map(|_| TcpStream::connect(at).unwrap()).collect();
        let lingering: Vec<_> = (0..4).map(|_| own.accept().unwrap().0).collect();
        drop(left);

        connections.begin(accepted());
        let kept: Vec<_> = (0..3).map(|_| TcpStream::connect(at).unwrap()).collect();
        let served: Vec<_> = (0..3).map(|_| own.accept().unwrap().0).collect();
        drop(lingering);
        for _ in 0..5 {
            drop(TcpStream::connect(elsewhere).unwrap());
        }
        assert_eq!(connections.so_far(accepted()), Some(3));
        drop((kept, served));
    }
}
