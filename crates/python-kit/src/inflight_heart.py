"""The heart of a model in Python, which beats beside its fetches."""

import sys
import threading
import time


class Heart:
    """Fetches nothing and wakes at equal intervals, by the timer and among the units of its model.
    How late it is tells how long whatever is due has to wait there."""

    def __init__(self, ledger, period_us):
        self._ledger, self._period = ledger, period_us * 1000
        self._due = time.monotonic_ns() + self._period
        self._unit = None

    def start(self):
        """Starts to beat: as a task where a loop runs, else on a thread. A model that asks for no
        further slot before its fetches are over has let no beat in until now."""
        # Whoever runs a loop has imported it; for the others it would take a part of the window.
        asyncio = sys.modules.get("asyncio")
        loop = asyncio and asyncio._get_running_loop()
        if loop:
            self._unit = loop.create_task(self._on_loop(asyncio.sleep))
        elif self._left():
            self._unit = threading.Thread(target=self._on_thread, daemon=True)
            self._unit.start()

    async def _on_loop(self, sleep):
        while left := self._left():
            await sleep(left)
            self._beat()

    def _on_thread(self):
        while left := self._left():
            time.sleep(left)
            self._beat()

    def _left(self):
        """Returns the seconds until the next beat, or nothing once the window has closed."""
        if self._ledger.closed():
            self._beat()
            return None
        return max(self._due - time.monotonic_ns(), 1) / 1e9

    def _beat(self):
        """Beats, and is due again a period later. What counts of a beat is its part in the
        window."""
        now = time.monotonic_ns()
        self._ledger.beat(self._due, now)
        self._due = now + self._period
