import { setTimeout as sleep } from "node:timers/promises";
import { TakesTurns } from "./gate.mjs";

/** Fetches nothing and wakes at moments that are fixed in advance, by Node's timer and among the
 * promises of its model. How late it is shows how long whatever is due has to wait there. A late
 * wake-up shifts none that follow, and each that was missed counts for itself. */
export class ProbeTask extends TakesTurns {
  constructor(gate, ledger, periodUs) {
    super(gate, ledger);
    this._period = BigInt(periodUs) * 1000n;
    // When the next wake-up is due in the turn that runs, and how late those before were.
    this._due = null;
    this._delays = [];
    this._unit = null;
  }

  /** Starts it as one promise more. */
  start() {
    this._gate?.join();
    this._unit = this._run();
  }

  /** Awaits the end of the one turn of a batch. */
  async end() {
    await this._unit;
  }

  /** Makes a wake-up due; returns whether there is one: none once the window has closed. */
  begin() {
    const { began, closed } = this._ledger;
    if (this._due === null && began !== null) this._due = began + this._period;
    if (closed) this._settle();
    return !closed;
  }

  async _run() {
    while (this.begin() || (await this.nextTurn())) {
      const left = this._due - process.hrtime.bigint();
      await sleep(left > 0n ? Math.ceil(Number(left) / 1e6) : 0);
      this._wakeUp();
    }
  }

  /** Takes every wake-up that is due by now. Those that were due in the window count. */
  _wakeUp() {
    const now = process.hrtime.bigint();
    const { opened, closed } = this._ledger;
    const last = closed && closed.wall < now ? closed.wall : now;
    for (; this._due <= last; this._due += this._period) {
      if (opened && this._due >= opened.wall) this._delays.push(Number(now - this._due));
    }
  }

  /** Takes the wake-ups missed before the window closed, and hands all of them over. */
  _settle() {
    if (this._due === null) return;
    this._wakeUp();
    this._ledger.wakeUpDelays = this._delays;
    this._delays = [];
    this._due = null;
  }
}
