//! Runs that were published with an older Inflight are still read, and still give tables.

use std::fs;
use std::path::Path;

use record::{Integrity, Run};
use report::{Family, Form};

use crate::story::{BASELINE, FLOOR};

#[test]
fn every_published_run_still_gives_a_table() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results");
    let folders = fs::read_dir(results).unwrap().map(|entry| entry.unwrap().path());
    let published = |path: &Path| path.join("MANIFEST").exists() && !path.is_symlink();
    let mut read = 0;
    for path in folders.filter(|path| published(path)) {
        let run = Run::read(&path).unwrap();
        let figures = report::figures(&run, BASELINE, FLOOR);
        assert_eq!(run.integrity, Integrity::Whole);
        assert!(figures.cells.iter().all(|cell| !cell.rows.is_empty()));
        let text = report::summary(&run, &figures, Form::Terminal);
        assert!(text.contains("estimate (preset "), "{text}");
        assert!(figures.family == Family::AllPairs || !text.contains("rank"), "{text}");
        read += 1;
    }
    assert!(read > 0, "a run is published");
}
