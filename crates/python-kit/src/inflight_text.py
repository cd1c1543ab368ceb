"""The bytes of which HTTP makes its lines (RFC 9110 section 5)."""

import string

from inflight_codes import Code, Failed

# What may stand in the name of a field, and what in its value or a reason.
TOKEN = (string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode()
TEXT = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))


def is_field(line):
    """Returns whether a line is a field."""
    name, colon, value = line.partition(b":")
    return colon and name and not name.translate(None, TOKEN) and not value.translate(None, TEXT)


def parted(line):
    """Returns name and value of a field, whose line has no control bytes; fails if it is none."""
    name, colon, value = line.partition(b":")
    if not colon or not name or name.translate(None, TOKEN):
        raise Failed(Code.HEAD_MALFORMED)
    return name, value.strip(b" \t")
