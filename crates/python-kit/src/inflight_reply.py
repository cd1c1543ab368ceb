"""One HTTP/1.1 reply, read from bytes as they come, at any split, without any I/O.

The shared core reads replies in Rust, and this reader says the same of every byte, and as early.
"""

from inflight_chunks import Chunks
from inflight_codes import Code, Failed, status_fault
from inflight_text import TEXT, is_field, parted

# The longest head, and the most fields of one.
HEAD_BYTES_MAX = 64 * 1024
FIELDS_MAX = 100
# The longest body.
BODY_BYTES_MAX = 16 * 1024 * 1024
# The most interim replies before the final one.
INTERIM_MAX = 16
# What every reply begins with, and the rest of the shortest status line.
BEGINNING = b"HTTP/"
STATUS_LINE = b"HTTP/1.1 200"


class Head:
    """What the head of a reply says."""

    __slots__ = ("status", "length", "chunked", "persistent", "echo", "encoded")

    def __init__(self, lines):
        line, *fields = lines
        if not is_status_line(line):
            raise Failed(Code.BAD_STATUS_LINE)
        self.status = int(line[9:12])
        self.length, self.chunked, self.echo, self.encoded = None, False, None, False
        self.persistent = line[7:8] == b"1" and self.status != 101

        conflicts = False
        for name, value in map(parted, fields[:FIELDS_MAX + 1]):
            conflicts |= self._take(name, value)
        if len(fields) > FIELDS_MAX:
            raise Failed(Code.HEAD_TOO_LARGE)
        if self.status < 100:
            raise Failed(Code.BAD_STATUS_LINE)
        if conflicts or self.has_body() and (self.length is None) != self.chunked:
            raise Failed(Code.FRAMING_CONFLICT)

    def _take(self, name, value):
        """Takes a field, and returns whether it contradicts itself or another."""
        match name.lower():
            case b"content-length":
                earlier, self.length = self.length, length_of(value)
                return self.length is None or earlier not in (None, self.length)
            case b"transfer-encoding":
                earlier, self.chunked = self.chunked, True
                return earlier or value.lower() != b"chunked"
            case b"inflight-id":
                self.echo = value.decode("latin-1")
            case b"connection":
                tokens = [token.strip(b" \t") for token in value.lower().split(b",")]
                self.persistent = self.persistent and b"close" not in tokens
            case b"content-encoding":
                self.encoded = self.encoded or value.lower() != b"identity"
        return False

    def is_interim(self):
        """Returns whether another reply follows that is the one to the request."""
        return 100 <= self.status < 200 and self.status != 101

    def has_body(self):
        """Returns whether a body can follow this status."""
        return self.status >= 200 and self.status not in (204, 304)

    def fault(self, id):
        """Returns the code for what the head alone shows to be wrong with the reply to an id."""
        if self.status != 200:
            return status_fault(self.status)
        if self.encoded:
            return Code.BAD_ENCODING
        return Code.TOKEN_MISMATCH if self.echo != str(id) else None


