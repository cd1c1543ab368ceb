"""One asyncio task a slot, on the streams of Python's standard library."""

import asyncio

import inflight
import inflight_streams


async def fetch_all(slots):
    """Carries the fetches of all slots."""
    async with asyncio.TaskGroup() as tasks:
        for slot in slots:
            tasks.create_task(drive(slot))


async def drive(slot):
    """Carries the fetches of one slot, over a connection that is kept."""
    connection = inflight_streams.Connection()
    while slot.begin() or await slot.next_turn():
        await connection.fetch(slot)
    connection.close()


inflight.serve({}, lambda _plan, slots: asyncio.run(fetch_all(slots)))
