"""One greenlet a slot with requests on gevent: one session, shared."""

from gevent import monkey

# The kit reads its pipe on a thread of its own, which is to stay one.
monkey.patch_all(thread=False)

import gevent
import inflight
import inflight_gevent
import inflight_requests
import requests


def fetch_all(plan, slots):
    """Carries the fetches of all slots."""
    session = inflight_requests.session(plan)
    units = [gevent.spawn(inflight_requests.drive, session, slot) for slot in slots]
    gevent.joinall(units, raise_error=True)


inflight.serve(
    {"gevent": gevent.__version__, "requests": requests.__version__},
    fetch_all,
    inflight_gevent,
)
