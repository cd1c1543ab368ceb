//! What is not reported: paths, which name people and places.

/// What stands where a path stood.
const PATH: &str = "PATH";

/// Returns a word without the path in it: `-Clinker=PATH` for `-Clinker=/opt/mold`.
pub(super) fn without_path(word: &str) -> String {
    match word.split_once('=') {
        _ if !word.contains('/') => word.to_owned(),
        Some((key, _)) if !key.contains('/') => format!("{key}={PATH}"),
        _ => PATH.to_owned(),
    }
}

/// Returns a command without paths: the program by its last name, then its arguments.
pub(super) fn command(arguments: impl IntoIterator<Item = String>) -> String {
    let mut arguments = arguments.into_iter();
    let program = arguments.next().as_deref().map(last_name).unwrap_or_default().to_owned();
    let arguments = arguments.map(|argument| without_path(&argument));
    [program].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}

/// Returns the last name of a path.
pub(super) fn last_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_is_reported() {
        let cases = [
            ("-Ctarget-cpu=native", "-Ctarget-cpu=native"),
            ("-Clinker=/opt/me/mold", "-Clinker=PATH"),
            ("--remap-path-prefix=/home/me=/x", "--remap-path-prefix=PATH"),
            ("-L/home/me=lib", "PATH"),
            ("~/bin", "PATH"),
        ];
        for (word, reported) in cases {
            assert_eq!(without_path(word), reported);
        }
    }

    #[test]
    fn a_command_keeps_its_program_and_its_plain_arguments() {
        let words = ["/home/me/target/fetch-1a", "--bench", "results/a run", "--preset=quick"];
        let reported = command(words.map(str::to_owned));
        assert_eq!(reported, "fetch-1a --bench PATH --preset=quick");
    }
}
