//! What the fast origin promises: it answers as wiremock does, and what it counts is exact.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::OriginProcess;
use model_kit::{Cell, DelayRange, Receipt, Workload, content, pipe};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use origin::{FromOrigin, Mount, ToOrigin};
use record::{OriginKind, Placement};

use crate::seeded::{batch, check, steady, threads};
use crate::support::{alone, beside, built, cell, placement, plan_seed, wait_until};

/// What a receipt counts as one kibibyte.
const KIB: u64 = 1024;

/// Starts an origin of a kind.
fn start(kind: OriginKind) -> OriginProcess {
    let placement = Placement { origin: kind, shards: 1, ..placement() };
    OriginProcess::start(&built("origin"), &placement).expect("it starts")
}

/// Returns a cell of so many fetches that are answered after a delay.
fn delayed(fetches: u64, delay_ms: u64) -> Cell {
    let delay_ms = DelayRange { lo: delay_ms, hi: delay_ms };
    Cell { delay_ms, ..cell(Workload::Batch, 8, fetches) }
}

/// Has an origin serve a cell, and returns where.
fn mounted(origin: &mut OriginProcess, cell: &Cell) -> SocketAddr {
    origin.mount(Mount::whole(cell, plan_seed())).expect("it mounts");
    origin.ready.origins[0]
}

/// Opens a connection on which nothing is waited for longer than a minute.
fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it accepts");
    stream.set_read_timeout(Some(Duration::from_mins(1))).expect("it is a duration");
    stream
}

/// Returns the request for an id.
fn request(id: u64) -> String {
    format!("GET /f/{id} HTTP/1.1\r\nhost: a\r\n\r\n")
}

/// Reads one reply and returns its head without the time of day, and its body; what came of it, if
/// the connection ends before.
fn reply(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("a head is ASCII");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().expect("it is a number"))];
    let _ = stream.read_exact(&mut body);
    let lines = head.split_inclusive("\r\n").filter(|line| !line.starts_with("date: "));
    (lines.collect(), body)
}

/// Returns whether a reply is one of a fetch that is served.
fn is_ok((head, body): &(String, Vec<u8>)) -> bool {
    head.starts_with("HTTP/1.1 200 OK\r\ninflight-id: ") && !body.is_empty()
}

/// Sends some bytes over a connection, and returns so many replies.
fn answers(stream: &mut TcpStream, bytes: &str, count: usize) -> Vec<(String, Vec<u8>)> {
    stream.write_all(bytes.as_bytes()).expect("it takes them");
    (0..count).map(|_| reply(stream)).collect()
}

/// Returns whether nothing more comes over a connection, since it has ended.
fn has_ended(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0]), Ok(0))
}

#[test]
fn it_answers_every_request_as_wiremock_does_and_counts_it_alike() {
    let _alone = alone();
    let mut kinds = OriginKind::ALL.map(start);
    let last = "GET /f/4 HTTP/1.1\r\nHost: a\r\nB: 2\r\na: 1\r\nConnection: close\r\n\r\n";
    for (heads, count) in [
        (&*request(3), 1),
        (&request(16), 1),
        ("GET /f/03 HTTP/1.1\r\nhost: a\r\n\r\n", 1),
        ("GET /else?a=b HTTP/1.1\r\nhost: a\r\n\r\n", 1),
        ("POST /f/3 HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n", 1),
        (last, 1),
        (&[request(5), request(6), request(7)].concat(), 3),
        (&[request(8), last.to_owned()].concat(), 2),
    ] {
        let seen = kinds.each_mut().map(|origin| {
            let mut stream = connect(mounted(origin, &delayed(16, 1)));
            let replies = answers(&mut stream, heads, count);
            let ends = heads.ends_with(last) && has_ended(&mut stream);
            let Receipt { answered, strays, ids_digest, heads_digest, connections, .. } =
                origin.receipt().expect("it hands over a receipt");
            (replies, ends, answered, strays, ids_digest, heads_digest, connections)
        });
        assert_eq!(seen[0], seen[1], "{heads}");
        assert_eq!(seen[1].1, heads.ends_with(last), "{heads}");
        assert!(seen[1].0.iter().all(|(head, _)| head.starts_with("HTTP/1.1 ")), "{seen:?}");
    }
}

#[test]
fn what_a_model_does_wrong_is_in_its_receipt_as_in_that_of_wiremock() {
    for (fault, cell, words) in [
        ("units: connect anew", batch(), "the origin accepted 32 connections, exactly 8 are"),
        ("units: wait for a permit", steady(), "the origin saw at most 4 of 8 in flight"),
        ("careless: ask for one id", batch(), "the origin saw other ids than were dealt"),
        ("careless: make half of the fetches", batch(), "the origin answered 16 fetches, "),
    ] {
        let cell = Cell { origin: OriginKind::Fast, ..cell };
        check(&threads(fault), (cell, built("origin")), words);
    }
}

