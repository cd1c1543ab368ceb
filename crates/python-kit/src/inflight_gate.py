"""Where slots wait between two turns, those that block a thread and those whose task awaits.

Nothing of it is touched while a turn runs: a slot comes here when no id is left, which is after
the window has closed, and has left before it fetches again.
"""

import threading
import time


class NoTurn:
    """The count of a slot that has taken no turn yet: there is nothing to begin."""

    began, closed, arrivals = None, True, None

    def deal(self):
        """Deals no id."""
        return None


class Gate:
    """Where slots rest until the next turn begins."""

    def __init__(self, slots):
        # The count of the turn that runs or has run last; nothing once there is no further turn.
        self.ledger = NoTurn()
        self._slots = slots
        # What wakes those that rest: locks for threads, futures for tasks.
        self._locks, self._futures = [], []
        self._changed = threading.Condition()

    def begin(self, ledger):
        """Begins a turn and wakes every slot. Without a turn they wake and leave."""
        with self._changed:
            self.ledger = ledger
            locks, self._locks = self._locks, []
            futures, self._futures = self._futures, []
        for lock in locks:
            lock.release()
        if futures:
            # One call for all of them: each would wake the loop once more.
            futures[0].get_loop().call_soon_threadsafe(wake, futures)

    def wait_until_quiet(self):
        """Blocks until every slot rests."""
        with self._changed:
            self._changed.wait_for(self._is_quiet)

    def join(self):
        """Counts one slot more, which fetches nothing."""
        with self._changed:
            self._slots += 1

    def rest(self, taken):
        """Blocks until there is another turn than the one that was taken, and returns its count,
        or nothing if there is no further turn."""
        lock = threading.Lock()
        lock.acquire()
        if self._comes_to_rest(taken, lambda: self._locks.append(lock)):
            lock.acquire()
        return self.ledger

    async def rest_on_loop(self, taken):
        """Awaits the same."""
        import asyncio

        future = asyncio.get_running_loop().create_future()
        if self._comes_to_rest(taken, lambda: self._futures.append(future)):
            await future
        return self.ledger

    def _comes_to_rest(self, taken, keep):
        """Keeps what wakes a slot, unless there is another turn than the one that it has taken;
        returns whether it did."""
        with self._changed:
            if self.ledger is not taken:
                return False
            keep()
            if self._is_quiet():
                self._changed.notify()
            return True

    def _is_quiet(self):
        return len(self._locks) + len(self._futures) == self._slots


class TakesTurns:
    """What takes one turn after the other: a slot, or the probe task. A batch has no gate, as its
    one turn is taken from the beginning."""

    __slots__ = ("_gate", "_ledger", "_due")

    def __init__(self, gate, ledger):
        self._gate, self._ledger = gate, ledger
        # When what was begun arrives, if it has not yet.
        self._due = None

    def begin(self):
        """Begins what is next in this turn, and returns whether there is something. What arrives
        later is waited for by `next_turn`."""
        raise NotImplementedError

    def has_arrived(self):
        """Returns whether what was begun has arrived."""
        if self._due is not None and self._due <= time.monotonic_ns():
            self._due = None
        return self._due is None

    async def next_turn(self):
        """Awaits the arrival of what was begun, or else the next turn, and begins what is first in
        it; returns whether there is something."""
        import asyncio

        while self._due is not None or self._gate:
            if self._due is not None:
                await asyncio.sleep(self._until_due())
                if self.has_arrived():
                    return True
            elif not (ledger := await self._gate.rest_on_loop(self._ledger)):
                return False
            elif self._take(ledger):
                return True
        return False

    def next_turn_blocking(self):
        """Blocks until the same."""
        while self._due is not None or self._gate:
            if self._due is not None:
                time.sleep(self._until_due())
                if self.has_arrived():
                    return True
            elif not (ledger := self._gate.rest(self._ledger)):
                return False
            elif self._take(ledger):
                return True
        return False

    def _until_due(self):
        """Returns the seconds until what was begun arrives."""
        return max(self._due - time.monotonic_ns(), 0) / 1e9

    def _take(self, ledger):
        self._ledger = ledger
        return self.begin()


def wake(futures):
    """Wakes the tasks that await these."""
    for future in futures:
        if not future.done():
            future.set_result(None)
