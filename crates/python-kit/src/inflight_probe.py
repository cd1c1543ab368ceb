"""The probe task of a model in Python, which wakes beside its fetches."""

import sys
import threading
import time

from inflight_gate import TakesTurns


class ProbeTask(TakesTurns):
    """Fetches nothing and wakes at moments that are fixed in advance, by the timer and among the
    units of its model. How late it is shows how long whatever is due has to wait there. A late
    wake-up shifts none that follow, and each that was missed counts for itself."""

    def __init__(self, gate, ledger, period_us, units=None):
        super().__init__(gate, ledger)
        self._units = units
        self._period = period_us * 1000
        # When the next wake-up is due in the turn that runs, and how late those before were.
        self._next, self._late = None, []
        self._unit = None

    def start(self):
        """Starts it: as the units of the model say, else as a task where a loop runs, else on a
        thread. A model that asks for no further slot before its fetches are over lets no wake-up
        in until then."""
        if self._gate:
            self._gate.join()
        if self._units:
            self._unit = self._units.start(self)
            return
        # Whoever runs a loop has imported it; for the others it would take a part of the window.
        asyncio = sys.modules.get("asyncio")
        loop = asyncio and asyncio._get_running_loop()
        if loop:
            self._unit = loop.create_task(self.on_loop(asyncio.sleep))
        else:
            self._unit = threading.Thread(target=self.block, args=(time.sleep,), daemon=True)
            self._unit.start()

    def end(self):
        """Waits for the end of the one turn of a batch. A task has ended with its loop."""
        if hasattr(self._unit, "join"):
            self._unit.join()

    def begin(self):
        """Makes a wake-up due, and returns whether there is one: there is none once the window has
        closed."""
        ledger = self._ledger
        if self._next is None and ledger.began:
            self._next = ledger.began + self._period
        if ledger.closed:
            # A unit that was not let in before the fetches were over missed its wake-ups until now.
            self._settle()
            return False
        return True

    async def on_loop(self, sleep):
        """Takes its wake-ups as a task, by the timer of its loop."""
        try:
            while self.begin() or await self.next_turn():
                await sleep(self._left())
                self._wake_up()
        finally:
            self._settle()

    def block(self, sleep):
        """Takes its wake-ups as a unit that blocks."""
        while self.begin() or self.next_turn_blocking():
            sleep(self._left())
            self._wake_up()

    def _left(self):
        """Returns the seconds until the next wake-up."""
        return max(self._next - time.monotonic_ns(), 0) / 1e9

    def _wake_up(self):
        """Takes every wake-up that is due by now. Those that were due in the window count."""
        now = time.monotonic_ns()
        opened, closed = self._ledger.opened, self._ledger.closed
        last = min(now, closed.wall) if closed else now
        while self._next <= last:
            if opened and self._next >= opened.wall:
                self._late.append(now - self._next)
            self._next += self._period

    def _settle(self):
        """Takes the wake-ups missed before the window closed, and hands all of them over."""
        if self._next is not None:
            self._wake_up()
            self._ledger.wake_ups_late, self._late, self._next = self._late, [], None
