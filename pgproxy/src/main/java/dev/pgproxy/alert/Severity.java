package dev.pgproxy.alert;

import java.util.Locale;

/** How bad it is. Immutable; the words are PagerDuty's. */
public enum Severity {
    /** For information. */
    INFO,
    /** Look at it today. */
    WARNING,
    /** Look at it now. */
    CRITICAL;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
