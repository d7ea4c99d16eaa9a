package dev.pgproxy.config;

import java.util.Locale;

/** How a log line is written. */
public enum LogFormat {
    /** For people. */
    TEXT,
    /** One JSON object per line. */
    JSON;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
