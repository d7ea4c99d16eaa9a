package dev.pgproxy.routing;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Whom a server is given to first when several wait for one. The order is from the first to the last. */
public enum Priority {
    CRITICAL(16),
    NORMAL(4),
    BATCH(1);

    private final int weight;

    Priority(int weight) {
        this.weight = weight;
    }

    /** How many servers its clients are given while those of another class are given as many as its weight says. */
    public int weight() {
        return weight;
    }

    /** The one of this name, in whatever case; null if there is none. */
    public static @Nullable Priority of(String name) {
        for (Priority priority : values()) {
            if (priority.toString().equalsIgnoreCase(name)) {
                return priority;
            }
        }
        return null;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
