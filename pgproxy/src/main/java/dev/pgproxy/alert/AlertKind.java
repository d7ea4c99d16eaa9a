package dev.pgproxy.alert;

import java.util.Locale;

/**
 * What alerts there are. Immutable. A new one is a constant here and a {@link Condition} in {@link Conditions}.
 */
public enum AlertKind {
    HOST_DOWN(
            Severity.CRITICAL,
            "Look whether PostgreSQL runs there, whether it can be reached, and whether control_user may log in."),
    BREAKER_OPEN(
            Severity.WARNING,
            "See SHOW BREAKERS for what fails there: a replica gets no reads until it answers again."),
    NO_PRIMARY(Severity.CRITICAL, "See SHOW FAILOVER and SHOW HOSTS: writes wait for failover_wait, then they fail."),
    FAILOVER(Severity.WARNING, "Look after the last primary before it is used again: see SHOW FAILOVER."),
    REPLICATION_LAG(
            Severity.WARNING,
            "Look for long queries and locks on the replica, and for what is written on the primary: see SHOW HOSTS."),
    DISK_FULL(
            Severity.CRITICAL,
            "Make room: look for WAL that a replication slot keeps, for logs and for temporary files."),
    POOL_SATURATED(
            Severity.WARNING,
            "See SHOW SERVERS and SHOW PINS for who keeps servers; then raise pool_size, or shorten transactions."),
    CACHE_HIT_RATE(
            Severity.WARNING, "See SHOW CACHE MISSES and SHOW CACHE FINGERPRINTS, and whether cache_size suffices."),
    REDIS_LOST(
            Severity.CRITICAL,
            "Look whether Redis runs and can be reached: until then nothing is served from the cache. See SHOW INSTANCES."),
    CHANGE_FEED_LOST(
            Severity.WARNING,
            "See SHOW CACHE FEED: until then writes that do not pass through here become known later, or not at all."
                    + " Where no slot can be had, set change_feed = notify or off."),
    ERROR_RATE(Severity.WARNING, "Look into the logs of the application, of PostgreSQL and of pgproxy for what fails."),
    PLAN_CHANGED(
            Severity.WARNING,
            "See SHOW PLANS for both plans: an index was made or dropped, or figures of ANALYZE are others."),

    /** Not of a condition: a sink was not told of some. */
    HELD_BACK(Severity.WARNING, "See SHOW ALERTS for all of them."),

    /** Not of a condition: somebody tries. */
    TEST(Severity.INFO, "Nothing is the matter.");

    private final Severity severity;
    private final String advice;

    AlertKind(Severity severity, String advice) {
        this.severity = severity;
        this.advice = advice;
    }

    /** How bad it is. */
    public Severity severity() {
        return severity;
    }

    /** What to do next. */
    public String advice() {
        return advice;
    }

    /** As it is told, such as {@code host_down}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
