//! Nothing that a run starts is reached from outside, or reaches out: it listens and connects on
//! loopback alone, knows no proxy, and follows no redirect.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use harness::{OriginProcess, Program};
use model_kit::pipe::Total;
use model_kit::{Cell, DelayRange, Workload};
use origin::Mount;
use procfs::net::{tcp, tcp6, udp, udp6};
use procfs::process::{FDTarget, Process, all_processes};
use record::Model;

use crate::support::{
    MODELS, WORKSPACE, alone, basis, beside, built, cell, held, placement, plan, plan_seed, run,
    together, together_with,
};

/// Every way in which an environment names a proxy.
const PROXY: [&str; 7] =
    ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "PROXY"];

/// Runs in which each program is seen once at least: a busy machine may keep whoever looks from
/// looking for as long as one of them lasts.
const RUNS: usize = 3;

/// The addresses of sockets, by the program that holds them.
type Sockets = BTreeMap<String, BTreeSet<SocketAddr>>;

/// Returns the addresses, own and other, of all sockets that the children of this process hold.
fn sockets() -> Sockets {
    let mut addresses: BTreeMap<u64, [SocketAddr; 2]> = BTreeMap::new();
    for entry in [tcp(), tcp6()].into_iter().flatten().flatten() {
        addresses.insert(entry.inode, [entry.local_address, entry.remote_address]);
    }
    for entry in [udp(), udp6()].into_iter().flatten().flatten() {
        addresses.insert(entry.inode, [entry.local_address, entry.remote_address]);
    }
    let mut sockets = Sockets::new();
    for (name, process) in children() {
        let held = process.fd().into_iter().flatten().flatten();
        for descriptor in held {
            if let FDTarget::Socket(inode) = descriptor.target {
                let found = addresses.get(&inode).into_iter().flatten();
                sockets.entry(name.clone()).or_default().extend(found);
            }
        }
    }
    sockets
}

/// Returns the children of this process with the names of their programs.
fn children() -> Vec<(String, Process)> {
    let own = i32::try_from(std::process::id()).expect("a process id is an i32");
    let processes = all_processes().expect("Linux has them").flatten();
    let named = processes.filter_map(|process| {
        let is_own = process.stat().ok()?.ppid == own;
        let program = process.exe().ok()?.file_name()?.to_string_lossy().into_owned();
        // A model in another language has become its interpreter, which is given its name.
        let reported = process.cmdline().ok()?;
        let model = reported.iter().skip_while(|word| *word != "-c" && *word != "--eval").nth(2);
        let of_java = reported.iter().find_map(|word| word.strip_prefix("-Dinflight.model="));
        let model = model.map(String::as_str).or(of_java);
        let program = model.map_or(program, |name| format!("model-{name}"));
        is_own.then_some((program, process))
    });
    named.collect()
}

/// Looks at the sockets again and again until it is asked to stop.
fn watch(stop: &Arc<AtomicBool>) -> JoinHandle<Sockets> {
    let stop = Arc::clone(stop);
    thread::spawn(move || {
        let mut seen = Sockets::new();
        while !stop.load(Ordering::Relaxed) {
            for (name, addresses) in sockets() {
                seen.entry(name).or_default().extend(addresses);
            }
            thread::sleep(Duration::from_millis(20));
        }
        seen
    })
}

/// Runs all models and adds the sockets that are seen meanwhile; returns the programs of which none
/// was ever seen. Most stay with their connections until the last has had its turn; those that
/// cannot, or that have a connection for each fetch, are looked at while each waits for replies.
fn unseen(origin: &Program, seen: &mut Sockets) -> Vec<String> {
    let keeps = |model: &Model| model.connections.as_deref() != Some("issued");
    let (stay, leave): (Vec<Model>, Vec<Model>) =
        MODELS.iter().cloned().partition(|model| model.max_in_flight != Some(1) && keeps(model));
    let stop = Arc::new(AtomicBool::new(false));
    let watched = watch(&stop);
    let brief = Cell { delay_ms: DelayRange { lo: 20, hi: 20 }, ..cell(Workload::Steady, 8, 16) };
    let mut trials = run(basis(&stay, brief, 1), origin.clone(), |_| {});
    trials.extend(run(basis(&leave, cell(Workload::Batch, 1, 4), 1), origin.clone(), |_| {}));
    stop.store(true, Ordering::Relaxed);
    for (program, addresses) in watched.join().expect("it looks without harm") {
        seen.entry(program).or_default().extend(addresses);
    }

    assert!(trials.len() > MODELS.len());
    let ended = trials.iter().filter(|trial| trial.turned.is_some());
    let programs = ended.map(|trial| format!("model-{}", trial.model)).chain(["origin".to_owned()]);
    let is_seen = |program: &String| {
        seen.get(program).is_some_and(|all| all.iter().any(|address| address.port() != 0))
    };
    programs.filter(|program| !is_seen(program)).collect()
}

/// Returns whether an address is reached from this machine alone, or names nobody's other end.
fn is_inside(address: &SocketAddr) -> bool {
    let nobody = [SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), (Ipv6Addr::UNSPECIFIED, 0).into()];
    address.ip().to_canonical().is_loopback() || nobody.contains(address)
}

