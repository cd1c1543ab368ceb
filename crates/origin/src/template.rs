//! The bytes of a reply, from a template with words in braces.

/// A good reply.
pub const GOOD: &str = "{head}content-length: {length}\r\n\r\n{body}";

/// Returns the bytes of a template.
pub fn reply(template: &str, id: u64, (body, other): (&[u8], &[u8])) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let (word, after) = after.split_once('}').expect("a brace is closed");
        bytes.extend_from_slice(before.as_bytes());
        bytes.extend_from_slice(&expand(word, id, (body, other)));
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Returns what a word in braces stands for.
fn expand(word: &str, id: u64, (body, other): (&[u8], &[u8])) -> Vec<u8> {
    let again = |template| reply(template, id, (body, other));
    match word {
        "id" => id.to_string().into_bytes(),
        "length" => body.len().to_string().into_bytes(),
        "size" => format!("{:x}", body.len()).into_bytes(),
        "body" => body.to_vec(),
        "half" => body[..body.len() / 2].to_vec(),
        "fields" => again("inflight-id: {id}\r\n"),
        "head" => again("HTTP/1.1 200 OK\r\n{fields}"),
        // Whoever forgives a fault is informed that the connection ends, and loses no other fetch.
        "last fields" => again("{fields}connection: close\r\n"),
        "last head" => again("HTTP/1.1 200 OK\r\n{last fields}"),
        "whole" => again("content-length: {length}\r\n\r\n{body}"),
        "good" => again(GOOD),
        "chunked" => again("{head}{by chunks}"),
        "by chunks" => again("transfer-encoding: chunked\r\n\r\n"),
        "chunks" => again("1\r\n{first}\r\n{rest size}\r\n{rest}\r\n0\r\n\r\n"),
        "first" => body[..1].to_vec(),
        "rest" => body[1..].to_vec(),
        "rest size" => format!("{:X}", body.len() - 1).into_bytes(),
        "tiny chunks" => {
            let chunk = |byte: &u8| [b"1\r\n", &[*byte][..], b"\r\n"].concat();
            body.iter().flat_map(chunk).chain(*b"0\r\n\r\n").collect()
        }
        "other" => reply(GOOD, id + 1, (other, body)),
        "wrong body" => {
            let mut wrong = body.to_vec();
            wrong[body.len() / 2] ^= 1;
            reply("{whole}", id, (&wrong, other))
        }
        "noise" => body.iter().map(|byte| byte | 0x80).collect(),
        // A gzip file of nothing.
        "gzip" => [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3][..], &[0; 9]].concat(),
        "digits" => b"2".repeat(100),
        "70 KB" => b"y".repeat(70_000),
        "101 fields" => b"x: y\r\n".repeat(101),
        "1 MB of fields" => [b"x: ", &b"y".repeat(1_000)[..], b"\r\n"].concat().repeat(1_000),
        "1000 interim" => b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000),
        _ => unreachable!("{{{word}}} stands for nothing"),
    }
}
