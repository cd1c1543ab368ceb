"""A blocking generator: each call of `next` carries one fetch to its end."""

import platform

import inflight
import inflight_blocking


def outcomes(slot):
    """Yields after each fetch of a slot."""
    connection = inflight_blocking.Connection(slot)
    while slot.begin() or slot.next_turn_blocking():
        yield connection.fetch(slot)
    connection.close()


def fetch_all(_plan, slots):
    """Carries the fetches of all slots, one after the other."""
    for slot in slots:
        for _ in outcomes(slot):
            pass


inflight.serve({"http.client": platform.python_version()}, fetch_all)
