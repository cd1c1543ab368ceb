//! reqwest as its documentation says: one client, cloned.

#[cfg(feature = "reqwest-blocking")]
pub mod blocking;

use ::reqwest::Error;
use model_kit::ErrorCode;

/// Returns the code of what reqwest says went wrong.
pub fn code(error: Error) -> ErrorCode {
    let otherwise = match () {
        () if error.is_connect() => ErrorCode::ConnectUnreachable,
        () if error.is_timeout() => ErrorCode::Deadline,
        () if error.is_body() || error.is_decode() => ErrorCode::BodyTruncated,
        () => ErrorCode::HeadMalformed,
    };
    ErrorCode::unless_reported(otherwise)(error)
}
