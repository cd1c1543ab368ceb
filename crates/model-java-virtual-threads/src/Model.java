import java.util.ArrayList;
import java.util.List;

import kit.Connection;
import kit.Kit;
import kit.Slot;

/** One virtual thread a slot, on blocking sockets of Java's standard library. */
final class Model {
    public static void main(String[] arguments) {
        Kit.serve(Model::run);
    }

    private static void run(Kit slots) {
        List<Thread> units = new ArrayList<>();
        slots.each(slot -> units.add(Thread.startVirtualThread(() -> drive(slot))));
        for (Thread unit : units) {
            try {
                unit.join();
            } catch (InterruptedException left) {
                return;
            }
        }
    }

    /** Carries the fetches of one slot, over a connection that is kept. */
    private static void drive(Slot slot) {
        try (Connection connection = new Connection()) {
            while (slot.begin()) {
                connection.fetch(slot);
            }
        }
    }
}
