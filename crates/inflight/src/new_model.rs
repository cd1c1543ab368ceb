//! `new-model`: the package of a model that compiles. Like another, it is a copy of that one, which
//! passes its verification and is to be changed; like none, it fails until its loop is written.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use harness::{Failure, Workspace};
use record::INFLIGHT;
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

/// The models that one is copied from, by how they wait.
const LIKE: [(&str, &str); 6] = [
    ("blocking", "threads"),
    ("async", "smol"),
    ("completion", "compio"),
    ("readiness", "event-loop"),
    ("python", "asyncio"),
    ("go", "go"),
];

/// Returns how a model may wait of which there is one to copy.
pub(crate) fn ways() -> [&'static str; 6] {
    LIKE.map(|(way, _)| way)
}

/// Writes the package of a new model, which waits like another if that is named, into a folder
/// outside the repository if one is.
pub(crate) fn new_model(
    (name, like): (&str, Option<&str>),
    outside: Option<&Path>,
    output: &mut Output,
) -> Result<u8> {
    let workspace = place::workspace()?;
    let package = format!("model-{name}");
    may_be_called(name, (&workspace, outside))?;
    let example = LIKE.into_iter().find(|(way, _)| Some(*way) == like).map(|(_, model)| model);
    let mut files = copied((name, &package), example, &workspace)?;
    let folder = outside.map_or_else(|| workspace.root.join("crates"), Path::to_owned);
    let folder = folder.join(&package);
    if let Some(outside) = outside {
        files[0].1 = harness::standing_alone(&workspace, &files[0].1, outside)?;
    }
    let written = write(&folder, &files).inspect_err(|_| {
        // With half of a package below it, cargo would read nothing of the workspace any more.
        let _ = fs::remove_dir_all(&folder);
    })?;
    for path in &written {
        output.say(&path.to_string_lossy());
    }
    if outside.is_none() {
        harness::update_lock(&workspace)?;
    }
    let models = outside.map(|folder| format!(" --models {}", folder.display()));
    let verify = format!("{INFLIGHT} verify {name}{}", models.unwrap_or_default());
    output.say(&match example {
        None => format!("It compiles, and fails `{verify}` until its loop is written."),
        Some(example) => format!(
            "It compiles and passes `{verify}`, as a copy of {example}: change src/{}.",
            files.last().map_or("main.rs", |(file, _)| file.trim_start_matches("src/"))
        ),
    });
    output.document(&json!({ "model": name, "package": package, "files": written }));
    Ok(0)
}

/// Returns the files of a new model by their paths, the manifest first: those of an example with
/// the name changed.
fn copied(
    (name, package): (&str, &str),
    example: Option<&str>,
    workspace: &Workspace,
) -> Result<Vec<(&'static str, String)>> {
    let of_example = format!("model-{}", example.unwrap_or(EXAMPLE[1]));
    let from = match example {
        None => workspace.root.join(EXAMPLE[0]).join(EXAMPLE[1]),
        Some(_) => workspace.root.join("crates").join(&of_example),
    };
    let mut files = vec!["Cargo.toml"];
    if example.is_some() {
        let has = |file: &&str| from.join(file).exists();
        files.extend(
            ["src/main.rs", "src/model.py", "src/model.go"].iter().filter(|file| has(file)),
        );
    }
    let label = label(name);
    let copied = |file: &&'static str| {
        let path = from.join(file);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("failed to read {}", path.display()))?;
        let text = text.replace(&of_example, package);
        Ok((*file, if *file == "Cargo.toml" { manifest(&text, &label) } else { text }))
    };
    let mut files = files.iter().map(copied).collect::<Result<Vec<_>>>()?;
    if example.is_none() {
        files.push(("src/main.rs", PROGRAM.replace("LABEL", &label)));
    }
    Ok(files)
}

/// Returns the manifest of a copy, with a label of its own.
fn manifest(of_example: &str, label: &str) -> String {
    let line = |line: &str| match line.split_once(" = ") {
        Some(("label", _)) => format!("label = \"{label}\"\n"),
        Some(("description", _)) => format!("description = \"The model {label}.\"\n"),
        Some(("core", _)) => String::new(),
        _ => format!("{line}\n"),
    };
    of_example.lines().map(line).collect()
}

/// Writes the files of a new package, and returns their paths.
fn write(folder: &Path, files: &[(&str, String)]) -> Result<Vec<PathBuf>> {
    let write = |(file, text): &(&str, String)| {
        let path = folder.join(file);
        harness::put(&path, text)?;
        Ok(path)
    };
    files.iter().map(write).collect()
}

/// Checks that a model may be called so, here and in a folder outside if one is named.
fn may_be_called(name: &str, (workspace, outside): (&Workspace, Option<&Path>)) -> Result<()> {
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
    if let Some(nowhere) = outside.filter(|folder| !folder.is_dir()) {
        let why = format!("there is no folder {}, to hold models: make it", nowhere.display());
        return Err(Failure::Usage(why).into());
    }
    let package = format!("model-{name}");
    let folders = ["crates", "tests/models"].map(|folder| workspace.root.join(folder));
    let mut folders = folders
        .iter()
        .flat_map(|folder| [folder.join(&package), folder.join(name)])
        .chain(outside.map(|folder| folder.join(&package)));
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
