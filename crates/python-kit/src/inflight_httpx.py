"""Fetches over httpx as its documentation says: one client, shared by all tasks."""

import httpx
from inflight import ID_FIELD
from inflight_codes import Code, of_system


def client(plan):
    """Returns the client, which has room for a connection a slot."""
    count = plan["cell"]["in_flight"]
    # By itself it keeps 20 connections, for 5 seconds.
    limits = httpx.Limits(max_connections=count, max_keepalive_connections=count,
                          keepalive_expiry=None)
    # It looks for no proxy, which could lead out of the machine.
    return httpx.AsyncClient(limits=limits, trust_env=False)


async def drive(client, slot, within):
    """Carries the fetches of one slot. `within` returns the context of what is given up after so
    many seconds, if there is a limit."""
    while slot.begin() or await slot.next_turn():
        await fetch(client, slot, within)


async def fetch(client, slot, within):
    """Carries the fetch of a slot to its end, whatever that is."""
    status = echo = None
    try:
        async with within(slot.time_left()), client.stream("GET", slot.url()) as response:
            status, echo = response.status_code, response.headers.get(ID_FIELD)
            body = await response.aread()
    except TimeoutError:
        slot.fail(Code.DEADLINE)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # What the head has shown already comes first.
        fault = status and slot.head_fault(status, echo)
        slot.fail(fault or code(error, status is not None))
    else:
        slot.finish(status, echo, body)


def code(error, in_body):
    """Returns the code of what httpx says went wrong."""
    match error:
        case httpx.ConnectError():
            return Code.while_connecting(of_system(error))
        case httpx.ConnectTimeout():
            return Code.CONNECT_TIMEOUT
        case httpx.TimeoutException():
            return Code.DEADLINE
        case httpx.DecodingError():
            return Code.BAD_ENCODING
        case httpx.NetworkError():
            return Code.RESET_IN_BODY if in_body else Code.CLOSED_BEFORE_HEAD_FRESH
    return Code.BODY_TRUNCATED if in_body else Code.HEAD_MALFORMED
