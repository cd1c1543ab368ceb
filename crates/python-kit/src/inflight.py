"""What a model in Python is built with: the pipe, the plan, the slots, one turn after the other.

It is written from the page `crates/README.md` and nothing else; the words are those of that page.
A model calls `serve` with the versions of what it is built on and with the one thing that makes it
different: how its slots wait.
"""

import contextlib
import gc
import ipaddress
import itertools
import json
import os
import platform
import sys
import threading
import time
import zlib

from inflight_codes import Code, status_fault
from inflight_gate import Gate, TakesTurns
from inflight_probe import ProbeTask
from inflight_ledger import Ledger, scheduled, scheduled_since
from inflight_numbers import GAMMA, MASK, split_mix_64
from inflight_workloads import WORKLOADS

PROTOCOL = 2
# The longest line of the pipe, in bytes.
LINE_BYTES_MAX = 1024 * 1024
# How many different bodies there are.
BODIES = 64
# The field of a reply that repeats the id.
ID_FIELD = "inflight-id"


class Work:
    """What a plan asks of every fetch."""

    def __init__(self, plan):
        cell = plan["cell"]
        self.body_bytes = cell["body_bytes"]
        self.checksums = [zlib.crc32(body(plan["seed"], id, self.body_bytes))
                          for id in range(BODIES)]
        deadline_ms = plan.get("deadline_ms")
        self.deadline_ns = None if deadline_ms is None else deadline_ms * 1_000_000
        self._chunk, self._kib = memoryview(bytes(64 * 1024)), cell.get("work_kib", 0)

    def compute(self):
        """Computes what the plan asks for each reply: the CRC-32 of so many KiB."""
        for begin in range(0, self._kib, 64):
            zlib.crc32(self._chunk[:(self._kib - begin) * 1024])


