package dev.pgproxy.config;

import java.util.Locale;

/** The least important kind of line that is logged. */
public enum LogLevel {
    /** Bugs and failures that need a person. */
    ERROR,
    /** Also what may soon need one. */
    WARN,
    /** Also connections and refusals. */
    INFO,
    /** Also faults of clients and servers. */
    DEBUG,
    /** Everything. */
    TRACE;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
