package kit;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** The count of a turn: ids dealt, fetches ended, and the clocks as the window opens and closes.
 * Slots share it without a lock. */
final class Ledger {
    /** When fetches arrive; nothing where they do not so at a rate. */
    final Arrivals arrivals;
    final long began;
    volatile Reading opened;
    volatile Reading closed;
    /** How late each wake-up of the probe task was. */
    volatile List<Long> wakeUpDelays = new ArrayList<>();

    private final Plan.Turn turn;
    private final long count;
    private final AtomicLong issued = new AtomicLong();
    private final AtomicLong ended = new AtomicLong();
    private final AtomicLong peak = new AtomicLong();
    private final AtomicLong followed = new AtomicLong();
    /** The latency of each fetch of the window by its end; 0 if it failed. */
    private final long[] latencies;
    private final Map<Integer, Long> errors = new TreeMap<>();

    /** What grows with the window is allocated here. */
    Ledger(Plan plan, Plan.Turn turn) {
        this.turn = turn;
        long surplus = plan.kind().hasSurplus() ? plan.inFlight() : 0;
        count = turn.warmup() + turn.fetches() + surplus;
        latencies = new long[(int) turn.fetches()];
        arrivals = plan.ratePerS() > 0 ? new Arrivals(turn, count, plan) : null;
        began = System.nanoTime();
    }

    /** A turn that is over before it begins: that of whoever has taken none yet. */
    private Ledger() {
        turn = new Plan.Turn(0, 0, 0, 0, 0);
        arrivals = null;
        began = System.nanoTime();
        count = 0;
        latencies = new long[0];
        closed = Reading.startOfProcess();
    }

    static Ledger none() {
        return new Ledger();
    }

    /** Opens the window of a batch, as its slots are handed out: what the process has used counts
     * from its start. */
    void handOut() {
        opened = Reading.startOfProcess();
    }

    /** Deals the next id; returns -1 when all have been dealt. */
    long deal() {
        long place = issued.getAndIncrement();
        if (place >= count) {
            issued.decrementAndGet();
            return -1;
        }
        long inFlight = Math.max(0, place + 1 - ended.get());
        for (long most = peak.get(); inFlight > most; most = peak.get()) {
            peak.compareAndSet(most, inFlight);
        }
        return turn.firstId() + place;
    }

    /** Counts a fetch that has ended, with its latency, which is 0 if it failed. */
    void end(long latency) {
        long number = countEnd();
        long place = number - 1 - turn.warmup();
        if (place >= 0 && place < turn.fetches()) {
            latencies[(int) place] = latency;
        }
    }

    /** Counts an end and returns which it is. Whoever opens or closes the window reads the clocks
     * before its end counts, and again if another came in between. */
    private long countEnd() {
        while (true) {
            long before = ended.get();
            boolean opens = before + 1 == turn.warmup();
            boolean closes = before + 1 == turn.warmup() + turn.fetches();
            Reading reading = opens ? Reading.opening() : closes ? Reading.closing() : null;
            if (!ended.compareAndSet(before, before + 1)) {
                continue;
            }
            // Each count of ended fetches is reached once.
            if (opens) {
                opened = reading;
            } else if (closes) {
                closed = reading;
            }
            return before + 1;
        }
    }

    /** Counts a fetch that failed. */
    void fail(int code) {
        synchronized (errors) {
            errors.merge(code, 1L, Long::sum);
        }
        end(0);
    }

    /** Counts a reply that bytes followed which belong to none. */
    void follow() {
        followed.incrementAndGet();
    }

    /** Returns the turn as it is reported, once every slot rests or has left. */
    String turned(Threads before) throws IOException {
        if (opened == null || closed == null) {
            throw new IllegalStateException(
                "the window did not close: " + ended + " of " + count + " fetches ended");
        }
        long[] ok = LongStream.of(latencies).filter(latency -> latency > 0).toArray();
        long failed = errors.values().stream().mapToLong(Long::longValue).sum();
        String codes = errors.entrySet().stream()
            .map(error -> "\"" + error.getKey() + "\":" + error.getValue())
            .collect(Collectors.joining(",", "{", "}"));
        long[] late = wakeUpDelays.stream().mapToLong(Long::longValue).toArray();
        String times = arrivals == null ? times("latencies_ns", ok) : arrivals.times();
        return "{\"turned\":{\"turn\":" + turn.number() + ",\"window\":" + window(ok.length)
            + ",\"total\":{\"issued\":" + issued + ",\"ok\":" + (ended.get() - failed)
            + ",\"errors\":" + codes + ",\"extra_bytes\":" + followed + "},\"threads\":"
            + Threads.count() + ",\"in_flight_peak\":" + peak + ",\"scheduled\":"
            + Threads.since(before) + times
            + ",\"wake_up_delays_ns\":" + histogram(late) + "}}";
    }

    /** Returns what the window cost. */
    private String window(long ok) {
        long waits = closed.voluntary();
        return "{\"ended\":" + turn.fetches() + ",\"ok\":" + ok
            + ",\"wall_ns\":" + (closed.wall() - opened.wall())
            + ",\"cpu_ns\":" + (closed.cpu() - opened.cpu())
            + ",\"user_ns\":" + (closed.user() - opened.user())
            + ",\"system_ns\":" + (closed.system() - opened.system())
            + ",\"switches_voluntary\":" + Reading.counted(waits, opened.voluntary(), waits)
            + ",\"switches_involuntary\":"
            + Reading.counted(waits, opened.involuntary(), closed.involuntary())
            + ",\"faults_minor\":"
            + Reading.counted(closed.faults(), opened.faults(), closed.faults()) + "}";
    }

    /** Returns times as a field of a message. */
    static String times(String name, long[] times) {
        return ",\"" + name + "\":" + histogram(times);
    }

    /** Returns times, rounded to three digits, with their counts. */
    private static String histogram(long[] times) {
        TreeMap<Long, Long> counts = new TreeMap<>();
        Arrays.stream(times).forEach(time -> counts.merge(threeDigits(time), 1L, Long::sum));
        return counts.entrySet().stream()
            .map(time -> "[" + time.getKey() + "," + time.getValue() + "]")
            .collect(Collectors.joining(",", "[", "]"));
    }

    /** Rounds to three significant decimal digits, half upwards. */
    static long threeDigits(long value) {
        long unit = 1;
        while (value / unit >= 1000) {
            unit *= 10;
        }
        return (value + unit / 2) / unit * unit;
    }
}
