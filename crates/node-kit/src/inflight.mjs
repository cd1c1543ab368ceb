import { writeFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import { crc32 } from "node:zlib";
import { Code, statusFault } from "./codes.mjs";
import { Gate, TakesTurns } from "./gate.mjs";
import { Ledger, scheduled, scheduledSince } from "./ledger.mjs";
import { GAMMA, splitMix64 } from "./numbers.mjs";
import { ProbeTask } from "./probe.mjs";
import { WORKLOADS } from "./workloads.mjs";

const PROTOCOL = 2;
/** The longest line of the pipe, in bytes. */
const LINE_BYTES_MAX = 1024 * 1024;
/** How many different bodies there are. */
const BODIES = 64;
/** The field of a reply that repeats the id. */
export const ID_FIELD = "inflight-id";
/** Numbers of 64 bits, which a number of JavaScript does not hold. */
const WIDE = /("(?:seed|first_id|arrivals_seed)"\s*:\s*)(\d+)/g;

/** What a plan asks of every fetch. */
class Work {
  constructor({ cell, seed, deadline_ms: deadlineMs }) {
    this.bodyBytes = cell.body_bytes;
    this.checksums = [];
    for (let id = 0; id < BODIES; id += 1) {
      this.checksums.push(crc32(body(BigInt(seed), BigInt(id), this.bodyBytes)));
    }
    this.deadlineNs = deadlineMs == null ? null : BigInt(deadlineMs) * 1_000_000n;
    this._chunk = new Uint8Array(64 * 1024);
    this._kib = cell.work_kib ?? 0;
  }

  /** Computes what the plan asks for each reply: the CRC-32 of so many KiB. */
  compute() {
    for (let begin = 0; begin < this._kib; begin += 64) {
      crc32(this._chunk.subarray(0, (this._kib - begin) * 1024));
    }
  }
}

/** One of the places that a fetch can occupy. A model awaits
 * `slot.begin() || (await slot.nextTurn())` before each fetch, and leaves when that is false. */
class Slot extends TakesTurns {
  constructor(gate, ledger, work, origin) {
    super(gate, ledger);
    this.host = hostOf(origin);
    this.port = Number(origin.slice(origin.lastIndexOf(":") + 1));
    this.id = null;
    this._origin = origin;
    this._work = work;
    this._place = 0;
    this._started = 0n;
    this._freed = null;
    this._left = 0n;
  }

  /** Begins the next fetch of this turn, and returns whether there is one. */
  begin() {
    const place = this._ledger.deal();
    const freed = this._freed;
    this._freed = null;
    // What it waits for between two turns belongs to neither.
    if (place === null) return false;
    this._place = place;
    this.id = String(this._ledger.firstId + BigInt(place));
    const { arrivals } = this._ledger;
    if (arrivals) {
      // Its clock starts at its arrival, which may be still to come or long over.
      this._started = this.due = arrivals.due(place);
      return this.hasArrived();
    }
    this._started = freed ?? process.hrtime.bigint();
    return true;
  }

  /** Notes that the request leaves now, if that is asked for. */
  _leave() {
    if (this._ledger.arrivals) this._left = process.hrtime.bigint();
  }

  /** Returns the URL to get, as its request leaves. */
  url() {
    this._leave();
    return `http://${this._origin}/f/${this.id}`;
  }

  /** Returns what every bare model sends, as it leaves. */
  request() {
    this._leave();
    return `GET /f/${this.id} HTTP/1.1\r\nHost: ${this._origin}\r\n\r\n`;
  }

  /** Returns the milliseconds left for the fetch, or null if the plan sets no limit. */
  timeLeft() {
    const limit = this._work.deadlineNs;
    if (limit === null) return null;
    return Math.max(0, Math.ceil(Number(this._started + limit - process.hrtime.bigint()) / 1e6));
  }

  /** Returns the fault of a head by its status and the value of its field ID_FIELD, or null. */
  headFault(status, echo) {
    return statusFault(status) ?? (echo === this.id ? null : Code.TOKEN_MISMATCH);
  }

  /** Ends the fetch by the fault of its head, if it has one, and by its body. */
  settle(fault, length, checksum) {
    const work = this._work;
    if (fault !== null) {
      this.fail(fault);
    } else if (length !== work.bodyBytes || checksum !== work.checksums[this._place % BODIES]) {
      this.fail(Code.BODY_MISMATCH);
    } else {
      work.compute();
      // One reading of the clock ends this fetch and begins the next.
      this._freed = process.hrtime.bigint();
      this._ledger.arrivals?.keep(this._place, this._left, this._freed);
      this._ledger.end(Number(this._freed - this._started));
    }
  }

  /** Ends the fetch as failed. */
  fail(code) {
    this._ledger.fail(code);
  }

  /** Notes that bytes followed a reply that belong to none. */
  followed() {
    this._ledger.follow();
  }
}

/** The slots of a process. Iterating over them hands them out, which opens the window of a batch:
 * make what they share before. */
class Slots {
  constructor(plan, work, gate, ledger, count) {
    this._gate = gate;
    this._ledger = ledger;
    const origin = (at) => plan.origins[at % plan.origins.length];
    const slot = (_, at) => new Slot(gate, ledger, work, origin(at));
    this._slots = Array.from({ length: count }, slot);
    const period = plan.cell.probe_period_us ?? 0;
    this._probeTask = period > 0 ? new ProbeTask(gate, ledger, period) : null;
  }

  *[Symbol.iterator]() {
    if (this._gate === null) this._ledger.handOut();
    yield* this._slots;
    // It comes last: it is to wait for whatever the others do.
    this._probeTask?.start();
  }

  /** Awaits what else takes part in the one turn of a batch. */
  async end() {
    await this._probeTask?.end();
  }
}

/** Returns the body of an id below 64. */
export function body(seed, id, length) {
  const bytes = Buffer.alloc(Math.ceil(length / 8) * 8);
  let state = splitMix64(seed ^ id);
  for (let at = 0; at < length; at += 8) {
    bytes.writeBigUInt64LE(splitMix64(state), at);
    state += GAMMA;
  }
  return bytes.subarray(0, length);
}

/** Runs a model: its versions, and how it carries the fetches of its slots. Ends the process. */
export async function serve(versions, run) {
  try {
    const all = { node: process.versions.node, ...versions };
    report({ hello: { protocol: PROTOCOL, model: process.argv[1], versions: all } });
    await takeAll(run, lines());
  } catch (error) {
    writeFileSync(2, `the model: ${error}\n`);
    process.exit(1);
  }
  process.exit(0);
}

async function takeAll(run, input) {
  const plan = await receive(input, "plan");
  if (plan === null) return;
  const { origins, cell } = plan;
  if (!origins.every((origin) => isLoopback(hostOf(origin)))) {
    const why = "and fetches never leave the machine";
    throw new Error(`origins has an address beyond loopback, ${why}`);
  }
  if (!Object.hasOwn(WORKLOADS, cell.workload)) {
    const known = Object.keys(WORKLOADS).join(" or ");
    throw new Error(`the workload is ${cell.workload}, expected ${known}`);
  }
  const take = WORKLOADS[cell.workload].isResident ? stay : takeOne;
  await take(plan, run, input);
}

/** Takes the one turn of a batch. */
async function takeOne(plan, run, input) {
  const { cell } = plan;
  const work = new Work(plan);
  report("ready");
  const turn = await receive(input, "turn");
  if (turn === null) return;
  const ledger = new Ledger(cell, turn);
  const slots = new Slots(plan, work, null, ledger, Math.min(cell.in_flight, turn.fetches));
  await run(slots);
  await slots.end();
  report({ turned: ledger.turned(scheduledSince([0, 0])) });
  // The harness may look at the living process until it closes the pipe.
  if (!(await input.next()).done) throw new Error("expected the end of the pipe after a batch");
}

/** Takes one turn after the other until the pipe is closed. */
async function stay(plan, run, input) {
  const gate = new Gate(plan.cell.in_flight);
  const slots = new Slots(plan, new Work(plan), gate, gate.ledger, plan.cell.in_flight);
  const leave = async () => {
    await run(slots);
    if (gate.ledger !== null) throw new Error("its units left before the pipe was closed");
  };
  await Promise.race([takeTurns(plan.cell, gate, input), leave()]);
}

async function takeTurns(cell, gate, input) {
  await gate.untilQuiet();
  report("ready");
  for (let turn; (turn = await receive(input, "turn")) !== null; ) {
    const before = scheduled();
    const ledger = new Ledger(cell, turn);
    gate.begin(ledger);
    await gate.untilQuiet();
    report({ turned: ledger.turned(scheduledSince(before)) });
  }
  gate.begin(null);
}

function hostOf(origin) {
  return origin.slice(0, origin.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

function isLoopback(host) {
  return host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

/** Returns what stands in the next message, which is to have this name, or null at the end. */
async function receive(input, name) {
  const { done, value } = await input.next();
  if (done) return null;
  const message = JSON.parse(value.replace(WIDE, '$1"$2"'));
  if (message === null || typeof message !== "object" || !Object.hasOwn(message, name)) {
    throw new Error(`expected a ${name}, found ${value.slice(0, 120)}`);
  }
  return message[name];
}

/** Yields the lines of the pipe. */
async function* lines() {
  let rest = "";
  process.stdin.setEncoding("utf8");
  for await (const piece of process.stdin) {
    rest += piece;
    for (let end; (end = rest.indexOf("\n")) >= 0; rest = rest.slice(end + 1)) {
      yield rest.slice(0, end);
    }
    if (rest.length > LINE_BYTES_MAX) throw new Error("a line of the pipe has more than 1 MiB");
  }
  if (rest !== "") yield rest;
}

function report(message) {
  writeFileSync(1, `${JSON.stringify(message)}\n`);
}
