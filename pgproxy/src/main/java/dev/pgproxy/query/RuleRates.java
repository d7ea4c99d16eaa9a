package dev.pgproxy.query;

import dev.pgproxy.config.RateLimit;
import dev.pgproxy.limit.RateLimits;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.rules.Rule;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an exchange runs that counts under the rates of rules: in its order, so that what stands before the first one that is
 * refused has been counted and runs. One per client, confined to its loop.
 */
final class RuleRates {
    /** Statements of one message that a rule fits. */
    record Run(int message, Rule rule, RateLimit limit, int count) {}

    private final RateLimits limits;
    private final Patience patience = new Patience();
    private final Runnable called;

    /** Those that have not been counted. */
    private List<Run> runs = List.of();

    /** Whether it is to be called when it can go on. */
    private boolean waiting;

    private @Nullable ErrorFields refusal;

    /** @param again goes on with the exchange, on the loop */
    RuleRates(RateLimits limits, EventLoop loop, Runnable again) {
        this.limits = limits;
        this.called = () -> loop.execute(() -> {
            if (waiting) {
                waiting = false;
                again.run();
            }
        });
    }

    /** Another exchange is the one to look at. */
    void next() {
        runs = List.of();
        waiting = false;
        refusal = null;
        patience.renew();
    }

    /** Its next message runs so many statements of a rule that has a rate. */
    void add(int message, Rule rule, RateLimit limit, int count) {
        if (runs.isEmpty()) {
            runs = new ArrayList<>(1);
        }
        runs.add(new Run(message, rule, limit, count));
    }

    /** Counts them until one may not run; true if it is not known yet: then what is to be called is called. */
    boolean waits() {
        while (!waiting && refusal == null && !runs.isEmpty()) {
            Run run = runs.getFirst();
            RateLimits.Start start =
                    limits.run(run.rule().says().name(), run.limit(), run.count(), patience.isOver() ? null : called);
            waiting = start.waits();
            refusal = start.refusal();
            if (!waiting && refusal == null) {
                runs.removeFirst();
            }
        }
        return waiting;
    }

    /** The one that may not run; null if all may. */
    @Nullable
    Run refused() {
        return refusal == null ? null : runs.getFirst();
    }

    /** Why it may not. */
    @Nullable
    ErrorFields refusal() {
        return refusal;
    }
}
