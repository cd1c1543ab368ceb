//! Documents as JSON that a person can read.

use serde::Serialize;

/// Returns a value as JSON that a person can read.
pub(crate) fn text(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).expect("every key of it is a text");
    text.push(b'\n');
    text
}