#[test]
fn what_is_no_request_ends_its_connection_and_no_other() {
    let _beside = beside();
    let mut origin = start(OriginKind::Fast);
    let address = mounted(&mut origin, &delayed(16, 1));
    let mut other = connect(address);
    for bytes in ["\0\r\n\r\n".to_owned(), "x: y\r\n".repeat(20_000)] {
        let mut stream = connect(address);
        // It may be gone before all of it is sent.
        let _ = stream.write_all(bytes.as_bytes());
        assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
    }
    assert!(is_ok(&answers(&mut other, &request(1), 1)[0]));
}

#[test]
fn it_counts_exactly_what_is_in_flight() {
    let _beside = beside();
    let mut origin = start(OriginKind::Fast);
    let address = mounted(&mut origin, &delayed(16, 5_000));
    let mut streams: Vec<TcpStream> = (0..8).map(|_| connect(address)).collect();
    for (id, stream) in (0..).zip(&mut streams) {
        stream.write_all(request(id).as_bytes()).expect("it takes them");
    }
    // The origin may still be reading when it is asked first: it is asked until it has read them
    // all, and each receipt is waited for until nothing is in flight, or for half a second.
    let mut during = || origin.receipt().expect("it hands over a receipt");
    let all = (0..8).map(|_| during()).find(|receipt| receipt.in_flight_now == 8);
    assert_eq!(all.map(|receipt| receipt.in_flight_peak_estimate), Some(8));
    for stream in &mut streams {
        assert!(is_ok(&reply(stream)));
    }
    let after = origin.receipt().expect("it hands over a receipt");
    assert_eq!((after.in_flight_now, after.in_flight_peak_estimate), (0, 8));
    assert_eq!((after.answered, after.connections), (8, Some(8)));
}

#[test]
fn it_counts_every_connection_of_a_turn_once_however_short() {
    let _beside = beside();
    let mut origin = start(OriginKind::Fast);
    let address = mounted(&mut origin, &delayed(16, 1));
    let kept = connect(address);
    for _ in 0..40 {
        drop(connect(address));
    }
    let mut last = connect(address);
    assert!(is_ok(&answers(&mut last, &request(0), 1)[0]));
    assert_eq!(origin.receipt().expect("it hands it over").connections, Some(42));
    // Those of the turn before are not of the next.
    mounted(&mut origin, &delayed(16, 1));
    assert!(is_ok(&answers(&mut last, &request(1), 1)[0]));
    assert_eq!(origin.receipt().expect("it hands it over").connections, Some(0));
    drop(kept);
}

/// Returns how many connections of an origin linger after their end, at its own side and at the
/// other: the kernel's table has local and remote address in hexadecimal, and then the state.
fn lingering(address: SocketAddr) -> [usize; 2] {
    let table = fs::read_to_string("/proc/net/tcp").expect("Linux has it");
    let lingers = table.lines().filter(|line| line.split_whitespace().nth(3) == Some("06"));
    let ports = lingers.filter_map(|line| {
        let port = |address: &str| u16::from_str_radix(address.split_once(':')?.1, 16).ok();
        let mut words = line.split_whitespace().skip(1);
        Some([port(words.next()?)?, port(words.next()?)?])
    });
    let ports: Vec<[u16; 2]> = ports.collect();
    [0, 1].map(|side| ports.iter().filter(|ports| ports[side] == address.port()).count())
}

#[test]
fn where_each_fetch_has_its_connection_it_ends_them_with_their_replies_and_closes_first() {
    let _alone = alone();
    let mut origin = start(OriginKind::Fast);
    let count = 40;
    let cell = Cell { workload: Workload::Churn, warmup: 1, ..delayed(count, 1) };
    let address = mounted(&mut origin, &cell);
    for id in 0..count {
        let mut stream = connect(address);
        let answer = &answers(&mut stream, &request(id), 1)[0];
        assert!(is_ok(answer) && answer.0.contains("connection: close\r\n"), "{answer:?}");
        assert!(has_ended(&mut stream), "{id}");
    }
    // Whoever asks again over a connection that has ended gets no answer.
    let mut kept = connect(address);
    let again = [request(0), request(1)].concat();
    let replies = answers(&mut kept, &again, 2);
    assert!(is_ok(&replies[0]) && !is_ok(&replies[1]), "{replies:?}");
    drop(kept);
    let receipt = origin.receipt().expect("it hands over a receipt");
    assert_eq!((receipt.answered, receipt.connections), (count + 1, Some(count + 1)));

    // The one that closes first lingers; the last of them is closed a moment later.
    let count = usize::try_from(count).expect("they are few");
    wait_until("all linger", || lingering(address)[0] >= count);
    let [own, others] = lingering(address);
    assert!(own >= count && others == 0, "{own} and {others}");
}

