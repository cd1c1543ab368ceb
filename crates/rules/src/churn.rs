//! What is expected where each fetch has a connection of its own.

use crate::expected::Expected;
use crate::steady;

/// What is expected of a steady cell: its slots are away from the origin only while they connect. A
/// law of its own asks for exactly as many connections as fetches.
pub(crate) const EXPECTED: Expected = steady::EXPECTED;
