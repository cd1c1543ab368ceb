package kit;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** The probe task: it fetches nothing and wakes at moments that are fixed in advance, among the
 * units of its model. How late it is shows how long whatever is due has to wait there. A late
 * wake-up shifts none that follow, and each that was missed counts for itself. */
final class Probe implements Runnable {
    private final Gate gate;
    private final long period;
    private Ledger ledger;
    /** When the next wake-up is due in the turn that runs, or 0; how late those before were. */
    private long due;
    private List<Long> delays = new ArrayList<>();

    Probe(Gate gate, Ledger ledger, long periodUs) {
        this.gate = gate;
        this.ledger = ledger;
        period = periodUs * 1_000;
    }

    @Override
    public void run() {
        while (ledger != null) {
            while (begin()) {
                LockSupport.parkNanos(Math.max(1, due - System.nanoTime()));
                wakeUp();
            }
            ledger = gate == null ? null : gate.rest(ledger);
        }
    }

    /** Makes a wake-up due; returns whether there is one: none once the window has closed. */
    private boolean begin() {
        boolean isOpen = ledger.closed == null;
        if (due == 0 && (isOpen || ledger.opened != null)) {
            due = ledger.began + period;
        }
        if (!isOpen && due != 0) {
            // It takes the wake-ups missed before the window closed, and hands all of them over.
            wakeUp();
            ledger.wakeUpDelays = delays;
            delays = new ArrayList<>();
            due = 0;
        }
        return isOpen;
    }

    /** Takes every wake-up that is due by now. Those that were due in the window count. */
    private void wakeUp() {
        long now = System.nanoTime();
        Reading opened = ledger.opened;
        Reading closed = ledger.closed;
        long last = closed == null ? now : Math.min(now, closed.wall());
        for (; due <= last; due += period) {
            if (opened != null && due >= opened.wall()) {
                delays.add(now - due);
            }
        }
    }
}
