package kit;

/** Bytes of a head or of what stands between chunks: those of RFC 9110, section 5. */
final class Text {
    /** Which bytes the name of a field has, and which its value. */
    private static final boolean[] TOKEN = new boolean[256];
    private static final boolean[] VALUE = new boolean[256];

    static {
        for (int b = 0; b < 256; b++) {
            boolean isLetter = b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z';
            TOKEN[b] = isLetter || b >= '0' && b <= '9' || "!#$%&'*+-.^_`|~".indexOf(b) >= 0;
            VALUE[b] = b == '\t' || b >= ' ' && b != 0x7f;
        }
    }

    private Text() {}

    static boolean isToken(byte b) {
        return TOKEN[b & 0xff];
    }

    static boolean isValue(byte b) {
        return VALUE[b & 0xff];
    }

    /** Returns whether all bytes of a part may stand in a name. */
    static boolean areToken(byte[] text, int from, int to) {
        for (int at = from; at < to; at++) {
            if (!isToken(text[at])) {
                return false;
            }
        }
        return true;
    }

    /** Returns whether all bytes of a part may stand in a value. */
    static boolean areValue(byte[] text, int from, int to) {
        for (int at = from; at < to; at++) {
            if (!isValue(text[at])) {
                return false;
            }
        }
        return true;
    }

    /** Returns where a byte is in a part, or -1. */
    static int find(byte[] text, int from, int to, char wanted) {
        for (int at = from; at < to; at++) {
            if (text[at] == wanted) {
                return at;
            }
        }
        return -1;
    }

    /** Returns whether a part is this text, which is in lower case, spaces around it aside. */
    static boolean is(byte[] text, int from, int to, String lower) {
        while (from < to && isSpace(text[from])) {
            from++;
        }
        while (from < to && isSpace(text[to - 1])) {
            to--;
        }
        if (to - from != lower.length()) {
            return false;
        }
        for (int at = 0; at < lower.length(); at++) {
            int b = text[from + at];
            if ((b >= 'A' && b <= 'Z' ? b + 32 : b) != lower.charAt(at)) {
                return false;
            }
        }
        return true;
    }

    /** Returns whether a list of tokens has this one, which is in lower case. */
    static boolean hasToken(byte[] text, int from, int to, String lower) {
        while (from <= to) {
            int comma = find(text, from, to, ',');
            int end = comma < 0 ? to : comma;
            if (is(text, from, end, lower)) {
                return true;
            }
            from = end + 1;
        }
        return false;
    }

    static boolean isSpace(byte b) {
        return b == ' ' || b == '\t';
    }
}
