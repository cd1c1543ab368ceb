package kit;

import java.math.BigInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** When the fetches of a turn arrive that do so at a rate, and what each of them waited for. */
final class Arrivals {
    private final long began;
    private final long firstId;
    private final long warmup;
    private final long[] due;
    /** From arrival to end and to sending, of each fetch of the window; a response of 0 is none. */
    private final AtomicLongArray responses;
    private final AtomicLongArray lags;

    /** Those of a turn that begins now. */
    Arrivals(Plan.Turn turn, long count, Plan plan) {
        firstId = turn.firstId();
        warmup = turn.warmup();
        BigInteger wide = BigInteger.valueOf(count).multiply(BigInteger.valueOf(1_000_000_000));
        long span = Math.max(1, wide.divide(BigInteger.valueOf(plan.ratePerS())).longValue());
        due = LongStream.range(0, count)
            .map(at -> at < plan.burst() ? span / 2
                : Long.remainderUnsigned(Work.splitMix64(turn.arrivalsSeed() ^ at), span))
            .sorted().toArray();
        responses = new AtomicLongArray((int) turn.fetches());
        lags = new AtomicLongArray((int) turn.fetches());
        began = System.nanoTime();
    }

    /** Returns when a fetch arrives. */
    long of(long id) {
        return began + due[(int) (id - firstId)];
    }

    /** Keeps what a fetch waited for that was ok, if it arrived in the window. */
    void keep(long id, long left, long ended) {
        int place = (int) (id - firstId - warmup);
        if (place >= 0) {
            lags.set(place, Math.max(0, left - of(id)));
            responses.set(place, Math.max(1, ended - of(id)));
        }
    }

    /** Returns services, responses and lags as fields of a message. */
    String times() {
        int[] kept = IntStream.range(0, responses.length())
            .filter(at -> responses.get(at) > 0).toArray();
        long[] answered = IntStream.of(kept).mapToLong(responses::get).toArray();
        long[] late = IntStream.of(kept).mapToLong(lags::get).toArray();
        long[] served = IntStream.of(kept)
            .mapToLong(at -> Math.max(0, responses.get(at) - lags.get(at))).toArray();
        return Ledger.times("latencies_ns", served) + Ledger.times("responses_ns", answered)
            + Ledger.times("lags_ns", late);
    }
}
