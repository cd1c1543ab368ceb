package kit;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** What the clocks and counters of this process say at one moment. Java shows neither its CPU time
 * in nanoseconds nor what `getrusage` counts, so the system is asked. */
record Reading(long wall, long cpu, long user, long system, long faults, long voluntary,
        long involuntary) {
    /** CLOCK_PROCESS_CPUTIME_ID. */
    private static final int PROCESS_CPU = 2;
    private static final MethodHandle CLOCK = function("clock_gettime");
    private static final MethodHandle USAGE = function("getrusage");
    /** The bytes of a `struct rusage`, which is larger than a `struct timespec`. */
    private static final int USAGE_BYTES = 144;

    /** Reads as a window opens: what is slow to read first, the clocks last. */
    static Reading opening() {
        MemorySegment usage = ask(USAGE, 0);
        long cpu = used();
        return of(System.nanoTime(), cpu, usage);
    }

    /** Reads as a window closes: the clocks first, what is slow to read last. */
    static Reading closing() {
        long wall = System.nanoTime();
        long cpu = used();
        return of(wall, cpu, ask(USAGE, 0));
    }

    /** Reads the wall clock alone: nothing had been used when the process was started. */
    static Reading startOfProcess() {
        return new Reading(System.nanoTime(), 0, 0, 0, 0, 0, 0);
    }

    private static Reading of(long wall, long cpu, MemorySegment usage) {
        return new Reading(wall, cpu, microseconds(usage, 0), microseconds(usage, 16),
            usage.get(JAVA_LONG, 64), usage.get(JAVA_LONG, 128), usage.get(JAVA_LONG, 136));
    }

    /** Returns the CPU time of all threads of this process. */
    private static long used() {
        MemorySegment time = ask(CLOCK, PROCESS_CPU);
        return time.get(JAVA_LONG, 0) * 1_000_000_000 + time.get(JAVA_LONG, 8);
    }

    /** Returns nanoseconds, of which the kernel says no more than microseconds. */
    private static long microseconds(MemorySegment usage, long place) {
        return usage.get(JAVA_LONG, place) * 1_000_000_000
            + usage.get(JAVA_LONG, place + 8) * 1_000;
    }

    /** Returns by how much a counter grew, as JSON: null where the kernel does not count, as its
     * sign, which every process has that has waited, is 0. */
    static String counted(long sign, long before, long after) {
        return sign > 0 ? Long.toString(after - before) : "null";
    }

    private static MemorySegment ask(MethodHandle function, int of) {
        MemorySegment answer = Arena.ofAuto().allocate(USAGE_BYTES, 8);
        try {
            if ((int) function.invokeExact(of, answer) != 0) {
                throw new IllegalStateException("the system does not say what this process uses");
            }
        } catch (Throwable failed) {
            throw new IllegalStateException(failed);
        }
        return answer;
    }

    /** Returns a function of the system's library that takes a number and a place. */
    @SuppressWarnings("restricted")
    private static MethodHandle function(String name) {
        Linker linker = Linker.nativeLinker();
        FunctionDescriptor takes = FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS);
        return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), takes);
    }

    /** Finds the functions, and asks once: the first time takes the longest. */
    static void prepare() {
        opening();
    }
}
