package kit;

import java.util.Arrays;
import java.util.zip.CRC32;

/** One HTTP/1.1 reply, read from bytes as they come, as strictly as the shared core does. */
public final class Reply {
    /** What reading returns of a reply that is whole, and of one of which more is to come. */
    public static final int WHOLE = -1;
    public static final int MORE = 0;
    /** The length of the longest body. */
    private static final int BODY_BYTES_MAX = 16 * 1024 * 1024;
    /** The most interim replies before the final one. */
    private static final int INTERIM_MAX = 16;
    /** What every reply begins with. */
    private static final byte[] BEGINNING = "HTTP/".getBytes();

    /** Why no more bytes come. */
    public enum Loss { CLOSED, RESET, TIMED_OUT }

    /** What status and head have shown already, though the body is still read. */
    public int fault;
    /** How many bytes came before or after it that belong to no reply. */
    public int extra;
    /** The length of the body so far. */
    public long length;
    /** Whether the connection may be used again. */
    boolean isPersistent;

    private final CRC32 checksum = new CRC32();
    private final Head head = new Head();
    private long id;
    private boolean isReused;
    private boolean seeks;
    private boolean hasHead;
    private int interim;
    private long left;
    private byte[] held = {};
    private Chunks chunks;

    /** Begins before the first byte of the reply to an id. After a reply on the same connection
     * more bytes of that one may have come. */
    public void start(long id, boolean isReused) {
        fault = extra = interim = 0;
        length = left = 0;
        isPersistent = hasHead = false;
        checksum.reset();
        this.id = id;
        this.isReused = seeks = isReused;
        held = new byte[0];
        chunks = null;
    }

    /** Returns the CRC-32 of the body so far. */
    public long checksum() {
        return checksum.getValue();
    }

    /** Reads what has come, and returns whether the reply is whole, or the code of a failure. */
    public int read(byte[] input, int from, int to) {
        if (seeks) {
            byte[] all = joined(held, input, from, to);
            from = own(all);
            if (from < 0) {
                return extra > Head.BYTES_MAX ? Codes.BAD_STATUS_LINE : MORE;
            }
            input = all;
            to = all.length;
        }
        while (!hasHead) {
            if (isOddBeginning(input, from, to)) {
                return Codes.BAD_STATUS_LINE;
            }
            if (held.length > 0) {
                input = joined(held, input, from, to);
                held = new byte[0];
                from = 0;
                to = input.length;
            }
            int end = head.parse(input, from, to);
            if (end < 0) {
                return -end;
            }
            if (end == 0) {
                held = Arrays.copyOfRange(input, from, to);
                return MORE;
            }
            from += end;
            int code = takeHead();
            if (code != 0) {
                return code;
            }
        }
        return readBody(input, from, to);
    }

    /** Returns the code for losing the connection here. */
    public int lostBy(Loss loss) {
        if (fault != 0) {
            return fault;
        }
        if (seeks && extra > 0) {
            return Codes.BAD_STATUS_LINE;
        }
        if (!hasHead && loss != Loss.TIMED_OUT && held.length == 0 && interim == 0) {
            return Codes.lostBeforeHead(isReused);
        }
        int closed = chunks != null ? Codes.CHUNK_TRUNCATED : Codes.BODY_TRUNCATED;
        return switch (loss) {
            case TIMED_OUT -> hasHead ? Codes.BODY_TIMEOUT : Codes.HEAD_TIMEOUT;
            case RESET -> hasHead ? Codes.RESET_IN_BODY : Codes.RESET_IN_HEAD;
            case CLOSED -> hasHead ? closed : Codes.HEAD_MALFORMED;
        };
    }

    /** Passes over what came late after the reply before, and returns where this one begins in all
     * that has come; or -1. */
    private int own(byte[] all) {
        held = new byte[0];
        for (int at = 0; at < all.length; at++) {
            int size = Math.min(BEGINNING.length, all.length - at);
            if (!Arrays.equals(all, at, at + size, BEGINNING, 0, size)) {
                continue;
            }
            extra += at;
            if (size == BEGINNING.length) {
                seeks = false;
                return at;
            }
            held = Arrays.copyOfRange(all, at, all.length);
            return -1;
        }
        extra += all.length;
        return -1;
    }

    /** Returns whether an empty line comes before the first head, where it belongs to no reply. */
    private boolean isOddBeginning(byte[] input, int from, int to) {
        boolean isFirst = held.length == 0 && interim == 0 && from < to;
        return isFirst && (input[from] == '\r' || input[from] == '\n');
    }

    /** Moves on from a head to its body, or from an interim head to the next. */
    private int takeHead() {
        if (head.status < 200 && head.status != 101) {
            interim++;
            return interim > INTERIM_MAX ? Codes.TOO_MANY_INTERIM : 0;
        }
        hasHead = true;
        // After a switch of protocols the connection speaks no HTTP any more.
        isPersistent = head.isPersistent && head.status != 101;
        fault = Codes.ofStatus(head.status);
        if (fault == 0 && head.isEncoded) {
            fault = Codes.BAD_ENCODING;
        } else if (fault == 0 && head.echo != id) {
            fault = Codes.TOKEN_MISMATCH;
        }
        if (!head.hasBody()) {
            return 0;
        }
        chunks = head.isChunked ? new Chunks() : null;
        left = head.isChunked ? 0 : head.length;
        boolean isLong = Long.compareUnsigned(left, BODY_BYTES_MAX) > 0;
        return isLong ? Codes.BODY_TOO_LARGE : 0;
    }

    /** Reads what has come of the body. */
    private int readBody(byte[] input, int from, int to) {
        int at = from;
        if (chunks == null) {
            int size = (int) Math.min(left, to - at);
            add(input, at, size);
            at += size;
            left -= size;
        }
        while (chunks != null && at < to && !chunks.isAtEnd()) {
            if (!chunks.isInData()) {
                if (!chunks.take(input[at])) {
                    return Codes.CHUNK_MALFORMED;
                }
                at++;
                continue;
            }
            int size = chunks.run(to - at);
            add(input, at, size);
            if (length > BODY_BYTES_MAX) {
                return Codes.BODY_TOO_LARGE;
            }
            at += size;
        }
        if (chunks != null ? !chunks.isAtEnd() : left > 0) {
            return MORE;
        }
        extra += to - at;
        return WHOLE;
    }

    private void add(byte[] input, int from, int size) {
        checksum.update(input, from, size);
        length += size;
    }

    private static byte[] joined(byte[] held, byte[] input, int from, int to) {
        byte[] all = Arrays.copyOf(held, held.length + to - from);
        System.arraycopy(input, from, all, held.length, to - from);
        return all;
    }
}
