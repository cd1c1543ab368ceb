"""One HTTP/1.1 connection over asyncio's streams."""

import asyncio

from inflight import within
from inflight_codes import Code, Failed
from inflight_reply import Reply

# The most that is taken at once: as much as asyncio reads at once from a socket.
RECEIVE_BYTES = 256 * 1024


class Connection:
    """The connection of a slot: it is made when there is none, and kept for the next fetch."""

    def __init__(self):
        self._reader = self._writer = None
        self._reused = False

    async def fetch(self, slot):
        """Carries the fetch of a slot to its end, whatever that is."""
        reply = Reply(self._reused)
        try:
            async with within(slot.time_left()):
                await self._exchange(slot, reply)
        except TimeoutError:
            late = reply.lost_by(Code.HEAD_TIMEOUT) if self._writer else Code.CONNECT_TIMEOUT
            self._fail(slot, reply, late)
        except OSError:
            self._fail(slot, reply, reply.lost_by(Code.RESET_IN_HEAD))
        except Failed as failed:
            self._fail(slot, reply, failed.code)
        else:
            self._finish(slot, reply)

    def close(self):
        """Drops the connection, if there is one."""
        if self._writer:
            self._writer.close()
        self._reader = self._writer = None
        self._reused = False

    async def _exchange(self, slot, reply):
        if self._writer is None:
            await self._connect(slot)
        request = f"GET {slot.path()} HTTP/1.1\r\nHost: {slot.authority()}\r\n\r\n"
        self._writer.write(request.encode())
        while data := await self._reader.read(RECEIVE_BYTES):
            if reply.read(data):
                return
        raise Failed(reply.lost_by(Code.HEAD_MALFORMED))

    async def _connect(self, slot):
        try:
            connecting = asyncio.open_connection(slot.host, slot.port)
            self._reader, self._writer = await connecting
        except OSError as error:
            raise Failed(Code.while_connecting(error)) from None

    def _finish(self, slot, reply):
        """Ends a fetch whose reply is whole."""
        head = reply.head
        self._reused = True
        if reply.extra:
            slot.followed()
        if reply.extra or not head.persistent:
            self.close()
        if head.status == 200 and head.encoded:
            slot.fail(Code.BAD_ENCODING)
        else:
            slot.finish(head.status, head.echo, reply.body)

    def _fail(self, slot, reply, code):
        """Ends a fetch that has failed, with what the head has shown already or else a code."""
        self.close()
        slot.fail(reply.head and reply.head.fault(slot.id) or code)
