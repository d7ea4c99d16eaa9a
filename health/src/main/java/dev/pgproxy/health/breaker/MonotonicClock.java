package dev.pgproxy.health.breaker;

import dev.pgproxy.routing.freshness.Monotonic;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** Time that nobody sets: since the process began. Immutable. */
public final class MonotonicClock extends Clock {
    @Override
    public Instant instant() {
        return Instant.EPOCH.plusNanos(Monotonic.now());
    }

    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        return this;
    }
}
