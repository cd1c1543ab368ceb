//! Nothing that a run starts is reached from outside, or reaches out: it listens and connects on
//! loopback alone, knows no proxy, and follows no redirect.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use harness::OriginProcess;
use model_kit::Workload;
use model_kit::pipe::Total;
use origin::Mount;
use procfs::net::{tcp, tcp6, udp, udp6};
use procfs::process::{FDTarget, Process, all_processes};
use record::Model;

use support::{MODELS, WORKSPACE, alone, basis, built, cell, held, placement, plan, run};

/// Every way in which an environment names a proxy.
const PROXY: [&str; 7] =
    ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "PROXY"];

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
    let stop = Arc::new(AtomicBool::new(false));
    let watched = watch(&stop);
    let trials = run(basis(&MODELS, cell(Workload::Batch, 8, 16), 1), origin, |_| {});
    stop.store(true, Ordering::Relaxed);
    let seen = watched.join().expect("it looks without harm");

    assert!(trials.len() > MODELS.len());
    let ended = trials.iter().filter(|trial| trial.turned.is_some());
    let programs = ended.map(|trial| format!("model-{}", trial.model)).chain(["origin".to_owned()]);
    for program in programs {
        let addresses = seen.get(&program).unwrap_or_else(|| panic!("{program} was not seen"));
        assert!(addresses.iter().any(|address| address.port() != 0), "{program}");
    }
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

/// Lets a model fetch a few times from an address, and returns what it counted.
fn fetch(model: &Model, address: SocketAddr) -> Total {
    let plan = plan(held(model, &cell(Workload::Batch, 2, 6)), vec![address]);
    let program = built(&model.package);
    let reported = harness::converse(model, &program, (&plan, &placement().model_cpus));
    reported.unwrap_or_else(|why| panic!("{}: {why}", model.name)).turned.total
}

#[test]
fn no_model_takes_a_plan_that_leads_out_of_the_machine() {
    let _alone = alone();
    for model in MODELS.iter() {
        let outside = "192.0.2.1:80".parse().expect("it is an address");
        let plan = plan(held(model, &cell(Workload::Batch, 2, 6)), vec![outside]);
        let program = built(&model.package);
        let reported = harness::converse(model, &program, (&plan, &placement().model_cpus));
        let why = reported.err().unwrap_or_default();
        assert!(why.contains("an address beyond loopback"), "{}: {why:?}", model.name);
    }
}

#[test]
fn no_model_follows_a_redirect() {
    let _alone = alone();
    let elsewhere = Server::start("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned());
    let head = format!("HTTP/1.1 302 Found\r\nlocation: http://{}/f/0\r\n", elsewhere.address);
    let here = Server::start(head + "content-length: 0\r\n\r\n");
    for model in MODELS.iter() {
        let total = fetch(model, here.address);
        assert_eq!(elsewhere.connections(), 0, "{} follows", model.name);
        let expected = BTreeMap::from([("1602".to_owned(), 6)]);
        assert_eq!((total.ok, total.errors), (0, expected), "{}", model.name);
    }
    assert!(here.connections() > 0);
}

#[test]
fn no_model_uses_a_proxy_that_its_environment_names() {
    let _alone = alone();
    let proxy = Server::start("HTTP/1.1 502 No\r\ncontent-length: 0\r\n\r\n".to_owned());
    let url = format!("http://{}", proxy.address);
    let mut origin = OriginProcess::start(&built("origin"), &placement()).expect("it starts");
    for model in MODELS.iter() {
        let mut model = model.clone();
        model.env.extend(PROXY.map(|name| (name.to_owned(), url.clone())));
        let seed = plan(cell(Workload::Batch, 2, 6), Vec::new()).seed;
        let mount = Mount::whole(&held(&model, &cell(Workload::Batch, 2, 6)), seed);
        origin.mount(mount).expect("it mounts");
        let total = fetch(&model, origin.ready.origins[0]);
        assert_eq!((proxy.connections(), total.ok), (0, 6), "{}: {:?}", model.name, total.errors);
    }
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
