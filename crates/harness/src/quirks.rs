//! Where a library client hides a fault, forgives it, or calls it something else: findings about
//! libraries, which are never patched over.

use std::collections::BTreeMap;

use record::Model;
use workload::ErrorCode;

/// The versions of what a model is built on, by name.
type Versions = BTreeMap<String, String>;

/// One quirk of a client.
#[derive(Clone, Copy, Debug)]
pub struct Quirk {
    /// The client, or the model that is its own.
    pub client: &'static str,
    /// How the versions of the client that do so begin; all do if this is empty.
    pub versions: &'static str,
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
    /// A failure by this code in every reply that bare models take.
    Refuses(ErrorCode),
}

/// Every quirk that is known.
pub const QUIRKS: &[Quirk] = &[
    forgives("cyper", "field_too_long", "takes heads of up to about 400 KiB"),
    forgives("cyper", "length_and_chunked", BOTH_LENGTHS),
    calls("cyper", "chunked_not_last", ErrorCode::BodyMismatch, NOT_LAST),
    forgives("cyper", "no_length", NO_LENGTH),
    forgives("cyper", "interim_1000", INTERIM),
    calls("cyper", "gzip_not_asked_for", ErrorCode::BodyMismatch, ENCODED),
    calls("cyper", "no_token_cut", ErrorCode::BodyTruncated, TOGETHER),
    refuses("cyper", "extra_bytes_late", ErrorCode::HeadMalformed, LATE),
    forgives("hyper", "field_too_long", "takes heads of up to about 400 KiB"),
    forgives("reqwest", "field_too_long", "takes heads of up to about 400 KiB"),
    forgives("ureq", "fields_too_many", "takes more than 100 fields"),
    forgives("hyper", "length_and_chunked", BOTH_LENGTHS),
    forgives("reqwest", "length_and_chunked", BOTH_LENGTHS),
    forgives("ureq", "length_and_chunked", BOTH_LENGTHS),
    calls("hyper", "chunked_not_last", ErrorCode::BodyMismatch, NOT_LAST),
    calls("reqwest", "chunked_not_last", ErrorCode::BodyMismatch, NOT_LAST),
    forgives("ureq", "chunked_not_last", ANY_CODING),
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
    forgives("ureq", "trailer_name_with_space", "does not look at trailers"),
    calls("hyper", "no_token_cut", ErrorCode::BodyTruncated, TOGETHER),
    calls("reqwest", "no_token_cut", ErrorCode::BodyTruncated, TOGETHER),
    calls("ureq", "no_token_cut", ErrorCode::BodyTruncated, TOGETHER),
    calls("aiohttp", "no_token_cut", ErrorCode::BodyTruncated, TOGETHER),
    forgives("aiohttp", "blank_line_first", "passes over an empty line before a reply"),
    forgives("aiohttp", "control_in_value", "takes some control bytes in the value of a field"),
    calls("aiohttp", "gzip_not_asked_for", ErrorCode::BodyMismatch, DECODED),
    forgives("aiohttp", "http_2_0", "takes a reply in the text of HTTP/2.0"),
    calls("aiohttp", "status_099", ErrorCode::StatusUnexpected, "takes 099 for a status"),
    forgives("aiohttp", "fields_too_many", "takes more than 100 fields"),
    forgives("aiohttp", "obs_fold", "unfolds fields"),
    calls("aiohttp", "chunked_not_last", ErrorCode::BodyMismatch, NOT_LAST),
    forgives("aiohttp", "no_length", NO_LENGTH),
    forgives("aiohttp", "interim_1000", INTERIM),
    refuses("aiohttp", "extra_bytes", ErrorCode::HeadMalformed, AT_ONCE),
    refuses("aiohttp", "extra_bytes_late", ErrorCode::HeadMalformed, LATE),
    refuses("http.client", "extra_bytes_late", ErrorCode::BadStatusLine, LATE),
    refuses("hyper", "extra_bytes_late", ErrorCode::HeadMalformed, LATE),
    refuses("reqwest", "extra_bytes_late", ErrorCode::HeadMalformed, LATE),
    refuses("ureq", "extra_bytes_late", ErrorCode::HeadMalformed, LATE),
    calls("aiohttp", "MALFORMED_RESPONSE_CHUNK", ErrorCode::HeadMalformed, CHUNK),
    calls("aiohttp", "chunk_size_no_number", ErrorCode::HeadMalformed, CHUNK),
    calls("aiohttp", "chunk_size_negative", ErrorCode::HeadMalformed, CHUNK),
    calls("aiohttp", "chunk_size_2_64", ErrorCode::HeadMalformed, CHUNK),
    calls("aiohttp", "line_end_missing", ErrorCode::HeadMalformed, CHUNK),
    calls("aiohttp", "trailer_malformed", ErrorCode::HeadMalformed, CHUNK),
    calls("aiohttp", "trailer_name_with_space", ErrorCode::HeadMalformed, CHUNK),
    refuses("http.client", "blank_line_first", ErrorCode::BadStatusLine, LATE),
    calls("http.client", "head_cut", ErrorCode::BodyMismatch, CUT),
    forgives("http.client", "http_1_2", "takes every version that begins with `HTTP/1.`"),
    forgives("http.client", "nul", ANY_BYTE),
    forgives("http.client", "bare_cr", ANY_BYTE),
    forgives("http.client", "control_in_value", ANY_BYTE),
    forgives("http.client", "obs_fold", "unfolds fields"),
    forgives("http.client", "no_colon", NO_FIELD),
    forgives("http.client", "space_before_colon", NO_FIELD),
    forgives("http.client", "name_with_space", NO_FIELD),
    forgives("http.client", "lengths_unequal", "takes the first of two lengths"),
    forgives("http.client", "length_negative", NO_NUMBER),
    forgives("http.client", "length_42s", NO_NUMBER),
    calls("http.client", "length_2_64", ErrorCode::BodyTooLarge, "takes a length of any size"),
    forgives("http.client", "length_and_chunked", BOTH_LENGTHS),
    calls("http.client", "chunked_not_last", ErrorCode::BodyMismatch, NOT_LAST),
    forgives("http.client", "no_length", NO_LENGTH),
    refuses("http.client", "hints_then_ok", ErrorCode::StatusUnexpected, FINAL),
    forgives("http.client", "interim_1000", INTERIM),
    forgives("http.client", "trailer_malformed", "does not look at trailers"),
    forgives("http.client", "trailer_name_with_space", "does not look at trailers"),
    calls("http.client", "gzip_not_asked_for", ErrorCode::BodyMismatch, ENCODED),
    forgives("httpx", "http_1_2", "takes every version of two digits"),
    forgives("httpx", "http_2_0", "takes every version of two digits"),
    refuses("httpx", "blank_line_first", ErrorCode::HeadMalformed, BLANK),
    forgives("httpx", "field_too_long", "takes heads of up to 100 KiB"),
    forgives("httpx", "fields_too_many", "takes more than 100 fields"),
    forgives("httpx", "obs_fold", "unfolds fields"),
    forgives("httpx", "length_and_chunked", BOTH_LENGTHS),
    calls("httpx", "length_2_64", ErrorCode::BodyTruncated, "takes a length of any size"),
    forgives("httpx", "no_length", NO_LENGTH),
    forgives("httpx", "interim_1000", INTERIM),
    calls("httpx", "switching_protocols", ErrorCode::HeadMalformed, SWITCH),
    refuses("httpx", "extra_bytes", ErrorCode::HeadMalformed, BEHIND),
    refuses("httpx", "extra_bytes_late", ErrorCode::HeadMalformed, LATE),
    calls("httpx", "gzip_not_asked_for", ErrorCode::BodyMismatch, DECODED),
    forgives("net/http", "http_1_2", "takes every version of two digits"),
    forgives("net/http", "http_2_0", "takes every version of two digits"),
    refuses("net/http", "blank_line_first", ErrorCode::HeadMalformed, BLANK),
    calls("net/http", "status_099", ErrorCode::StatusUnexpected, "takes 099 for a status"),
    forgives("net/http", "field_too_long", "takes heads of up to 10 MiB"),
    forgives("net/http", "fields_too_many", "takes more than 100 fields"),
    forgives("net/http", "obs_fold", "unfolds fields"),
    forgives("net/http", "space_before_colon", SPACE),
    forgives("net/http", "name_with_space", SPACE),
    forgives("net/http", "trailer_name_with_space", SPACE),
    forgives("net/http", "length_and_chunked", BOTH_LENGTHS),
    forgives("net/http", "no_length", NO_LENGTH),
    forgives("net/http", "interim_1000", INTERIM),
    refuses("net/http", "extra_bytes_late", ErrorCode::HeadMalformed, LATE),
    calls("net/http", "gzip_not_asked_for", ErrorCode::BodyMismatch, ENCODED),
    refuses("requests", "blank_line_first", ErrorCode::ClosedBeforeHeadFresh, LATE),
    calls("requests", "head_cut", ErrorCode::BodyMismatch, CUT),
    forgives("requests", "http_1_2", "takes every version that begins with `HTTP/1.`"),
    forgives("requests", "nul", ANY_BYTE),
    forgives("requests", "bare_cr", ANY_BYTE),
    forgives("requests", "control_in_value", ANY_BYTE),
    forgives("requests", "obs_fold", "unfolds fields"),
    forgives("requests", "no_colon", NO_FIELD),
    forgives("requests", "space_before_colon", NO_FIELD),
    forgives("requests", "name_with_space", NO_FIELD),
    forgives("requests", "length_negative", NO_NUMBER),
    forgives("requests", "length_42s", NO_NUMBER),
    calls("requests", "length_2_64", ErrorCode::BodyTruncated, "takes a length of any size"),
    forgives("requests", "length_and_chunked", BOTH_LENGTHS),
    forgives("requests", "chunked_not_last", ANY_CODING),
    forgives("requests", "no_length", NO_LENGTH),
    refuses("requests", "hints_then_ok", ErrorCode::StatusUnexpected, FINAL),
    forgives("requests", "interim_1000", INTERIM),
    forgives("requests", "trailer_malformed", "does not look at trailers"),
    forgives("requests", "trailer_name_with_space", "does not look at trailers"),
    refuses("requests", "extra_bytes_late", ErrorCode::ClosedBeforeHeadFresh, LATE),
    calls("requests", "gzip_not_asked_for", ErrorCode::BodyMismatch, DECODED),
    calls("requests", "no_token_cut", ErrorCode::BodyTruncated, TOGETHER),
    forgives("undici", "http_2_0", "takes a reply in the text of HTTP/2.0"),
    forgives("undici", "fields_too_many", "takes more than 100 fields"),
    refuses("undici", "bare_lf", ErrorCode::HeadMalformed, BARE_LF),
    refuses("undici", "lf_alone", ErrorCode::HeadMalformed, BARE_LF),
    only_in("6.", forgives("undici", "obs_fold", "unfolds fields")),
    only_in("6.", forgives("undici", "space_before_colon", SPACE)),
    only_in("6.", forgives("undici", "name_with_space", SPACE)),
    only_in("6.", forgives("undici", "trailer_name_with_space", SPACE)),
    calls("undici", "chunked_not_last", ErrorCode::BodyMismatch, NOT_LAST),
    forgives("undici", "no_length", NO_LENGTH),
    refuses("undici", "continue_then_ok", ErrorCode::ClosedBeforeHeadFresh, CONTINUE),
    calls("undici", "switching_protocols", ErrorCode::ClosedBeforeHeadFresh, SWITCH),
    refuses("undici", "extra_bytes_late", ErrorCode::HeadMalformed, LATE),
    calls("undici", "gzip_not_asked_for", ErrorCode::BodyMismatch, DECODED),
];

