"""One HTTP/1.1 connection over asyncio's streams, read as strictly as the shared core does.

What streams hide stays untold: a reset inside a head looks like one before it, and what ends
before an empty line was read is a head that was cut, whatever it began with.
"""

import asyncio

from inflight import within
from inflight_codes import Code, Failed, status_fault

# The longest head, and the most fields of one.
HEAD_BYTES_MAX = 64 * 1024
FIELDS_MAX = 100
# The longest body.
BODY_BYTES_MAX = 16 * 1024 * 1024
# The most interim replies before the final one.
INTERIM_MAX = 16
# The longest size of a chunk, in digits.
CHUNK_DIGITS_MAX = 16


class Head:
    """What the head of a reply says."""

    __slots__ = ("status", "length", "chunked", "persistent", "echo", "encoded", "strays")

    def __init__(self, head):
        # A line may end in a line feed alone.
        line, *fields = [line.removesuffix(b"\r") for line in head[:-4].split(b"\n")]
        version, status, *_ = line.split(b" ", 2) + [b""]
        if version not in (b"HTTP/1.1", b"HTTP/1.0") or not is_status(status):
            raise Failed(Code.BAD_STATUS_LINE)
        if len(fields) > FIELDS_MAX:
            raise Failed(Code.HEAD_TOO_LARGE)

        self.status = int(status)
        self.length, self.chunked, self.echo, self.encoded = None, False, None, False
        self.persistent = version == b"HTTP/1.1"
        for field in fields:
            self._take(field)
        if self.has_body() and (self.length is None) != self.chunked:
            raise Failed(Code.FRAMING_CONFLICT)

    def _take(self, field):
        name, value = parted(field, Code.HEAD_MALFORMED)
        match name.lower():
            case b"content-length":
                if not is_length(value) or self.length not in (None, int(value)):
                    raise Failed(Code.FRAMING_CONFLICT)
                self.length = int(value)
            case b"transfer-encoding":
                if self.chunked or value.lower() != b"chunked":
                    raise Failed(Code.FRAMING_CONFLICT)
                self.chunked = True
            case b"inflight-id":
                self.echo = value.decode("latin-1")
            case b"connection":
                tokens = [token.strip().lower() for token in value.split(b",")]
                self.persistent = self.persistent and b"close" not in tokens
            case b"content-encoding":
                self.encoded = self.encoded or value.lower() != b"identity"

    def has_body(self):
        """Returns whether a body can follow this status."""
        return self.status >= 200 and self.status not in (204, 304)


def is_status(status):
    """Returns whether these are the three digits of a status."""
    return len(status) == 3 and status.isdigit() and status >= b"100"


def is_length(value):
    """Returns whether this is a length: digits, of a number of 64 bits."""
    return value.isdigit() and len(value) <= 20 and int(value) < 2**64


def parted(field, code):
    """Returns name and value of a field, or fails with a code if it is none."""
    name, colon, value = field.partition(b":")
    if not colon or not name or name != name.strip() or b"\0" in field or b"\r" in field:
        raise Failed(code)
    return name, value.strip()


