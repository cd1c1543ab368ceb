"""Blocking fetches over http.client, one connection a slot, with the bytes of the bare core."""

import http.client

from inflight import ID_FIELD
from inflight_codes import Code, Failed

# The longest body.
BODY_BYTES_MAX = 16 * 1024 * 1024


class Connection:
    """The connection of a slot: it is made when there is none, and kept for the next fetch."""

    def __init__(self, slot):
        self._http = http.client.HTTPConnection(slot.host, slot.port)
        self._reused = False

    def fetch(self, slot):
        """Carries the fetch of a slot to its end, whatever that is."""
        try:
            reply = self._exchange(slot)
        except Failed as failed:
            self.close()
            slot.fail(failed.code)
        else:
            slot.finish(*reply)

    def close(self):
        """Drops the connection, if there is one."""
        self._http.close()
        self._reused = False

    def _exchange(self, slot):
        # A library that finds its connection closed makes a new one by itself.
        self._limit(slot, Code.CONNECT_TIMEOUT)
        if self._http.sock is None:
            self._connect()
        response = self._head(slot)
        self._limit(slot, Code.HEAD_TIMEOUT)
        reply = response.status, response.headers.get(ID_FIELD), self._body(slot, response)
        self._limit(slot, Code.BODY_TIMEOUT)
        self._reused = self._http.sock is not None
        return reply

    def _limit(self, slot, late):
        """Bounds the calls that follow by what is left for the fetch, if the plan sets a limit,
        and fails if that is nothing. The library bounds each read by itself, so what trickles in
        is found to be late only when it is whole."""
        left = slot.time_left()
        if left is None:
            return
        if left == 0:
            raise Failed(late)
        self._http.timeout = left
        if self._http.sock:
            self._http.sock.settimeout(left)

    def _connect(self):
        self._reused = False
        try:
            self._http.connect()
        except OSError as error:
            raise Failed(Code.while_connecting(error)) from None

    def _head(self, slot):
        lost = Code.lost_before_head(self._reused)
        try:
            self._http.putrequest("GET", slot.path(), skip_accept_encoding=True)
            self._http.endheaders()
            return self._http.getresponse()
        except TimeoutError:
            raise Failed(Code.HEAD_TIMEOUT) from None
        except OSError:
            # It tells a connection that was closed by a kind of reset.
            raise Failed(lost) from None
        except http.client.BadStatusLine:
            raise Failed(Code.BAD_STATUS_LINE) from None
        except http.client.LineTooLong:
            raise Failed(Code.HEAD_TOO_LARGE) from None
        except http.client.HTTPException:
            raise Failed(Code.HEAD_MALFORMED) from None

    def _body(self, slot, response):
        # It would ask for that much memory at once.
        if (response.length or 0) > BODY_BYTES_MAX:
            raise Failed(Code.BODY_TOO_LARGE)
        try:
            return self._read(slot, response)
        except TimeoutError:
            raise Failed(Code.BODY_TIMEOUT) from None
        except OSError:
            raise Failed(Code.RESET_IN_BODY) from None
        except http.client.HTTPException:
            raise Failed(Code.BODY_TRUNCATED) from None
        except (OverflowError, ValueError):
            # It asks for as many bytes as a chunk claims, be that less than none.
            raise Failed(Code.CHUNK_MALFORMED) from None

    def _read(self, slot, response):
        if slot.time_left() is None:
            return response.read()
        body = bytearray()
        while piece := response.read1(BODY_BYTES_MAX):
            body += piece
            self._limit(slot, Code.BODY_TIMEOUT)
        # Reading in pieces tells no end that came too early.
        if response.length:
            raise http.client.IncompleteRead(bytes(body), response.length)
        return bytes(body) + response.read()
