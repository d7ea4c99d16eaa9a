package dev.pgproxy.query;

import dev.pgproxy.rules.Rule;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One exchange under rules: its places among those that may run at once, from before a server is asked for to the end of its
 * answer, and how long it may run. Confined to the client's loop.
 */
final class RuleWatch {
    private static final Duration CANCEL_TIMEOUT = Duration.ofSeconds(30);

    /** An exchange that is on its way to another server is looked at again after this. */
    private static final long AGAIN_MILLIS = 20;

    private final QueryFlow flow;
    private final Lease lease;
    private final Cancels cancels;
    private final EventLoop loop;
    private final List<Rule> entered = new ArrayList<>(1);
    private boolean on;

    /** Whether a cancel of ours may still strike what the client sends next. */
    private boolean struck;

    private @Nullable Rule expired;
    private @Nullable ScheduledFuture<?> timer;

    RuleWatch(QueryFlow flow, Lease lease, Cancels cancels, EventLoop loop) {
        this.flow = flow;
        this.lease = lease;
        this.cancels = cancels;
        this.loop = loop;
    }

    /** Whether an exchange has been sent and not been answered. */
    boolean isOn() {
        return on;
    }

    /** The rule whose time has passed for what runs; null if it has not. */
    @Nullable
    Rule expired() {
        return expired;
    }

    /** Takes its place under each rule; if one has none left it takes no other, and returns that rule. */
    @Nullable
    Rule enter(List<Rule> rules) {
        int before = entered.size();
        for (Rule rule : rules) {
            if (rule.says().maxConcurrent() == null || entered.contains(rule)) {
                continue;
            }
            if (!rule.enter()) {
                leave(before);
                return rule;
            }
            entered.add(rule);
        }
        return null;
    }

    private void leave(int from) {
        List<Rule> left = entered.subList(from, entered.size());
        left.forEach(Rule::leave);
        left.clear();
    }

    /** It has been sent, or what was sent goes on. */
    void begin(List<Rule> rules) {
        on = true;
        if (timer != null) {
            return;
        }
        Rule shortest = null;
        Duration least = null;
        for (Rule rule : rules) {
            Duration timeout = rule.says().timeout();
            if (timeout != null && (least == null || timeout.compareTo(least) < 0)) {
                shortest = rule;
                least = timeout;
            }
        }
        if (shortest != null && least != null) {
            schedule(shortest, least.toMillis());
        }
    }

    private void schedule(Rule rule, long millis) {
        timer = loop.schedule(() -> expire(rule), millis, TimeUnit.MILLISECONDS);
    }

    private void expire(Rule rule) {
        if (!on) {
            return;
        }
        if (lease.isBusy()) {
            expired = rule;
            rule.countRefused();
            cancel();
        } else {
            schedule(
                    rule,
                    AGAIN_MILLIS); // a replica has failed and the primary is to answer, or it is run again in a moment
        }
    }

    /** What is still to come is for nobody: the server is told to stop, unless it has by itself in a moment. */
    void cut() {
        if (timer != null) {
            timer.cancel(false);
        }
        timer = loop.schedule(this::stop, AGAIN_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void stop() {
        if (on && lease.isBusy()) {
            cancel();
        }
    }

    private void cancel() {
        struck = true;
        flow.cancel(CANCEL_TIMEOUT, flow::goOn);
    }

    /** Nothing of it runs any more. */
    void end() {
        on = false;
        expired = null;
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
        if (!entered.isEmpty()) {
            leave(0);
        }
    }

    /** Whether a cancel of ours may strike what comes next. */
    boolean mayStrike() {
        return struck;
    }

    /** Whether that is still waited for; then the flow goes on when it can no more. */
    boolean settles() {
        if (!struck || lease.isBusy()) {
            return struck && cancels.mayStrike();
        }
        if (lease.server() == null || !cancels.mayStrike()) {
            struck = false;
            return false;
        }
        cancels.settle(lease.leased(), flow::goOn);
        return true;
    }
}
