package dev.pgproxy.warm;

import dev.pgproxy.client.ClientServices;
import dev.pgproxy.config.SlowSettings;
import dev.pgproxy.insight.ExplainedPlan;
import dev.pgproxy.insight.IndexTrial;
import dev.pgproxy.insight.Plans;
import dev.pgproxy.insight.Sample;
import dev.pgproxy.pool.Pools;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks for the plans that {@link Plans} wants, each as a client of its own that is connected within the process, and with the
 * statement's own user and settings. Never two at once in a database, not more than ten in a second, and none while clients wait
 * for servers there. What happens happens on one loop, but for reading what has come.
 */
public final class PlanCapture implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PlanCapture.class);
    private static final long LOOK_MILLIS = 100;

    /** How much longer than the statement all the rest may take, waiting for a server included. */
    private static final long GRACE_MILLIS = 10_000;

    private final ClientServices services;
    private final Pools pools;
    private final EventLoop loop;
    private final Plans plans;
    private final Set<String> busy = new HashSet<>();
    private @Nullable ScheduledFuture<?> task;
    private boolean closed;

    /** Nothing is asked before {@link #reload}. */
    public PlanCapture(ClientServices services, Pools pools, EventLoop loop) {
        this.services = services;
        this.pools = pools;
        this.loop = loop;
        this.plans = services.slow().plans();
    }

    /** The start and RELOAD. */
    public void reload(SlowSettings settings) {
        loop.execute(() -> {
            if (settings.planCapture() && task == null && !closed) {
                task = loop.scheduleWithFixedDelay(this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } else if (!settings.planCapture()) {
                stop();
            }
        });
    }

    private void look() {
        try {
            plans.seek(services.routes().shapes(), System.nanoTime());
            Sample sample = services.isDraining() ? null : plans.next(this::isFree);
            if (sample != null) {
                ask(sample, plans.settings());
            }
        } catch (RuntimeException e) { // the next look would not come
            LOG.error("plans: unexpected failure", e);
        }
    }

    private boolean isFree(Sample sample) {
        return !busy.contains(sample.database())
                && pools.all().stream()
                        .noneMatch(pool -> pool.key().database().equals(sample.database()) && pool.hasWaiting());
    }

    private void ask(Sample sample, SlowSettings settings) {
        busy.add(sample.database());
        new Asked(sample, settings).begin(settings);
    }

    /** One that is asked for. */
    private final class Asked implements InsideSession.Listener {
        private final Sample sample;
        private final PlanSession session;
        private @Nullable ScheduledFuture<?> limit;

        Asked(Sample sample, SlowSettings settings) {
            this.sample = sample;
            this.session = new PlanSession(sample, settings, plans.proposed(sample), loop, this);
        }

        void begin(SlowSettings settings) {
            long most = settings.planTimeout().toMillis() + GRACE_MILLIS;
            limit = loop.schedule(() -> session.end("it took too long"), most, TimeUnit.MILLISECONDS);
            session.begin(services);
        }

        /** Of an error only its SQLSTATE is kept, as its text may have values in it. */
        @Override
        public void ended(String result) {
            busy.remove(sample.database());
            if (limit != null) {
                limit.cancel(false);
            }
            if (result.equals(InsideSession.KEPT)) {
                ForkJoinPool.commonPool().execute(this::read);
            } else {
                plans.failed(sample, result.split(":", 2)[0], session.host());
            }
        }

        private void read() {
            try {
                IndexTrial trial = session.trial();
                if (trial != null) {
                    plans.tried(sample, trial);
                }
                plans.captured(sample, ExplainedPlan.of(session.json()), session.host(), session.how());
            } catch (IllegalArgumentException e) {
                plans.failed(sample, String.valueOf(e.getMessage()), session.host());
            }
        }
    }

    private void stop() {
        if (task != null) {
            task.cancel(false);
            task = null;
        }
    }

    /** Asks nothing any more. */
    @Override
    public void close() {
        loop.execute(() -> {
            closed = true;
            stop();
        });
    }
}
