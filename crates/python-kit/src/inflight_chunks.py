"""The chunked transfer coding of RFC 9112 section 7.1, read strictly and at any split."""

from inflight_codes import Code, Failed
from inflight_text import TEXT, is_field

# The longest that extensions, or trailers, of one body may be together.
ASIDE_BYTES_MAX = 64 * 1024
# The longest size of a chunk, in digits.
DIGITS_MAX = 16
HEXADECIMAL = b"0123456789abcdefABCDEF"


class Chunks:
    """A body in the chunked coding, as far as it has come."""

    def __init__(self, bytes_max):
        self.body = bytearray()
        self._bytes_max = bytes_max
        # Reads what is next at a place of some bytes, and returns the place behind it, or nothing
        # if more is needed; none after the end.
        self._next = self._size
        # What has come of a line, how much is left of a chunk, how long what is neither was.
        self._text, self._left, self._aside = b"", 0, 0

    def read(self, data):
        """Reads what has come; returns whether the body is whole, and how many bytes follow."""
        data, place = self._text + data, 0
        while self._next:
            behind = self._next(data, place)
            if behind is None:
                self._text = data[place:]
                return False, 0
            place = behind
        return True, len(data) - place

    def _size(self, data, place):
        line, behind = self._line(data, place, beside_size)
        if line is not None:
            self._left = int(line.partition(b";")[0], 16)
            self._next = self._run if self._left else self._trailer
        return behind

    def _run(self, data, place):
        run = data[place:place + self._left]
        if len(self.body) + len(run) > self._bytes_max:
            raise Failed(Code.BODY_TOO_LARGE)
        self.body += run
        self._left -= len(run)
        if self._left == 0:
            self._next = self._run_end
        # What has come of a chunk is not kept to be looked at again.
        return place + len(run) if run else None

    def _run_end(self, data, place):
        end = data[place:place + 2]
        if not b"\r\n".startswith(end):
            raise Failed(Code.CHUNK_MALFORMED)
        if len(end) < 2:
            return None
        self._next = self._size
        return place + 2

    def _trailer(self, data, place):
        line, behind = self._line(data, place, of_trailer)
        if line == b"":
            self._next = None
        return behind

    def _line(self, data, place, length_aside):
        """Returns the line at a place and the place behind it, or nothing of both if it has not
        come; fails as soon as it can become none."""
        feed = data.find(b"\n", place)
        line = data[place:feed] if feed >= 0 else data[place:]
        is_whole = line.endswith(b"\r")
        if feed >= 0 and not is_whole:
            raise Failed(Code.CHUNK_MALFORMED)
        line = line[:-1] if is_whole else line
        aside = self._aside + length_aside(line, is_whole)
        if aside > ASIDE_BYTES_MAX:
            raise Failed(Code.CHUNK_MALFORMED)
        if feed < 0:
            return None, None
        self._aside = aside
        return line, feed + 1


def beside_size(line, is_whole):
    """Returns how much of a line is not the size of a chunk; fails if it begins with none."""
    digits, semicolon, extension = line.partition(b";")
    if (len(digits) > DIGITS_MAX or digits.strip(HEXADECIMAL) or extension.translate(None, TEXT)
            or not digits and (semicolon or is_whole)):
        raise Failed(Code.CHUNK_MALFORMED)
    return len(extension)


def of_trailer(line, is_whole):
    """Returns the length of a trailer; fails if it is none."""
    if line and not is_field(line if is_whole or b":" in line else line + b":"):
        raise Failed(Code.CHUNK_MALFORMED)
    return len(line)
