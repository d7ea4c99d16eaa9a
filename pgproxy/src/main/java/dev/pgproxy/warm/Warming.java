package dev.pgproxy.warm;

import dev.pgproxy.client.ClientServices;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.WarmQuery;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.results.HotRead;
import dev.pgproxy.results.HotReads;
import dev.pgproxy.results.Results;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.TableClock;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the queries of {@code cache_warm}, and what clients asked most often once all results of their database are
 * forgotten, each as a client of its own that is connected within the process: its result is kept as that of any other
 * client. Never two at once in a database, and none while clients wait for servers there. What happens happens on one loop;
 * {@link #turns} may be called by anybody.
 */
public final class Warming implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Warming.class);
    private static final long LOOK_MILLIS = 100;

    /** After how long a query is tried again that had to give way. */
    private static final long AGAIN_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long AGE_SECONDS = 600;

    private final ClientServices services;
    private final Pools pools;
    private final EventLoop loop;
    private final boolean restored;
    private final Set<String> busy = new HashSet<>();
    private final Map<WarmQuery, WarmTurn> asked = new LinkedHashMap<>();
    private final Map<String, HotTurn> hot = new HashMap<>();
    private final List<ScheduledFuture<?>> tasks = new ArrayList<>();
    private volatile List<WarmTurn> turns = List.of();
    private boolean closed;

    /**
     * Nothing is asked before {@link #reload}.
     *
     * @param restored whether reads are known that clients of an earlier process asked
     */
    public Warming(ClientServices services, Pools pools, EventLoop loop, boolean restored) {
        this.services = services;
        this.pools = pools;
        this.loop = loop;
        this.restored = restored;
    }

    private HotReads hotReads() {
        return services.routes().results().hot();
    }

    /** What is asked: queries in the order of names, and what clients asked. */
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
        asked.keySet().retainAll(queries);
        long now = System.nanoTime();
        for (WarmQuery query : queries) {
            asked.computeIfAbsent(
                            query, added -> new WarmTurn(added.name(), added.database(), added.user(), added.every()))
                    .due(now);
        }
        show();
        if (asked.isEmpty() && !hotReads().areWanted()) {
            stop();
        } else if (tasks.isEmpty()) {
            every(LOOK_MILLIS, this::lookAtQueries);
            every(TimeUnit.SECONDS.toMillis(1), this::lookAtHotReads);
            every(TimeUnit.SECONDS.toMillis(AGE_SECONDS), () -> hotReads().age());
        }
    }

    private void show() {
        turns = Stream.concat(asked.values().stream(), hot.values().stream().map(HotTurn::turn))
                .toList();
    }

    private void every(long millis, Runnable look) {
        Runnable safely = () -> {
            try {
                look.run();
            } catch (RuntimeException e) { // the next look would not come
                LOG.error("warming: unexpected failure", e);
            }
        };
        tasks.add(loop.scheduleWithFixedDelay(safely, millis, millis, TimeUnit.MILLISECONDS));
    }

    private boolean isAsking() {
        return services.config().cache().isOn() && !services.isDraining() && !closed;
    }

    private void lookAtQueries() {
        if (!isAsking()) {
            return;
        }
        long now = System.nanoTime();
        asked.forEach((query, turn) -> {
            if (turn.isDue(now) && isFree(query.database(), turn, now)) {
                busy.add(query.database());
                turn.begun(now);
                new WarmSession(query, loop, result -> ended(query, turn, result)).begin(services);
            }
        });
    }

    /** Whether something may be asked there now: its definitions are known, and nobody waits for servers. */
    private boolean isFree(String database, WarmTurn turn, long now) {
        if (busy.contains(database)) {
            return false;
        }
        DatabaseState state = state(database);
        if (state == null || state.catalog() == null) {
            turn.awaitsDefinitions(); // without them nothing is kept
            return false;
        }
        boolean waiting =
                pools.all().stream().anyMatch(pool -> pool.key().database().equals(database) && pool.hasWaiting());
        if (waiting) {
            turn.skipped(now + AGAIN_NANOS);
        }
        return !waiting;
    }

    private @Nullable DatabaseState state(String name) {
        ProxyConfig config = services.config();
        DatabaseSettings database = config.database(name);
        return database == null ? null : services.routes().enter(database, name);
    }

    private void ended(WarmQuery query, WarmTurn turn, String result) {
        busy.remove(query.database());
        if (turn.ended(result, System.nanoTime()) && !closed) {
            if (result.equals(InsideSession.KEPT)) {
                LOG.info("cache_warm.{} in database {}: kept", query.name(), query.database());
            } else {
                LOG.warn("cache_warm.{} in database {} is not kept: {}", query.name(), query.database(), result);
            }
        }
    }

    private void lookAtHotReads() {
        if (!isAsking() || !hotReads().areWanted()) {
            return;
        }
        hotReads().top().stream()
                .collect(Collectors.groupingBy(HotRead::database, LinkedHashMap::new, Collectors.toList()))
                .forEach(this::lookAt);
    }

    private void lookAt(String database, List<HotRead> reads) {
        DatabaseState state = state(database);
        if (state == null) {
            return;
        }
        HotTurn known = hot.get(database);
        HotTurn turn = known == null ? new HotTurn(database) : known;
        if (known == null) {
            hot.put(database, turn);
            show();
        }
        Results results = state.results();
        long written = state.clock().lastWrite(RelationSet.NONE);
        HotTurn.Era era = new HotTurn.Era(results.flushed(), written, state.definitions());
        long now = System.nanoTime();
        if (written != TableClock.IN_DOUBT
                && state.catalog() != null
                && turn.isDue(era, restored)
                && turn.turn().isDue(now)
                && isFree(database, turn.turn(), now)) {
            busy.add(database);
            turn.begin(era, reads, now);
            next(database, turn);
        }
    }

    private void next(String database, HotTurn turn) {
        HotRead read = isAsking() ? turn.next() : null;
        if (read == null) {
            busy.remove(database);
            LOG.info(
                    "all results of database {} were forgotten; of the reads that were answered most often {}",
                    database,
                    turn.over(System.nanoTime()));
            return;
        }
        InsideSession.Listener listener = result -> {
            turn.ended(result);
            loop.execute(() -> next(database, turn));
        };
        new HotSession(read, loop, listener).begin(services);
    }

    private void stop() {
        tasks.forEach(task -> task.cancel(false));
        tasks.clear();
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
