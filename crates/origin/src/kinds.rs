//! The kinds of origins: one file each, and the list of them.

mod fast;
mod faulty;
mod wiremock;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Result, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};

/// Connections that may wait to be accepted: the usual limit of Linux.
pub(crate) const BACKLOG: i32 = 4096;
/// More shards than this no machine has use for.
const SHARDS_MAX: usize = 64;

/// The kinds.
const KINDS: [Kind; 3] = [wiremock::KIND, fast::KIND, faulty::KIND];

/// A kind of origin.
struct Kind {
    /// What it is started by.
    name: &'static str,
    /// Serves, as the arguments after the name ask, until the pipe is closed.
    serve: fn(&[String]) -> Result<()>,
}

/// Serves as the arguments of the program ask.
pub(crate) fn serve(arguments: &[String]) -> Result<()> {
    let name = arguments.first().map_or("", String::as_str);
    match KINDS.iter().find(|kind| kind.name == name) {
        Some(kind) => (kind.serve)(&arguments[1..]),
        None => {
            let names = KINDS.map(|kind| kind.name).join(" or ");
            bail!("read its arguments: expected {names}, found {name:?}")
        }
    }
}

/// Raises the limit of file descriptors as far as the system allows.
pub(crate) fn raise_descriptors() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Where that fails, the harness has already checked that the present limit suffices.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// Returns a listener on a free port of loopback.
///
/// A server left to itself would bind with a backlog of 128 and without `TCP_NODELAY`, which
/// accepted sockets inherit on Linux.
pub(crate) fn listener() -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_tcp_nodelay(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Returns how many shards the first argument asks for; one without it.
pub(crate) fn shards(arguments: &[String]) -> Result<usize> {
    count(arguments.first(), (SHARDS_MAX, "shards"))
}

/// Returns how many of something an argument asks for, of which there is a largest number; one
/// without it.
pub(crate) fn count(argument: Option<&String>, (most, what): (usize, &str)) -> Result<usize> {
    let Some(argument) = argument else { return Ok(1) };
    match argument.parse() {
        Ok(count) if (1..=most).contains(&count) => Ok(count),
        _ => bail!("read its argument: expected 1 to {most} {what}, found {argument:?}"),
    }
}
