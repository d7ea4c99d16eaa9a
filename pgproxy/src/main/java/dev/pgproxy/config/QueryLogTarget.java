package dev.pgproxy.config;

import java.util.Locale;

/** Where answered statements are logged. Immutable. */
public enum QueryLogTarget {
    OFF,
    /** Lines of JSON. */
    FILE,
    /** {@code pgproxy.query_log} in the database of each. */
    TABLE;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
