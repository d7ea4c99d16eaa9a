package dev.pgproxy.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.config.ConfigChanges.Change;
import org.junit.jupiter.api.Test;

class ConfigChangesTest {
    private static final String BASE = """
            listen_port = 7000, query_timeout = 1s, control_user = c, control_password = hush
            databases { "*" { primary = db }, a { primary = db }, b { primary = db } }
            users { alice { pool_size = 1 }, bob { pool_size = 1 } }
            """;

    @Test
    void nothingDiffersFromItself() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.parse(BASE);
        ConfigChanges changes = ConfigChanges.between(config, ConfigLoader.parse("\n\n" + BASE));
        assertThat(changes.applied()).isEmpty();
        assertThat(changes.needRestart()).isEmpty();
        assertThat(changes.databases()).isEmpty();
        assertThat(changes.users()).isEmpty();
        assertThat(changes.result()).isEqualTo(config);
    }

    @Test
    void whatCanChangeIsAppliedAndWhatNeedsARestartStays() throws ConfigProblems {
        ProxyConfig loaded = ConfigLoader.parse("""
                listen_port = 7001, query_timeout = 2s, threads = 3, control_user = c, control_password = hushhush
                databases { "*" { primary = db2 }, a { primary = db }, c { primary = db } }
                users { alice { pool_size = 2 }, bob { pool_size = 1 } }
                peer_id = 5, peers { 4 = "h:1" }
                cache_rules { x { table = t, ttl = 5s, tags = [a] }, y { never = on } }
                statement_rules { z { without_where = on, deny = "no" }, u { user = bob, timeout = 5s } }
                cache_warm { w { database = a, user = u, query = "SELECT 'hush'", every = 5s } }
                """);
        ConfigChanges changes = ConfigChanges.between(ConfigLoader.parse(BASE), loaded);
        assertThat(changes.applied())
                .containsExactly(
                        new Change("query_timeout", "1s", "2s"),
                        new Change("control_password", "****", "****"),
                        new Change("peers", "{}", "{4=h:1}"),
                        new Change(
                                "cache_rules", "[]", "[x { table = public.t: cache ttl=5s tag=a }, y { : nocache }]"),
                        new Change(
                                "statement_rules",
                                "[]",
                                "[u { user = bob: timeout = 5s }, z { without_where = true: deny = no }]"),
                        new Change("cache_warm", "[]", "[w { a/u every 5s }]"));
        assertThat(changes.needRestart())
                .containsExactly(
                        new Change("listen_port", "7000", "7001"),
                        new Change("threads", "0", "3"),
                        new Change("peer_id", "0", "5"));
        assertThat(changes.databases()).containsExactly("*", "b", "c");
        assertThat(changes.users()).containsExactly("alice");
        ProxyConfig result = changes.result();
        assertThat(result.listen().listenPort()).isEqualTo(7000);
        assertThat(result.runtime().threads()).isZero();
        assertThat(result.timeouts().queryTimeout()).hasSeconds(2);
        assertThat(result.databases()).isEqualTo(loaded.databases());
        assertThat(result.cacheRules()).isEqualTo(loaded.cacheRules());
        assertThat(result.toString()).doesNotContain("hush");
    }
}
