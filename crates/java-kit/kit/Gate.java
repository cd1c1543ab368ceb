package kit;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Where slots rest until the next turn begins. Nothing of it is touched while a turn runs. */
final class Gate {
    private final ReentrantLock lock = new ReentrantLock();
    /** What slots wait for, and what waits until all of them rest. */
    private final Condition called = lock.newCondition();
    private final Condition quiet = lock.newCondition();
    /** The count of the turn that runs or has run last; nothing once there is no further turn. */
    private Ledger ledger = Ledger.none();
    private int units;
    private int resting;

    Gate(int units) {
        this.units = units;
    }

    Ledger first() {
        return ledger;
    }

    /** Begins a turn and wakes every slot. Without a turn they wake and leave. */
    void begin(Ledger next) {
        lock.lock();
        try {
            ledger = next;
            resting = 0;
            called.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Counts one unit more, which fetches nothing. */
    void join() {
        lock.lock();
        try {
            units++;
        } finally {
            lock.unlock();
        }
    }

    /** Blocks until every unit rests. */
    void waitUntilQuiet() {
        lock.lock();
        try {
            while (resting < units) {
                quiet.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Blocks until there is another turn than the one that was taken, and returns its count, or
     * nothing if there is no further turn. */
    Ledger rest(Ledger taken) {
        lock.lock();
        try {
            if (ledger == taken && ++resting == units) {
                quiet.signal();
            }
            while (ledger == taken) {
                called.awaitUninterruptibly();
            }
            return ledger;
        } finally {
            lock.unlock();
        }
    }

    /** Returns whether there is no further turn. */
    boolean isOver() {
        lock.lock();
        try {
            return ledger == null;
        } finally {
            lock.unlock();
        }
    }
}
