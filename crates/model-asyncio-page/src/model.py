"""The program of a teaching page on asynchronous programming, made to run: a session for every
fetch. What was fixed: the missing `import aiohttp`; the lost indentation; `text()` is given an
encoding, since bodies are random bytes and no text; status and id are returned too, since they are
verified; and a fetch is one request: none is sent again, and no redirect is followed."""

import asyncio

import aiohttp
import inflight
import inflight_aiohttp


async def fetch_url(url):
    """Returns status, id and text of a reply."""
    async with aiohttp.ClientSession() as session:
        session._retry_connection = False
        async with session.get(url, allow_redirects=False) as response:
            text = await response.text(encoding="latin-1")
            return response.status, response.headers.get(inflight.ID_FIELD), text


async def as_bytes(reply):
    """Returns a reply with the bytes that its text was made of."""
    status, echo, text = await reply
    return status, echo, text.encode("latin-1")


async def drive(slot):
    """Carries the fetches of one slot."""
    while slot.begin() or await slot.next_turn():
        await inflight_aiohttp.fetch(slot, as_bytes(fetch_url(slot.url())))


async def fetch_all(slots):
    """Carries the fetches of all slots, one task a slot."""
    async with asyncio.TaskGroup() as tasks:
        for slot in slots:
            tasks.create_task(drive(slot))


inflight.serve(
    {"aiohttp": aiohttp.__version__},
    lambda _plan, slots: asyncio.run(fetch_all(slots)),
)
