//! The answer of the stored run, stored too: what `cargo bench` prints at its end.

use std::fs;
use std::path::Path;

use record::Run;
use report::Place;

use crate::fixture::{BASELINE, FLOOR};
use crate::golden::{BLESS, folder};

#[test]
fn the_answer_of_the_stored_run_is_the_text_that_is_stored() {
    let run = Run::read(&folder()).unwrap();
    let summary = analysis::summarize(&run, BASELINE, FLOOR);
    for columns in [100, 80] {
        let page = "results/20261122T101502Z-2c-vm-7f3a91c4/derived/report.html";
        let place = Place { page, run: "20261122T101502Z", columns };
        let text = report::answer(&summary, &place);
        let file = format!("tests/golden/answer-{columns}.txt");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
        if std::env::var_os(BLESS).is_some() {
            fs::write(&path, &text).unwrap();
        }
        let stored = fs::read_to_string(path).unwrap();
        assert_eq!(text, stored, "{file}: `{BLESS}=1 cargo test -p report` to renew it");
    }
}
