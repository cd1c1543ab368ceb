//! One smol task a slot with hyper: a connection is made by a handshake and driven by its own task.

use std::{io, net::SocketAddr, process::ExitCode, thread};

use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, body::Bytes, header};
use model_kit::{ErrorCode, Fetch, ID_FIELD, LibraryReply, Slot, asynchronous::before};
use smol::{Executor, Timer, future, net::TcpStream};
use smol_hyper::rt::FuturesIo;

type Sender = SendRequest<Empty<Bytes>>;
type Reply = Result<LibraryReply<header::HeaderValue, Bytes>, ErrorCode>;
static EXECUTOR: Executor<'static> = Executor::new();

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let work = || smol::block_on(EXECUTOR.run(future::pending::<()>()));
        (0..plan.workers).try_for_each(|_| thread::Builder::new().spawn(work).map(drop))?;
        let tasks: Vec<_> = slots.into_iter().map(|slot| EXECUTOR.spawn(drive(slot))).collect();
        tasks.into_iter().for_each(smol::block_on);
        Ok(())
    })
}

/// Carries the fetches of one slot.
async fn drive(mut slot: Slot) {
    let mut kept = None;
    while let Some(fetch) = slot.next_fetch().await {
        let reply = before(fetch.deadline.map(Timer::at), get(&mut kept, fetch)).await;
        slot.finish(reply.unwrap_or(Err(ErrorCode::Deadline)));
    }
}

/// Carries one fetch, over the kept connection if that is ready, and keeps it if all went well.
async fn get(kept: &mut Option<Sender>, fetch: Fetch) -> Reply {
    let otherwise = ErrorCode::unless_reported::<hyper::Error>;
    let is_ready = if let Some(sender) = kept { sender.ready().await.is_ok() } else { false };
    let mut sender = match kept.take().filter(|_| is_ready) {
        Some(sender) => sender,
        None => connect(fetch.origin).await.map_err(|error| ErrorCode::while_connecting(&error))?,
    };
    let request = Request::get(fetch.path()).header(header::HOST, fetch.origin.to_string());
    let request = request.body(Empty::new()).expect("path and host are valid");
    let reply = sender.send_request(request).await.map_err(otherwise(ErrorCode::HeadMalformed))?;
    let (mut head, body) = reply.into_parts();
    let body = body.collect().await.map_err(otherwise(ErrorCode::BodyTruncated))?.to_bytes();
    *kept = Some(sender);
    Ok(LibraryReply { status: head.status.as_u16(), id: head.headers.remove(ID_FIELD), body })
}

/// Connects, and lets a task of its own drive the connection.
async fn connect(origin: SocketAddr) -> io::Result<Sender> {
    let stream = TcpStream::connect(origin).await?;
    stream.set_nodelay(true)?;
    let connection = http1::handshake(FuturesIo::new(stream)).await;
    let (sender, connection) = connection.map_err(io::Error::other)?;
    EXECUTOR.spawn(connection).detach();
    Ok(sender)
}
