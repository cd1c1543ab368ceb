//! One tokio task a slot with hyper: a handshake makes a connection, which has a task of its own.

use std::{io, net::SocketAddr, process::ExitCode};

use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, body::Bytes, header};
use hyper_util::rt::TokioIo;
use model_kit::{ErrorCode, Fetch, ID_FIELD, LibraryReply, Slot, asynchronous::before};
use tokio::{net::TcpStream, runtime::Builder, spawn, task::JoinSet, time::sleep};

type Sender = SendRequest<Empty<Bytes>>;
type Reply = Result<LibraryReply<header::HeaderValue, Bytes>, ErrorCode>;

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(plan.workers as usize).enable_all().build()?.block_on(async {
            let mut tasks: JoinSet<()> = slots.into_iter().map(drive).collect();
            while tasks.join_next().await.transpose()?.is_some() {}
            Ok(())
        })
    })
}

/// Carries the fetches of one slot.
async fn drive(mut slot: Slot) {
    let mut kept = None;
    while let Some(fetch) = slot.next_fetch().await {
        let reply = before(fetch.time_left().map(sleep), get(&mut kept, fetch)).await;
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
    let made = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = made.map_err(io::Error::other)?;
    spawn(connection);
    Ok(sender)
}
