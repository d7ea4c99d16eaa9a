package dev.pgproxy.warm;

import dev.pgproxy.client.ClientServices;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.WarmQuery;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.route.DatabaseState;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the queries of {@code cache_warm}, each as a client of its own that is connected within the process: its result is
 * kept as that of any other client. Never two at once in a database, and none while clients wait for servers there. What
 * happens happens on one loop; {@link #turns} may be called by anybody.
 */
public final class Warming implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Warming.class);
    private static final long LOOK_MILLIS = 100;

    /** After how long a query is tried again that had to give way. */
    private static final long AGAIN_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final ClientServices services;
    private final Pools pools;
    private final EventLoop loop;
    private final Set<String> busy = new HashSet<>();
    private volatile List<WarmTurn> turns = List.of();
    private @Nullable ScheduledFuture<?> looking;
    private boolean closed;

    /** Nothing is asked before {@link #reload}. */
    public Warming(ClientServices services, Pools pools, EventLoop loop) {
        this.services = services;
        this.pools = pools;
        this.loop = loop;
    }

    /** What is asked, in the order of names. */
    public List<WarmTurn> turns() {
        return turns;
    }

    /** The start, and RELOAD: all of these are asked now, if their results are not kept. */
    public void reload(List<WarmQuery> queries) {
        loop.execute(() -> ask(queries));
    }

    private void ask(List<WarmQuery> queries) {
        if (closed) {
            return;
        }
        List<WarmTurn> next = new ArrayList<>();
        for (WarmQuery query : queries) {
            next.add(turns.stream()
                    .filter(turn -> turn.query().equals(query))
                    .findFirst()
                    .orElseGet(() -> new WarmTurn(query)));
        }
        long now = System.nanoTime();
        next.forEach(turn -> turn.due(now));
        turns = List.copyOf(next);
        if (next.isEmpty()) {
            stop();
        } else if (looking == null) {
            looking = loop.scheduleWithFixedDelay(this::look, 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void look() {
        try {
            lookAtAll();
        } catch (RuntimeException e) { // the next look would not come
            LOG.error("cache_warm: unexpected failure", e);
        }
    }

    private void lookAtAll() {
        ProxyConfig config = services.config();
        if (!config.cache().isOn() || services.isDraining()) {
            return;
        }
        long now = System.nanoTime();
        for (WarmTurn turn : turns) {
            if (turn.isDue(now) && !busy.contains(turn.query().database())) {
                begin(turn, config, now);
            }
        }
    }

    private void begin(WarmTurn turn, ProxyConfig config, long now) {
        WarmQuery query = turn.query();
        DatabaseSettings database = config.database(query.database());
        DatabaseState state = database == null ? null : services.routes().enter(database, query.database());
        if (state == null || state.catalog() == null) {
            turn.awaitsDefinitions(); // without them nothing is kept
            return;
        }
        boolean waiting = pools.all().stream()
                .anyMatch(pool -> pool.key().database().equals(query.database()) && pool.hasWaiting());
        if (waiting) {
            turn.skipped(now + AGAIN_NANOS);
            return;
        }
        busy.add(query.database());
        turn.begun(now);
        new WarmSession(query, loop, result -> ended(turn, result)).begin(services);
    }

    private void ended(WarmTurn turn, String result) {
        WarmQuery query = turn.query();
        busy.remove(query.database());
        if (turn.ended(result, System.nanoTime()) && !closed) {
            if (result.equals(WarmSession.KEPT)) {
                LOG.info("cache_warm.{} in database {}: kept", query.name(), query.database());
            } else {
                LOG.warn("cache_warm.{} in database {} is not kept: {}", query.name(), query.database(), result);
            }
        }
    }

    private void stop() {
        if (looking != null) {
            looking.cancel(false);
            looking = null;
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
