//! Promises about the threads of a row that is built with another version or with levers: its
//! manifest describes the locked version, and it is measured with a thread more or fewer.

use record::{Model, Variant};

use crate::seeded::{check, check_unseen, steady, threads};
use crate::support::built;

#[test]
fn another_version_is_measured_with_one_thread_more_and_not_with_a_hidden_runtime() {
    let another = |model: Model| {
        let (package, version) = ("faulty".to_owned(), "0.0.1".to_owned());
        Model { variant: Some(Variant { package, version, is_checkout: false }), ..model }
    };
    // It has a thread for each of eight slots and two more.
    let fewer = Model { threads: "in_flight + 1".to_owned(), ..threads("units: honest") };
    let origin = || (steady(), built("origin"));
    check(&fewer, origin(), "the process had 10 threads, its manifest says 9");
    check_unseen(&another(fewer), origin());
    let words = "the process had 12 threads, its manifest says 10";
    check(&another(threads("units: hidden threads")), origin(), words);
}
