"""Why a fetch failed."""

import enum
import errno


class Code(enum.IntEnum):
    """Why a fetch failed; those codes that a model in Python can report."""

    FD_EXHAUSTED = 1001
    PORT_EXHAUSTED = 1002
    NO_MEMORY = 1004
    DEADLINE = 1007
    CONNECT_REFUSED = 1201
    CONNECT_TIMEOUT = 1202
    CONNECT_RESET = 1203
    CONNECT_UNREACHABLE = 1204
    CLOSED_BEFORE_HEAD_FRESH = 1401
    CLOSED_BEFORE_HEAD_REUSED = 1402
    HEAD_TIMEOUT = 1403
    HEAD_MALFORMED = 1404
    HEAD_TOO_LARGE = 1405
    BAD_STATUS_LINE = 1406
    FRAMING_CONFLICT = 1407
    RESET_IN_HEAD = 1408
    TOO_MANY_INTERIM = 1409
    BODY_TRUNCATED = 1501
    CHUNK_MALFORMED = 1502
    CHUNK_TRUNCATED = 1503
    BODY_TIMEOUT = 1504
    BODY_TOO_LARGE = 1505
    RESET_IN_BODY = 1506
    BAD_ENCODING = 1507
    STATUS_UNEXPECTED = 1601
    REDIRECT_UNEXPECTED = 1602
    BODY_MISMATCH = 1604
    TOKEN_MISMATCH = 1606
    OTHER = 1999

    @classmethod
    def while_connecting(cls, error):
        """Returns the code for an operating system's error met while connecting."""
        by_name = {"EADDRNOTAVAIL": cls.PORT_EXHAUSTED, "EMFILE": cls.FD_EXHAUSTED,
                   "ENFILE": cls.FD_EXHAUSTED, "ENOBUFS": cls.NO_MEMORY,
                   "ENOMEM": cls.NO_MEMORY, "EHOSTUNREACH": cls.CONNECT_UNREACHABLE,
                   "ENETUNREACH": cls.CONNECT_UNREACHABLE}
        match error:
            case ConnectionRefusedError():
                return cls.CONNECT_REFUSED
            case ConnectionResetError() | ConnectionAbortedError():
                return cls.CONNECT_RESET
            case TimeoutError():
                return cls.CONNECT_TIMEOUT
        return by_name.get(errno.errorcode.get(error.errno), cls.OTHER)

    @classmethod
    def lost_before_head(cls, reused):
        """Returns the code for a connection lost before the first byte of a reply."""
        return cls.CLOSED_BEFORE_HEAD_REUSED if reused else cls.CLOSED_BEFORE_HEAD_FRESH


class Failed(Exception):
    """A fetch that failed, with its code."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def of_system(error):
    """Returns the operating system's error that an error of a library comes from."""
    while error and not (isinstance(error, OSError) and error.errno):
        # Of several that were met together, the first.
        is_group = isinstance(error, BaseExceptionGroup)
        error = error.exceptions[0] if is_group else error.__cause__ or error.__context__
    return error or OSError()


def status_fault(status):
    """Returns the code for a status that is not 200."""
    redirects = 300 <= status < 400 and status != 304
    return Code.REDIRECT_UNEXPECTED if redirects else Code.STATUS_UNEXPECTED
