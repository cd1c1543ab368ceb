"""When the fetches of a turn arrive that do so at a rate, and what each of them waited for."""

import time

from inflight_numbers import histogram, split_mix_64


class Arrivals:
    """The arrivals of a turn, which begins now."""

    def __init__(self, turn, count, cell):
        self._first_id, self._warmup = turn["first_id"], turn["warmup"]
        seed, span = turn.get("arrivals_seed", 0), max(1, count * 10**9 // cell["rate_per_s"])
        burst = min(cell.get("burst", 0), count)
        drawn = (split_mix_64(seed ^ index) % span for index in range(burst, count))
        self._due_ns = sorted([span // 2] * burst + list(drawn))
        self._services, self._responses, self._lags = [], [], []
        self._began = time.monotonic_ns()

    def due(self, id):
        """Returns when a fetch arrives."""
        return self._began + self._due_ns[id - self._first_id]

    def keep(self, id, left, ended):
        """Keeps what a fetch waited for that was ok, if it arrived in the window."""
        if id - self._first_id >= self._warmup:
            due = self.due(id)
            # An append is whole, whichever thread does it.
            self._responses.append(ended - due)
            self._lags.append(max(left - due, 0))
            self._services.append(ended - max(left, due))

    def times(self):
        """Returns what was kept, as it is reported."""
        return {
            "latencies_ns": histogram(self._services),
            "responses_ns": histogram(self._responses),
            "lags_ns": histogram(self._lags),
        }