class Slot(TakesTurns):
    """One of the places that a fetch can occupy.

    A model whose units block calls `slot.begin() or slot.next_turn_blocking()` before each fetch,
    one whose units are tasks `slot.begin() or await slot.next_turn()`, and leaves when that is
    false."""

    __slots__ = ("host", "port", "id", "_work", "_started", "_freed", "_left")

    def __init__(self, gate, ledger, work, origin):
        super().__init__(gate, ledger)
        self._work = work
        self.host, port = origin.rsplit(":", 1)
        self.host, self.port = self.host.strip("[]"), int(port)
        self.id = None
        self._started, self._freed, self._left = 0, None, 0

    def begin(self):
        """Begins the next fetch of this turn, and returns whether there is one."""
        self.id = self._ledger.deal()
        if self.id is None:
            # What it waits for between two turns belongs to neither.
            self._freed = None
            return False
        arrivals = self._ledger.arrivals
        if arrivals:
            # Its clock starts at its arrival, which may be still to come or long over.
            self._started = self._due = arrivals.due(self.id)
            return self.has_arrived()
        self._started = self._freed or time.monotonic_ns()
        self._freed = None
        return True

    def path(self):
        """Returns what the fetch asks for, as its request leaves."""
        self._left = time.monotonic_ns() if self._ledger.arrivals else 0
        return f"/f/{self.id}"

    def url(self):
        """Returns the URL to get, as its request leaves."""
        self._left = time.monotonic_ns() if self._ledger.arrivals else 0
        return f"http://{self.authority()}/f/{self.id}"

    def authority(self):
        """Returns address and port, as the field Host and URLs have them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def time_left(self):
        """Returns the seconds left for the fetch, or nothing if the plan sets no limit."""
        limit = self._work.deadline_ns
        if limit is None:
            return None
        return max(0, self._started + limit - time.monotonic_ns()) / 1e9

    def finish(self, status, echo, body):
        """Takes a whole reply: its status, the value of the field ID_FIELD, its body."""
        work = self._work
        if fault := self.head_fault(status, echo):
            self.fail(fault)
        elif (len(body) != work.body_bytes
                or zlib.crc32(body) != work.checksums[self.id % BODIES]):
            self.fail(Code.BODY_MISMATCH)
        else:
            work.compute()
            # One reading of the clock ends this fetch and begins the next.
            self._freed = time.monotonic_ns()
            if self._ledger.arrivals:
                self._ledger.arrivals.keep(self.id, self._left, self._freed)
            self._ledger.end(self._freed - self._started)

    def head_fault(self, status, echo):
        """Returns the code for what the head of a reply shows to be wrong, if anything is."""
        if status != 200:
            return status_fault(status)
        return None if echo == str(self.id) else Code.TOKEN_MISMATCH

    def fail(self, code):
        """Ends the fetch as failed."""
        self._ledger.fail(code)

    def followed(self):
        """Notes that bytes followed a reply that belong to none."""
        self._ledger.follow()


def within(left):
    """Returns the context of a fetch that asyncio gives up after so many seconds, if there is a
    limit."""
    if left is None:
        return contextlib.nullcontext()
    import asyncio

    return asyncio.timeout(left)


def body(seed, id, length):
    """Returns the body for an id."""
    state = split_mix_64(seed ^ (id % BODIES))
    words = []
    for _ in range(-(-length // 8)):
        words.append(split_mix_64(state).to_bytes(8, "little"))
        state = (state + GAMMA) & MASK
    return b"".join(words)[:length]


def serve(versions, run, units=None):
    """Serves one plan as a model: writes the hello, reads the plan, lets `run` fetch with its
    slots until each is done, and writes what came of each turn. What goes wrong is one sentence on
    stderr and exit code 1. A model whose units are neither threads nor tasks of asyncio says how
    they wait: a `Bell` that wakes one (see `inflight_gate`), their `sleep`, and what `start`s a
    probe task."""
    threading.excepthook = lambda failed: _give_up(failed.exc_value)
    try:
        _serve({"python": platform.python_version()} | versions, run, units)
    except Exception as error:
        _give_up(error)
    # All is reported: what an interpreter takes down when it leaves may take longer than the
    # harness waits, and is nobody's measurement.
    os._exit(0)


def _give_up(error):
    """Leaves at once, whatever the units wait for."""
    # A group of tasks hides what went wrong in one of them.
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    print(f"the model: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    os._exit(1)


def _serve(versions, run, units):
    _report({"hello": {"protocol": PROTOCOL, "model": sys.argv[0], "versions": versions}})
    plan = _receive("plan")
    if plan is None:
        return
    _stay_inside(plan["origins"])
    name = plan["cell"]["workload"]
    if name not in WORKLOADS:
        raise ValueError(f"the workload is {name!r}, expected {' or '.join(WORKLOADS)}")
    if WORKLOADS[name].is_resident:
        _stay(plan, run, units)
    else:
        _take_one(plan, run, units)


def _take_one(plan, run, units):
    """Takes the one turn of a batch."""
    _report("ready")
    turn = _receive("turn")
    if turn is None:
        return
    cell = plan["cell"]
    count = min(cell["in_flight"], cell["fetches"])
    slots = Slots(plan, (None, Ledger(cell, turn)), count, units)
    run(plan, slots)
    slots.end()
    turned = slots.ledger.turned()
    _report({"turned": turned | {"scheduled": scheduled_since([0, 0])}})
    # The harness may look at the living process until it closes the pipe. A library may leave the
    # connection of a failed fetch in a cycle of objects, open until those are collected.
    if turned["total"]["errors"]:
        gc.collect()
    sys.stdin.buffer.read(LINE_BYTES_MAX)


def _stay(plan, run, units):
    """Takes one turn after the other until the pipe is closed."""
    count = plan["cell"]["in_flight"]
    gate = Gate(count, units)
    control = threading.Thread(target=_take_turns, args=(plan, gate), name="kit", daemon=True)
    control.start()
    run(plan, Slots(plan, (gate, gate.ledger), count, units))
    if gate.ledger is not None:
        raise RuntimeError("its units left before the pipe was closed")


def _take_turns(plan, gate):
    """Begins turns and reports what came of each: the work of the control thread."""
    gate.wait_until_quiet()
    _report("ready")
    while turn := _receive("turn"):
        before = scheduled()
        ledger = Ledger(plan["cell"], turn)
        gate.begin(ledger)
        gate.wait_until_quiet()
        _report({"turned": ledger.turned() | {"scheduled": scheduled_since(before)}})
    gate.begin(None)


class Slots:
    """The slots of a process. Iterating over them hands them out, which opens the window of a
    batch: make the loop before, its tasks after."""

    def __init__(self, plan, turns, count, units):
        self._gate, self.ledger = gate, ledger = turns
        work, origins = Work(plan), itertools.cycle(plan["origins"])
        self._slots = [Slot(gate, ledger, work, next(origins)) for _ in range(count)]
        period_us = plan["cell"].get("probe_period_us", 0)
        self._probe_task = period_us and ProbeTask(gate, ledger, period_us, units)

    def __iter__(self):
        if self._gate is None:
            self.ledger.hand_out()
        yield from self._slots
        # It comes last: it is to wait for whatever the others do.
        if self._probe_task:
            self._probe_task.start()

    def end(self):
        """Waits for what else takes part in the one turn of a batch."""
        if self._probe_task:
            self._probe_task.end()


def _stay_inside(origins):
    """Refuses a plan that leads out of the machine."""
    hosts = [origin.rsplit(":", 1)[0].strip("[]") for origin in origins]
    if not all(ipaddress.ip_address(host).is_loopback for host in hosts):
        raise ValueError("origins has an address beyond loopback, and fetches never leave "
                         "the machine")


def _receive(name):
    """Returns what stands in the next message, which is to have this name, or nothing once the
    pipe is closed."""
    line = sys.stdin.buffer.readline(LINE_BYTES_MAX)
    if not line:
        return None
    message = json.loads(line)
    if not isinstance(message, dict) or name not in message:
        raise ValueError(f"expected a {name}, found {line[:120]!r}")
    return message[name]


def _report(message):
    sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
    sys.stdout.flush()
