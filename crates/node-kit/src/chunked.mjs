import { Code, Failed } from "./codes.mjs";

/** The longest that extensions, or trailers, of one body may be together. */
const ASIDE_BYTES_MAX = 64 * 1024;
/** The longest size of a chunk and the end of its line. */
const SIZE_BYTES_MAX = 17;
const LINE_FEED = 10;
/** The lines of the coding, without their line feed. */
const LINES = {
  size: /^([\da-f]{1,16})(?:;[\t\x20-\x7e\x80-\xff]*)?\r$/i,
  "end of data": /^\r$/,
  trailer: /^(?:[!#$%&'*+\-.^_`|~\da-z]+:[\t\x20-\x7e\x80-\xff]*)?\r$/i,
};
/** What may be missing of a line that has not come whole. */
const ENDS = ["", "\r", ":\r", "0\r"];

/** The chunked transfer coding of RFC 9112 section 7.1, read strictly and at any split. */
export class Chunked {
  constructor() {
    this.isWhole = false;
    this._expects = "size";
    this._line = "";
    this._left = this._aside = 0;
  }

  /** Reads until the input or the body ends, hands each run of data to `take`, and returns how much
   * of the input belonged to the body. */
  read(input, take) {
    let at = 0;
    while (at < input.length && !this.isWhole) {
      if (this._left > 0) {
        const run = input.subarray(at, at + Math.min(this._left, input.length - at));
        take(run);
        this._left -= run.length;
        at += run.length;
        continue;
      }
      const found = input.indexOf(LINE_FEED, at);
      const end = found < 0 ? input.length : found;
      this._line += input.toString("latin1", at, end);
      if (found < 0) this._check(ENDS);
      else this._takeLine();
      at = end + 1;
    }
    return Math.min(at, input.length);
  }

  /** Checks that the line is one that is expected, with one of these ends. */
  _check(ends) {
    const pattern = LINES[this._expects];
    const aside = this._aside + Math.max(0, this._line.length - SIZE_BYTES_MAX);
    if (aside > ASIDE_BYTES_MAX || !ends.some((end) => pattern.test(this._line + end))) {
      throw new Failed(Code.CHUNK_MALFORMED);
    }
    return aside;
  }

  _takeLine() {
    this._aside = this._check([""]);
    const line = this._line;
    this._line = "";
    switch (this._expects) {
      case "size":
        this._left = parseInt(line, 16);
        this._expects = this._left > 0 ? "end of data" : "trailer";
        break;
      case "end of data":
        this._expects = "size";
        break;
      case "trailer":
        this.isWhole = line === "\r";
    }
  }
}
