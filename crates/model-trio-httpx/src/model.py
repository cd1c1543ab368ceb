"""One task of trio a slot with httpx: one client, shared."""

import inflight_trio

import httpx
import inflight
import inflight_httpx
import trio


async def fetch_all(plan, slots):
    """Carries the fetches of all slots."""
    async with inflight_httpx.client(plan) as client, trio.open_nursery() as tasks:
        for slot in slots:
            tasks.start_soon(inflight_httpx.drive, client, slot, inflight_trio.within)


inflight.serve(
    {"httpx": httpx.__version__, "trio": trio.__version__},
    lambda plan, slots: trio.run(fetch_all, plan, slots),
    inflight_trio,
)
