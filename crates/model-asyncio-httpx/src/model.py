"""One asyncio task a slot with httpx: one client, shared."""

import asyncio

import httpx
import inflight
import inflight_httpx


async def fetch_all(plan, slots):
    """Carries the fetches of all slots."""
    async with inflight_httpx.client(plan) as client, asyncio.TaskGroup() as tasks:
        for slot in slots:
            tasks.create_task(inflight_httpx.drive(client, slot, inflight.within))


inflight.serve(
    {"httpx": httpx.__version__},
    lambda plan, slots: asyncio.run(fetch_all(plan, slots)),
)
