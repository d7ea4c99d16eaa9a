package dev.pgproxy.consistency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.PgProxy;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What a proxy promises for each mode holds while its replicas lag and its connections break. {@code -Dconsistency.seconds}
 * is how long, {@code -Dconsistency.seed} repeats what each session does.
 */
final class ConsistencyIT {
    private static final Duration DURATION = Duration.ofSeconds(Integer.getInteger("consistency.seconds", 5));

    @ParameterizedTest
    @EnumSource
    void nobodyReadsOlderThanTheModePromises(Mode mode) throws Exception {
        Arena arena = Arena.fresh();
        Verdict verdict;
        try (PgProxy proxy = start(arena, mode)) {
            verdict = ConsistencyChecker.of(mode, DURATION).run(arena, Targets.at(endpoint(arena, proxy)));
        }

        assertThat(verdict.isClean()).as(verdict.toString()).isTrue();
        assertThat(verdict.reads()).isGreaterThan(1_000);
        assertThat(verdict.writes()).isGreaterThan(100);
    }

    static PgProxy start(Arena arena, Mode mode) {
        try {
            return PgProxy.start(ConfigLoader.parse(configuration(arena, mode)));
        } catch (ConfigProblems | IOException e) {
            throw new AssertionError(e);
        }
    }

    static Endpoint endpoint(Arena arena, PgProxy proxy) {
        Endpoint primary = arena.primary();
        return new Endpoint("127.0.0.1", proxy.port(), arena.database(), primary.user(), primary.password());
    }

    /** The proxy before the primary of the arena, in a mode. */
    private static String configuration(Arena arena, Mode mode) {
        EmbeddedPostgres primary = arena.cluster().primary();
        return "listen_port = 0\nlog_connections = false\nlog_disconnections = false\n"
                + "databases { \"*\" { primary = \"" + primary.host() + ":" + primary.port() + "\", "
                + TestCluster.replicasOf(arena.cluster()) + " } }\n"
                + TestCluster.watching(arena.cluster())
                + "consistency = " + mode.name().toLowerCase(Locale.ROOT) + "\n"
                + "users { \"" + EmbeddedPostgres.SUPERUSER + "\" { password = \"" + primary.superuserPassword()
                + "\" } }\n";
    }
}
