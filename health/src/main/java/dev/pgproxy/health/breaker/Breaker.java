package dev.pgproxy.health.breaker;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The breaker of one host. It is told what became of each login, and of connections that were lost in the middle of something;
 * it says whether the host is to be used. Thread-safe; never waits, and has no thread: time passes when it is asked.
 *
 * <p>The window, the rate and the states are Resilience4j's. What that lacks is here: so many failures in a row open it; one
 * failure is enough to open it again when it is half open; only one login at a time is let through then; and outcomes count
 * for the time in which their login began, so that what began before it opened says nothing about the time behind.
 */
public final class Breaker {
    private static final Logger LOG = LoggerFactory.getLogger(Breaker.class);

    /** After a try that said nothing about the host. */
    private static final Duration REST = Duration.ofSeconds(1);

    private final String host;
    private final Clock clock;
    private final RandomGenerator random;
    private BreakerRules rules;
    private CircuitBreaker circuit;
    private volatile BreakerState state = BreakerState.CLOSED;

    /** Changes when it opens, and with its rules: outcomes of an earlier one do not count. */
    private int era;

    private boolean probing;
    private int inRow;
    private long calls;
    private long failures;
    private long opened;
    private Instant since;
    private Instant nextTry;
    private Instant restsUntil;
    private @Nullable String lastFailure;
    private Instant lastFailureAt;

    /**
     * A closed one.
     *
     * @param host for people
     * @param random for the time that it is open
     */
    public Breaker(String host, BreakerRules rules, Clock clock, RandomGenerator random) {
        this.host = host;
        this.clock = clock;
        this.random = random;
        this.rules = rules;
        since = clock.instant();
        nextTry = since;
        restsUntil = since;
        lastFailureAt = since;
        circuit = circuit();
    }

    /** Resilience4j wants one; what has failed is told by us. */
    private static final class Failure extends Exception {
        Failure() {
            super(null, null, false, false);
        }
    }

    /** A login that has begun: one of its methods is to be called when it has ended. Thread-safe. */
    public final class Attempt {
        private final int begun = era;
        private final boolean permitted;
        private final boolean test;

        private Attempt(boolean permitted) {
            this.permitted = permitted;
            test = state != BreakerState.CLOSED;
        }

        /** Whether the host is not known to be good, so that a login alone says little. */
        public boolean isTest() {
            return test;
        }

        /** The host can be used. */
        public void succeeded() {
            ended(this, null);
        }

        /** It cannot, for this reason. */
        public void failed(String reason) {
            ended(this, reason);
        }

        /** It says nothing about the host. */
        public void ignored() {
            endedWithout(this);
        }
    }

    private CircuitBreaker circuit() {
        return CircuitBreaker.of(
                host,
                CircuitBreakerConfig.custom()
                        .clock(clock)
                        .slidingWindowType(SlidingWindowType.TIME_BASED)
                        .slidingWindowSize((int) Math.max(1, rules.window().toSeconds()))
                        .minimumNumberOfCalls(BreakerRules.FEWEST)
                        .failureRateThreshold(rules.failureRate())
                        .permittedNumberOfCallsInHalfOpenState(rules.probes())
                        .waitIntervalFunctionInOpenState(times -> openMillis())
                        .writableStackTraceEnabled(false)
                        .build());
    }

    /** Several hosts, or several instances, do not all try again in the same moment. */
    private long openMillis() {
        long millis = Math.max(1, rules.openTime().toMillis());
        millis += random.nextLong(millis / 10 + 1);
        nextTry = clock.instant().plusMillis(millis);
        return millis;
    }

    /** Other rules, by which it begins anew. */
    public synchronized void rules(BreakerRules changed) {
        if (!changed.equals(rules)) {
            rules = changed;
            era++;
            probing = false;
            inRow = 0;
            circuit = circuit();
            settle("its settings have changed");
        }
    }

    /** Whether the host is used as any other. */
    public boolean isClosed() {
        return state == BreakerState.CLOSED;
    }

