//! What stops a command, by the exit code that it leads to.

use std::fmt;

use record::{Unreadable, Unwritable};

/// What stops a command before anything is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Wrong use.
    Usage(String),
    /// This machine cannot do it now: its limits do not suffice, or another run is measuring.
    Preflight(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(what) | Self::Preflight(what)) = self;
        f.write_str(what)
    }
}

impl std::error::Error for Failure {}

/// Returns the exit code that an error leads to: 2 wrong use, 6 refused before measuring, 7 a file
/// that is corrupt or unknown, 8 a file that cannot be written, 1 anything else; 128 and the
/// number of a signal, if one came.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(code) = crate::interrupt::exit_code() {
        return code;
    }
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return match failure {
            Failure::Usage(_) => 2,
            Failure::Preflight(_) => 6,
        };
    }
    match () {
        () if error.downcast_ref::<Unwritable>().is_some() => 8,
        () if error.downcast_ref::<Unreadable>().is_some() => 7,
        () => 1,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn an_error_keeps_its_exit_code_under_any_context() {
        let cases = [
            (anyhow!(Failure::Usage("a".to_owned())), 2),
            (anyhow!(Failure::Preflight("b".to_owned())), 6),
            (anyhow!("broken").context(Unreadable("c".to_owned())), 7),
            (anyhow!("full").context(Unwritable("d".to_owned())), 8),
            (anyhow!("e"), 1),
        ];
        for (error, code) in cases {
            let wrapped = Err::<(), _>(error).context("on the way").unwrap_err();
            assert_eq!(exit_code(&wrapped), code, "{wrapped:#}");
        }
    }
}
