//! How one fetch ended: ok with a latency, or one error code.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

/// How one fetch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The reply was read whole and verified; the time is the service time of the fetch.
    Ok(Duration),
    /// It failed, for this reason.
    Failed(ErrorCode),
}

/// Declares the codes once: their numbers, their names, and when each can happen.
macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal,)+) => {
        /// Why a fetch failed. The numbers are stable; the first two digits are the family:
        /// 10 local, 12 connect, 13 send, 14 head, 15 body, 16 meaning, 19 other.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl ErrorCode {
            /// Every code, in the order of the numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Returns the name that stands beside the number in tables.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }
        }
    };
}

error_codes! {
    /// No file descriptor was left (EMFILE, ENFILE).
    FdExhausted = 1001,
    /// No local port was left (EADDRNOTAVAIL).
    PortExhausted = 1002,
    /// Memory ran out.
    NoMemory = 1004,
    /// The unit that carried the fetch left before its end.
    Cancelled = 1005,
    /// The unit that carried the fetch panicked.
    TaskPanicked = 1006,
    /// The deadline passed and the library does not show where.
    Deadline = 1007,
    /// Nothing listens at the origin's address.
    ConnectRefused = 1201,
    /// Connecting took longer than the deadline.
    ConnectTimeout = 1202,
    /// The connection was reset while it was being made.
    ConnectReset = 1203,
    /// There is no way to the address.
    ConnectUnreachable = 1204,
    /// Sending took longer than the deadline.
    SendTimeout = 1302,
    /// A fresh connection was lost before the first byte of its first reply.
    ClosedBeforeHeadFresh = 1401,
    /// A reused connection was lost before the first byte of the reply.
    ClosedBeforeHeadReused = 1402,
    /// The head was not complete at the deadline.
    HeadTimeout = 1403,
    /// The head ended early, or breaks the rules of a header field.
    HeadMalformed = 1404,
    /// The head is longer than 64 KiB or has more than 100 fields.
    HeadTooLarge = 1405,
    /// The status line is not HTTP/1.0 or 1.1 with a status of 100 to 999.
    BadStatusLine = 1406,
    /// The length of the body is missing, wrong, or reported twice.
    FramingConflict = 1407,
    /// The connection was reset inside the head.
    ResetInHead = 1408,
    /// More than 16 interim replies came first.
    TooManyInterim = 1409,
    /// The connection ended before the announced length.
    BodyTruncated = 1501,
    /// A chunk breaks the rules of chunked transfer.
    ChunkMalformed = 1502,
    /// The connection ended before the last chunk.
    ChunkTruncated = 1503,
    /// The body was not complete at the deadline.
    BodyTimeout = 1504,
    /// The body is longer than 16 MiB.
    BodyTooLarge = 1505,
    /// The connection was reset inside the body.
    ResetInBody = 1506,
    /// The body came in an encoding that was not asked for.
    BadEncoding = 1507,
    /// The status is not 200.
    StatusUnexpected = 1601,
    /// The status asks for a redirect; none is ever followed.
    RedirectUnexpected = 1602,
    /// Length or checksum of the body are not those of the id.
    BodyMismatch = 1604,
    /// The reply does not repeat the id of the request.
    TokenMismatch = 1606,
    /// None of the above; a test that sees it has found a gap in this table.
    Other = 1999,
}

impl ErrorCode {
    /// Returns the stable number.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// Returns the code with that number.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }

    /// Returns the family: the first two digits.
    pub fn family(self) -> u16 {
        self.number() / 100
    }

    /// Returns the code for a connection lost before the first byte of a reply, whichever call
    /// noticed it.
    pub fn lost_before_head(reused: bool) -> Self {
        match reused {
            false => Self::ClosedBeforeHeadFresh,
            true => Self::ClosedBeforeHeadReused,
        }
    }

