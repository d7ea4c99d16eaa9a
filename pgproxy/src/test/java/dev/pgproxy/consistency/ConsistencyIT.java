package dev.pgproxy.consistency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.PgProxy;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/**
 * What a proxy promises for each mode holds while its replicas lag and its connections break. {@code -Dconsistency.seconds}
 * is how long, {@code -Dconsistency.seed} repeats what each session does.
 */
final class ConsistencyIT {
    private static final Duration DURATION = Duration.ofSeconds(Integer.getInteger("consistency.seconds", 5));

    /** A feed that was lost comes again after 1 to 4 s, and a machine of two cores is busy. */
    static final Duration OUTSIDE_BOUND = Duration.ofSeconds(5);

    // the feed would tell of what the proxy has to know by itself, and hide that it does not
    private static final String ALONE =
            "change_feed = off\ncache_ttl = 2s\ncache_refresh_ahead = 50\ncache_serve_stale = 5s\n";

    // what a run has to judge, however slow the machine is
    private static final int READS = 1_001;
    private static final int WRITES = 101;
    private static final int HITS = 100;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @ParameterizedTest
    @EnumSource
    void nobodyReadsOlderThanTheModePromises(Mode mode) throws Exception {
        nobodyReadsOlderThan(mode, Workload.USUAL);
    }

    /** What the cache answers is held to the same promise: never older than what was acknowledged before. */
    @Test
    void nobodyReadsOlderThanPromisedFromTheCache() throws Exception {
        nobodyReadsOlderThan(Mode.TABLE, Workload.USUAL.withHotReads(75));
    }

    /** Writes straight to the primary are seen within a bound: of milliseconds, but for feeds that are lost and come again. */
    @Test
    void writesPastTheProxyAreSeenSoon() throws Exception {
        nobodyReadsOlderThan(Mode.TABLE, Workload.USUAL.withHotReads(75).withOutside(30, OUTSIDE_BOUND));
    }

    private static void nobodyReadsOlderThan(Mode mode, Workload workload) throws Exception {
        boolean cache = workload.hot() > 0;
        Arena arena = Arena.fresh();
        long start = System.nanoTime();
        Verdict verdict;
        long hits;
        try (PgProxy proxy = start(arena, mode, workload, "")) {
            verdict = ConsistencyChecker.of(mode, DURATION)
                    .with(workload)
                    .run(
                            arena,
                            Targets.at(endpoint(arena, proxy)),
                            oracle -> System.nanoTime() - start > PATIENCE.toNanos()
                                    || oracle.hasJudged(READS, WRITES) && (!cache || hits(proxy) >= HITS));
            hits = hits(proxy);
            LoggerFactory.getLogger(ConsistencyIT.class).info("the cache: {}", reasons(proxy));
        }

        assertThat(verdict.isClean()).as(verdict.toString()).isTrue();
        assertThat(verdict.reads()).isGreaterThanOrEqualTo(READS);
        assertThat(verdict.writes()).isGreaterThanOrEqualTo(WRITES);
        assertThat(hits).isGreaterThanOrEqualTo(cache ? HITS : 0);
    }

    /** How often the cache has answered. */
    static long hits(PgProxy proxy) {
        return proxy.services().routes().results().counters().hits();
    }

    /** What became of the reads, by reason. */
    static Map<CacheReason, Long> reasons(PgProxy proxy) {
        Map<CacheReason, Long> counts = new EnumMap<>(CacheReason.class);
        for (CacheReason reason : CacheReason.values()) {
            long count = proxy.services().routes().all().stream()
                    .mapToLong(state -> state.counts().of(reason))
                    .sum();
            counts.put(reason, count);
        }
        return counts;
    }

    static PgProxy start(Arena arena, Mode mode, Workload workload, String more) {
        try {
            return PgProxy.start(ConfigLoader.parse(
                    "listen_port = 0\nhttp_addr = []\n" + configuration(arena, mode, workload) + more));
        } catch (ConfigProblems | IOException e) {
            throw new AssertionError(e);
        }
    }

    static Endpoint endpoint(Arena arena, PgProxy proxy) {
        Endpoint primary = arena.primary();
        return new Endpoint("127.0.0.1", proxy.port(), arena.database(), primary.user(), primary.password());
    }

    /** The proxy before the primary of the arena, in a mode. */
    static String configuration(Arena arena, Mode mode, Workload workload) {
        EmbeddedPostgres primary = arena.cluster().primary();
        return "log_connections = false\nlog_disconnections = false\n"
                + "databases { \"*\" { primary = \"" + primary.host() + ":" + primary.port() + "\", "
                + TestCluster.replicasOf(arena.cluster()) + " } }\n"
                + TestCluster.watching(arena.cluster())
                + "cache_mode = " + (workload.hot() > 0 ? "on" : "off") + "\n"
                + (workload.outside() > 0 ? "cache_ttl = 300ms\n" : ALONE)
                + "consistency = " + mode.name().toLowerCase(Locale.ROOT) + "\n"
                + "users { \"" + EmbeddedPostgres.SUPERUSER + "\" { password = \"" + primary.superuserPassword()
                + "\" } }\n";
    }
}