class Reply:
    """One reply, as far as it has come."""

    __slots__ = ("head", "body", "extra", "_reused", "_begun", "_text", "_interim", "_chunks")

    def __init__(self, reused):
        # The final head, once it has come; the body, as far as it has.
        self.head, self.body = None, b""
        # How many bytes came before or after it that belong to none.
        self.extra = 0
        # On a connection that has carried a reply, more bytes of that one may come.
        self._reused, self._begun = reused, not reused
        # What has come of a head.
        self._text = b""
        self._interim, self._chunks = 0, None

    def read(self, data):
        """Reads what has come, and returns whether the reply is whole."""
        if self.head is None:
            data = self._read_heads(self._text + data if self._text else data)
            if self.head is None:
                return False
        return self._read_body(data)

    def lost_by(self, loss):
        """Returns what losing the connection here means: that it was closed, was reset, or that
        the time was up, which are the codes for each inside a head."""
        if not self._begun and self.extra:
            return Code.BAD_STATUS_LINE
        if self.head is None:
            is_before = not self._text and not self._interim and loss != Code.HEAD_TIMEOUT
            return Code.lost_before_head(self._reused) if is_before else loss
        match loss:
            case Code.HEAD_TIMEOUT:
                return Code.BODY_TIMEOUT
            case Code.RESET_IN_HEAD:
                return Code.RESET_IN_BODY
        return Code.CHUNK_TRUNCATED if self._chunks else Code.BODY_TRUNCATED

    def _read_heads(self, data):
        """Reads heads up to the final one, and returns what follows it."""
        if not self._begun:
            data = self._pass_strays(data)
        while self._begun:
            # Empty lines are passed over, but before the first head they belong to no reply.
            if not self._interim and data[:1] in (b"\r", b"\n"):
                raise Failed(Code.BAD_STATUS_LINE)
            lines, end = lines_of(data)
            if lines is None:
                break
            head, data = Head(lines), data[end:]
            if not head.is_interim():
                self._expect(head)
                return data
            self._interim += 1
            if self._interim > INTERIM_MAX:
                raise Failed(Code.TOO_MANY_INTERIM)
        self._text = data
        return b""

    def _pass_strays(self, data):
        """Passes over what came late after the reply before, and returns what may be the beginning
        of this one."""
        begins = data.find(BEGINNING)
        self._begun = begins >= 0
        if not self._begun:
            parts = (n for n in range(len(BEGINNING) - 1, 0, -1) if data.endswith(BEGINNING[:n]))
            begins = len(data) - next(parts, 0)
        self.extra += begins
        if not self._begun and self.extra > HEAD_BYTES_MAX:
            raise Failed(Code.BAD_STATUS_LINE)
        return data[begins:]

    def _expect(self, head):
        """Takes the final head, and prepares for its body."""
        self.head = head
        if not head.has_body():
            head.length = 0
        elif head.chunked:
            self._chunks = Chunks(BODY_BYTES_MAX)
        elif head.length > BODY_BYTES_MAX:
            raise Failed(Code.BODY_TOO_LARGE)

    def _read_body(self, data):
        """Reads what has come of the body, and returns whether it is whole."""
        if self._chunks:
            is_whole, rest = self._chunks.read(data)
            self.body = self._chunks.body
            self.extra += rest
            return is_whole
        if self.body:
            self.body = self.body if isinstance(self.body, bytearray) else bytearray(self.body)
            self.body += data
        else:
            # Nearly all bodies come in one piece.
            self.body = data
        left = self.head.length - len(self.body)
        if left > 0:
            return False
        if left < 0:
            self.body = self.body[:left]
            self.extra -= left
        return True


def lines_of(data):
    """Returns the lines of the head that some bytes begin with and its length, or nothing while it
    is incomplete. Whatever is wrong with the part of a head that has come is found here; what is
    wrong with a whole one may be left to be found by who takes its lines."""
    end = data.find(b"\r\n\r\n", 0, HEAD_BYTES_MAX)
    # Nearly all heads: no line ends in a line feed alone, and there are no other control bytes.
    if end >= 0 and not data[:end].replace(b"\r\n", b"").translate(None, TEXT):
        lines = data[:end].split(b"\r\n")
        if lines[0]:
            return lines, end + 4
    return lines_one_by_one(data)


def lines_one_by_one(data):
    """Does the same, and looks at each line as soon as it has come."""
    text, lines, begin = data[:HEAD_BYTES_MAX], [], 0
    while (end := text.find(b"\n", begin)) >= 0:
        line = text[begin:end].removesuffix(b"\r")
        begin = end + 1
        if line:
            check_line(line, lines)
            lines.append(line)
            if len(lines) > 1 + FIELDS_MAX:
                raise Failed(Code.HEAD_TOO_LARGE)
        elif lines:
            return lines, begin

    check_part(text[begin:], lines)
    if len(data) >= HEAD_BYTES_MAX:
        raise Failed(Code.HEAD_TOO_LARGE)
    return None, 0


def check_part(part, lines):
    """Fails if no line of a head can begin so, after the lines before it."""
    if part.endswith(b"\r"):
        # Only a line feed can follow, so that it is a whole line.
        part = part[:-1]
    elif not lines:
        part += STATUS_LINE[len(part):]
    elif part and b":" not in part:
        part += b":"
    if part:
        check_line(part, lines)


def check_line(line, lines):
    """Fails if this is no line of a head, after the lines before it."""
    if not lines:
        if not is_status_line(line):
            raise Failed(Code.BAD_STATUS_LINE)
    elif not is_field(line):
        raise Failed(Code.HEAD_MALFORMED)


def is_status_line(line):
    """Returns whether this is a status line, if only of a version and a status."""
    return (line.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")) and len(line) >= len(STATUS_LINE)
            and line[9:12].isdigit() and line[12:13] in (b" ", b"")
            and not line.translate(None, TEXT))


def length_of(value):
    """Returns the length that a value reports in digits, if it is a number of 64 bits."""
    if not value.isdigit():
        return None
    digits = value.lstrip(b"0") or b"0"
    return length if len(digits) <= 20 and (length := int(digits)) < 2**64 else None
