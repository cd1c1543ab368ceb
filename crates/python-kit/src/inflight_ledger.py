"""The count of a turn: ids dealt, fetches ended, and the clocks as the window opens and closes."""

import os
import resource
import threading
import time

from inflight_arrivals import Arrivals
from inflight_numbers import histogram
from inflight_workloads import WORKLOADS

# What the kernel counts for a process: name on the pipe, name in `getrusage`, unit, and what every
# process has that has waited, so that none of it means that the kernel does not count.
COUNTERS = (
    ("user_ns", "ru_utime", 10**9, None),
    ("system_ns", "ru_stime", 10**9, None),
    ("switches_voluntary", "ru_nvcsw", 1, "ru_nvcsw"),
    ("switches_involuntary", "ru_nivcsw", 1, "ru_nvcsw"),
    ("faults_minor", "ru_minflt", 1, "ru_minflt"),
)


class Ledger:
    """The count of a turn. Whichever slot ends the fetch that opens or closes the window reads the
    clocks."""

    def __init__(self, cell, turn):
        self.opened = self.closed = None
        self.wake_ups_late = []
        self._number, self._first_id = turn["number"], turn["first_id"]
        self._warmup, self._fetches = turn["warmup"], turn["fetches"]
        surplus = WORKLOADS[cell["workload"]].surplus(cell)
        self._count = self._warmup + self._fetches + surplus
        self._lock = threading.Lock()
        self._issued = self._ended = self._peak = self._followed = 0
        self._latencies, self._errors = [], {}
        is_open = cell.get("rate_per_s", 0) > 0
        self.arrivals = Arrivals(turn, self._count, cell) if is_open else None
        self.began = time.monotonic_ns()

    def hand_out(self):
        """Opens the window of a batch, when its slots are handed out."""
        self.opened = Reading.start_of_process()

    def deal(self):
        """Deals the next id, or none when all have been dealt."""
        with self._lock:
            if self._issued == self._count:
                return None
            id = self._first_id + self._issued
            self._issued += 1
            self._peak = max(self._peak, self._issued - self._ended)
            return id

    def end(self, latency_ns):
        """Counts a fetch that was ok."""
        with self._lock:
            self._end(latency_ns)

    def fail(self, code):
        """Counts a fetch that failed."""
        with self._lock:
            self._errors[str(int(code))] = self._errors.get(str(int(code)), 0) + 1
            self._end(None)

    def follow(self):
        """Counts a reply that bytes followed which belong to none."""
        with self._lock:
            self._followed += 1

    def _end(self, latency_ns):
        self._ended += 1
        place = self._ended - self._warmup
        if latency_ns is not None and 0 < place <= self._fetches:
            self._latencies.append(latency_ns)
        if place == 0:
            self.opened = Reading.opening()
        elif place == self._fetches:
            self.closed = Reading.closing()

    def turned(self):
        """Returns the turn as it is reported to the harness, once every slot rests or has left."""
        if self.closed is None:
            raise RuntimeError(
                f"the window did not close: {self._ended} of {self._count} fetches ended"
            )
        failed = sum(self._errors.values())
        counts = {"ended": self._fetches, "ok": len(self._latencies)}
        times = {"latencies_ns": histogram(self._latencies)}
        if self.arrivals:
            times = self.arrivals.times()
        return times | {
            "turn": self._number,
            "window": counts | self.closed.since(self.opened),
            "total": {
                "issued": self._issued,
                "ok": self._ended - failed,
                "errors": self._errors,
                "extra_bytes": self._followed,
            },
            "threads": threads(),
            "in_flight_peak": self._peak,
            "wake_up_delays_ns": histogram(self.wake_ups_late),
        }


class Reading:
    """What was read at one moment."""

    __slots__ = ("wall", "cpu", "usage")

    @classmethod
    def start_of_process(cls):
        """Reads the wall clock alone: nothing had been used when the process was started."""
        reading = cls()
        reading.usage, reading.cpu = None, 0
        reading.wall = time.monotonic_ns()
        return reading

    @classmethod
    def opening(cls):
        """Reads as the window opens: what is slow to read first, the clocks last."""
        reading = cls()
        reading.usage = resource.getrusage(resource.RUSAGE_SELF)
        reading.cpu = time.clock_gettime_ns(time.CLOCK_PROCESS_CPUTIME_ID)
        reading.wall = time.monotonic_ns()
        return reading

    @classmethod
    def closing(cls):
        """Reads as the window closes: the clocks first, what is slow to read last."""
        reading = cls()
        reading.wall = time.monotonic_ns()
        reading.cpu = time.clock_gettime_ns(time.CLOCK_PROCESS_CPUTIME_ID)
        reading.usage = resource.getrusage(resource.RUSAGE_SELF)
        return reading

    def since(self, opened):
        """Returns what was used since the window opened."""
        used = {"wall_ns": self.wall - opened.wall, "cpu_ns": self.cpu - opened.cpu}
        for name, field, unit, sign in COUNTERS:
            before = getattr(opened.usage, field) if opened.usage else 0
            is_counted = sign is None or getattr(self.usage, sign) > 0
            grown = round((getattr(self.usage, field) - before) * unit)
            used[name] = grown if is_counted else None
        return used


def threads():
    """Returns how many threads this process has now."""
    with open("/proc/self/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("Threads:"))


def scheduled():
    """Returns what the scheduler gave to the threads that are alive now, if the kernel shows it:
    time on a CPU, and time spent waiting for one."""
    sums = [0, 0]
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/schedstat", encoding="utf-8") as figures:
                reported = figures.read().split()
        except (FileNotFoundError, ProcessLookupError):
            # A thread that ends before its file is opened, or before it is read, has no figures;
            # some kernels have none at all.
            continue
        sums = [sum + int(figure) for sum, figure in zip(sums, reported)]
    return sums if sums[0] else None


def scheduled_since(before):
    """Returns what threads got since a reading, as the harness receives it, if both are there."""
    after = scheduled()
    if before is None or after is None:
        return None
    return {"cpu_ns": max(0, after[0] - before[0]), "run_delay_ns": max(0, after[1] - before[1])}
