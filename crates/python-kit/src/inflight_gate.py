"""Where slots wait between two turns: by a bell each, of the kind of their units.

Nothing of it is touched while a turn runs: a slot comes here when no id is left, which is after
the window has closed, and has left before it fetches again.
"""

import threading
import time


class LockBell:
    """What wakes a thread that blocks."""

    __slots__ = ("_lock",)

    def __init__(self):
        self._lock = threading.Lock()
        self._lock.acquire()

    def wait(self):
        """Blocks until it has been rung."""
        self._lock.acquire()

    @staticmethod
    def ring(bells):
        """Rings some."""
        for bell in bells:
            bell._lock.release()


class FutureBell:
    """What wakes a task of asyncio."""

    __slots__ = ("_future",)

    def __init__(self):
        import asyncio

        self._future = asyncio.get_running_loop().create_future()

    async def wait(self):
        """Awaits that it is rung."""
        await self._future

    @staticmethod
    def ring(bells):
        """Rings some from any thread, by one call for all of them: each would wake the loop once
        more."""
        bells[0]._future.get_loop().call_soon_threadsafe(wake, bells)


class NoTurn:
    """The count of a slot that has taken no turn yet: there is nothing to begin."""

    began, closed, arrivals = None, True, None

    def deal(self):
        """Deals no id."""
        return None


class Gate:
    """Where slots rest until the next turn begins."""

    def __init__(self, slots, units=None):
        # The count of the turn that runs or has run last; nothing once there is no further turn.
        self.ledger = NoTurn()
        self._slots = slots
        # How units wait that are neither threads nor tasks of asyncio; the bells of those that
        # rest.
        self._units, self._bells = units, []
        self._changed = threading.Condition()

    def begin(self, ledger):
        """Begins a turn and wakes every slot. Without a turn they wake and leave."""
        with self._changed:
            self.ledger = ledger
            bells, self._bells = self._bells, []
        if bells:
            bells[0].ring(bells)

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
        bell = self._units.Bell() if self._units else LockBell()
        if not self._comes_to_rest(taken, bell):
            bell.ring([bell])
        bell.wait()
        return self.ledger

    async def rest_on_loop(self, taken):
        """Awaits the same."""
        bell = self._units.Bell() if self._units else FutureBell()
        if not self._comes_to_rest(taken, bell):
            bell.ring([bell])
        await bell.wait()
        return self.ledger

    def sleep(self, seconds):
        """Blocks for so long."""
        (self._units or time).sleep(seconds)

    async def sleep_on_loop(self, seconds):
        """Awaits the same."""
        import asyncio

        await (self._units or asyncio).sleep(seconds)

    def _comes_to_rest(self, taken, bell):
        """Keeps the bell that wakes a slot, unless there is another turn than the one that it has
        taken; returns whether it did."""
        with self._changed:
            if self.ledger is not taken:
                return False
            self._bells.append(bell)
            if self._is_quiet():
                self._changed.notify()
            return True

    def _is_quiet(self):
        return len(self._bells) == self._slots


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
        while self._due is not None or self._gate:
            if self._due is not None:
                await self._gate.sleep_on_loop(self._until_due())
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
                self._gate.sleep(self._until_due())
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


def wake(bells):
    """Wakes the tasks that await these."""
    for bell in bells:
        if not bell._future.done():
            bell._future.set_result(None)
