import { setTimeout as sleep } from "node:timers/promises";

/** The count of a slot that has taken no turn yet: there is nothing to begin. */
export const NO_TURN = Object.freeze({ began: null, closed: true, deal: () => null });

/** Where slots rest until the next turn begins. */
export class Gate {
  constructor(slots) {
    // The count of the turn that runs or has run last; null once there is no further turn.
    this.ledger = NO_TURN;
    this._slots = slots;
    this._resting = [];
    this._quiet = null;
  }

  /** Begins a turn and wakes every slot. Without a turn they wake and leave. */
  begin(ledger) {
    this.ledger = ledger;
    const resting = this._resting;
    this._resting = [];
    for (const wake of resting) wake(ledger);
  }

  /** Counts one slot more, which fetches nothing. */
  join() {
    this._slots += 1;
  }

  /** Awaits that every slot rests. */
  untilQuiet() {
    return new Promise((resolve) => {
      this._quiet = resolve;
      this._tellIfQuiet();
    });
  }

  /** Awaits another turn than the one that was taken; returns its count, or null. */
  async rest(taken) {
    if (this.ledger !== taken) return this.ledger;
    return new Promise((resolve) => {
      this._resting.push(resolve);
      this._tellIfQuiet();
    });
  }

  _tellIfQuiet() {
    if (this._quiet && this._resting.length === this._slots) {
      this._quiet();
      this._quiet = null;
    }
  }
}

/** What takes one turn after the other: a slot, or the probe task. A batch has no gate, as its one
 * turn is taken from the beginning. A class that extends this has `begin`, which begins what is
 * next in the turn and returns whether there is something. */
export class TakesTurns {
  constructor(gate, ledger) {
    this._gate = gate;
    this._ledger = ledger;
    // When what was begun arrives, if it has not yet.
    this.due = null;
  }

  /** Returns whether what was begun has arrived. */
  hasArrived() {
    if (this.due !== null && this.due <= process.hrtime.bigint()) this.due = null;
    return this.due === null;
  }

  /** Awaits the arrival of what was begun, or else the next turn, and begins what is first in it;
   * returns whether there is something. */
  async nextTurn() {
    while (this.due !== null || this._gate) {
      if (this.due !== null) {
        const left = this.due - process.hrtime.bigint();
        await sleep(left > 0n ? Math.ceil(Number(left) / 1e6) : 0);
        if (this.hasArrived()) return true;
        continue;
      }
      const ledger = await this._gate.rest(this._ledger);
      if (ledger === null) return false;
      this._ledger = ledger;
      if (this.begin()) return true;
    }
    return false;
  }
}
