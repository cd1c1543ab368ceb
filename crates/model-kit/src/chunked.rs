//! The chunked transfer coding of RFC 9112 section 7.1, read strictly and at any split.

use crate::ErrorCode;

/// The longest that extensions, or trailers, of one body may be together.
const ASIDE_BYTES_MAX: u32 = 64 * 1024;

/// How far into the coding the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the hexadecimal size of a chunk.
    Size { value: u64, digits: u8 },
    /// In an extension, after the size.
    Extension { size: u64 },
    /// Before the line feed that ends the size line.
    SizeEnd { size: u64 },
    /// In the data of a chunk.
    Data { left: u64 },
    /// Before the carriage return after the data.
    DataReturn,
    /// Before the line feed after the data.
    DataEnd,
    /// At the start of a trailer line, or of the empty line that ends the body.
    LineStart,
    /// In a trailer line; a colon must come before its end.
    Trailer { colon: bool },
    /// Before the line feed that ends a trailer line.
    TrailerEnd,
    /// Before the line feed that ends the body.
    LastEnd,
    /// After the end.
    Whole,
}

/// A body in the chunked coding, as far as it has come.
#[derive(Clone, Debug)]
pub(crate) struct Chunked {
    state: State,
    aside: u32,
}

impl Chunked {
    /// Starts before the first chunk.
    pub(crate) fn new() -> Self {
        Self { state: State::Size { value: 0, digits: 0 }, aside: 0 }
    }

    /// Returns whether the last chunk and its trailers have been read.
    pub(crate) fn is_whole(&self) -> bool {
        self.state == State::Whole
    }

    /// Reads until the input or the body ends, hands each run of data to `sink`, and returns how
    /// much of the input belonged to the body.
    pub(crate) fn read(
        &mut self,
        input: &[u8],
        mut sink: impl FnMut(&[u8]) -> Result<(), ErrorCode>,
    ) -> Result<usize, ErrorCode> {
        let mut at = 0;
        while at < input.len() && !self.is_whole() {
            if let State::Data { left } = self.state {
                let available = (input.len() - at) as u64;
                let run = left.min(available);
                let end = at + usize::try_from(run).expect("a run is no longer than the input");
                sink(&input[at..end])?;
                at = end;
                let left = left - run;
                self.state = if left > 0 { State::Data { left } } else { State::DataReturn };
                continue;
            }

            self.state = self.after(input[at])?;
            at += 1;
        }
        Ok(at)
    }

    /// Returns the state after one byte that is not data.
    fn after(&mut self, byte: u8) -> Result<State, ErrorCode> {
        let next = match (self.state, byte) {
            (State::Size { value, digits }, _) => return size_after(value, digits, byte),
            (State::Extension { size }, b'\r') => State::SizeEnd { size },
            (State::DataReturn, b'\r') => State::DataEnd,
            (State::DataEnd, b'\n') => State::Size { value: 0, digits: 0 },
            (State::LineStart, b'\r') => State::LastEnd,
            (State::Trailer { colon: true }, b'\r') => State::TrailerEnd,
            (State::SizeEnd { size: 0 } | State::TrailerEnd, b'\n') => State::LineStart,
            (State::SizeEnd { size }, b'\n') => State::Data { left: size },
            (State::LastEnd, b'\n') => State::Whole,
            (State::Extension { size }, _) if is_text(byte) => State::Extension { size },
            (State::LineStart, _) if is_token(byte) => State::Trailer { colon: false },
            (State::Trailer { colon: false }, b':') => State::Trailer { colon: true },
            (State::Trailer { colon: false }, _) if is_token(byte) => self.state,
            (State::Trailer { colon: true }, _) if is_text(byte) => self.state,
            _ => return Err(ErrorCode::ChunkMalformed),
        };

        self.count_aside(next)?;
        Ok(next)
    }

    /// Counts the bytes that are neither sizes nor data, of which a hostile origin has no end.
    fn count_aside(&mut self, next: State) -> Result<(), ErrorCode> {
        if matches!(next, State::Extension { .. } | State::Trailer { .. }) {
            self.aside += 1;
        }
        if self.aside > ASIDE_BYTES_MAX {
            return Err(ErrorCode::ChunkMalformed);
        }
        Ok(())
    }
}

/// Returns the state after one byte in or behind the size of a chunk.
fn size_after(value: u64, digits: u8, byte: u8) -> Result<State, ErrorCode> {
    if let Some(digit) = char::from(byte).to_digit(16) {
        if digits == 16 {
            return Err(ErrorCode::ChunkMalformed);
        }
        return Ok(State::Size { value: value << 4 | u64::from(digit), digits: digits + 1 });
    }

    match byte {
        _ if digits == 0 => Err(ErrorCode::ChunkMalformed),
        b'\r' => Ok(State::SizeEnd { size: value }),
        b';' => Ok(State::Extension { size: value }),
        _ => Err(ErrorCode::ChunkMalformed),
    }
}

/// Returns whether a byte may stand in the name of a field (RFC 9110 section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Returns whether a byte may stand in the value of a field or in an extension.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the input whole and then split at every place, and compares what comes of it.
    fn check(input: &[u8], expected: Result<(&[u8], usize), ErrorCode>) {
        for split in 0..=input.len() {
            let mut chunked = Chunked::new();
            let mut data = Vec::new();
            let mut sink = |run: &[u8]| {
                data.extend_from_slice(run);
                Ok(())
            };
            let first = chunked.read(&input[..split], &mut sink);
            let both = first.and_then(|n| Ok(n + chunked.read(&input[split..], &mut sink)?));
            match expected {
                Ok((body, length)) => {
                    assert!(chunked.is_whole(), "split at {split}");
                    assert_eq!((data.as_slice(), both), (body, Ok(length)), "split at {split}");
                }
                Err(code) => assert_eq!(both, Err(code), "split at {split}"),
            }
        }
    }

    #[test]
    fn chunks_are_joined_and_what_follows_is_left() {
        check(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", Ok((b"abcde", 20)));
        check(b"1\r\na\r\n0\r\n\r\nHTTP", Ok((b"a", 11)));
        check(b"00A\r\n0123456789\r\n0\r\n\r\n", Ok((b"0123456789", 22)));
    }

    #[test]
    fn extensions_and_trailers_are_read_over() {
        check(b"1;a=b\r\nx\r\n0;z\r\nTrailer: yes\r\nT2:\r\n\r\n", Ok((b"x", 36)));
    }

    #[test]
    fn a_size_that_is_no_number_is_malformed() {
        for input in [&b"g\r\n"[..], b"-1\r\n", b"\r\n", b"1 \r\n", b"0x1\r\n", b";a\r\n"] {
            check(input, Err(ErrorCode::ChunkMalformed));
        }
        check(b"11111111111111111\r\n", Err(ErrorCode::ChunkMalformed));
    }

    #[test]
    fn a_missing_line_end_is_malformed() {
        for input in
            [&b"1\nx"[..], b"1\r\nxy\r\n", b"1\r\nx\n", b"0\r\nno colon\r\n", b"0\r\n:v\r\n"]
        {
            check(input, Err(ErrorCode::ChunkMalformed));
        }
    }
}
