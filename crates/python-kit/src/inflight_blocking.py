"""Blocking fetches over http.client, one connection a slot, with the bytes of the bare core."""

import http.client
import socket

from inflight import ID_FIELD
from inflight_codes import Code, Failed

# The longest body.
BODY_BYTES_MAX = 16 * 1024 * 1024


class Bounded(socket.socket):
    """A connected socket each of whose calls may take what is left for the fetch of a slot: the
    library bounds each call by itself, so that what trickles in would never be late."""

    def __init__(self, connected, slot):
        super().__init__(fileno=connected.detach())
        self._slot = slot

    def sendall(self, *arguments):
        """Writes within what is left for the fetch."""
        self._bound()
        return super().sendall(*arguments)

    def recv_into(self, *arguments):
        """Reads within what is left for the fetch."""
        self._bound()
        return super().recv_into(*arguments)

    def _bound(self):
        left = self._slot.time_left()
        if left == 0:
            raise TimeoutError
        self.settimeout(left)


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
        if self._http.sock is None:
            self._connect(slot)
        response = self._head(slot)
        status, echo = response.status, response.headers.get(ID_FIELD)
        try:
            body = self._body(response)
        except Failed:
            # What the head has shown already comes first.
            if fault := slot.head_fault(status, echo):
                raise Failed(fault) from None
            raise
        self._reused = self._http.sock is not None
        return status, echo, body

    def _connect(self, slot):
        self._reused = False
        left = slot.time_left()
        if left == 0:
            raise Failed(Code.CONNECT_TIMEOUT)
        self._http.timeout = left
        try:
            self._http.connect()
        except OSError as error:
            raise Failed(Code.while_connecting(error)) from None
        # Where nothing is limited the socket stays the library's own.
        if left is not None:
            self._http.sock = Bounded(self._http.sock, slot)

    def _head(self, slot):
        lost = Code.lost_before_head(self._reused)
        try:
            self._http.putrequest("GET", slot.path(), skip_accept_encoding=True)
            self._http.endheaders()
            return self._http.getresponse()
        except TimeoutError:
            raise Failed(Code.HEAD_TIMEOUT) from None
        except OSError:
            # It reports a connection that was closed by a kind of reset.
            raise Failed(lost) from None
        except http.client.BadStatusLine:
            raise Failed(Code.BAD_STATUS_LINE) from None
        except http.client.LineTooLong:
            raise Failed(Code.HEAD_TOO_LARGE) from None
        except http.client.HTTPException:
            raise Failed(Code.HEAD_MALFORMED) from None

    def _body(self, response):
        # It would ask for that much memory at once.
        if (response.length or 0) > BODY_BYTES_MAX:
            raise Failed(Code.BODY_TOO_LARGE)
        try:
            return response.read()
        except TimeoutError:
            raise Failed(Code.BODY_TIMEOUT) from None
        except OSError:
            raise Failed(Code.RESET_IN_BODY) from None
        except http.client.HTTPException:
            raise Failed(Code.BODY_TRUNCATED) from None
        except (OverflowError, ValueError):
            # It asks for as many bytes as a chunk claims, be that less than none.
            raise Failed(Code.CHUNK_MALFORMED) from None
