//! ureq as its documentation says: one agent, shared by all that block.

use ::ureq::http::HeaderValue;
use std::time::Duration;

use ::ureq::{Agent, Error};
use model_kit::{ErrorCode, Fetch, ID_FIELD, LibraryReply};

/// Returns an agent that keeps a connection for every slot.
pub fn agent(in_flight: u32) -> Agent {
    let config = Agent::config_builder()
        .max_idle_connections(in_flight as usize)
        .max_idle_connections_per_host(in_flight as usize)
        // Connections are kept, and others have their turns in between.
        .max_idle_age(Duration::from_hours(1))
        .max_redirects(0)
        .http_status_as_error(false)
        .proxy(None);
    config.build().into()
}

/// Carries one fetch to its end.
///
/// # Errors
///
/// Returns the code of what ureq says went wrong.
pub fn get(agent: &Agent, fetch: Fetch) -> Result<LibraryReply<HeaderValue, Vec<u8>>, ErrorCode> {
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
fn code(error: Error, otherwise: ErrorCode) -> ErrorCode {
    match error {
        Error::Io(error) => ErrorCode::unless_reported(otherwise)(error),
        Error::Timeout(_) => ErrorCode::Deadline,
        _ => otherwise,
    }
}
