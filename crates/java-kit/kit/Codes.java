package kit;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.Map;

/** Why a fetch failed: 0 stands for nothing. There are those that a model in Java can report. */
final class Codes {
    static final int FD_EXHAUSTED = 1001;
    static final int PORT_EXHAUSTED = 1002;
    static final int NO_MEMORY = 1004;
    static final int CONNECT_REFUSED = 1201;
    static final int CONNECT_TIMEOUT = 1202;
    static final int CONNECT_RESET = 1203;
    static final int CONNECT_UNREACHABLE = 1204;
    static final int CLOSED_BEFORE_HEAD_FRESH = 1401;
    static final int CLOSED_BEFORE_HEAD_REUSED = 1402;
    static final int HEAD_TIMEOUT = 1403;
    static final int HEAD_MALFORMED = 1404;
    static final int HEAD_TOO_LARGE = 1405;
    static final int BAD_STATUS_LINE = 1406;
    static final int FRAMING_CONFLICT = 1407;
    static final int RESET_IN_HEAD = 1408;
    static final int TOO_MANY_INTERIM = 1409;
    static final int BODY_TRUNCATED = 1501;
    static final int CHUNK_MALFORMED = 1502;
    static final int CHUNK_TRUNCATED = 1503;
    static final int BODY_TIMEOUT = 1504;
    static final int BODY_TOO_LARGE = 1505;
    static final int RESET_IN_BODY = 1506;
    static final int BAD_ENCODING = 1507;
    static final int STATUS_UNEXPECTED = 1601;
    static final int REDIRECT_UNEXPECTED = 1602;
    static final int BODY_MISMATCH = 1604;
    static final int TOKEN_MISMATCH = 1606;
    static final int OTHER = 1999;

    /** What Java shows of an error of the system is its text alone. */
    private static final Map<String, Integer> CONNECTING = Map.ofEntries(
        Map.entry("Connection refused", CONNECT_REFUSED),
        Map.entry("Connection timed out", CONNECT_TIMEOUT),
        Map.entry("Connection reset", CONNECT_RESET),
        Map.entry("Software caused connection abort", CONNECT_RESET),
        Map.entry("No route to host", CONNECT_UNREACHABLE),
        Map.entry("Network is unreachable", CONNECT_UNREACHABLE),
        Map.entry("Cannot assign requested address", PORT_EXHAUSTED),
        Map.entry("Too many open files", FD_EXHAUSTED),
        Map.entry("Cannot allocate memory", NO_MEMORY),
        Map.entry("No buffer space available", NO_MEMORY));

    private Codes() {}

    /** Returns the code for an error met while connecting. */
    static int whileConnecting(IOException error) {
        if (error instanceof SocketTimeoutException) {
            return CONNECT_TIMEOUT;
        }
        String says = String.valueOf(error.getMessage());
        return CONNECTING.entrySet().stream()
            .filter(known -> says.contains(known.getKey()))
            .map(Map.Entry::getValue).findFirst().orElse(OTHER);
    }

    /** Returns the code for a status that is not 200. */
    static int ofStatus(int status) {
        if (status == 200) {
            return 0;
        }
        boolean redirects = status >= 300 && status < 400 && status != 304;
        return redirects ? REDIRECT_UNEXPECTED : STATUS_UNEXPECTED;
    }

    /** Returns the code for a connection lost before the first byte of a reply. */
    static int lostBeforeHead(boolean isReused) {
        return isReused ? CLOSED_BEFORE_HEAD_REUSED : CLOSED_BEFORE_HEAD_FRESH;
    }
}
