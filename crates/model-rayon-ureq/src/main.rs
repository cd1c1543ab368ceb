//! One job a slot in a rayon pool of its own, with ureq: one agent, shared by all jobs.

use std::process::ExitCode;

use model_kit::{ErrorCode, Fetch, ID_FIELD, LibraryReply, Slot};
use rayon::ThreadPoolBuilder;
use ureq::Agent;
use ureq::http::HeaderValue;

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let agent = &agent(plan.cell.in_flight);
        let pool = ThreadPoolBuilder::new().num_threads(plan.cell.in_flight as usize).build()?;
        pool.scope(|scope| {
            for mut slot in slots {
                scope.spawn(move |_| drive(agent, &mut slot));
            }
        });
        Ok(())
    })
}

/// Carries the fetches of one slot.
fn drive(agent: &Agent, slot: &mut Slot) {
    while let Some(fetch) = slot.next_fetch_blocking() {
        slot.finish(get(agent, fetch));
    }
}

/// Returns an agent that keeps a connection for every slot.
fn agent(in_flight: u32) -> Agent {
    let config = Agent::config_builder()
        .max_idle_connections(in_flight as usize)
        .max_idle_connections_per_host(in_flight as usize)
        .max_redirects(0)
        .http_status_as_error(false)
        .proxy(None);
    config.build().into()
}

/// Carries one fetch to its end.
fn get(agent: &Agent, fetch: Fetch) -> Result<LibraryReply<HeaderValue, Vec<u8>>, ErrorCode> {
    let mut request = agent.get(fetch.url());
    if let left @ Some(_) = fetch.time_left() {
        request = request.config().timeout_global(left).build();
    }
    let reply = request.call().map_err(|error| code(error, ErrorCode::HeadMalformed))?;
    let (mut head, mut body) = reply.into_parts();
    let body = body.read_to_vec().map_err(|error| code(error, ErrorCode::BodyTruncated))?;
    Ok(LibraryReply { status: head.status.as_u16(), id: head.headers.remove(ID_FIELD), body })
}

/// Returns the code of what ureq says went wrong; it names the system's error only if asked so.
fn code(error: ureq::Error, otherwise: ErrorCode) -> ErrorCode {
    match error {
        ureq::Error::Io(error) => ErrorCode::unless_reported(otherwise)(error),
        ureq::Error::Timeout(_) => ErrorCode::Deadline,
        _ => otherwise,
    }
}
