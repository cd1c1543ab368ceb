//! A headless browser, driven over Chromium's own protocol.
//!
//! Our own hundred lines instead of a library: a promise needs five or six methods of the
//! protocol, and the libraries that speak all of it bring a runtime and download browsers.

use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

use crate::support::skip::skipped_but_in_ci;

/// What a browser that speaks the protocol may be called.
const PROGRAMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// It asks nobody for anything but the page, and needs neither a screen nor rights.
const FLAGS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--remote-debugging-port=0",
];
/// How long a browser may take to start, or to answer.
const PATIENCE: Duration = Duration::from_mins(2);

/// Held by the browser that runs: two of them at a time would only wait for each other.
static ONE: Mutex<()> = Mutex::new(());

/// A browser with one page open.
pub(crate) struct Browser {
    /// The program, which leads a group of processes.
    child: Child,
    /// Where it keeps its profile, and we the pages.
    folder: TempDir,
    /// The wire to it.
    socket: WebSocket<TcpStream>,
    /// The name of the page on the wire.
    session: String,
    /// The number of the last call.
    calls: u64,
    /// What happened since the page was loaded.
    pub(crate) events: Vec<Value>,
    /// No other browser runs.
    _one: MutexGuard<'static, ()>,
}

impl Browser {
    /// Starts a browser; where there is none, says so.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = program() else {
            skipped_but_in_ci(&format!(
                "no browser: none of {} is on the PATH",
                PROGRAMS.join(", ")
            ));
            return None;
        };
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let child = Command::new(program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let socket = connected(&folder.path().join("profile/DevToolsActivePort"));
        let (session, events) = (String::new(), Vec::new());
        let mut browser = Self { child, folder, socket, session, calls: 0, events, _one: one };
        browser.open();
        Some(browser)
    }

    /// Opens a page that listens.
    fn open(&mut self) {
        let target = self.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call("Target.attachToTarget", &target);
        session["sessionId"].as_str().unwrap().clone_into(&mut self.session);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
        self.call("Page.setLifecycleEventsEnabled", &json!({ "enabled": true }));
    }

    /// Calls a method of the protocol and returns its answer.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        self.calls += 1;
        let mut call = json!({ "id": self.calls, "method": method, "params": params });
        if !self.session.is_empty() {
            call["sessionId"] = json!(self.session);
        }
        self.socket.send(Message::text(call.to_string())).unwrap();
        loop {
            let reported = self.receive();
            if reported["id"] == self.calls {
                assert!(reported["error"].is_null(), "{method}: {}", reported["error"]);
                return reported["result"].clone();
            }
        }
    }

    /// Receives one message, and keeps it if it is an event.
    fn receive(&mut self) -> Value {
        let message = self.socket.read().expect("the browser answers in time");
        let reported: Value = serde_json::from_str(message.to_text().unwrap()).unwrap_or_default();
        if reported["id"].is_null() {
            self.events.push(reported.clone());
        }
        reported
    }

    /// Writes a file and opens it; returns its address.
    pub(crate) fn show(&mut self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let address = format!("file://{}", path.display());
        self.load(&address);
        address
    }

    /// Opens an address and waits until all of it is there.
    pub(crate) fn load(&mut self, address: &str) {
        // An address that differs behind the # alone would not load anything.
        self.call("Page.navigate", &json!({ "url": "about:blank" }));
        self.events.clear();
        let reported = self.call("Page.navigate", &json!({ "url": address }));
        assert!(reported["errorText"].is_null(), "{reported}");
        let frame = reported["loaderId"].clone();
        let loaded = |event: &Value| {
            let (name, params) = (&event["method"], &event["params"]);
            name == "Page.lifecycleEvent" && params["name"] == "load" && params["loaderId"] == frame
        };
        while !self.events.iter().any(loaded) {
            self.receive();
        }
        self.settle();
    }

    /// Waits until what was begun is painted.
    pub(crate) fn settle(&mut self) {
        self.call(
            "Page.captureScreenshot",
            &json!({ "clip":
            { "x": 0, "y": 0, "width": 1, "height": 1, "scale": 1 } }),
        );
    }

    /// Returns what an expression is on the page.
    pub(crate) fn ask(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let reported = self.call("Runtime.evaluate", &params);
        assert!(
            reported["exceptionDetails"].is_null(),
            "{expression}: {}",
            reported["exceptionDetails"]
        );
        reported["result"]["value"].clone()
    }

    /// Returns the texts that an expression is on the page.
    pub(crate) fn texts(&mut self, expression: &str) -> Vec<String> {
        let reported = self.ask(expression);
        let list = reported.as_array().unwrap_or_else(|| panic!("{expression}: {reported}"));
        list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    /// Presses a key and lets it go.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            other => panic!("{other} is not known"),
        };
        for kind in [if text.is_empty() { "rawKeyDown" } else { "keyDown" }, "keyUp"] {
            let mut params = json!({ "type": kind, "key": key, "code": key,
                "windowsVirtualKeyCode": code });
            if kind == "keyDown" {
                params["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", &params);
        }
    }

    /// Types a text where the focus is.
    pub(crate) fn write(&mut self, text: &str) {
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Sets what the page learns of the reader's wishes.
    pub(crate) fn prefer(&mut self, feature: &str, value: &str) {
        let features = json!({ "features": [{ "name": feature, "value": value }] });
        self.call("Emulation.setEmulatedMedia", &features);
    }

    /// Sets the size of the window.
    pub(crate) fn resize(&mut self, (width, height): (u32, u32)) {
        let mobile = width < 600;
        self.call(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width,
            "height": height, "deviceScaleFactor": if mobile { 2 } else { 1 }, "mobile": mobile }),
        );
    }

    /// Returns what the page said or asked for since it was loaded, by the event's name.
    pub(crate) fn received(&mut self, event: &str) -> Vec<Value> {
        self.settle();
        let of = self.events.iter().filter(|reported| reported["method"] == event);
        of.map(|reported| reported["params"].clone()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its group is ours alone; nothing is lost with it, as its profile goes too.
        let _ = killpg(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// Returns the program of that name.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// Returns the first browser that is there.
fn program() -> Option<PathBuf> {
    PROGRAMS.into_iter().find_map(on_path)
}

/// Connects to the browser that writes its port and its path there.
fn connected(port_file: &Path) -> WebSocket<TcpStream> {
    let begun = Instant::now();
    let reported = loop {
        match fs::read_to_string(port_file) {
            Ok(reported) if reported.lines().count() >= 2 => break reported,
            _ => assert!(begun.elapsed() < PATIENCE, "the browser did not start"),
        }
        thread::sleep(Duration::from_millis(20));
    };
    let (port, path) = reported.split_once('\n').unwrap();
    let stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = format!("ws://127.0.0.1:{port}{}", path.trim());
    tungstenite::client(address, stream).expect("the browser speaks the protocol").0
}