    /// Returns the code for an operating system's error met while connecting.
    pub fn while_connecting(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::ConnectRefused,
            io::ErrorKind::TimedOut => Self::ConnectTimeout,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Self::ConnectReset,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                Self::ConnectUnreachable
            }
            _ => Self::of_resources(error).unwrap_or(Self::Other),
        }
    }

    /// Returns what turns a library's error into a code: by the operating system's error at its
    /// root if there is one, else as `otherwise`, which also says how far the fetch had come.
    pub fn unless_reported<E: Error + 'static>(otherwise: Self) -> impl Fn(E) -> Self {
        move |error| Self::of_library(&error, otherwise)
    }

    /// Returns the code for a library's error.
    fn of_library(error: &(dyn Error + 'static), otherwise: Self) -> Self {
        let Some(root) = io_root(error) else { return otherwise };
        match (root.kind(), otherwise.family()) {
            (io::ErrorKind::ConnectionRefused, _) | (_, 12) => Self::while_connecting(root),
            (io::ErrorKind::TimedOut, _) => Self::Deadline,
            (io::ErrorKind::UnexpectedEof, 15) => Self::BodyTruncated,
            (io::ErrorKind::ConnectionReset, 15) => Self::ResetInBody,
            (
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe,
                _,
            ) => Self::ClosedBeforeHeadFresh,
            _ => Self::of_resources(root).unwrap_or(otherwise),
        }
    }

    /// Returns the code of an exhausted resource, if the error is one.
    fn of_resources(error: &io::Error) -> Option<Self> {
        use nix::errno::Errno;

        match error.kind() {
            io::ErrorKind::AddrNotAvailable => return Some(Self::PortExhausted),
            io::ErrorKind::OutOfMemory => return Some(Self::NoMemory),
            _ => {}
        }

        match Errno::from_raw(error.raw_os_error()?) {
            Errno::EMFILE | Errno::ENFILE => Some(Self::FdExhausted),
            Errno::ENOBUFS => Some(Self::NoMemory),
            _ => None,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number(), self.name())
    }
}

/// Returns the operating system's error at the root of a library's error.
fn io_root<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut found = None;
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            found = Some(io);
            // An io::Error hides the error that it carries from its own `source`.
            next = io.get_ref().map(|inner| inner as &(dyn Error + 'static));
            continue;
        }
        next = error.source();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_leads_back_to_its_code() {
        for &code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_number(code.number()), Some(code));
        }
        assert_eq!(ErrorCode::from_number(1000), None);
    }

    #[test]
    fn an_error_inside_an_error_is_found() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let wrapped = io::Error::other(refused);
        let code = ErrorCode::of_library(&wrapped, ErrorCode::Other);
        assert_eq!(code, ErrorCode::ConnectRefused);
    }

    #[test]
    fn what_the_system_says_while_connecting_has_a_code_of_its_own() {
        use nix::errno::Errno;

        let cases = [
            (Errno::ECONNREFUSED, ErrorCode::ConnectRefused),
            (Errno::ETIMEDOUT, ErrorCode::ConnectTimeout),
            (Errno::ECONNRESET, ErrorCode::ConnectReset),
            (Errno::ECONNABORTED, ErrorCode::ConnectReset),
            (Errno::EHOSTUNREACH, ErrorCode::ConnectUnreachable),
            (Errno::ENETUNREACH, ErrorCode::ConnectUnreachable),
            (Errno::EADDRNOTAVAIL, ErrorCode::PortExhausted),
            (Errno::EMFILE, ErrorCode::FdExhausted),
            (Errno::ENFILE, ErrorCode::FdExhausted),
            (Errno::ENOMEM, ErrorCode::NoMemory),
            (Errno::ENOBUFS, ErrorCode::NoMemory),
            (Errno::EPERM, ErrorCode::Other),
        ];
        for (errno, code) in cases {
            let error = io::Error::from_raw_os_error(errno as i32);
            assert_eq!(ErrorCode::while_connecting(&error), code, "{errno}");
            // A library that wraps it reports the same.
            let wrapped = io::Error::other(error);
            let reported = ErrorCode::of_library(&wrapped, ErrorCode::ConnectReset);
            assert_eq!(reported, code, "{errno}");
        }
    }
}
