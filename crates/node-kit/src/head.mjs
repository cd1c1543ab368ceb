import { Code, Failed } from "./codes.mjs";

/** The longest head. */
export const HEAD_BYTES_MAX = 64 * 1024;
/** The most fields of a head. */
const FIELDS_MAX = 100;
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: [\t\x20-\x7e\x80-\xff]*)?\r?$/;
const STATUS_BEGINS = "HTTP/1.1 200";
const TEXT = "[\\t\\x20-\\x7e\\x80-\\xff]*";
const VALUE = `(?:${TEXT}[\\x21-\\x7e\\x80-\\xff])?`;
const FIELD = new RegExp(`^([!#$%&'*+\\-.^_\`|~\\dA-Za-z]+):[\\t ]*(${VALUE})[\\t ]*\\r?$`);
const LENGTH_END = 2n ** 64n;

/** What the head of a reply says. */
export class Head {
  constructor() {
    this.status = null;
    this.persistent = this.chunked = this.encoded = false;
    this.length = this.echo = null;
    // How many bytes it has.
    this.end = 0;
    this._fields = [];
  }

  /** Reads a head from its first byte on; returns null while it is incomplete. What is malformed is
   * noticed as soon as it has come, as httparse does. */
  static parse(bytes) {
    const text = bytes.toString("latin1", 0, HEAD_BYTES_MAX);
    const head = new Head();
    let end;
    while ((end = text.indexOf("\n", head.end)) >= 0) {
      const line = text.slice(head.end, end);
      head.end = end + 1;
      if (head._takesLast(line)) return head._understand();
    }
    head._checkBeginning(text.slice(head.end));
    if (bytes.length >= HEAD_BYTES_MAX) throw new Failed(Code.HEAD_TOO_LARGE);
    return null;
  }

  /** Returns whether a body can follow this status. */
  hasBody() {
    return this.status >= 200 && this.status !== 204 && this.status !== 304;
  }

  /** Takes a line; returns whether it is the empty one behind the fields. */
  _takesLast(line) {
    if (line === "" || line === "\r") return this.status !== null;
    if (this.status === null) {
      const found = STATUS_LINE.exec(line);
      if (!found) throw new Failed(Code.BAD_STATUS_LINE);
      this.persistent = found[1] === "1";
      this.status = Number(found[2]);
      return false;
    }
    const found = field(line);
    if (this._fields.length === FIELDS_MAX) throw new Failed(Code.HEAD_TOO_LARGE);
    this._fields.push(found);
    return false;
  }

  /** Checks what has come of a line: it is completed and then taken. */
  _checkBeginning(line) {
    if (line === "" || line === "\r") return;
    if (this.status === null) this._takesLast(line + STATUS_BEGINS.slice(line.length));
    else field(line.includes(":") ? line : `${line}:`);
  }

  _understand() {
    if (this.status < 100) throw new Failed(Code.BAD_STATUS_LINE);
    for (const [, name, value] of this._fields) this._take(name.toLowerCase(), value);
    if (this.hasBody() && (this.length === null) !== this.chunked) {
      throw new Failed(Code.FRAMING_CONFLICT);
    }
    return this;
  }

  _take(name, value) {
    switch (name) {
      case "content-length":
        this.length = sameLength(this.length, value);
        break;
      case "transfer-encoding":
        if (this.chunked || value.toLowerCase() !== "chunked") {
          throw new Failed(Code.FRAMING_CONFLICT);
        }
        this.chunked = true;
        break;
      case "inflight-id":
        this.echo = value;
        break;
      case "connection": {
        const tokens = value.split(",").map((token) => token.trim().toLowerCase());
        this.persistent &&= !tokens.includes("close");
        break;
      }
      case "content-encoding":
        this.encoded ||= value.toLowerCase() !== "identity";
    }
  }
}

/** Returns name and value of a field among what it matches. */
function field(line) {
  const found = FIELD.exec(line);
  if (!found) throw new Failed(Code.HEAD_MALFORMED);
  return found;
}

/** Returns the length that a field says: digits of a number of 64 bits, and the same each time. */
function sameLength(earlier, value) {
  const length = /^\d+$/.test(value) ? BigInt(value) : LENGTH_END;
  if (length >= LENGTH_END || (earlier !== null && earlier !== length)) {
    throw new Failed(Code.FRAMING_CONFLICT);
  }
  return length;
}
