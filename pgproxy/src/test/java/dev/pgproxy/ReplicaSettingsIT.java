package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import dev.pgproxy.testing.TestCluster;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The configuration files of a replica are its own: its reads must say what the primary would say, or it gets none. */
final class ReplicaSettingsIT {
    private static final String ALL = "SELECT ('2026-01-01 00:00+00'::timestamptz)::text || ' ' || '1 day'::interval"
            + " || ' ' || '\\xff'::bytea, '2026-07-01 12:00'::timestamptz";

    private static List<@Nullable String> read(RawClient client) {
        return Message.row(client.query(ALL).readUntilReady());
    }

    private static void set(EmbeddedPostgres server, String... settings) {
        for (String setting : settings) {
            TestCluster.execute(server, "ALTER SYSTEM " + setting);
        }
        TestCluster.execute(server, "SELECT pg_reload_conf()");
    }

    private static @Nullable String problem(RoutedProxy routed) {
        return Objects.requireNonNull(routed.shownReplicas().get(routed.replicaPort(0)))
                .getLast();
    }

    @Test
    void aReplicaInAnotherTimeZoneSaysWhatThePrimarySays() {
        try (RoutedProxy routed = RoutedProxy.start("threads = 1\n", List.of(1))) {
            EmbeddedPostgres replica = routed.cluster().replicas().getFirst();
            set(replica, "SET timezone = 'Asia/Tokyo'", "SET datestyle = 'German'", "SET intervalstyle = 'iso_8601'");
            try (RawClient client = routed.proxied().login();
                    RawClient direct = routed.direct().login()) {
                routed.awaitReplicas();
                List<@Nullable String> expected = read(direct);
                for (int i = 0; i < 20; i++) {
                    assertThat(read(client)).isEqualTo(expected);
                }
                client.query("SET timezone = 'Europe/Berlin'").readUntilReady();
                direct.query("SET timezone = 'Europe/Berlin'").readUntilReady();
                assertThat(read(client)).isEqualTo(read(direct));
                client.query("RESET ALL").readUntilReady();
                assertThat(read(client)).isEqualTo(expected);
                assertThat(RoutedProxy.whoAnswers(client, 4)).containsOnlyKeys(routed.replicaPort(0));
            } finally {
                set(replica, "RESET ALL");
            }
        }
    }

    @Test
    void aReplicaThatWouldWriteBytesInAnotherWayGetsNoReads() {
        try (RoutedProxy routed = RoutedProxy.start("threads = 1\n", List.of(1));
                RawClient client = routed.proxied().login();
                RawClient direct = routed.direct().login()) {
            routed.awaitReplicas();
            assertThat(problem(routed)).isNull();
            EmbeddedPostgres replica = routed.cluster().replicas().getFirst();
            try {
                set(replica, "SET bytea_output = 'escape'");
                await().untilAsserted(() ->
                        assertThat(problem(routed)).isEqualTo("bytea_output is 'escape', on the primary 'hex'"));
                List<@Nullable String> expected = read(direct);
                for (int i = 0; i < 20; i++) {
                    assertThat(read(client)).isEqualTo(expected);
                }
                assertThat(RoutedProxy.whoAnswers(client, 4)).containsOnlyKeys(routed.primaryPort());
            } finally {
                set(replica, "RESET ALL");
            }
            await().untilAsserted(() ->
                    assertThat(RoutedProxy.whoAnswers(client, 1)).containsOnlyKeys(routed.replicaPort(0)));
        }
    }
}
