package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.results.CacheReason;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Reads are answered from the cache where a server would say the same, in each protocol, and by the server otherwise. */
class CacheIT {
    private final RoutedProxy routed = RoutedProxy.start(
            "cache_mode = on\n",
            List.of(),
            "CREATE TABLE t (id int PRIMARY KEY, v int)",
            "INSERT INTO t SELECT i, i * 10 FROM generate_series(1, 10) i");

    @AfterEach
    void stop() {
        routed.close();
    }

    private RawClient login() {
        RawClient client = routed.proxied().login();
        await().until(() -> state().catalog() != null);
        return client;
    }

    private DatabaseState state() {
        return routed.proxy().services().routes().all().stream()
                .filter(state -> state.database().name().equals(routed.database()))
                .findFirst()
                .orElseThrow();
    }

    private long count(CacheReason reason) {
        return state().counts().of(reason);
    }

    private static @Nullable String value(RawClient client, String sql) {
        return Message.row(client.query(sql).readUntilReady()).getFirst();
    }

    @Test
    void aRepeatedReadIsAnsweredFromTheCacheUntilItsTableIsWritten() {
        try (RawClient c = login();
                RawClient other = routed.proxied().login()) {
            assertThat(value(c, "SELECT v FROM t WHERE id = 1")).isEqualTo("10");
            assertThat(value(c, "SELECT v FROM t WHERE id = 1")).isEqualTo("10");
            assertThat(value(other, "SELECT v FROM t WHERE id = 1")).isEqualTo("10");
            assertThat(count(CacheReason.HIT)).isEqualTo(2);
            other.query("UPDATE t SET v = 11 WHERE id = 1").readUntilReady();
            assertThat(value(c, "SELECT v FROM t WHERE id = 1")).isEqualTo("11");
            assertThat(value(c, "SELECT v FROM t WHERE id = 1")).isEqualTo("11");
            assertThat(count(CacheReason.HIT)).isEqualTo(3);
        }
    }
}