/// Returns what the clients of some models are known to do, as a schedule keeps it.
pub(crate) fn quirks_of(models: &[&Model]) -> Vec<record::Quirk> {
    let is_used = |known: &&Quirk| models.iter().any(|model| model.has_client(known.client));
    QUIRKS.iter().filter(is_used).map(Quirk::recorded).collect()
}

impl Quirk {
    /// Returns whether it is known of a model that reported these versions, for a fault.
    pub(crate) fn is_of(&self, model: &Model, versions: &Versions, fault: &str) -> bool {
        let version = versions.get(self.client);
        let has_version = version.is_none_or(|version| version.starts_with(self.versions));
        has_version && model.has_client(self.client) && self.fault == fault
    }

    /// Returns it as a schedule keeps it.
    fn recorded(&self) -> record::Quirk {
        let counts = match self.finds {
            Finds::Nothing => None,
            Finds::Code(code) | Finds::Refuses(code) => Some(code.number().to_string()),
        };
        record::Quirk {
            client: self.client.to_owned(),
            fault: self.fault.to_owned(),
            does: self.does.to_owned(),
            counts,
        }
    }
}

const BOTH_LENGTHS: &str = "lets chunked win over a length that is reported beside it";
const NOT_LAST: &str = "reads a body whose last coding is not chunked until the connection ends";
const ANY_CODING: &str = "takes a body for chunked if any of its codings is";
const NO_LENGTH: &str =
    "takes whatever comes until the connection ends for a body without a length";
