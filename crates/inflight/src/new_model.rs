//! `new-model`: the package of a model that compiles, and fails its verification until its loop is
//! written.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use harness::{Failure, Workspace};
use record::Unwritable;
use serde_json::json;

use crate::output::Output;
use crate::place;

/// Where the model lies whose shape is copied, and its name.
const EXAMPLE: [&str; 2] = ["tests/models", "example"];
/// The longest name.
const LONGEST: usize = 40;

/// The program of a model whose loop is still to be written.
const PROGRAM: &str = r#"//! LABEL: say here how it waits, in a sentence.

use std::process::ExitCode;

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        // Here comes the loop: give each slot a unit of your own, let it do what `Slot::step` says,
        // and report how it went, until the step is `Done`. `cargo doc --open -p model-kit` walks
        // through it, and `model_kit::blocking` does it for units that may block.
        drop(slots);
        Err("the loop of this model is still to be written".into())
    })
}
"#;

/// Writes the package of a new model.
pub(crate) fn new_model(name: &str, output: &mut Output) -> Result<u8> {
    let workspace = place::workspace()?;
    let package = format!("model-{name}");
    may_be_called(name, &workspace)?;
    let example = workspace.root.join(EXAMPLE[0]).join(EXAMPLE[1]).join("Cargo.toml");
    let manifest = fs::read_to_string(&example)
        .with_context(|| format!("failed to read {}", example.display()))?;
    let label = label(name);
    let manifest = manifest
        .replace(&format!("model-{}", EXAMPLE[1]), &package)
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some(("label", _)) => format!("label = \"{label}\"\n"),
            Some(("description", _)) => format!("description = \"The model {label}.\"\n"),
            _ => format!("{line}\n"),
        })
        .collect::<String>();

    let folder = workspace.root.join("crates").join(&package);
    let files = [("Cargo.toml", manifest), ("src/main.rs", PROGRAM.replace("LABEL", &label))];
    let written = write(&folder, &files).inspect_err(|_| {
        // With half of a package below it, cargo would read nothing of the workspace any more.
        let _ = fs::remove_dir_all(&folder);
    })?;
    for path in &written {
        output.say(&path.to_string_lossy());
    }
    harness::update_lock(&workspace)?;
    output.say(&format!(
        "It compiles, and fails `inflight verify {name}` until its loop is written."
    ));
    output.document(&json!({ "model": name, "package": package, "files": written }));
    Ok(0)
}

/// Writes the files of a new package, and returns their paths.
fn write(folder: &Path, files: &[(&str, String)]) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder.join("src"))
        .with_context(|| Unwritable(folder.display().to_string()))?;
    let write = |(file, text): &(&str, String)| {
        let path = folder.join(file);
        fs::write(&path, text).with_context(|| Unwritable::of(&path, text.len()))?;
        Ok(path)
    };
    files.iter().map(write).collect()
}

/// Checks that a model may be called so.
fn may_be_called(name: &str, workspace: &Workspace) -> Result<()> {
    let words = |word: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        !word.is_empty() && word.chars().all(plain)
    };
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    if !(begins && name.len() <= LONGEST && name.split('-').all(words)) {
        let why = format!(
            "the name {name:?} cannot be a model's: expected at most {LONGEST} lower-case letters, \
             digits and single hyphens, a letter first, such as my-model"
        );
        return Err(Failure::Usage(why).into());
    }
    let package = format!("model-{name}");
    let folders = ["crates", "tests/models"].into_iter();
    let mut folders = folders.flat_map(|folder| {
        [workspace.root.join(folder).join(&package), workspace.root.join(folder).join(name)]
    });
    if let Some(taken) = folders.find(|folder| folder.exists()) {
        let taken = taken.strip_prefix(&workspace.root).unwrap_or(&taken).display().to_string();
        let why = format!("there is a package {package} already, in {taken}: take another name");
        return Err(Failure::Usage(why).into());
    }
    Ok(())
}

/// Returns what reports call a model of that name: `My model`.
fn label(name: &str) -> String {
    let text = name.replace('-', " ");
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_label_that_a_person_reads() {
        assert_eq!(label("my-model"), "My model");
        assert_eq!(label("x"), "X");
    }
}
