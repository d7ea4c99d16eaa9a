package dev.pgproxy.cache.redis;

import java.time.Duration;

/**
 * How instances keep their caches coherent. All instances must have the same. Immutable.
 *
 * @param coherence whether writers wait
 * @param lease for how long a sign of life allows hits, 200 ms to 10 s; 1 s unless there is a reason. A sign is given five
 *     times per lease; a writer that somebody does not answer waits a little longer than one lease
 * @param answer for how long Redis may take to answer before this instance counts as out of contact, 50 ms to 10 s
 * @param forgetAfter after an instance has vanished without a goodbye, nobody serves hits for so long, unless it comes back
 *     or somebody tells that it has ended. Zero: hits go on at once, and what an instance writes that can reach PostgreSQL
 *     but not Redis is seen as late as what a stranger writes
 */
public record LinkSettings(Coherence coherence, Duration lease, Duration answer, Duration forgetAfter) {
    /** Strict, with a lease of a second, answers within 400 ms, and forgetting after 30 seconds. */
    public static final LinkSettings STRICT =
            new LinkSettings(Coherence.STRICT, Duration.ofSeconds(1), Duration.ofMillis(400), Duration.ofSeconds(30));

    /** Checks the ranges. */
    public LinkSettings {
        check("lease", lease, Duration.ofMillis(200), Duration.ofSeconds(10));
        check("answer", answer, Duration.ofMillis(50), Duration.ofSeconds(10));
        check("forgetAfter", forgetAfter, Duration.ZERO, Duration.ofDays(365));
    }

    private static void check(String name, Duration value, Duration least, Duration most) {
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException(name + " is " + value + ", not between " + least + " and " + most);
        }
    }

    /** Nanoseconds between two signs of life. */
    long beat() {
        return lease.toNanos() / 5;
    }

    /** Nanoseconds after which a lease of another has surely ended, though his clock may run slower by an eighth. */
    long surely() {
        return lease.toNanos() + lease.toNanos() / 8;
    }
}
