import { crc32 } from "node:zlib";
import { Chunked } from "./chunked.mjs";
import { Code, Failed, lostBeforeHead, statusFault } from "./codes.mjs";
import { HEAD_BYTES_MAX, Head } from "./head.mjs";

/** The longest body. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;
/** The most interim replies before the final one. */
const INTERIM_MAX = 16;
const BEGINNING = "HTTP/";
const [LF, CR] = [10, 13];
const NOTHING = Buffer.alloc(0);

/** Why no more bytes come. */
export const Loss = Object.freeze({ CLOSED: "closed", RESET: "reset", TIMEOUT: "timeout" });

/** One HTTP/1.1 reply, read from bytes as they come, as strictly as the shared core does. */
export class Reply {
  /** Starts before the first byte of the reply to an id; `reused` says whether the connection has
   * carried a reply, after which more bytes may have come. */
  constructor(id, reused) {
    // What status and head have shown already, though the body is still read.
    this.fault = null;
    // How many bytes came before or after it that belong to no reply.
    this.extra = 0;
    this.length = this.checksum = 0;
    this.persistent = false;
    this._id = id;
    this._reused = this._seeks = reused;
    this._head = null;
    this._held = NOTHING;
    this._interim = this._left = 0;
    this._chunked = null;
  }

  /** Reads what has come; returns whether the reply is whole. */
  read(bytes) {
    if (this._seeks) {
      bytes = this._own(bytes);
      if (this._seeks) return false;
    }
    while (this._head === null) {
      this._refuseEmptyLine(bytes[0]);
      const held = this._held.length > 0 ? Buffer.concat([this._held, bytes]) : bytes;
      const head = Head.parse(held);
      this._held = head === null ? held : NOTHING;
      if (head === null) return false;
      bytes = held.subarray(head.end);
      this._take(head);
    }
    return this._readBody(bytes);
  }

  /** Returns the code for losing the connection here. */
  lost(loss) {
    if (this.fault !== null) return this.fault;
    if (this._seeks && this.extra > 0) return Code.BAD_STATUS_LINE;
    if (this._head === null) {
      if (loss === Loss.TIMEOUT) return Code.HEAD_TIMEOUT;
      if (this._held.length === 0 && this._interim === 0) return lostBeforeHead(this._reused);
      return loss === Loss.RESET ? Code.RESET_IN_HEAD : Code.HEAD_MALFORMED;
    }
    if (loss === Loss.TIMEOUT) return Code.BODY_TIMEOUT;
    if (loss === Loss.RESET) return Code.RESET_IN_BODY;
    return this._chunked ? Code.CHUNK_TRUNCATED : Code.BODY_TRUNCATED;
  }

  /** Skips what came late after the reply before; returns the bytes of this one. */
  _own(bytes) {
    const held = Buffer.concat([this._held, bytes]);
    const begins = held.indexOf(BEGINNING);
    this._seeks = begins < 0;
    this._held = NOTHING;
    if (begins >= 0) {
      this.extra += begins;
      return held.subarray(begins);
    }
    let end = Math.max(0, held.length - BEGINNING.length);
    while (!BEGINNING.startsWith(held.toString("latin1", end))) end += 1;
    this._held = held.subarray(end);
    this.extra += end;
    if (this.extra > HEAD_BYTES_MAX) throw new Failed(Code.BAD_STATUS_LINE);
    return NOTHING;
  }

  /** Empty lines are passed over, but before the first head they belong to no reply. */
  _refuseEmptyLine(first) {
    if (this._held.length > 0 || this._interim > 0) return;
    if (first === CR || first === LF) throw new Failed(Code.BAD_STATUS_LINE);
  }

  /** Moves on from a head to its body, or from an interim head to the next. */
  _take(head) {
    if (head.status < 200 && head.status !== 101) {
      this._interim += 1;
      if (this._interim > INTERIM_MAX) throw new Failed(Code.TOO_MANY_INTERIM);
      return;
    }
    this._head = head;
    // After a switch of protocols the connection speaks no HTTP any more.
    this.persistent = head.persistent && head.status !== 101;
    this.fault = statusFault(head.status);
    if (this.fault === null && head.encoded) this.fault = Code.BAD_ENCODING;
    if (this.fault === null && head.echo !== this._id) this.fault = Code.TOKEN_MISMATCH;
    if (!head.hasBody()) return;
    if (head.chunked) this._chunked = new Chunked();
    else this._left = Number(head.length);
    if (this._left > BODY_BYTES_MAX) throw new Failed(Code.BODY_TOO_LARGE);
  }

  _readBody(bytes) {
    let end, isWhole;
    if (this._chunked) {
      end = this._chunked.read(bytes, (run) => this._add(run));
      isWhole = this._chunked.isWhole;
    } else {
      end = Math.min(bytes.length, this._left);
      this._add(bytes.subarray(0, end));
      this._left -= end;
      isWhole = this._left === 0;
    }
    if (isWhole) this.extra += bytes.length - end;
    return isWhole;
  }

  _add(run) {
    this.length += run.length;
    if (this.length > BODY_BYTES_MAX) throw new Failed(Code.BODY_TOO_LARGE);
    this.checksum = crc32(run, this.checksum);
  }
}
