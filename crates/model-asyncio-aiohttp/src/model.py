"""One asyncio task a slot with aiohttp: one session, shared."""

import asyncio

import aiohttp
import inflight
import inflight_aiohttp

inflight.serve(
    {"aiohttp": aiohttp.__version__},
    lambda plan, slots: asyncio.run(inflight_aiohttp.fetch_all(plan, slots)),
)
