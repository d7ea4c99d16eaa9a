package dev.pgproxy.alert;

import dev.pgproxy.config.AlertSettings;
import java.util.List;

/**
 * Something that is looked at once a second, on the thread of {@link Alerts}. Reads what others publish, and waits for nothing
 * but short locks.
 */
interface Condition {
    /** What it is an alert of. */
    AlertKind kind();

    /**
     * How everything of the kind is. What is left out is well.
     *
     * @param now by System.nanoTime
     */
    List<Reading> look(AlertSettings settings, long now);

    /** Whether it is raised without waiting, because it has happened and does not last. */
    default boolean isEvent() {
        return false;
    }
}
