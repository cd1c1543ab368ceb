import { readdirSync, readFileSync } from "node:fs";
import { Arrivals } from "./arrivals.mjs";
import { histogram, threeDigits } from "./numbers.mjs";
import { WORKLOADS } from "./workloads.mjs";

export { threeDigits };

/** What the kernel counts for a process: name on the pipe, name in Node, unit, and what every
 * process has that has waited, so that none of it means that the kernel does not count. */
const COUNTERS = [
  ["user_ns", "userCPUTime", 1000],
  ["system_ns", "systemCPUTime", 1000],
  ["switches_voluntary", "voluntaryContextSwitches", 1, "voluntaryContextSwitches"],
  ["switches_involuntary", "involuntaryContextSwitches", 1, "voluntaryContextSwitches"],
  ["faults_minor", "minorPageFault", 1, "minorPageFault"],
];

/** The count of a turn: ids dealt, fetches ended, and the clocks as the window opens and closes. */
export class Ledger {
  constructor(cell, turn) {
    this.firstId = BigInt(turn.first_id);
    this.opened = this.closed = null;
    this.wakeUpDelays = [];
    this._turn = turn;
    this._count = turn.warmup + turn.fetches + WORKLOADS[cell.workload].surplus(cell);
    this._issued = this._ended = this._peak = this._followed = 0;
    this._latencies = [];
    this._errors = {};
    const isOpen = cell.rate_per_s > 0;
    this.arrivals = isOpen ? new Arrivals(turn, this._count, cell) : null;
    this.began = process.hrtime.bigint();
  }

  /** Opens the window of a batch, when its slots are handed out: what the process has used counts
   * from its start. */
  handOut() {
    this.opened = { wall: process.hrtime.bigint(), cpu: 0, usage: null };
  }

  /** Deals the place of the next id in the turn, or null when all have been dealt. */
  deal() {
    if (this._issued === this._count) return null;
    this._issued += 1;
    this._peak = Math.max(this._peak, this._issued - this._ended);
    return this._issued - 1;
  }

  /** Counts a fetch that has ended, with its latency in nanoseconds if it was ok. */
  end(latency) {
    this._ended += 1;
    const place = this._ended - this._turn.warmup;
    if (latency !== null && place > 0 && place <= this._turn.fetches) this._latencies.push(latency);
    if (place === 0) this.opened = opening();
    else if (place === this._turn.fetches) this.closed = closing();
  }

  /** Counts a fetch that failed. */
  fail(code) {
    this._errors[code] = (this._errors[code] ?? 0) + 1;
    this.end(null);
  }

  /** Counts a reply that bytes followed which belong to none. */
  follow() {
    this._followed += 1;
  }

  /** Returns the turn as it is reported, once every slot rests or has left. */
  turned(scheduled) {
    if (this.closed === null) {
      const ended = `${this._ended} of ${this._count} fetches ended`;
      throw new Error(`the window did not close: ${ended}`);
    }
    const failed = Object.values(this._errors).reduce((sum, count) => sum + count, 0);
    const counts = { ended: this._turn.fetches, ok: this._latencies.length };
    return {
      turn: this._turn.number,
      window: { ...counts, ...used(this.opened, this.closed) },
      total: {
        issued: this._issued,
        ok: this._ended - failed,
        errors: this._errors,
        extra_bytes: this._followed,
      },
      threads: threads(),
      in_flight_peak: this._peak,
      scheduled,
      wake_up_delays_ns: histogram(this.wakeUpDelays),
      ...(this.arrivals?.times() ?? { latencies_ns: histogram(this._latencies) }),
    };
  }
}

/** Node shows the process clock only as the sum of both CPU times, in microseconds. */
function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** Reads as the window opens: what is slow to read first, the clocks last. */
function opening() {
  const usage = process.resourceUsage();
  return { usage, cpu: cpu(), wall: process.hrtime.bigint() };
}

/** Reads as the window closes: the clocks first, what is slow to read last. */
function closing() {
  const wall = process.hrtime.bigint();
  return { wall, cpu: cpu(), usage: process.resourceUsage() };
}

function used(opened, closed) {
  const used = { wall_ns: Number(closed.wall - opened.wall), cpu_ns: closed.cpu - opened.cpu };
  for (const [name, field, unit, sign] of COUNTERS) {
    const isCounted = sign === undefined || closed.usage[sign] > 0;
    const grown = (closed.usage[field] - (opened.usage?.[field] ?? 0)) * unit;
    used[name] = isCounted ? grown : null;
  }
  return used;
}

function threads() {
  return Number(/^Threads:\s*(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
}

/** Returns what the scheduler gave to the threads that are alive now: time on a CPU, and time spent
 * waiting for one; null where the kernel does not show it. */
export function scheduled() {
  const sums = [0, 0];
  for (const task of readdirSync("/proc/self/task")) {
    let figures;
    try {
      figures = readFileSync(`/proc/self/task/${task}/schedstat`, "utf8").split(" ");
    } catch {
      // A thread that has ended meanwhile has no figures, and some kernels have none at all.
      continue;
    }
    sums[0] += Number(figures[0]);
    sums[1] += Number(figures[1]);
  }
  return sums[0] > 0 ? sums : null;
}

/** Returns what threads got since a reading, as it is reported, or null. */
export function scheduledSince(before) {
  const after = scheduled();
  if (before === null || after === null) return null;
  const [cpu_ns, run_delay_ns] = after.map((sum, at) => Math.max(0, sum - before[at]));
  return { cpu_ns, run_delay_ns };
}
