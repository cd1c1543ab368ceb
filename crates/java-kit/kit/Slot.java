package kit;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.LockSupport;

/** One of the places that a fetch can occupy. A model asks for `begin` before each fetch, and
 * leaves when that is false. */
public final class Slot {
    /** Where it fetches. */
    final InetSocketAddress address;
    /** The id of the fetch. */
    long id;

    private final Gate gate;
    private final Work work;
    private final String host;
    private Ledger ledger;
    private long started;
    /** When the last fetch of this turn ended, which is when the next one begins; or 0. */
    private long freed;
    /** When the request left, where that is asked for. */
    private long left;

    Slot(Gate gate, Ledger ledger, Work work, String origin) {
        this.gate = gate;
        this.ledger = ledger;
        this.work = work;
        host = " HTTP/1.1\r\nHost: " + origin + "\r\n\r\n";
        address = Origin.address(origin);
    }

    /** Begins the next fetch, after a rest if no id is left of this turn; returns false if there is
     * no further turn. */
    public boolean begin() {
        while ((id = ledger.deal()) < 0) {
            // What it waits for between two turns belongs to neither.
            freed = 0;
            ledger = gate == null ? null : gate.rest(ledger);
            if (ledger == null) {
                return false;
            }
        }
        if (ledger.arrivals != null) {
            // Its clock starts at its arrival, which may be still to come or long over.
            started = ledger.arrivals.of(id);
            for (long early; (early = started - System.nanoTime()) > 0;) {
                LockSupport.parkNanos(early);
            }
        } else {
            started = freed == 0 ? System.nanoTime() : freed;
        }
        freed = 0;
        return true;
    }

    /** Returns whether the plan sets a limit. */
    boolean isLimited() {
        return work.limit > 0;
    }

    /** Returns the milliseconds left for the fetch, which are none once it is late. */
    int millisecondsLeft() {
        long left = started + work.limit - System.nanoTime();
        return left <= 0 ? 0 : (int) Math.min(Integer.MAX_VALUE, left / 1_000_000 + 1);
    }

    /** Returns a new buffer for its replies. */
    byte[] receiveBuffer() {
        return work.receiveBuffer();
    }

    /** Returns what every bare model sends, as it leaves. */
    byte[] request() {
        left = ledger.arrivals == null ? 0 : System.nanoTime();
        return ("GET /f/" + id + host).getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Ends the fetch with a reply that is whole. */
    void end(Reply reply) {
        if (reply.extra > 0) {
            ledger.follow();
        }
        if (reply.fault != 0) {
            fail(reply.fault);
        } else if (!work.has(id, reply.length, reply.checksum())) {
            fail(Codes.BODY_MISMATCH);
        } else {
            work.compute();
            // One reading of the clock ends this fetch and begins the next.
            freed = System.nanoTime();
            if (ledger.arrivals != null) {
                ledger.arrivals.keep(id, left, freed);
            }
            ledger.end(freed - started);
        }
    }

    /** Ends the fetch as failed. */
    void fail(int code) {
        ledger.fail(code);
    }
}