    /** A login that is made in any case. */
    public synchronized Attempt begin() {
        return new Attempt(false);
    }

    /** A login to find out whether the host is back; null if it is too early, another is under way, or it need not be found out. */
    public synchronized @Nullable Attempt probe() {
        if (isClosed() || probing || clock.instant().isBefore(restsUntil) || !circuit.tryAcquirePermission()) {
            return null;
        }
        settle("it is tried again");
        probing = true;
        return new Attempt(true);
    }

    /** A connection to it was lost in the middle of something, for this reason. */
    public synchronized void lost(String reason) {
        count(reason);
        if (isClosed()) {
            record(reason);
        }
    }

    /** It was down, as anybody could see, and has come back: it need not be left alone any longer. */
    public synchronized void returned() {
        if (state == BreakerState.OPEN) {
            circuit.transitionToHalfOpenState();
            settle("it answers again");
        }
    }

    private synchronized void ended(Attempt attempt, @Nullable String failure) {
        probing &= !attempt.permitted;
        count(failure);
        if (attempt.begun != era) {
            return;
        }
        if (state == BreakerState.OPEN && failure == null) { // somebody could not do without it, and it can be used
            circuit.transitionToHalfOpenState();
            settle("a login has succeeded");
        }
        boolean counts =
                isClosed() || state == BreakerState.HALF_OPEN && (attempt.permitted || circuit.tryAcquirePermission());
        if (counts) {
            record(failure);
        }
    }

    private synchronized void endedWithout(Attempt attempt) {
        probing &= !attempt.permitted;
        if (attempt.permitted) {
            restsUntil = clock.instant().plus(REST);
            if (attempt.begun == era) {
                circuit.releasePermission();
            }
        }
    }

    private void count(@Nullable String failure) {
        calls++;
        if (failure != null) {
            failures++;
            lastFailure = failure;
            lastFailureAt = clock.instant();
        }
    }

    private void record(@Nullable String failure) {
        inRow = failure == null ? 0 : inRow + 1;
        if (rules.openTime().isZero()) {
            return;
        }
        boolean halfOpen = state == BreakerState.HALF_OPEN;
        if (failure == null) {
            circuit.onSuccess(0, TimeUnit.NANOSECONDS);
        } else {
            circuit.onError(0, TimeUnit.NANOSECONDS, new Failure());
        }
        boolean open = circuit.getState() == CircuitBreaker.State.OPEN;
        if (!open && failure != null && (halfOpen || inRow >= rules.failures())) {
            circuit.transitionToOpenState();
        }
        settle(failure == null ? "it can be used" : failure);
    }

    /** Takes note of what has become of Resilience4j's state. */
    private void settle(String reason) {
        BreakerState now = switch (circuit.getState()) {
            case OPEN, FORCED_OPEN -> BreakerState.OPEN;
            case HALF_OPEN -> BreakerState.HALF_OPEN;
            case CLOSED, DISABLED, METRICS_ONLY -> BreakerState.CLOSED;
        };
        if (now == state) {
            return;
        }
        since = clock.instant();
        state = now;
        switch (now) {
            case OPEN -> {
                era++;
                opened++;
                LOG.warn("{}: its breaker is open, as logins to it fail, at last: {}", host, lastFailure);
            }
            case HALF_OPEN -> LOG.info("{}: its breaker is half open: {}", host, reason);
            case CLOSED -> {
                inRow = 0;
                LOG.info("{}: its breaker is closed: {}", host, reason);
            }
        }
    }

    /** How it is. */
    public synchronized BreakerReport report() {
        Instant now = clock.instant();
        Duration left = Duration.between(now, nextTry);
        return new BreakerReport(
                state,
                inRow,
                failures,
                calls,
                opened,
                Duration.between(since, now),
                state == BreakerState.OPEN ? left.isNegative() ? Duration.ZERO : left : null,
                lastFailure,
                lastFailure == null ? Duration.ZERO : Duration.between(lastFailureAt, now));
    }
}
