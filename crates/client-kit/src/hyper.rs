//! hyper, whose connections are made by a handshake and driven by a unit of their own. It knows no
//! runtime: a model says how it connects and keeps time.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use ::hyper::body::Bytes;
use ::hyper::client::conn::http1::SendRequest;
use ::hyper::header::{HOST, HeaderValue};
use ::hyper::{Error, Request};
use http_body_util::{BodyExt, Empty};
use model_kit::asynchronous::before;
use model_kit::{ErrorCode, Fetch, ID_FIELD, LibraryReply, Slot};

/// The end of a connection by which requests are sent.
pub type Sender = SendRequest<Empty<Bytes>>;

/// What an async runtime brings. No future here needs to be `Send`: a runtime that moves tasks
/// between threads demands it where it spawns them.
#[expect(async_fn_in_trait, reason = "who spawns a future says whether it must be Send")]
pub trait Runtime {
    /// Connects, sets `TCP_NODELAY`, shakes hands, and spawns what drives the connection.
    async fn connect(address: SocketAddr) -> io::Result<Sender>;

    /// Waits until then, by the runtime's own timer.
    async fn sleep_until(deadline: Instant);
}

/// Fetches with a slot until there is nothing more to fetch.
pub async fn drive<R: Runtime>(mut slot: Slot) {
    let mut kept = None;
    while let Some(fetch) = slot.next_fetch(R::sleep_until).await {
        let reply = before(fetch.deadline.map(R::sleep_until), get::<R>(&mut kept, fetch)).await;
        slot.finish(reply.unwrap_or(Err(ErrorCode::Deadline)));
    }
}

/// Carries one fetch, over the kept connection if that is ready, and keeps it if all went well.
async fn get<R: Runtime>(
    kept: &mut Option<Sender>,
    fetch: Fetch,
) -> Result<LibraryReply<HeaderValue, Bytes>, ErrorCode> {
    let otherwise = ErrorCode::unless_reported::<Error>;
    let is_ready = if let Some(sender) = kept { sender.ready().await.is_ok() } else { false };
    let mut sender = match kept.take().filter(|_| is_ready) {
        Some(sender) => sender,
        None => {
            let connected = R::connect(fetch.origin).await;
            connected.map_err(|error| ErrorCode::while_connecting(&error))?
        }
    };
    let request = Request::get(fetch.path()).header(HOST, fetch.origin.to_string());
    let request = request.body(Empty::new()).expect("path and host are valid");
    let reply = sender.send_request(request).await.map_err(otherwise(ErrorCode::HeadMalformed))?;
    let (mut head, body) = reply.into_parts();
    let body = body.collect().await.map_err(otherwise(ErrorCode::BodyTruncated))?.to_bytes();
    *kept = Some(sender);
    Ok(LibraryReply { status: head.status.as_u16(), id: head.headers.remove(ID_FIELD), body })
}
