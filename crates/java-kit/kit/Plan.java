package kit;

import java.util.List;
import java.util.Map;

/** What a model is asked for once. */
record Plan(String workload, int inFlight, long fetches, long bodyBytes, long ratePerS,
        long burst, long probePeriodUs, int workKib, List<String> origins, int workers, long seed,
        long deadlineMs) {
    /** A workload: whether a process takes turn after turn, and whether a fetch a slot follows the
     * window. */
    record Workload(boolean isResident, boolean hasSurplus) {}

    /** The workloads, as the crate `workload` has them. */
    private static final Map<String, Workload> WORKLOADS = Map.of(
        // So many fetches, at most `in_flight` at once, in a process of their own.
        "batch", new Workload(false, false),
        // Always `in_flight` at once, turn after turn: a fetch a slot follows the window.
        "steady", new Workload(true, true),
        // Fetches that arrive at a rate, turn after turn.
        "paced", new Workload(true, false),
        // Always `in_flight` at once, each on a connection of its own, which the origin ends.
        "churn", new Workload(true, true),
        // All at once, held by the origin until what they take was read.
        "hold", new Workload(false, false));

    /** What it is asked for again and again. */
    record Turn(long number, long firstId, long warmup, long fetches, long arrivalsSeed) {
        Turn(Map<String, Object> said) {
            this(Plan.number(said, "number", null), Plan.number(said, "first_id", null),
                Plan.number(said, "warmup", null), Plan.number(said, "fetches", null),
                Plan.number(said, "arrivals_seed", 0L));
        }
    }

    /** Reads it, and refuses one that cannot be carried out or leads out of the machine. */
    static Plan read(Map<String, Object> said) {
        if (!(said.get("cell") instanceof Map<?, ?> named)) {
            throw new IllegalArgumentException("the plan has no cell");
        }
        @SuppressWarnings("unchecked")
        Map<String, Object> cell = (Map<String, Object>) named;
        List<?> origins = said.get("origins") instanceof List<?> list ? list : List.of();
        Plan plan = new Plan(String.valueOf(cell.get("workload")),
            (int) number(cell, "in_flight", null), number(cell, "fetches", null),
            number(cell, "body_bytes", null), number(cell, "rate_per_s", 0L),
            number(cell, "burst", 0L),
            number(cell, "probe_period_us", 0L), (int) number(cell, "work_kib", 0L),
            origins.stream().map(String::valueOf).toList(),
            (int) number(said, "workers", null), number(said, "seed", null),
            said.get("deadline_ms") == null ? -1 : number(said, "deadline_ms", null));
        plan.check();
        return plan;
    }

    /** Returns what differs between workloads. */
    Workload kind() {
        return WORKLOADS.get(workload);
    }

    private void check() {
        if (!WORKLOADS.containsKey(workload)) {
            throw new IllegalArgumentException(
                "the workload is \"" + workload + "\", expected one of " + WORKLOADS.keySet());
        }
        if (workload.equals("paced") != ratePerS > 0) {
            throw new IllegalArgumentException("rate_per_s is for paced, and paced needs one");
        }
        if (inFlight < 1 || fetches < 1 || origins.isEmpty()) {
            throw new IllegalArgumentException(
                "in_flight, fetches or origins is none, expected at least one");
        }
        if (!origins.stream().allMatch(Origin::isLoopback)) {
            throw new IllegalArgumentException(
                "origins has an address beyond loopback, and fetches never leave the machine");
        }
    }

    /** Returns a number that a message has, or else another; fails if there is neither. */
    private static long number(Map<String, Object> said, String name, Long otherwise) {
        Object found = said.getOrDefault(name, otherwise);
        if (found instanceof Long number) {
            return number;
        }
        throw new IllegalArgumentException("expected a number as " + name + ", found " + found);
    }
}
