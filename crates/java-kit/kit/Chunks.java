package kit;

/** A body in the transfer coding of RFC 9112, section 7.1, read strictly and at any split. */
final class Chunks {
    /** The longest that extensions, or trailers, of one body may be together. */
    private static final int ASIDE_BYTES_MAX = 64 * 1024;
    private static final int DIGITS_MAX = 16;

    private enum Place {
        SIZE, EXTENSION, SIZE_END, DATA, DATA_RETURN, DATA_END, LINE_START, TRAILER_NAME,
        TRAILER_VALUE, TRAILER_END, LAST_END, END, NOWHERE
    }

    private Place place = Place.SIZE;
    private int digits;
    /** The size of the chunk, or what is left of its data; without a sign. */
    private long size;
    private int aside;

    boolean isInData() {
        return place == Place.DATA;
    }

    boolean isAtEnd() {
        return place == Place.END;
    }

    /** Returns how many of so many bytes are data of this chunk, and passes over them. */
    int run(int most) {
        int length = Long.compareUnsigned(size, most) < 0 ? (int) size : most;
        size -= length;
        if (size == 0) {
            place = Place.DATA_RETURN;
        }
        return length;
    }

    /** Takes one byte that is not data, and returns whether it may stand there. */
    boolean take(byte b) {
        Place next = place == Place.SIZE ? afterSize(b) : after(b);
        // Neither sizes nor data, of which a hostile origin has no end.
        boolean isAside = next == Place.EXTENSION && place != Place.SIZE
            || next == Place.TRAILER_NAME || next == Place.TRAILER_VALUE;
        if (isAside) {
            aside++;
        }
        place = next;
        return next != Place.NOWHERE && aside <= ASIDE_BYTES_MAX;
    }

    private Place afterSize(byte b) {
        int digit = b >= 0 ? Character.digit(b, 16) : -1;
        if (digit >= 0) {
            digits++;
            size = size << 4 | digit;
            return digits > DIGITS_MAX ? Place.NOWHERE : Place.SIZE;
        }
        if (digits == 0) {
            return Place.NOWHERE;
        }
        return b == '\r' ? Place.SIZE_END : b == ';' ? Place.EXTENSION : Place.NOWHERE;
    }

    private Place after(byte b) {
        return switch (place) {
            case EXTENSION ->
                b == '\r' ? Place.SIZE_END : Text.isValue(b) ? Place.EXTENSION : Place.NOWHERE;
            case SIZE_END ->
                b != '\n' ? Place.NOWHERE : size != 0 ? Place.DATA : Place.LINE_START;
            case DATA_RETURN -> b == '\r' ? Place.DATA_END : Place.NOWHERE;
            case DATA_END -> {
                digits = 0;
                yield b == '\n' ? Place.SIZE : Place.NOWHERE;
            }
            case LINE_START -> b == '\r' ? Place.LAST_END : inName(b);
            case TRAILER_NAME -> b == ':' ? Place.TRAILER_VALUE : inName(b);
            case TRAILER_VALUE ->
                b == '\r' ? Place.TRAILER_END : Text.isValue(b) ? place : Place.NOWHERE;
            case TRAILER_END -> b == '\n' ? Place.LINE_START : Place.NOWHERE;
            case LAST_END -> b == '\n' ? Place.END : Place.NOWHERE;
            default -> Place.NOWHERE;
        };
    }

    private static Place inName(byte b) {
        return Text.isToken(b) ? Place.TRAILER_NAME : Place.NOWHERE;
    }
}
