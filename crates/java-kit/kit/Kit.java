package kit;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** What a model in Java is built with: the pipe, the plan, the slots, one turn after the other.
 * It is written from the page `crates/README.md` and nothing else; the words are those of that
 * page. */
public final class Kit {
    private static final int PROTOCOL = 2;
    /** The longest line of the pipe, in bytes. */
    private static final int LINE_BYTES_MAX = 1024 * 1024;

    private final Plan plan;
    private final Gate gate;
    private final Ledger ledger;
    private final List<Slot> slots = new ArrayList<>();
    private Thread probe;

    private Kit(Plan plan, Gate gate, Ledger ledger, long count) {
        this.plan = plan;
        this.gate = gate;
        this.ledger = ledger;
        Work work = new Work(plan);
        List<String> origins = plan.origins();
        for (int at = 0; at < count; at++) {
            slots.add(new Slot(gate, ledger, work, origins.get(at % origins.size())));
        }
    }

    /** Hands the slots out one by one, which opens the window of a batch: make what they share
     * before, start their units here. */
    public void each(Consumer<Slot> start) {
        if (gate == null) {
            ledger.handOut();
        }
        slots.forEach(start);
        // It comes last: it is to wait for whatever the others do.
        if (plan.probePeriodUs() > 0) {
            if (gate != null) {
                gate.join();
            }
            probe = Thread.startVirtualThread(new Probe(gate, ledger, plan.probePeriodUs()));
        }
    }

    /** Runs a model: how it carries the fetches of its slots, until all are done. What goes wrong
     * is one sentence on stderr and exit code 1. */
    public static void serve(Consumer<Kit> run) {
        Thread.setDefaultUncaughtExceptionHandler((thread, failed) -> giveUp(failed));
        try {
            report("{\"hello\":{\"protocol\":" + PROTOCOL + ",\"model\":\""
                + System.getProperty("inflight.model") + "\",\"versions\":{\"java\":\""
                + version() + "\"}}}");
            Map<String, Object> said = receive("plan");
            if (said != null) {
                Plan plan = Plan.read(said);
                // Read when the first virtual thread starts.
                String workers = Integer.toString(plan.workers());
                System.setProperty("jdk.virtualThreadScheduler.parallelism", workers);
                if (plan.kind().isResident()) {
                    stay(plan, run);
                } else {
                    takeOne(plan, run);
                }
            }
        } catch (Exception failed) {
            giveUp(failed);
        }
        // What is taken down when a virtual machine leaves is nobody's measurement.
        Runtime.getRuntime().halt(0);
    }

    /** Takes the one turn of a batch. */
    private static void takeOne(Plan plan, Consumer<Kit> run) throws Exception {
        Reading.prepare();
        report("\"ready\"");
        Map<String, Object> said = receive("turn");
        if (said == null) {
            return;
        }
        Plan.Turn turn = new Plan.Turn(said);
        Ledger ledger = new Ledger(plan, turn);
        Kit kit = new Kit(plan, null, ledger, Math.min(plan.inFlight(), turn.fetches()));
        run.accept(kit);
        if (kit.probe != null) {
            kit.probe.join();
        }
        report(ledger.turned(new Threads(0, 0)));
        // The harness may look at the living process until it closes the pipe.
        if (receive("turn") != null) {
            throw new IllegalStateException("expected the end of the pipe after a batch");
        }
    }

    /** Takes one turn after the other until the pipe is closed. */
    private static void stay(Plan plan, Consumer<Kit> run) {
        Reading.prepare();
        Gate gate = new Gate(plan.inFlight());
        Thread.ofPlatform().name("kit").daemon().start(() -> {
            try {
                takeTurns(plan, gate);
            } catch (Exception failed) {
                giveUp(failed);
            }
        });
        run.accept(new Kit(plan, gate, gate.first(), plan.inFlight()));
        if (!gate.isOver()) {
            throw new IllegalStateException("its units left before the pipe was closed");
        }
    }

    /** Begins turns and reports what came of each: the work of the kit's own thread. */
    private static void takeTurns(Plan plan, Gate gate) throws Exception {
        gate.waitUntilQuiet();
        report("\"ready\"");
        Map<String, Object> said;
        while ((said = receive("turn")) != null) {
            Threads before = Threads.scheduled();
            Ledger ledger = new Ledger(plan, new Plan.Turn(said));
            gate.begin(ledger);
            gate.waitUntilQuiet();
            report(ledger.turned(before));
        }
        gate.begin(null);
    }

    /** Returns the version of Java, such as 25.0.3. */
    private static String version() {
        return Runtime.version().version().stream().map(String::valueOf)
            .collect(Collectors.joining("."));
    }

    /** Leaves at once, whatever the units wait for. */
    private static void giveUp(Throwable failed) {
        String says = failed.getMessage() == null ? failed.toString() : failed.getMessage();
        System.err.println("the model: " + says);
        Runtime.getRuntime().halt(1);
    }

    /** Returns what stands in the next message, which is to have this name, or nothing once the
     * pipe is closed. */
    @SuppressWarnings("unchecked")
    private static Map<String, Object> receive(String name) throws IOException {
        String line = line(System.in);
        if (line == null) {
            return null;
        }
        if (Json.read(line) instanceof Map<?, ?> said && said.get(name) instanceof Map<?, ?> own) {
            return (Map<String, Object>) own;
        }
        String shown = line.substring(0, Math.min(120, line.length()));
        throw new IllegalArgumentException("expected a " + name + ", found " + shown);
    }

    /** Returns the next line, or nothing at the end. */
    private static String line(InputStream pipe) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b; (b = pipe.read()) != '\n';) {
            if (b < 0 && line.size() == 0) {
                return null;
            }
            if (b < 0) {
                throw new EOFException("a line of the pipe is not whole");
            }
            line.write(b);
            if (line.size() >= LINE_BYTES_MAX) {
                throw new IOException("a line of the pipe has more than 1 MiB");
            }
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    private static void report(String message) throws IOException {
        System.out.write((message + "\n").getBytes(StandardCharsets.UTF_8));
        System.out.flush();
    }
}
