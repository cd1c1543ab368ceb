//! A pool of as many threads as there are slots, and a channel: each fetch is a job, which any free
//! thread takes.

use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use model_kit::Slot;
use model_kit::blocking::Connection;

/// The next fetch of a slot. It has the way back into the channel, so that the channel is closed
/// once there is nothing more to fetch.
struct Job {
    slot: Slot,
    connection: Connection,
    queue: Sender<Job>,
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        let (sender, jobs) = mpsc::channel();
        let jobs = Mutex::new(jobs);
        thread::scope(|scope| {
            // Those that run leave, too, when another cannot be had.
            let queue = sender;
            for _ in 0..slots.count() {
                thread::Builder::new().spawn_scoped(scope, || work(&jobs))?;
            }
            for slot in slots {
                let queue = queue.clone();
                let job = Job { slot, connection: Connection::default(), queue };
                job.queue.clone().send(job)?;
            }
            Ok(())
        })
    })
}

/// Does one job after the other until the channel is closed.
fn work(jobs: &Mutex<Receiver<Job>>) {
    while let Some(mut job) = next(jobs) {
        if job.connection.fetch(&mut job.slot).is_some() {
            // It comes back to whichever thread is free.
            job.queue.clone().send(job).expect("the channel is open while a thread works");
        }
    }
}

/// Returns the next job, or nothing once the channel is closed.
fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}
