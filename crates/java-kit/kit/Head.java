package kit;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The head of a reply, read as strictly as the shared core does, and as early. */
final class Head {
    /** The length of the longest head. */
    static final int BYTES_MAX = 64 * 1024;
    /** The most fields of a head. */
    private static final int FIELDS_MAX = 100;
    /** How the first line of a good reply begins. */
    private static final byte[] BEGINS = "HTTP/1.1 200".getBytes();

    int status;
    boolean isPersistent;
    boolean isEncoded;
    boolean isChunked;
    long length;
    /** What repeats the id, if it is a number without a sign and without a leading zero; or -1. */
    long echo;

    private boolean hasStatus;
    private boolean hasLength;
    private boolean conflicts;
    private int fields;

    /** Reads a head from its first byte on, and returns how many it has; 0 while it is incomplete,
     * and less if it is malformed: the code below 0. */
    int parse(byte[] text, int from, int to) {
        hasStatus = hasLength = conflicts = isEncoded = isChunked = false;
        fields = 0;
        length = 0;
        echo = -1;
        int limit = Math.min(to, from + BYTES_MAX);
        int at = from;
        for (int feed; (feed = Text.find(text, at, limit, '\n')) >= 0; at = feed + 1) {
            int end = feed > at && text[feed - 1] == '\r' ? feed - 1 : feed;
            if (end > at) {
                int code = take(text, at, end);
                if (code != 0) {
                    return -code;
                }
            } else if (hasStatus) {
                int code = understood();
                return code == 0 ? feed + 1 - from : -code;
            }
        }
        int code = checkBeginning(text, at, limit);
        if (code != 0) {
            return -code;
        }
        return to - from >= BYTES_MAX ? -Codes.HEAD_TOO_LARGE : 0;
    }

    /** Returns whether a body can follow this status. */
    boolean hasBody() {
        return status >= 200 && status != 204 && status != 304;
    }

    /** Takes a line that is not empty. */
    private int take(byte[] text, int from, int to) {
        if (!hasStatus) {
            return takeStatus(text, from, to);
        }
        int colon = colonOf(text, from, to);
        if (colon < 0) {
            return Codes.HEAD_MALFORMED;
        }
        if (fields == FIELDS_MAX) {
            return Codes.HEAD_TOO_LARGE;
        }
        fields++;
        takeField(text, from, colon, to);
        return 0;
    }

    /** Takes the first line. */
    private int takeStatus(byte[] text, int from, int to) {
        int size = to - from;
        boolean begins = size >= BEGINS.length && text[from + 8] == ' '
            && Arrays.equals(text, from, from + 7, BEGINS, 0, 7);
        if (!begins) {
            return Codes.BAD_STATUS_LINE;
        }
        status = 0;
        for (int at = from + 9; at < from + 12; at++) {
            if (text[at] < '0' || text[at] > '9') {
                return Codes.BAD_STATUS_LINE;
            }
            status = status * 10 + text[at] - '0';
        }
        boolean isVersion = text[from + 7] == '0' || text[from + 7] == '1';
        boolean isEnd = size == 12 || text[from + 12] == ' ' && Text.areValue(text, from + 12, to);
        if (!isVersion || !isEnd) {
            return Codes.BAD_STATUS_LINE;
        }
        hasStatus = true;
        isPersistent = text[from + 7] == '1';
        return 0;
    }

    /** Takes a field. Which of two faults comes first is known once the head is whole. */
    private void takeField(byte[] text, int from, int colon, int to) {
        int value = colon + 1;
        if (Text.is(text, from, colon, "content-length")) {
            long earlier = length;
            boolean isNumber = number(text, value, to);
            conflicts |= !isNumber || hasLength && earlier != length;
            hasLength = true;
        } else if (Text.is(text, from, colon, "transfer-encoding")) {
            conflicts |= isChunked || !Text.is(text, value, to, "chunked");
            isChunked = true;
        } else if (Text.is(text, from, colon, "inflight-id")) {
            long kept = length;
            echo = number(text, value, to) && isPlain(text, value, to) ? length : -1;
            length = kept;
        } else if (Text.is(text, from, colon, "connection")) {
            isPersistent &= !Text.hasToken(text, value, to, "close");
        } else if (Text.is(text, from, colon, "content-encoding")) {
            isEncoded |= !Text.is(text, value, to, "identity");
        }
    }

    /** Returns what is wrong with a whole head. */
    private int understood() {
        if (status < 100) {
            return Codes.BAD_STATUS_LINE;
        }
        boolean isOdd = conflicts || hasBody() && hasLength == isChunked;
        return isOdd ? Codes.FRAMING_CONFLICT : 0;
    }

    /** Checks what has come of a line: it is completed as the first line, or as a field. */
    private int checkBeginning(byte[] text, int from, int to) {
        int size = to - from;
        if (size == 0 || size == 1 && text[from] == '\r') {
            return 0;
        }
        int end = text[to - 1] == '\r' ? to - 1 : to;
        if (!hasStatus) {
            byte[] line = Arrays.copyOfRange(text, from, from + Math.max(size, BEGINS.length));
            System.arraycopy(BEGINS, Math.min(size, BEGINS.length), line, size,
                line.length - size);
            boolean isEnded = size >= BEGINS.length && end < to;
            return new Head().takeStatus(line, 0, isEnded ? size - 1 : line.length);
        }
        boolean isField = Text.find(text, from, to, ':') < 0
            ? Text.areToken(text, from, to) : colonOf(text, from, end) >= 0;
        return isField ? 0 : Codes.HEAD_MALFORMED;
    }

    /** Returns where the colon of a field is, or -1 if a line is none. */
    private static int colonOf(byte[] line, int from, int to) {
        int colon = Text.find(line, from, to, ':');
        boolean isField = colon > from && Text.areToken(line, from, colon)
            && Text.areValue(line, colon + 1, to);
        return isField ? colon : -1;
    }

    /** Reads digits into the length, and returns whether they say a number of 64 bits. */
    private boolean number(byte[] text, int from, int to) {
        String digits = trimmed(text, from, to);
        boolean isNumber = !digits.isEmpty() && digits.chars().allMatch(c -> c >= '0' && c <= '9');
        try {
            length = isNumber ? Long.parseUnsignedLong(digits) : 0;
            return isNumber;
        } catch (NumberFormatException tooLarge) {
            return false;
        }
    }

    /** Returns whether a number has no leading zero. */
    private static boolean isPlain(byte[] text, int from, int to) {
        String digits = trimmed(text, from, to);
        return digits.length() == 1 || digits.charAt(0) != '0';
    }

    private static String trimmed(byte[] text, int from, int to) {
        while (from < to && Text.isSpace(text[from])) {
            from++;
        }
        while (from < to && Text.isSpace(text[to - 1])) {
            to--;
        }
        return new String(text, from, to - from, StandardCharsets.ISO_8859_1);
    }
}
