package dev.pgproxy.health.breaker;

import java.util.Locale;

/** The states of a breaker. */
public enum BreakerState {
    /** The host is used. */
    CLOSED,
    /** It is left alone. */
    OPEN,
    /** It is tried, by one login at a time. */
    HALF_OPEN;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
