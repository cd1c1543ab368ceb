"""Fetches over aiohttp as its documentation says: one session, shared by all tasks."""

import asyncio

import aiohttp
from inflight import ID_FIELD, within
from inflight_codes import Code


async def fetch_all(plan, slots):
    """Carries the fetches of all slots, one task a slot."""
    connector = aiohttp.TCPConnector(limit=plan["cell"]["in_flight"])
    async with aiohttp.ClientSession(connector=connector) as session:
        # aiohttp has no public way to say that a fetch is one request.
        session._retry_connection = False
        async with asyncio.TaskGroup() as tasks:
            for slot in slots:
                tasks.create_task(drive(session, slot))


async def drive(session, slot):
    """Carries the fetches of one slot."""
    while slot.begin() or await slot.next_turn():
        await fetch(slot, get(session, slot.url()))


async def get(session, url):
    """Returns status, id and body of a reply."""
    async with session.get(url, allow_redirects=False) as response:
        return response.status, response.headers.get(ID_FIELD), await response.read()


async def fetch(slot, reply):
    """Awaits the reply to the fetch of a slot, within the deadline if there is one."""
    try:
        async with within(slot.time_left()):
            status, echo, body = await reply
    except (OSError, aiohttp.ClientError) as error:
        slot.fail(code(error))
    else:
        slot.finish(status, echo, body)


def code(error):
    """Returns the code of what aiohttp says went wrong."""
    match error:
        case aiohttp.ClientConnectorError():
            return Code.while_connecting(error.os_error)
        case TimeoutError():
            return Code.DEADLINE
        case aiohttp.ClientPayloadError():
            return Code.BODY_TRUNCATED
        case aiohttp.ClientResponseError():
            return Code.HEAD_MALFORMED
    return Code.CLOSED_BEFORE_HEAD_FRESH
