package dev.pgproxy.console;

import dev.pgproxy.config.LogSettings;
import dev.pgproxy.pool.PoolCounters.Counter;
import dev.pgproxy.pool.Pools;
import io.netty.channel.EventLoop;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Remembers the totals at the end of each {@code stats_period}, for the averages of the last whole one, and logs a line
 * about it. Written on one loop, read by any thread.
 */
final class StatsPeriods {
    private static final Logger LOG = LoggerFactory.getLogger(StatsPeriods.class);

    private final Pools pools;
    private final Supplier<LogSettings> settings;
    private final EventLoop loop;
    private Totals.Now before = new Totals.Now(new TreeMap<>(), Totals.NONE);
    private long beforeNanos = System.nanoTime();
    private volatile Last last = new Last(Map.of(), Totals.NONE);

    /** Averages of the last whole period. */
    private record Last(Map<String, Totals> databases, Totals all) {}

    StatsPeriods(Pools pools, Supplier<LogSettings> settings, EventLoop loop) {
        this.pools = pools;
        this.settings = settings;
        this.loop = loop;
    }

    /** Begins the first period. */
    void start() {
        long period = settings.get().statsPeriod().toNanos();
        loop.schedule(this::end, Math.max(period, TimeUnit.MILLISECONDS.toNanos(1)), TimeUnit.NANOSECONDS);
    }

    private void end() {
        Totals.Now now = Totals.Now.of(pools);
        long nanos = System.nanoTime();
        long length = nanos - beforeNanos;
        Map<String, Totals> averages = new TreeMap<>();
        now.databases()
                .forEach((name, totals) -> averages.put(
                        name,
                        totals.since(before.databases().getOrDefault(name, Totals.NONE))
                                .averages(length)));
        last = new Last(averages, now.all().since(before.all()).averages(length));
        before = now;
        beforeNanos = nanos;
        if (settings.get().logStats()) {
            log(last.all());
        }
        start();
    }

    private static void log(Totals average) {
        LOG.info(
                "stats: {} xacts/s, {} queries/s, {} logins/s, in {} B/s, out {} B/s, xact {} us, query {} us, wait {} us",
                average.get(Counter.XACT_COUNT),
                average.get(Counter.QUERY_COUNT),
                average.get(Counter.CLIENT_LOGIN_COUNT),
                average.get(Counter.RECEIVED),
                average.get(Counter.SENT),
                average.get(Counter.XACT_TIME),
                average.get(Counter.QUERY_TIME),
                average.get(Counter.WAIT_TIME));
    }

    /** Of one database. */
    Totals averages(String database) {
        return last.databases().getOrDefault(database, Totals.NONE);
    }

    /** Of all together. */
    Totals averages() {
        return last.all();
    }
}
