//! Where a usual client hides a fault, forgives it, or calls it something else: findings about
//! libraries, which are never patched over.

use model_kit::ErrorCode;

/// One deviation of a client.
#[derive(Clone, Copy, Debug)]
pub struct Deviation {
    /// The client, or the model that is its own.
    pub client: &'static str,
    /// The name of the fault.
    pub fault: &'static str,
    /// What it finds.
    pub finds: Finds,
    /// What it does, as a verb and what follows it.
    pub does: &'static str,
}

/// What a client finds where bare models find each fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finds {
    /// Nothing: every fetch is ok.
    Nothing,
    /// Every fault, by this code.
    Code(ErrorCode),
}

/// Every deviation that is known.
pub const DEVIATIONS: &[Deviation] = &[
    forgives("hyper", "field_too_long", "takes heads of up to about 400 KiB"),
    forgives("reqwest", "field_too_long", "takes heads of up to about 400 KiB"),
    forgives("ureq", "fields_too_many", "takes more than 100 fields"),
    forgives("hyper", "length_and_chunked", BOTH_LENGTHS),
    forgives("reqwest", "length_and_chunked", BOTH_LENGTHS),
    forgives("ureq", "length_and_chunked", BOTH_LENGTHS),
    calls("hyper", "chunked_not_last", ErrorCode::BodyMismatch, NOT_LAST),
    calls("reqwest", "chunked_not_last", ErrorCode::BodyMismatch, NOT_LAST),
    forgives("ureq", "chunked_not_last", "takes a body for chunked if any of its codings is"),
    forgives("hyper", "no_length", NO_LENGTH),
    forgives("reqwest", "no_length", NO_LENGTH),
    forgives("ureq", "no_length", NO_LENGTH),
    forgives("hyper", "interim_1000", INTERIM),
    forgives("reqwest", "interim_1000", INTERIM),
    forgives("ureq", "interim_1000", INTERIM),
    forgives("ureq", "trailer_malformed", "does not look at trailers"),
    calls("hyper", "gzip_not_asked_for", ErrorCode::BodyMismatch, ENCODED),
    calls("reqwest", "gzip_not_asked_for", ErrorCode::BodyMismatch, ENCODED),
    calls("ureq", "gzip_not_asked_for", ErrorCode::BodyMismatch, ENCODED),
];

const BOTH_LENGTHS: &str = "lets chunked win over a length that is told beside it";
const NOT_LAST: &str = "reads a body whose last coding is not chunked until the connection ends";
const NO_LENGTH: &str =
    "takes whatever comes until the connection ends for a body without a length";
const INTERIM: &str = "passes over any number of interim replies";
const ENCODED: &str = "hands a body over in an encoding that was not asked for, as it is";

/// A fault that a client lets pass.
const fn forgives(client: &'static str, fault: &'static str, does: &'static str) -> Deviation {
    Deviation { client, fault, finds: Finds::Nothing, does }
}

/// A fault to which a client gives a code of another family.
const fn calls(
    client: &'static str,
    fault: &'static str,
    code: ErrorCode,
    does: &'static str,
) -> Deviation {
    Deviation { client, fault, finds: Finds::Code(code), does }
}
