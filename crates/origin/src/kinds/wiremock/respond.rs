//! What wiremock asks for each request: our reply, after our count.

use std::sync::Arc;
use std::time::Instant;

use url::Position;
use wiremock::{Request, Respond, ResponseTemplate};
use workload::{ID_FIELD, mixed};

use origin::Tally;

/// The one mock of an origin.
pub(crate) struct Fetches(pub(crate) Arc<Tally>);

impl Respond for Fetches {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let Some(id) = fetch_id(request).filter(|id| self.0.has(*id)) else {
            self.0.stray();
            return ResponseTemplate::new(404);
        };

        self.0.arrive(id, head_digest(request));
        let delay = self.0.delay(id);
        let (tally, due) = (Arc::clone(&self.0), Instant::now() + delay);
        tokio::spawn(async move {
            tokio::time::sleep_until(due.into()).await;
            tally.leave(due);
        });
        ResponseTemplate::new(200)
            .insert_header(ID_FIELD, id.to_string())
            .set_body_raw(self.0.body(id), "application/octet-stream")
            .set_delay(delay)
    }
}

/// Returns the id that a request asks for, if it is `GET /f/<id>`.
fn fetch_id(request: &Request) -> Option<u64> {
    let digits = target(request).strip_prefix("/f/")?;
    let id: u64 = digits.parse().ok()?;
    // Only the one way to write an id is an id.
    (request.method.as_str() == "GET" && id.to_string() == digits).then_some(id)
}

/// Returns path and query, as far as wiremock's URL still reports them.
fn target(request: &Request) -> &str {
    &request.url[Position::BeforePath..]
}

/// Returns a digest of method, target and sorted fields without Host.
fn head_digest(request: &Request) -> u64 {
    let fields = request.headers.iter().filter(|(name, _)| name.as_str() != "host");
    let fields = fields.map(|(name, value)| [name.as_str().as_bytes(), b":", value.as_bytes()]);
    let mut lines: Vec<Vec<u8>> = fields.map(|field| field.concat()).collect();
    lines.sort_unstable();

    let mut digest = mixed(0, request.method.as_str().as_bytes());
    digest = mixed(digest, target(request).as_bytes());
    lines.iter().fold(digest, |digest, line| mixed(digest, line))
}
