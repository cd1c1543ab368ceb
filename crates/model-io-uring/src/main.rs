//! The floor of completions: one thread and a loop over a ring of `io_uring`.

use std::io::{self, Error};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::time::Duration;

use io_uring::IoUring;
use io_uring::opcode::{AsyncCancel, Connect, Read, Recv, Send};
use io_uring::types::{Fd, SubmitArgs, Timespec};
use model_kit::ring::{self, Complete, Operation, Ring};
use socket2::{Domain, SockAddr, Socket, Type};

/// The ring.
struct Uring(IoUring);

impl Ring for Uring {
    type Socket = (Socket, SockAddr);

    fn open(&mut self, address: SocketAddr) -> io::Result<Self::Socket> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_tcp_nodelay(true)?;
        Ok((socket, address.into()))
    }

    #[expect(unsafe_code, reason = "the compiler does not see what the kernel uses")]
    fn begin(&mut self, number: u64, operation: Operation<'_, Self::Socket>) -> io::Result<()> {
        let fd = |(socket, _): &Self::Socket| Fd(socket.as_raw_fd());
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let entry = match operation {
            Operation::Connect(own) => {
                Connect::new(fd(own), own.1.as_ptr().cast(), own.1.len()).build()
            }
            Operation::Send(own, bytes) => Send::new(fd(own), bytes.as_ptr(), len(bytes)).build(),
            Operation::Receive(own, to) => Recv::new(fd(own), to.as_mut_ptr(), len(to)).build(),
            Operation::Read(fd, to) => Read::new(Fd(fd), to.as_mut_ptr(), len(to)).build(),
            Operation::Cancel(other) => AsyncCancel::new(other).build(),
        };
        // SAFETY: the driver keeps what it lends at its place until the operation is complete.
        unsafe { self.0.submission().push(&entry.user_data(number)) }.map_err(Error::other)
    }

    fn wait(&mut self, limit: Option<Duration>, complete: &mut Vec<Complete>) -> io::Result<()> {
        let limit = limit.map(Timespec::from);
        let arguments = limit.iter().fold(SubmitArgs::new(), SubmitArgs::timespec);
        self.0.submitter().submit_with_args(1, &arguments)?;
        complete.extend(self.0.completion().map(|entry| (entry.user_data(), entry.result())));
        Ok(())
    }
}

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |plan, slots| {
        let room = (2 * plan.cell.in_flight).next_power_of_two().min(32_768);
        let ring = IoUring::builder().setup_single_issuer().setup_defer_taskrun().build(room)?;
        Ok(ring::drive(plan, slots, &mut Uring(ring))?)
    })
}
