//! `reqwest::blocking`. A client has a thread of its own, which runs tokio: who blocks waits for
//! what that thread does.

use std::time::Duration;

use ::reqwest::blocking::Client;
use ::reqwest::header::HeaderValue;
use ::reqwest::redirect::Policy;
use ::reqwest::{Error, retry};
use model_kit::{ErrorCode, Fetch, ID_FIELD, LibraryReply};

/// Returns a client, and starts its thread.
///
/// # Errors
///
/// Says why the thread cannot be started.
pub fn client() -> Result<Client, Error> {
    let client = Client::builder().no_proxy().redirect(Policy::none()).retry(retry::never());
    client.timeout(None::<Duration>).build()
}

/// Carries one fetch to its end.
///
/// # Errors
///
/// Returns the code of what reqwest says went wrong.
pub fn get(
    client: &Client,
    fetch: Fetch,
) -> Result<LibraryReply<HeaderValue, impl AsRef<[u8]>>, ErrorCode> {
    let mut request = client.get(fetch.url());
    if let Some(left) = fetch.time_left() {
        request = request.timeout(left);
    }
    let mut reply = request.send().map_err(super::code)?;
    let (status, id) = (reply.status().as_u16(), reply.headers_mut().remove(ID_FIELD));
    Ok(LibraryReply { status, id, body: reply.bytes().map_err(super::code)? })
}