const INTERIM: &str = "passes over any number of interim replies";
const ENCODED: &str = "hands a body over in an encoding that was not asked for, as it is";
const DECODED: &str = "asks for encodings by itself, and decodes what comes";
const TOGETHER: &str =
    "is asked for head and body at once, and reports what is wrong with the body";
const AT_ONCE: &str = "drops a whole reply for the bytes behind it, if they come together";
const LATE: &str = "takes bytes that came late after a reply for the beginning of the next";
const BEHIND: &str = "takes bytes that came with a reply for the beginning of the next";
const CHUNK: &str = "drops a reply with its head for a bad chunk, if they come together";
const BLANK: &str = "takes an empty line before a reply for its first";
const CUT: &str = "takes the end of the connection for the end of a head";
const ANY_BYTE: &str = "takes any byte in the value of a field";
const NO_FIELD: &str = "takes a line that is no field for the end of the head";
const NO_NUMBER: &str = "takes a length that is no number for none";
const FINAL: &str = "takes every interim reply but 100 for the final one";
const BARE_LF: &str = "takes a line that a line feed alone ends for malformed";
const SPACE: &str = "takes spaces in the name of a field";
const CONTINUE: &str = "closes the connection at a status 100 that it did not ask for";
const SWITCH: &str = "closes the connection at a switch of protocols that it did not ask for";

/// A fault that a client lets pass.
const fn forgives(client: &'static str, fault: &'static str, does: &'static str) -> Quirk {
    Quirk { client, versions: "", fault, finds: Finds::Nothing, does }
}

/// A fault to which a client gives another code than it must.
const fn calls(
    client: &'static str,
    fault: &'static str,
    code: ErrorCode,
    does: &'static str,
) -> Quirk {
    Quirk { client, versions: "", fault, finds: Finds::Code(code), does }
}

/// No fault for bare models, to which a client gives a code.
const fn refuses(
    client: &'static str,
    fault: &'static str,
    code: ErrorCode,
    does: &'static str,
) -> Quirk {
    Quirk { client, versions: "", fault, finds: Finds::Refuses(code), does }
}

/// A quirk of those versions that begin so.
const fn only_in(versions: &'static str, quirk: Quirk) -> Quirk {
    Quirk { versions, ..quirk }
}
