"""One greenlet a slot with requests on gevent: one session, shared."""

from gevent import monkey

# The kit reads its pipe on a thread of its own, which is to stay one.
monkey.patch_all(thread=False)

import gc

import gevent
import inflight
import inflight_gevent
import inflight_requests
import requests


def fetch_all(plan, slots):
    """Carries the fetches of all slots."""
    with inflight_requests.session(plan) as session:
        units = [gevent.spawn(inflight_requests.drive, session, slot) for slot in slots]
        gevent.joinall(units, raise_error=True)
    # A failed reply that refers to itself holds its connection until then.
    gc.collect()


inflight.serve(
    {"gevent": gevent.__version__, "requests": requests.__version__},
    fetch_all,
    inflight_gevent,
)
