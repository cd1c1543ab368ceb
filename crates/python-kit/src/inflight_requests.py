"""Fetches over requests as its documentation says: one session, shared by all units that block."""

import contextvars

import requests
import urllib3
from inflight import ID_FIELD
from inflight_blocking import Bounded
from inflight_codes import Code, of_system

# The slot whose fetch is under way in this unit.
CURRENT = contextvars.ContextVar("slot")


class Limited(urllib3.connection.HTTPConnection):
    """A connection whose calls may take what is left for the fetch that uses it."""

    def _new_conn(self):
        return Bounded(super()._new_conn(), self)

    @staticmethod
    def time_left():
        """Returns the seconds left for the fetch, or nothing if the plan sets no limit."""
        return CURRENT.get().time_left()


def session(plan):
    """Returns the session, which has room for a connection a slot."""
    if plan.get("deadline_ms") is not None:
        urllib3.connectionpool.HTTPConnectionPool.ConnectionCls = Limited
    session = requests.Session()
    # It looks for no proxy, which could lead out of the machine.
    session.trust_env = False
    # By itself it keeps 10 connections.
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=plan["cell"]["in_flight"])
    session.mount("http://", adapter)
    return session


def drive(session, slot):
    """Carries the fetches of one slot."""
    CURRENT.set(slot)
    while slot.begin() or slot.next_turn_blocking():
        fetch(session, slot)


def fetch(session, slot):
    """Carries the fetch of a slot to its end, whatever that is."""
    left = slot.time_left()
    try:
        if left == 0:
            raise requests.Timeout
        response = session.get(slot.url(), allow_redirects=False, timeout=left)
    except (requests.RequestException, ValueError) as error:
        slot.fail(Code.DEADLINE if slot.time_left() == 0 else code(error))
    else:
        slot.finish(response.status_code, response.headers.get(ID_FIELD), response.content)


def code(error):
    """Returns the code of what requests says went wrong."""
    cause = error.args[0] if error.args else None
    match error:
        case requests.Timeout():
            return Code.DEADLINE
        case requests.exceptions.ContentDecodingError():
            return Code.BAD_ENCODING
        case requests.exceptions.ChunkedEncodingError():
            return Code.BODY_TRUNCATED
        case requests.ConnectionError() if isinstance(cause, urllib3.exceptions.MaxRetryError):
            # Nothing else is tried again, be it not once.
            return Code.while_connecting(of_system(error))
        case requests.ConnectionError():
            return Code.CLOSED_BEFORE_HEAD_FRESH
        case requests.RequestException():
            return Code.HEAD_MALFORMED
    # It asks for as many bytes as a chunk claims, be that less than none.
    return Code.CHUNK_MALFORMED
