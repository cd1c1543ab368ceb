//! Takes the paths of this machine out of a text that will be written down or published: what a
//! program says of its failure often names the folder of a user.

use std::borrow::Cow;
use std::env;
use std::path::PathBuf;

/// Returns a text in which each absolute path is cut to its last name. A path in quotes, or below
/// the user's folder or the current one, may have spaces; a relative one stays, since it lies in
/// the workspace or in nobody's folder.
pub(crate) fn without_paths(text: &str) -> String {
    let folders = [env::home_dir(), env::current_dir().ok()];
    cut_all(&without_spaced(text, folders.into_iter().flatten()))
}

/// Returns a text without the names of these folders, where those have spaces: the end of a path is
/// seen by a space.
fn without_spaced(text: &str, folders: impl Iterator<Item = PathBuf>) -> Cow<'_, str> {
    let names = folders.map(|folder| folder.to_string_lossy().into_owned());
    let mut spaced: Vec<String> = names.filter(|name| name.contains(char::is_whitespace)).collect();
    // One may lie below the other.
    spaced.sort_by_key(|name| std::cmp::Reverse(name.len()));
    spaced.iter().fold(Cow::Borrowed(text), |text, name| text.replace(name.as_str(), "").into())
}

/// Cuts each absolute path of a text.
fn cut_all(text: &str) -> String {
    let (mut reported, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(place) = rest.find('/') {
        let (before, after) = rest.split_at(place);
        reported.push_str(before);
        let previous = reported.chars().next_back();
        if previous.is_some_and(continues) || previous == Some(':') && after.starts_with("//") {
            let slashes = after.len() - after.trim_start_matches('/').len();
            reported.push_str(&after[..slashes]);
            rest = &after[slashes..];
            continue;
        }

        let end = after.find(|letter| ends(letter, previous)).unwrap_or(after.len());
        reported.push_str(cut(&after[..end]));
        rest = &after[end..];
    }
    reported + rest
}

/// Returns what is reported of a path: all of it in the standard library, whose paths are of no
/// machine; from the package on in a registry; else the last name.
fn cut(path: &str) -> &str {
    let in_registry = path.split_once("/registry/src/").and_then(|(_, tail)| tail.split_once('/'));
    match (path.starts_with("/rustc/"), in_registry) {
        (true, _) => path,
        (false, Some((_, of_package))) => of_package,
        (false, None) => {
            let names = path.trim_end_matches('/').rsplit('/').next();
            names.filter(|name| !name.is_empty()).unwrap_or("/")
        }
    }
}

/// Returns whether a slash after this letter stands inside a name, as in `src/main.rs` and `I/O`.
fn continues(letter: char) -> bool {
    letter.is_alphanumeric() || "._-/".contains(letter)
}

/// Returns whether a letter ends a path that stands after another letter.
fn ends(letter: char, previous: Option<char>) -> bool {
    match previous {
        Some(quote @ ('"' | '\'' | '`')) => letter == quote,
        _ => letter.is_whitespace() || "\"'`:;,()[]<>|".contains(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cut_to_its_last_name_and_all_else_stays() {
        let cases = [
            (
                "failed to start /home/me/target/x/model-a: No such file",
                "failed to start model-a: \
              No such file",
            ),
            (
                "panicked at /home/me/.cargo/registry/src/a-1/tokio-1.54.1/src/lib.rs:7:9: why",
                "panicked at tokio-1.54.1/src/lib.rs:7:9: why",
            ),
            (
                "at /rustc/0a1b/library/std/src/thread.rs:1",
                "at /rustc/0a1b/library/std/src/thread.rs:1",
            ),
            (
                "panicked at crates/model-kit/src/slot.rs:3",
                "panicked at \
              crates/model-kit/src/slot.rs:3",
            ),
            ("File \"/home/my user/model.py\", line 2", "File \"model.py\", line 2"),
            ("(see /home/me/) and /", "(see me) and /"),
            ("I/O error at http://127.0.0.1:9/fetch", "I/O error at http://127.0.0.1:9/fetch"),
            ("dir=/home/me", "dir=me"),
            ("", ""),
        ];
        for (text, reported) in cases {
            assert_eq!(without_paths(text), reported);
        }
    }

    #[test]
    fn a_folder_of_the_user_with_a_space_is_reported_no_more_than_one_without() {
        let folders = ["/home/my user", "/home/my user/a b"].map(PathBuf::from);
        let reported = |text| cut_all(&without_spaced(text, folders.clone().into_iter()));
        let panic = "at /home/my user/.cargo/registry/src/a-1/tokio-1.54.1/src/lib.rs:7:9: why";
        assert_eq!(reported(panic), "at tokio-1.54.1/src/lib.rs:7:9: why");
        assert_eq!(reported("(/home/my user/a b/target/x) in /home/other/y"), "(x) in y");
        assert_eq!(reported("in /home/my user"), "in ");
    }
}
