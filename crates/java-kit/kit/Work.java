package kit;

import java.util.zip.CRC32;

/** What a plan asks of every fetch. */
public final class Work {
    /** How many different bodies there are. */
    private static final int BODIES = 64;
    private static final long GAMMA = 0x9e3779b97f4a7c15L;
    /** The room for what comes with a body: a head, and what may follow. */
    private static final int HEAD_ROOM_BYTES = 1024;
    /** The most room for one read. */
    private static final int RECEIVE_BYTES_MAX = 16 * 1024;
    /** What is computed on, in pieces. */
    private static final byte[] ZEROS = new byte[64 * 1024];

    /** The longest that a fetch may take in nanoseconds; 0 for no limit. */
    final long limit;

    private final long bodyBytes;
    private final long[] checksums = new long[BODIES];
    private final int kib;

    /** Computes the checksums that every reply is held against. */
    Work(Plan plan) {
        bodyBytes = plan.bodyBytes();
        kib = plan.workKib();
        limit = plan.deadlineMs() < 0 ? 0 : Math.max(1, plan.deadlineMs() * 1_000_000);
        for (int id = 0; id < BODIES; id++) {
            checksums[id] = crc(body(plan.seed(), id, (int) bodyBytes));
        }
    }

    /** Returns whether a body is the one for an id. */
    boolean has(long id, long length, long checksum) {
        return length == bodyBytes && checksum == checksums[(int) (id % BODIES)];
    }

    /** Returns a new buffer to read into, no larger than the replies need: what a slot takes is
     * counted as memory of its model. */
    byte[] receiveBuffer() {
        return new byte[(int) Math.min(bodyBytes + HEAD_ROOM_BYTES, RECEIVE_BYTES_MAX)];
    }

    /** Computes what the plan asks for each reply: the CRC-32 of so many KiB. */
    void compute() {
        CRC32 crc = new CRC32();
        for (int begin = 0; begin < kib; begin += 64) {
            crc.update(ZEROS, 0, Math.min(64, kib - begin) * 1024);
        }
    }

    /** Returns the body for an id. */
    public static byte[] body(long seed, long id, int length) {
        byte[] body = new byte[length];
        long state = splitMix64(seed ^ id % BODIES);
        for (int at = 0; at < length; state += GAMMA) {
            long word = splitMix64(state);
            for (int end = Math.min(length, at + 8); at < end; at++) {
                body[at] = (byte) word;
                word >>>= 8;
            }
        }
        return body;
    }

    /** Returns the CRC-32 of some bytes. */
    public static long crc(byte[] bytes) {
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return crc.getValue();
    }

    /** Returns the first output of SplitMix64 started at a state. */
    static long splitMix64(long state) {
        long z = state + GAMMA;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }
}
