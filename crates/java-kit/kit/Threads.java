package kit;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the kernel says of the threads of this process. */
record Threads(long cpu, long runDelay) {
    /** Returns what the threads got that are alive now, or nothing where the kernel shows none. */
    static Threads scheduled() {
        long cpu = 0;
        long delay = 0;
        String[] tasks = new File("/proc/self/task").list();
        for (String task : tasks == null ? new String[0] : tasks) {
            try {
                Path figures = Path.of("/proc/self/task", task, "schedstat");
                String[] said = Files.readString(figures).trim().split(" ");
                cpu += Long.parseLong(said[0]);
                delay += Long.parseLong(said[1]);
            } catch (IOException | RuntimeException ended) {
                // A thread that has ended meanwhile has no figures.
            }
        }
        return cpu == 0 ? null : new Threads(cpu, delay);
    }

    /** Returns what they got since an earlier reading, as JSON. */
    static String since(Threads before) {
        Threads now = scheduled();
        if (before == null || now == null) {
            return "null";
        }
        return "{\"cpu_ns\":" + Math.max(0, now.cpu - before.cpu) + ",\"run_delay_ns\":"
            + Math.max(0, now.runDelay - before.runDelay) + "}";
    }

    /** Returns how many there are now. */
    static long count() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("Threads:")) {
                return Long.parseLong(line.substring(8).trim());
            }
        }
        throw new IOException("/proc/self/status does not say how many threads there are");
    }
}
