package dev.pgproxy.config;

import java.util.Locale;

/** What is done when another host becomes the primary. */
public enum Failover {
    /** Writes go to whichever host is the primary, whoever made it so. */
    FOLLOW,
    /** The same, and where there is none for too long the most advanced replica is made the primary. */
    PROMOTE,
    /** Writes go to the host that the configuration names. */
    OFF;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