#[test]
fn an_address_that_others_can_reach_is_distinguished_from_loopback() {
    let inside = ["127.0.0.1:80", "127.8.8.8:1", "[::1]:80", "[::ffff:127.0.0.1]:80", "0.0.0.0:0"];
    assert!(inside.iter().all(|address| is_inside(&address.parse().unwrap())));
    let outside = ["0.0.0.0:80", "[::]:80", "192.168.1.1:80", "[2001:db8::1]:80"];
    assert!(!outside.iter().any(|address| is_inside(&address.parse().unwrap())));
}

#[test]
fn while_a_run_goes_on_every_socket_is_on_loopback() {
    let _alone = alone();
    // Built before anybody looks: cargo may speak to its registry.
    let origin = built("origin");
    MODELS.iter().for_each(|model| drop(built(&model.package)));
    let mut seen = Sockets::new();
    let mut runs = (0..RUNS).map(|_| unseen(&origin, &mut seen)).inspect(|unseen| {
        eprintln!("not seen: {unseen:?}");
    });
    assert!(runs.any(|unseen| unseen.is_empty()), "some program was not seen in any run");
    for (program, addresses) in seen {
        let outside: Vec<&SocketAddr> = addresses.iter().filter(|a| !is_inside(a)).collect();
        assert!(outside.is_empty(), "{program}: {outside:?}");
    }
}

/// A server that answers every request alike, and counts connections.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicU64>,
}

impl Server {
    /// Starts a server with this reply.
    fn start(reply: String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a port");
        let address = listener.local_addr().expect("it is bound");
        let connections = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let reply = reply.clone();
                thread::spawn(move || answer(&stream, &reply));
            }
        });
        Self { address, connections }
    }

    /// Returns how many connections were made to it.
    fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Answers every request of a connection alike.
fn answer(mut stream: &TcpStream, reply: &str) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|count| count > 0) {
        if line == "\r\n" && stream.write_all(reply.as_bytes()).is_err() {
            return;
        }
        line.clear();
    }
}

/// Returns a few fetches that are answered soon, as a model can hold them.
fn few(model: &Model) -> Cell {
    let delay_ms = DelayRange { lo: 1, hi: 1 };
    held(model, &Cell { delay_ms, ..cell(Workload::Batch, 2, 6) })
}

/// Lets a model fetch a few times from an address, and returns what it counted.
fn fetch(model: &Model, address: SocketAddr) -> Total {
    let plan = plan(few(model), vec![address]);
    let program = built(&model.package);
    let reported = harness::converse(model, &program, (&plan, &placement().model_cpus));
    reported.unwrap_or_else(|why| panic!("{}: {why}", model.name)).turned.total
}

#[test]
fn no_model_takes_a_plan_that_leads_out_of_the_machine() {
    let _beside = beside();
    together(MODELS.iter(), |model| {
        let outside = "192.0.2.1:80".parse().expect("it is an address");
        let plan = plan(few(model), vec![outside]);
        let program = built(&model.package);
        let reported = harness::converse(model, &program, (&plan, &placement().model_cpus));
        let why = reported.err().unwrap_or_default();
        assert!(why.contains("an address beyond loopback"), "{}: {why:?}", model.name);
    });
}

#[test]
fn no_model_follows_a_redirect() {
    let _beside = beside();
    let elsewhere = Server::start("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned());
    let head = format!("HTTP/1.1 302 Found\r\nlocation: http://{}/f/0\r\n", elsewhere.address);
    let here = Server::start(head + "content-length: 0\r\n\r\n");
    together(MODELS.iter(), |model| {
        let total = fetch(model, here.address);
        let expected = BTreeMap::from([("1602".to_owned(), 6)]);
        assert_eq!((total.ok, total.errors), (0, expected), "{}", model.name);
    });
    assert_eq!(elsewhere.connections(), 0, "one follows");
    assert!(here.connections() > 0);
}

#[test]
fn no_model_uses_a_proxy_that_its_environment_names() {
    let _beside = beside();
    let proxy = Server::start("HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n".to_owned());
    let url = format!("http://{}", proxy.address);
    let start = || OriginProcess::start(&built("origin"), &placement()).expect("it starts");
    together_with(MODELS.iter(), start, |origin, model| {
        let mut model = model.clone();
        model.env.extend(PROXY.map(|name| (name.to_owned(), url.clone())));
        origin.mount(Mount::whole(&few(&model), plan_seed())).expect("it mounts");
        let total = fetch(&model, origin.ready.origins[0]);
        assert_eq!(total.ok, 6, "{}: {:?}", model.name, total.errors);
    });
    assert_eq!(proxy.connections(), 0, "one of them uses it");
}

#[test]
fn a_proxy_in_the_environment_of_the_harness_sees_nothing() {
    let _alone = alone();
    let proxy = Server::start("HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n".to_owned());
    let url = format!("http://{}", proxy.address);
    // Built before: cargo is free to use a proxy.
    let _ = ["origin", "model-tokio-reqwest", "inflight"].map(built);
    let mut verify = Command::new(built("inflight").path);
    verify.args(["verify", "tokio-reqwest"]).current_dir(&WORKSPACE.root);
    let output = verify.envs(PROXY.map(|name| (name, &url))).output().expect("it starts");
    // Whether the machine is too busy to verify is another question.
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("tokio-reqwest") && !said.contains("fetches failed"), "{said}");
    assert_eq!(proxy.connections(), 0);
}
