package dev.pgproxy.health.breaker;

import static dev.pgproxy.health.breaker.BreakerState.CLOSED;
import static dev.pgproxy.health.breaker.BreakerState.HALF_OPEN;
import static dev.pgproxy.health.breaker.BreakerState.OPEN;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** What a breaker does, as a list of outcomes that is counted anew each time, and some numbers. Moments are milliseconds. */
final class BreakerModel {
    private final SplittableRandom random;
    private final BreakerRules rules;
    private final List<Outcome> outcomes = new ArrayList<>();
    private BreakerState state = CLOSED;
    private @Nullable Login probing;
    private int era;
    private int inRow;
    private int tried;
    private long opened;
    private long openUntil;
    private long restsUntil;

    /** A login that has begun; each is another. */
    static final class Login {
        private final int era;
        private final boolean probe;

        private Login(int era, boolean probe) {
            this.era = era;
            this.probe = probe;
        }
    }

    /** One that counts: at which second, and whether it was a failure. */
    private record Outcome(long second, boolean failed) {}

    /** @param random the same as the breaker's */
    BreakerModel(BreakerRules rules, SplittableRandom random) {
        this.rules = rules;
        this.random = random;
    }

    BreakerState state() {
        return state;
    }

    int inRow() {
        return inRow;
    }

    long opened() {
        return opened;
    }

    @Nullable
    Duration nextTry(long now) {
        return state == OPEN ? Duration.ofMillis(Math.max(0, openUntil - now)) : null;
    }

    Login begin(boolean probe) {
        Login login = new Login(era, probe);
        probing = probe ? login : probing;
        return login;
    }

    /** Whether it may be tried; if so, {@link #begin} follows. */
    boolean probe(long now) {
        boolean late = state == OPEN && now > openUntil || state == HALF_OPEN && tried < rules.probes();
        if (probing != null || now < restsUntil || !late) {
            return false;
        }
        returned();
        return true;
    }

    void returned() {
        if (state == OPEN) {
            state = HALF_OPEN;
            tried = 0;
        }
    }

    void ended(Login login, boolean failed, long now) {
        end(login);
        if (login.era != era || state == OPEN && failed) {
            return;
        }
        returned();
        // one that was not asked for does not take the place of the one that was
        int expected = probing != null && probing.era == era ? 1 : 0;
        if (state == CLOSED || login.probe || tried + expected < rules.probes()) {
            count(failed, now);
        }
    }

    void ignored(Login login, long now) {
        end(login);
        restsUntil = login.probe ? now + 1000 : restsUntil;
    }

    private void end(Login login) {
        probing = login == probing ? null : probing;
    }

    void lost(long now) {
        if (state == CLOSED) {
            count(true, now);
        }
    }

    private void count(boolean failed, long now) {
        inRow = failed ? inRow + 1 : 0;
        if (rules.openTime().isZero()) {
            return;
        }
        if (state == HALF_OPEN) {
            tried++;
            if (failed) {
                open(now);
            } else if (tried == rules.probes()) {
                state = CLOSED;
                outcomes.clear();
            }
            return;
        }
        outcomes.add(new Outcome(now / 1000, failed));
        outcomes.removeIf(
                outcome -> outcome.second() <= now / 1000 - rules.window().toSeconds());
        long failures = outcomes.stream().filter(Outcome::failed).count();
        boolean rate = outcomes.size() >= BreakerRules.FEWEST
                && failures * 100 >= (long) rules.failureRate() * outcomes.size();
        if (rate || inRow >= rules.failures()) {
            open(now);
        }
    }

    private void open(long now) {
        state = OPEN;
        era++;
        opened++;
        outcomes.clear();
        long millis = rules.openTime().toMillis();
        openUntil = now + millis + random.nextLong(millis / 10 + 1);
    }
}