#[test]
fn a_turn_that_follows_another_inherits_nothing_of_it() {
    let _beside = beside();
    let mut origin = start(OriginKind::Fast);
    let address = mounted(&mut origin, &delayed(16, 3_000));
    let mut left = connect(address);
    left.write_all(request(1).as_bytes()).expect("it takes them");
    let mut gone = connect(address);
    gone.write_all(request(2).as_bytes()).expect("it takes them");
    // What it reads after the next turn has begun is of that one.
    wait_until("both are in flight", || origin.seen().expect("it counts").in_flight_now == 2);
    drop(gone);
    mounted(&mut origin, &delayed(16, 1));
    let mut next = connect(address);
    assert!(answers(&mut next, &request(3), 1)[0].0.contains("inflight-id: 3"));
    let receipt = origin.receipt().expect("it hands over a receipt");
    assert_eq!((receipt.answered, receipt.in_flight_now), (1, 0));
    left.set_read_timeout(Some(Duration::from_secs(4))).expect("it is a duration");
    assert!(left.read(&mut [0]).is_err(), "what nobody asked for in this turn is not sent in it");
}

#[test]
fn who_reads_slowly_gets_every_byte_and_holds_nobody_up() {
    let _beside = beside();
    let mut origin = start(OriginKind::Fast);
    let length = 2 << 20;
    let cell = Cell { body_bytes: length, ..delayed(16, 1) };
    let address = mounted(&mut origin, &cell);
    let mut slow = connect(address);
    slow.write_all((1..5).map(request).collect::<String>().as_bytes()).expect("it takes them");
    let mut other = connect(address);
    assert!(is_ok(&answers(&mut other, &request(5), 1)[0]));
    for id in 1..5 {
        let (_, body) = reply(&mut slow);
        assert!(body == content::body(plan_seed(), id, length), "{id}");
    }
}

#[test]
fn a_connection_takes_less_than_three_hundred_bytes_of_its_memory() {
    let _beside = beside();
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("it reads");
    // The rest is for the tests beside this one, which are of the same process.
    let count = 8_000.min(hard.saturating_sub(1_000));
    setrlimit(Resource::RLIMIT_NOFILE, soft.max(count + 1_000), hard).expect("it is allowed");
    let mut origin = start(OriginKind::Fast);
    let address = mounted(&mut origin, &delayed(count, 0));
    let mut resident = || {
        let receipt = origin.receipt().expect("it hands over a receipt");
        (receipt.connections, receipt.resident_kib.expect("Linux shows it"))
    };
    let fetch = |id| {
        let mut stream = connect(address);
        assert!(is_ok(&answers(&mut stream, &request(id), 1)[0]));
        stream
    };
    let mut streams: Vec<TcpStream> = (0..count / 2).map(fetch).collect();
    let (_, half) = resident();
    streams.extend((count / 2..count).map(fetch));
    let (connections, all) = resident();
    assert_eq!(connections, Some(count));
    let each = (all.saturating_sub(half)) * KIB / (count / 2);
    assert!(each < 300, "{each} bytes each: {half} KiB of {} and {all} of {count}", count / 2);
}

#[test]
fn without_descriptors_connections_wait_until_others_have_closed() {
    let _beside = beside();
    let program = built("origin").path;
    let mut few = Command::new("sh");
    let script = format!("ulimit -n 40 && exec {} fast", program.display());
    let child = few.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = child.process_group(0).spawn().expect("it starts");
    let mut input = child.stdin.take().expect("it is a pipe");
    let mut output = std::io::BufReader::new(child.stdout.take().expect("it is a pipe"));
    let mut receive =
        || pipe::read::<FromOrigin>(&mut output).expect("it speaks").expect("it is there");
    let FromOrigin::Ready(ready) = receive() else { panic!("it is not ready") };
    let mount = Mount::whole(&delayed(100, 1), plan_seed());
    pipe::write(&mut input, &ToOrigin::Mount(mount)).expect("it listens");
    assert_eq!(receive(), FromOrigin::Mounted);

    let mut streams: Vec<TcpStream> = (0..60).map(|_| connect(ready.origins[0])).collect();
    for (id, stream) in (0..).zip(&mut streams) {
        stream.write_all(request(id).as_bytes()).expect("the kernel takes them");
    }
    // In the order in which they came, each of them is served once those before have closed.
    for mut stream in streams {
        assert!(is_ok(&reply(&mut stream)));
    }
    drop((input, receive));
    assert!(child.wait().expect("it ends").success());
}