class Connection:
    """The connection of a slot: it is made when there is none, and kept for the next fetch."""

    def __init__(self):
        self._reader = self._writer = None
        self._reused = False
        # What a fetch that is given up was waiting for.
        self._waits_for = Code.CONNECT_TIMEOUT

    async def fetch(self, slot):
        """Carries the fetch of a slot to its end, whatever that is."""
        try:
            async with within(slot.time_left()):
                head, body = await self._exchange(slot)
        except TimeoutError:
            self.close()
            slot.fail(self._waits_for)
        except Failed as failed:
            self.close()
            slot.fail(failed.code)
        else:
            self._drop_what_followed(slot)
            if head.strays:
                slot.followed()
            if not head.persistent or head.strays:
                self.close()
            if head.status == 200 and head.encoded:
                slot.fail(Code.BAD_ENCODING)
            else:
                slot.finish(head.status, head.echo, body)

    def close(self):
        """Drops the connection, if there is one."""
        if self._writer:
            self._writer.close()
        self._reader = self._writer = None
        self._reused = False

    async def _exchange(self, slot):
        self._drop_what_followed(slot)
        if self._writer is None:
            await self._connect(slot)
        request = f"GET {slot.path()} HTTP/1.1\r\nHost: {slot.authority()}\r\n\r\n"
        self._waits_for = Code.HEAD_TIMEOUT
        self._writer.write(request.encode())
        head = await self._head()
        self._waits_for = Code.BODY_TIMEOUT
        try:
            body = await self._body(head)
        except Failed as failed:
            # What the head has shown already comes first.
            code = failed.code if head.status == 200 else status_fault(head.status)
            raise Failed(code) from None
        self._reused = True
        return head, body

    def _drop_what_followed(self, slot):
        """Drops the connection if bytes came after a whole reply: they belong to none."""
        # Streams have no public name for what has come and was not read.
        if self._reader and self._reader._buffer:
            slot.followed()
            self.close()

    async def _connect(self, slot):
        self._waits_for = Code.CONNECT_TIMEOUT
        try:
            connecting = asyncio.open_connection(slot.host, slot.port, limit=HEAD_BYTES_MAX)
            self._reader, self._writer = await connecting
        except OSError as error:
            raise Failed(Code.while_connecting(error)) from None

    async def _head(self):
        for _ in range(INTERIM_MAX + 1):
            try:
                head = await self._whole_head()
            except asyncio.IncompleteReadError as error:
                lost = Code.lost_before_head(self._reused)
                raise Failed(Code.HEAD_MALFORMED if error.partial else lost) from None
            except asyncio.LimitOverrunError:
                raise Failed(Code.HEAD_TOO_LARGE) from None
            except OSError:
                raise Failed(Code.lost_before_head(self._reused)) from None
            if head.status >= 200 or head.status == 101:
                return head
        raise Failed(Code.TOO_MANY_INTERIM)

    async def _whole_head(self):
        """Reads one head. On a connection that has carried a reply, what came late after that one
        may stand before it and belongs to none."""
        text, strays = await self._reader.readuntil(b"\r\n\r\n"), 0
        while self._reused and not text.startswith(b"HTTP/"):
            begins = text.find(b"HTTP/")
            if begins >= 0:
                strays, text = strays + begins, text[begins:]
                continue
            strays += len(text)
            if strays > HEAD_BYTES_MAX:
                raise Failed(Code.BAD_STATUS_LINE)
            try:
                text = await self._reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                raise Failed(Code.BAD_STATUS_LINE) from None
        head = Head(text)
        head.strays = strays
        return head

    async def _body(self, head):
        if not head.has_body():
            return b""
        try:
            if head.chunked:
                return await self._chunks()
            if head.length > BODY_BYTES_MAX:
                raise Failed(Code.BODY_TOO_LARGE)
            return await self._reader.readexactly(head.length)
        except asyncio.IncompleteReadError:
            code = Code.CHUNK_TRUNCATED if head.chunked else Code.BODY_TRUNCATED
            raise Failed(code) from None
        except asyncio.LimitOverrunError:
            raise Failed(Code.CHUNK_MALFORMED) from None
        except OSError:
            raise Failed(Code.RESET_IN_BODY) from None

    async def _chunks(self):
        body = bytearray()
        while size := await self._size():
            if len(body) + size > BODY_BYTES_MAX:
                raise Failed(Code.BODY_TOO_LARGE)
            body += await self._reader.readexactly(size)
            if await self._reader.readexactly(2) != b"\r\n":
                raise Failed(Code.CHUNK_MALFORMED)
        while (trailer := await self._reader.readuntil(b"\r\n")) != b"\r\n":
            parted(trailer[:-2], Code.CHUNK_MALFORMED)
        return bytes(body)

    async def _size(self):
        line = await self._reader.readuntil(b"\r\n")
        digits = line[:-2].partition(b";")[0]
        if not 0 < len(digits) <= CHUNK_DIGITS_MAX or digits.strip(b"0123456789abcdefABCDEF"):
            raise Failed(Code.CHUNK_MALFORMED)
        return int(digits, 16)
