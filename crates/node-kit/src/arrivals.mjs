import { histogram, splitMix64 } from "./numbers.mjs";

/** When the fetches of a turn arrive that do so at a rate, and what each of them waited for. */
export class Arrivals {
  /** Makes those of a turn that begins now. */
  constructor(turn, count, { rate_per_s: rate, burst = 0 }) {
    const seed = BigInt(turn.arrivals_seed ?? 0);
    const span = (BigInt(count) * 1_000_000_000n) / BigInt(rate) || 1n;
    const drawn = (index) => splitMix64(seed ^ BigInt(index)) % span;
    const due = (_, index) => Number(index < burst ? span / 2n : drawn(index));
    this._due = Array.from({ length: count }, due).sort((a, b) => a - b);
    this._warmup = turn.warmup;
    this._services = [];
    this._responses = [];
    this._lags = [];
    this._began = process.hrtime.bigint();
  }

  /** Returns when the fetch of a place in the turn arrives. */
  due(place) {
    return this._began + BigInt(this._due[place]);
  }

  /** Keeps what a fetch waited for that was ok, if it arrived in the window. */
  keep(place, left, ended) {
    if (place < this._warmup) return;
    const due = this.due(place);
    const sent = left > due ? left : due;
    this._responses.push(Number(ended - due));
    this._lags.push(Number(sent - due));
    this._services.push(Number(ended - sent));
  }

  /** Returns what was kept, as it is reported. */
  times() {
    return {
      latencies_ns: histogram(this._services),
      responses_ns: histogram(this._responses),
      lags_ns: histogram(this._lags),
    };
  }
}
