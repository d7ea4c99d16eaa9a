package dev.pgproxy.query;

import dev.pgproxy.limit.RateLimits;

/**
 * How long an exchange waits to learn what is left of limits that instances share: who has waited longer is admitted or
 * refused by the part of this instance. Confined to the client's loop.
 */
final class Patience {
    private boolean waiting;
    private long since;

    /** It does not wait, or for something else. */
    void renew() {
        waiting = false;
    }

    /** Whether it has waited long enough; it waits from the first time on that it is asked. */
    boolean isOver() {
        long now = System.nanoTime();
        if (!waiting) {
            waiting = true;
            since = now;
        }
        return now - since > RateLimits.PATIENCE;
    }
}
