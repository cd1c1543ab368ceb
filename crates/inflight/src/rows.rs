//! Rows as they are named: a model, as it is locked, or built apart with another version of a
//! package, with levers, or both.

use std::path::Path;

use anyhow::{Context, Result};
use harness::{Apart, Failure, Wanted, Workspace};
use record::{Allocator, Lever, Model};

use crate::{measure, place};

/// A row as it was named.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: String,
    /// The model.
    model: Model,
    /// What it is built with in the place of what is locked.
    apart: Apart,
}

impl Row {
    /// Returns the model under the name of the row.
    pub(crate) fn named(&self) -> Model {
        Model { name: self.name.clone(), ..self.model.clone() }
    }

    /// Returns the model of the row, ready to be built.
    fn prepared(&self, workspace: &Workspace) -> Result<Model> {
        match self.apart.is_empty() {
            true => Ok(self.named()),
            false => harness::prepare(workspace, (&self.model, &self.name), &self.apart),
        }
    }
}

/// Returns whether a text names a row that is built apart.
pub(crate) fn is_apart(text: &str) -> bool {
    text.contains(['@', '+'])
}

/// Prepares those of some models that are rows.
pub(crate) fn prepare(rows: &[Row], models: &mut [Model], workspace: &Workspace) -> Result<()> {
    for model in models {
        if let Some(row) = rows.iter().find(|row| row.name == model.name) {
            *model = row.prepared(workspace)?;
        }
    }
    Ok(())
}

