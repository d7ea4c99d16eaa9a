package dev.pgproxy.route;

import java.util.Locale;

/** How writes that do not pass through here become known, the best way first. Immutable. */
public enum Coverage {
    /** The logical change feed tells all of them. */
    LOGICAL,
    /** Triggers tell all of those that the logical change feed does not. */
    NOTIFY,
    /** Nobody need tell them: results are kept for a short time. */
    TTL;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
