"""One asyncio task a slot with aiohttp, on uvloop: one session, shared."""

import aiohttp
import inflight
import inflight_aiohttp
import uvloop

inflight.serve(
    {"aiohttp": aiohttp.__version__, "uvloop": uvloop.__version__},
    lambda plan, slots: uvloop.run(inflight_aiohttp.fetch_all(plan, slots)),
)