/// Reads what was named; a row that is named again gets a number.
pub(crate) fn rows(named: &[String], found: &[Model]) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    for (place, text) in named.iter().enumerate() {
        let mut row = row(text, found)?;
        let times = 1 + named[..place].iter().filter(|other| *other == text).count();
        if times > 1 && row.apart.version.is_none() {
            let name = &row.model.name;
            let why = format!(
                "{text} is named twice (a lever given by an option is on every row): to compare it \
                 with itself, name its version twice, as in {name}@1.2.3 {name}@1.2.3"
            );
            return Err(Failure::Usage(why).into());
        }
        if times > 1 || rows.iter().any(|other| other.name == row.name) {
            row.name = format!("{}#{}", row.name, place + 1);
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Reads one row: `MODEL`, `MODEL@VERSION`, `MODEL@FOLDER` or either after `PACKAGE=`, and levers,
/// each after a plus.
fn row(text: &str, found: &[Model]) -> Result<Row> {
    let (text, levers) = divided(text);
    let (name, version) = match text.split_once('@') {
        None => (text.as_str(), None),
        Some((name, version)) => (name, Some(version)),
    };
    let model = measure::known(found, name)?;
    if model.language.is_some() && (version.is_some() || !levers.is_empty()) {
        let why = format!(
            "{name} is not built by cargo: only models in Rust have versions and levers here"
        );
        return Err(Failure::Usage(why).into());
    }
    let mut row = Row { name: name.to_owned(), model: model.clone(), apart: Apart::default() };
    if let Some(version) = version {
        let (shown, package, wanted) = asked_version(model, version)?;
        row.name = format!("{name}@{shown}");
        row.apart.version = Some((package, wanted));
    }
    for text in levers {
        let lever = lever(model, text)?;
        let is_same = |other: &Lever| match (other, &lever) {
            (Lever::Allocator(_), Lever::Allocator(_)) => true,
            (other, lever) => other == lever,
        };
        if row.apart.levers.iter().any(is_same) {
            let why = format!("{} cannot have the lever {text:?} too: it has one such", row.name);
            return Err(Failure::Usage(why).into());
        }
        row.name = format!("{}+{text}", row.name);
        row.apart.levers.push(lever);
    }
    Ok(row)
}

/// Divides a row into what it is and its levers. The name of a folder may have a plus in it, which
/// is one of a lever only if a lever follows.
fn divided(text: &str) -> (String, Vec<&str>) {
    let mut parts = text.split('+');
    let mut begin = parts.next().unwrap_or_default().to_owned();
    let mut levers = Vec::new();
    for part in parts {
        let folder = begin.split_once('@').is_some_and(|(_, version)| is_folder(version));
        match folder && levers.is_empty() && !is_lever(part) {
            true => begin = format!("{begin}+{part}"),
            false => levers.push(part),
        }
    }
    (begin, levers)
}

/// Returns whether a text looks like a lever.
fn is_lever(text: &str) -> bool {
    let is_named = |allocator: &Allocator| allocator.name() == text;
    let begins = ["feature=", "cfg="].iter().any(|begin| text.starts_with(begin));
    begins || Allocator::ALL.iter().any(is_named)
}

/// Reads a lever of a model.
fn lever(model: &Model, text: &str) -> Result<Lever> {
    match text.split_once('=') {
        Some(("feature", feature)) => {
            let (package, name) = match feature.split_once('/') {
                Some((package, name)) => (package.to_owned(), name),
                None => (runtime(model, &format!("+feature=PACKAGE/{feature}"))?, feature),
            };
            Ok(Lever::Feature { package, name: name.to_owned() })
        }
        Some(("cfg", flag)) if is_identifier(flag) => Ok(Lever::Cfg(flag.to_owned())),
        Some(("cfg", flag)) => {
            let why = format!("{flag:?} is no cfg: expected an identifier such as tokio_unstable");
            Err(Failure::Usage(why).into())
        }
        _ => {
            let mut all = Allocator::ALL.into_iter();
            let named = all.find(|allocator| allocator.name() == text);
            named.map(Lever::Allocator).ok_or_else(|| no_lever(text).into())
        }
    }
}

/// Says that there is no such lever, and which there are.
fn no_lever(text: &str) -> Failure {
    let meant = place::most_like(text, Allocator::ALL.into_iter().map(Allocator::name));
    let meant = meant.map_or_else(String::new, |meant| format!(" (did you mean {meant}?)"));
    let all = Allocator::ALL.map(Allocator::name).join(", ");
    Failure::Usage(format!(
        "there is no lever {text:?}{meant}: expected an allocator ({all}), feature=NAME or cfg=FLAG"
    ))
}

/// Returns whether a text is a name in the language of the compiler.
fn is_identifier(text: &str) -> bool {
    let is_part = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
    text.chars().all(is_part) && text.starts_with(|sign: char| !sign.is_ascii_digit())
}

/// Returns what a version is shown as, the package that it is one of, and what is wanted of it.
fn asked_version(model: &Model, version: &str) -> Result<(String, String, Wanted)> {
    let (package, version) = match version.split_once('=') {
        Some((package, version)) => (package.to_owned(), version),
        None => (runtime(model, &format!("@PACKAGE={version}"))?, version),
    };
    let wanted = wanted(version)?;
    let shown = match &wanted {
        Wanted::Checkout(path) => last_name(path),
        Wanted::Published(_) => version.to_owned(),
    };
    let of = match model.runtime.as_deref() == Some(&package) {
        true => String::new(),
        false => format!("{package}="),
    };
    Ok((of + &shown, package, wanted))
}

/// Reads a version, or a folder.
fn wanted(text: &str) -> Result<Wanted> {
    if is_folder(text) {
        let path = Path::new(text);
        let no_folder = || Failure::Usage(format!("there is no folder {text}, to hold a checkout"));
        return Ok(Wanted::Checkout(path.canonicalize().map_err(|_| no_folder())?));
    }
    let numbers = text.split_once('-').map_or(text, |(numbers, _)| numbers);
    let are_numbers = numbers.split('.').all(|number| number.parse::<u64>().is_ok());
    if !are_numbers || numbers.split('.').count() != 3 {
        let why = format!(
            "{text:?} is no version: expected three numbers such as 1.50.0, or a folder such as \
             ../tokio"
        );
        return Err(Failure::Usage(why).into());
    }
    Ok(Wanted::Published(text.to_owned()))
}

/// Returns whether what is asked for is a folder: it has a slash or begins with a dot.
fn is_folder(text: &str) -> bool {
    text.contains('/') || text.starts_with('.')
}

/// Returns what a folder is called, as far as a row may be.
fn last_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let plain =
        |sign: char| if sign.is_alphanumeric() || "-_.".contains(sign) { sign } else { '-' };
    name.unwrap_or_else(|| "checkout".to_owned()).chars().map(plain).collect()
}

/// Returns the package that a model is one of, or says how another one is named.
fn runtime(model: &Model, instead: &str) -> Result<String> {
    let name = &model.name;
    model.runtime.clone().with_context(|| {
        Failure::Usage(format!(
            "{name} names no package that it is a model of: say which, as in {name}{instead}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levers_follow_a_version_and_a_folder_may_have_a_plus_in_its_name() {
        for (text, begin, levers) in [
            ("tokio", "tokio", &[][..]),
            ("tokio+mimalloc", "tokio", &["mimalloc"]),
            ("tokio@1.50.0+jemalloc+cfg=x", "tokio@1.50.0", &["jemalloc", "cfg=x"]),
            ("tokio@../a+b+mimalloc", "tokio@../a+b", &["mimalloc"]),
            ("tokio+feature=tokio/full", "tokio", &["feature=tokio/full"]),
            ("tokio+mimaloc", "tokio", &["mimaloc"]),
        ] {
            assert_eq!(divided(text), (begin.to_owned(), levers.to_vec()), "{text}");
        }
    }

    #[test]
    fn a_flag_of_the_compiler_is_an_identifier() {
        assert!(["tokio_unstable", "_x1"].into_iter().all(is_identifier));
        assert!(!["", "1x", "a-b", "a=b", "ä"].into_iter().any(is_identifier));
    }
}
