//! Writes a file: one that cannot be written is named with its bytes, which is how much room a full
//! disk lacks.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use record::Unwritable;

/// Writes a file, and the folders around it.
///
/// # Errors
///
/// An [`Unwritable`] that names the file and its bytes.
pub fn put(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    let bytes = bytes.as_ref();
    let around = path.parent().unwrap_or(path);
    let written = fs::create_dir_all(around).and_then(|()| fs::write(path, bytes));
    written.with_context(|| Unwritable::of(path, bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_room_and_one_without_a_folder_are_named_with_their_bytes() {
        for path in ["/dev/full", "/proc/nowhere/file"] {
            let error = put(Path::new(path), "four").unwrap_err();
            assert!(format!("{error:#}").contains(&format!("{path} (4 bytes): ")), "{error:#}");
            assert_eq!(crate::exit_code(&error), 8);
        }
    }
}
