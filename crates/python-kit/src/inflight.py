"""What a model in Python is built with: the pipe, the plan, the slots, the clocks.

It is written from the page `crates/README.md` and nothing else; the words are those of that page.
A model calls `serve` with the versions of what it is built on and with the one thing that makes it
different: how its slots wait.
"""

import contextlib
import ipaddress
import itertools
import json
import os
import platform
import resource
import sys
import threading
import time
import zlib

from inflight_codes import Code, status_fault
from inflight_heart import Heart

PROTOCOL = 1
# The longest line of the pipe, in bytes.
LINE_BYTES_MAX = 1024 * 1024
# The window is divided into so many equal parts.
PARTS = 20
# How many different bodies there are.
BODIES = 64
# The field of a reply that repeats the id.
ID_FIELD = "inflight-id"
MASK = 2**64 - 1
GAMMA = 0x9E3779B97F4A7C15


class Slot:
    """One of the places that a fetch can occupy."""

    __slots__ = ("host", "port", "id", "_ledger", "_started", "_freed")

    def __init__(self, ledger, origin):
        self._ledger = ledger
        self.host, port = origin.rsplit(":", 1)
        self.host, self.port = self.host.strip("[]"), int(port)
        self.id = None
        self._started, self._freed = 0, None

    def next_fetch(self):
        """Begins the next fetch, and returns whether there is one."""
        self.id = self._ledger.deal()
        if self.id is None:
            return False
        self._started = self._freed or time.monotonic_ns()
        self._freed = None
        return True

    def path(self):
        """Returns what the fetch asks for."""
        return f"/f/{self.id}"

    def url(self):
        """Returns the URL to get."""
        return f"http://{self.authority()}/f/{self.id}"

    def authority(self):
        """Returns address and port, as the field Host and URLs have them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def time_left(self):
        """Returns the seconds left for the fetch, or nothing if the plan sets no limit."""
        limit = self._ledger.deadline_ns
        if limit is None:
            return None
        return max(0, self._started + limit - time.monotonic_ns()) / 1e9

    def finish(self, status, echo, body):
        """Takes a whole reply: its status, the value of the field ID_FIELD, its body."""
        ledger = self._ledger
        if status != 200:
            self.fail(status_fault(status))
        elif echo != str(self.id):
            self.fail(Code.TOKEN_MISMATCH)
        elif (len(body) != ledger.body_bytes
                or zlib.crc32(body) != ledger.checksums[self.id % BODIES]):
            self.fail(Code.BODY_MISMATCH)
        else:
            ledger.compute()
            # One reading of the clock ends this fetch and begins the next.
            self._freed = time.monotonic_ns()
            ledger.end(self._freed - self._started)

    def fail(self, code):
        """Ends the fetch as failed."""
        self._ledger.fail(code)

    def followed(self):
        """Notes that bytes followed the reply that belong to none."""
        self._ledger.follow()


def within(left):
    """Returns the context of a fetch that asyncio gives up after so many seconds, if there is a
    limit."""
    if left is None:
        return contextlib.nullcontext()
    import asyncio

    return asyncio.timeout(left)


class Ledger:
    """The count of a trial: ids dealt, fetches ended, and the clocks as the window opens and
    closes. Whichever slot ends the fetch of a mark reads them."""

    def __init__(self, plan):
        cell = plan["cell"]
        self.steady = cell["workload"] == "steady"
        self.warmup, self.fetches = cell["warmup"], cell["fetches"]
        surplus = cell["in_flight"] if self.steady else 0
        self.dealt = self.warmup + self.fetches + surplus
        self.body_bytes = cell["body_bytes"]
        self.checksums = [zlib.crc32(body(plan["seed"], id, self.body_bytes))
                          for id in range(BODIES)]
        deadline_ms = plan.get("deadline_ms")
        self.deadline_ns = None if deadline_ms is None else deadline_ms * 1_000_000

        parts = min(PARTS, self.fetches)
        marks = [self.warmup + self.fetches * part // parts for part in range(parts + 1)]
        self._marks = {ended: place for place, ended in enumerate(marks)}
        self._readings = [None] * len(marks)
        self._lock = threading.Lock()
        self._issued = self._ended = self._peak = self._followed = 0
        self._latencies, self._errors, self._beats_late = [], {}, []
        self._work = memoryview(bytes(64 * 1024)), cell.get("work_kib", 0)

    def hand_out(self):
        """Opens the window of a batch, when its slots are handed out."""
        if not self.steady:
            self._readings[0] = Reading.opening()

    def deal(self):
        """Deals the next id, or none when all have been dealt."""
        with self._lock:
            if self._issued == self.dealt:
                return None
            id = self._issued
            self._issued += 1
            self._peak = max(self._peak, self._issued - self._ended)
            return id

    def end(self, latency_ns):
        """Counts a fetch that was ok."""
        with self._lock:
            self._count(latency_ns)

    def fail(self, code):
        """Counts a fetch that failed."""
        with self._lock:
            self._errors[str(int(code))] = self._errors.get(str(int(code)), 0) + 1
            self._count(None)

    def follow(self):
        """Counts a reply that bytes followed which belong to none."""
        with self._lock:
            self._followed += 1

    def compute(self):
        """Computes what the plan asks for each reply: the CRC-32 of so many KiB."""
        chunk, kib = self._work
        for begin in range(0, kib, 64):
            zlib.crc32(chunk[:(kib - begin) * 1024])

    def closed(self):
        """Returns whether the window has closed."""
        return self._readings[-1] is not None

    def beat(self, due, now):
        """Counts how late a beat was, by its part in the window."""
        opened, closed = self._readings[0], self._readings[-1]
        if opened is None or now < opened.wall:
            return
        due = max(due, opened.wall)
        if closed is None or due <= closed.wall:
            self._beats_late.append(max(0, now - due))

    def _count(self, latency_ns):
        self._ended += 1
        place = self._ended - self.warmup
        if latency_ns is not None and 0 < place <= self.fetches:
            self._latencies.append(latency_ns)
        mark = self._marks.get(self._ended)
        if mark is not None:
            self._readings[mark] = self._read(mark)

    def _read(self, mark):
        if mark == 0:
            return Reading.opening()
        return Reading.closing() if mark + 1 == len(self._readings) else Reading.between()

    def trial(self):
        """Returns the trial as it is told to the harness."""
        opened, closed = self._readings[0], self._readings[-1]
        if opened is None or closed is None:
            raise RuntimeError(
                f"the window did not close: {self._ended} of {self.dealt} fetches ended")
        counts = {"ended": self.fetches, "ok": len(self._latencies)}
        failed = sum(self._errors.values())
        return {
            "window": counts | closed.since(opened),
            "total": {"issued": self._issued, "ok": self._ended - failed,
                      "errors": self._errors, "extra_bytes": self._followed},
            "threads": max(opened.threads, closed.threads),
            "in_flight_peak": self._peak,
            "scheduled": closed.scheduled,
            "windows": self._parts(),
            "latencies_ns": histogram(self._latencies),
            "beats_late_ns": histogram(self._beats_late),
        }

    def _parts(self):
        ended = list(self._marks)
        parts = zip(itertools.pairwise(self._readings), itertools.pairwise(ended))
        return [{"fetches": last - first, "wall_ns": max(0, after.wall - before.wall),
                 "cpu_ns": max(0, after.cpu - before.cpu)}
                for (before, after), (first, last) in parts]


class Reading:
    """What was read at one moment."""

    __slots__ = ("wall", "cpu", "usage", "threads", "scheduled")

    def __init__(self):
        self.usage = self.scheduled = None
        self.threads = 0

    @classmethod
    def opening(cls):
        """Reads as the window opens: what is slow to read first, the clocks last."""
        reading = cls()
        reading.threads, reading.usage = threads(), resource.getrusage(resource.RUSAGE_SELF)
        reading._clocks()
        return reading

    @classmethod
    def between(cls):
        """Reads inside the window: the clocks alone."""
        reading = cls()
        reading._clocks()
        return reading

    @classmethod
    def closing(cls):
        """Reads as the window closes: the clocks first, what is slow to read last."""
        reading = cls()
        reading._clocks()
        reading.usage = resource.getrusage(resource.RUSAGE_SELF)
        reading.threads, reading.scheduled = threads(), scheduled()
        return reading

    def _clocks(self):
        self.wall = time.monotonic_ns()
        self.cpu = time.clock_gettime_ns(time.CLOCK_PROCESS_CPUTIME_ID)

    def since(self, opened):
        """Returns what was used since the window opened."""
        grown = lambda field: getattr(self.usage, field) - getattr(opened.usage, field)
        return {
            "wall_ns": self.wall - opened.wall,
            "cpu_ns": self.cpu - opened.cpu,
            "user_ns": round(grown("ru_utime") * 1e9),
            "system_ns": round(grown("ru_stime") * 1e9),
            "switches_voluntary": grown("ru_nvcsw"),
            "switches_involuntary": grown("ru_nivcsw"),
            "faults_minor": grown("ru_minflt"),
        }


def threads():
    """Returns how many threads this process has now."""
    with open("/proc/self/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("Threads:"))


def scheduled():
    """Returns what the scheduler gave to the threads that are alive now, if the kernel tells."""
    sums = [0, 0]
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/schedstat", encoding="utf-8") as figures:
                told = figures.read().split()
        except FileNotFoundError:
            # A thread that has ended meanwhile has no figures, and some kernels have none at all.
            continue
        sums = [sum + int(figure) for sum, figure in zip(sums, told)]
    return {"cpu_ns": sums[0], "run_delay_ns": sums[1]} if sums[0] else None


def histogram(latencies):
    """Returns values, rounded to three digits, with their counts."""
    counts = {}
    for latency in latencies:
        value = three_digits(latency)
        counts[value] = counts.get(value, 0) + 1
    return sorted(counts.items())


def three_digits(value):
    """Rounds to three significant decimal digits."""
    unit = 10 ** max(0, len(str(value)) - 3)
    return (value + unit // 2) // unit * unit


def split_mix_64(state):
    """Returns the first output of SplitMix64 started at a state."""
    z = (state + GAMMA) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def body(seed, id, length):
    """Returns the body for an id."""
    state = split_mix_64(seed ^ (id % BODIES))
    words = []
    for _ in range(-(-length // 8)):
        words.append(split_mix_64(state).to_bytes(8, "little"))
        state = (state + GAMMA) & MASK
    return b"".join(words)[:length]


def serve(versions, run):
    """Serves one plan as a model: writes the hello, reads the plan, lets `run` fetch with its
    slots until each is done, and writes the trial. What goes wrong is one sentence on stderr and
    exit code 1."""
    try:
        _serve({"python": platform.python_version()} | versions, run)
    except Exception as error:
        # A group of tasks hides what went wrong in one of them.
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        sys.exit(f"the model: {type(error).__name__}: {error}")


def _serve(versions, run):
    _tell({"hello": {"protocol": PROTOCOL, "model": sys.argv[0], "versions": versions}})
    line = sys.stdin.buffer.readline(LINE_BYTES_MAX)
    if not line:
        return
    plan = json.loads(line)["plan"]
    _stay_inside(plan["origins"])
    ledger = Ledger(plan)
    run(plan, _slots(ledger, plan))
    _tell({"trial": ledger.trial()})
    # The harness may look at the living process until it closes the pipe.
    sys.stdin.buffer.read(LINE_BYTES_MAX)
    # All is told: what an interpreter takes down when it leaves may take longer than the harness
    # waits, and is nobody's measurement.
    sys.stdout.flush()
    os._exit(0)


def _stay_inside(origins):
    """Refuses a plan that leads out of the machine."""
    hosts = [origin.rsplit(":", 1)[0].strip("[]") for origin in origins]
    if not all(ipaddress.ip_address(host).is_loopback for host in hosts):
        raise ValueError("origins has an address beyond loopback, and fetches never leave "
                         "the machine")


def _slots(ledger, plan):
    """Hands the slots out, which opens the window of a batch: make the loop before, its tasks
    after."""
    count = min(plan["cell"]["in_flight"], ledger.dealt)
    origins = itertools.islice(itertools.cycle(plan["origins"]), count)
    slots = [Slot(ledger, origin) for origin in origins]
    period_us = plan["cell"].get("heartbeat_us", 0)
    heart = Heart(ledger, period_us) if period_us else None
    ledger.hand_out()
    yield from slots
    if heart:
        heart.start()


def _tell(message):
    sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
    sys.stdout.flush()

