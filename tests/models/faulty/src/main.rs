//! A model that misbehaves as the variable `FAULT` says: what the harness must survive, and what
//! it must not believe. `NAME` gives it another name, so that a block can hold it twice.

mod careless;
mod executor;
mod lies;
mod units;

use std::io::Write;
use std::process::{Command, ExitCode, abort, exit};
use std::time::Duration;
use std::{env, io, thread};

use model_kit::pipe::Hello;
use model_kit::{ModelResult, Plan, Slots, blocking};

fn main() -> ExitCode {
    let fault = env::var("FAULT").unwrap_or_default();
    let mut hello = model_kit::hello!();
    if let Ok(name) = env::var("NAME") {
        hello.model = name;
    }
    before(&fault, &mut hello);
    if let Some(how) = fault.strip_prefix("lie: ") {
        return lies::serve(hello, how);
    }
    let code = model_kit::serve(hello, |plan, slots| during(&fault, plan, slots));
    if fault == "afterthought" {
        say("{\"turned\":{}}\n");
    }
    if fault == "stay" {
        forever();
    }
    if fault == "bad exit" { ExitCode::from(9) } else { code }
}

/// Misbehaves before the hello.
fn before(fault: &str, hello: &mut Hello) {
    match fault {
        "mute" => forever(),
        "malformed" => say("hello, this is no JSON\n"),
        "endless line" => say(&"x".repeat(10_000_000)),
        "not a number" => {
            say("{\"hello\":{\"protocol\":NaN,\"model\":\"faulty\",\"versions\":{}}}\n");
        }
        "old protocol" => hello.protocol = 0,
        "other name" => "other".clone_into(&mut hello.model),
        "debug build" => hello.debug_assertions = true,
        _ => {}
    }
}

/// Misbehaves once the plan is known.
fn during(fault: &str, plan: &Plan, slots: Slots) -> ModelResult {
    match fault.split_once(": ") {
        Some(("units", how)) => return units::run(how, slots),
        Some(("executor", how)) => return executor::run(how, slots),
        Some(("careless", how)) => {
            careless::run(how, plan, slots);
            return Ok(());
        }
        _ => {}
    }
    match fault {
        "hang" => forever(),
        "die" => abort(),
        "panic" => panic!("this model panics"),
        "leave" => exit(0),
        "refuse" => return Err("no runtime today".into()),
        "flood" => (0..10_000).for_each(|_| eprintln!("{}", "noise ".repeat(200))),
        "two results" => say("{\"turned\":{}}\n"),
        "orphan" => drop(Command::new("/bin/sleep").arg("3661").spawn()?),
        _ => {}
    }

    // One after the other: valid, if the plan has one slot; in series, if it has more.
    let mut slots: Vec<_> = slots.into_iter().collect();
    if fault == "one too few" {
        let mut slot = slots.remove(0);
        let _ = slot.step();
        // Neither driven nor dropped: nobody can count what it holds.
        std::mem::forget(slot);
    }
    slots.into_iter().for_each(blocking::drive);
    Ok(())
}

/// Says something on stdout that the protocol does not know.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
}

/// Waits longer than anybody should.
fn forever() {
    thread::sleep(Duration::from_mins(10));
}
