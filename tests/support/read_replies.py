"""Reads replies as a model in Python does, and says what it counts, a line of JSON for each."""

import asyncio
import base64
import json
import sys

import inflight
from inflight_ledger import Ledger
from inflight_streams import Connection


class Stream:
    """Both ends of a connection that brings these pieces, and then its end."""

    def __init__(self, pieces, end):
        self.pieces, self.end = [base64.b64decode(piece) for piece in pieces], end

    async def read(self, most):
        """Returns the next piece."""
        if self.pieces:
            assert len(self.pieces[0]) <= most
            return self.pieces.pop(0)
        if self.end == "closed":
            return b""
        raise TimeoutError if self.end == "timeout" else ConnectionResetError

    def write(self, request):
        """Takes a request."""

    def close(self):
        """Takes nothing more."""


async def count(work, case):
    """Returns what is counted in a turn whose first connection brings what a case says, and whose
    others are closed at once."""
    cell, streams = case["cell"], [Stream([], "closed") for _ in range(case["cell"]["fetches"])]
    streams.insert(0, Stream(case["pieces"], case["end"]))

    async def connect(_host, _port):
        stream = streams.pop(0)
        return stream, stream

    asyncio.open_connection = connect
    turn = {"number": 0, "first_id": 0, "warmup": 0, "fetches": cell["fetches"]}
    ledger = Ledger(cell, turn)
    ledger.hand_out()
    slot, connection = inflight.Slot(None, ledger, work, "127.0.0.1:4100"), Connection()
    while slot.begin():
        await connection.fetch(slot)
    return ledger.turned()["total"]


async def count_all():
    """Counts each case of the input; all have the same bodies."""
    work = None
    for line in sys.stdin:
        case = json.loads(line)
        work = work or inflight.Work(case)
        print(json.dumps(await count(work, case)))


asyncio.run(count_all())
