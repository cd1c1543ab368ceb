"""One thread a slot, each blocking on its own connection of http.client."""

import platform
import threading

import inflight
import inflight_blocking


def drive(slot):
    """Carries the fetches of one slot, over a connection that is kept."""
    connection = inflight_blocking.Connection(slot)
    while slot.begin() or slot.next_turn_blocking():
        connection.fetch(slot)
    connection.close()


def fetch_all(_plan, slots):
    """Carries the fetches of all slots."""
    threads = []
    for slot in slots:
        threads.append(threading.Thread(target=drive, args=(slot,)))
        threads[-1].start()
    for thread in threads:
        thread.join()


inflight.serve({"http.client": platform.python_version()}, fetch_all)
