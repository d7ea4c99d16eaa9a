package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Each host gets its share of reads, as counted by the servers' own answers; SHOW REPLICAS counts the same. */
final class DistributionIT {
    private static final int CLIENTS = 4;

    /** One connection to each host, so that none is made, and waited for, while reads are counted. */
    private static final String FIXED = "adaptive_weights = off\nthreads = 2\ndefault_pool_size = 1\n";

    private static final String NAP = "CREATE FUNCTION nap() RETURNS text STABLE LANGUAGE plpgsql AS $$"
            + " BEGIN EXECUTE 'SELECT pg_sleep(60)'; RETURN ''; END $$";

    private static Map<Integer, Integer> together(int clients, IntFunction<Map<Integer, Integer>> work) {
        Map<Integer, Integer> sum = new TreeMap<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(clients)) {
            List<Future<Map<Integer, Integer>>> parts = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                int client = i;
                parts.add(threads.submit(() -> work.apply(client)));
            }
            for (Future<Map<Integer, Integer>> part : parts) {
                part.get().forEach((port, count) -> sum.merge(port, count, Integer::sum));
            }
        } catch (ExecutionException | InterruptedException e) {
            throw new AssertionError(e);
        }
        return sum;
    }

    /** By several clients at once, on both event loops, each of which chooses by itself. */
    private static Map<Integer, Integer> readAll(RoutedProxy proxy, int reads, boolean pipelined) {
        return together(CLIENTS, i -> {
            try (RawClient client = proxy.proxied().login()) {
                return pipelined ? RoutedProxy.whoAnswers(client, reads / CLIENTS) : oneByOne(client, reads / CLIENTS);
            }
        });
    }

    private static Map<Integer, Integer> oneByOne(RawClient client, int reads) {
        Map<Integer, Integer> answered = new TreeMap<>();
        for (int i = 0; i < reads; i++) {
            int port = RoutedProxy.port(client.query(RoutedProxy.HERE).readUntilReady());
            answered.merge(port, 1, Integer::sum);
        }
        return answered;
    }

    private static void assertShares(
            RoutedProxy proxy, Map<Integer, Integer> answered, double tolerance, double... expected) {
        int all = answered.values().stream().mapToInt(Integer::intValue).sum();
        for (int i = 0; i < expected.length; i++) {
            int port = i == 0 ? proxy.primaryPort() : proxy.replicaPort(i - 1);
            assertThat(answered.getOrDefault(port, 0) / (double) all)
                    .as("host %s of %s", i, answered)
                    .isCloseTo(expected[i], within(tolerance));
        }
    }

    private static Map<Integer, Integer> shown(RoutedProxy proxy) {
        Map<Integer, Integer> reads = new TreeMap<>();
        proxy.shownReplicas().forEach((port, row) -> reads.put(port, Integer.valueOf(row.get(7))));
        reads.values().removeIf(count -> count == 0);
        return reads;
    }

    private static void assertDistribution(
            String settings, int reads, boolean pipelined, double tolerance, double... expected) {
        try (RoutedProxy proxy = RoutedProxy.start(FIXED + settings, List.of(1, 3))) {
            proxy.awaitReplicas();
            Map<Integer, Integer> before = shown(proxy);
            Map<Integer, Integer> answered = readAll(proxy, reads, pipelined);
            assertShares(proxy, answered, tolerance, expected);
            before.forEach((port, count) -> answered.merge(port, count, Integer::sum));
            assertThat(shown(proxy)).isEqualTo(answered);
        }
    }

    /** Monitoring takes database and user for the name of a row. */
    @Test
    void theHostsOfAPoolAreOneRowOfShowPools() {
        try (RoutedProxy proxy = RoutedProxy.start(FIXED, List.of(1, 1));
                RawClient client = proxy.proxied().login()) {
            proxy.awaitReplicas();
            client.query("CREATE TABLE t ()").readUntilReady(); // the primary's server is there
            await().untilAsserted(() -> {
                List<List<String>> rows = proxy.shown("SHOW POOLS");
                assertThat(rows).hasSize(1);
                assertThat(rows.getFirst().get(2)).as("cl_active").isEqualTo("1");
                assertThat(rows.getFirst().get(9)).as("sv_idle").isEqualTo("3");
            });
        }
    }

    @Test
    void inTurnEachReplicaGetsItsWeight() {
        assertDistribution("consistency = eventual\n", 10_000, true, 0.02, 0, 0.25, 0.75);
    }

    /** Five standard deviations. */
    @Test
    void byChanceEachReplicaGetsItsWeight() {
        assertDistribution("consistency = eventual\nbalance = random\n", 5000, true, 0.03, 0, 0.25, 0.75);
    }

    /** Without anybody else all are equally busy, and it is their weight that counts; one that is busy gets nothing. */
    @Test
    void theLeastBusyReplicaIsThatWithTheFewestReadsForItsWeight() {
        String settings = "consistency = eventual\nbalance = least_active\nadaptive_weights = off\nthreads = 1\n";
        try (RoutedProxy proxy = RoutedProxy.start(settings, List.of(1, 3), NAP);
                RawClient client = proxy.proxied().login();
                RawClient sleeper = proxy.proxied().login()) {
            proxy.awaitReplicas();
            assertShares(proxy, RoutedProxy.whoAnswers(client, 1000), 0.02, 0, 0.25, 0.75);
            sleeper.query("SELECT nap()");
            EmbeddedPostgres asleep = await().until(() -> whereItSleeps(proxy), Objects::nonNull);
            Map<Integer, Integer> answered = RoutedProxy.whoAnswers(client, 1000);
            assertThat(answered).doesNotContainKey(asleep.port()).hasSize(1);
            try (RawClient cancel = proxy.proxied().connect()) {
                cancel.cancelRequest(
                        sleeper.keyData().processId(), sleeper.keyData().secretKey());
            }
            assertThat(Message.types(sleeper.readUntilReady())).isEqualTo("TEZ");
        }
    }

    private static @Nullable EmbeddedPostgres whereItSleeps(RoutedProxy proxy) throws SQLException {
        for (EmbeddedPostgres replica : proxy.cluster().replicas()) {
            try (Connection connection = replica.connect("postgres");
                    Statement statement = connection.createStatement();
                    ResultSet found = statement.executeQuery(
                            "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query = 'SELECT nap()'")) {
                if (found.next()) {
                    return replica;
                }
            }
        }
        return null;
    }

    /** One by one: what is pipelined behind a statement on the primary stays there. */
    @Test
    void thePrimaryGetsItsShareIfItIsToHaveOne() {
        assertDistribution(
                "consistency = eventual\nprimary_reads = always\nprimary_weight = 2\n",
                5000,
                false,
                0.02,
                1 / 3.,
                1 / 6.,
                1 / 2.);
    }

    @Test
    void manyShortSessionsAreSpreadByWeight() {
        try (RoutedProxy proxy = RoutedProxy.start(FIXED + "consistency = session\n", List.of(1, 3))) {
            proxy.awaitReplicas();
            Map<Integer, Integer> before = shown(proxy);
            Map<Integer, Integer> answered = together(CLIENTS, i -> {
                Map<Integer, Integer> sum = new TreeMap<>();
                for (int session = 0; session < 1000 / CLIENTS; session++) {
                    try (RawClient client = proxy.proxied().login()) {
                        oneByOne(client, 3).forEach((port, count) -> sum.merge(port, count, Integer::sum));
                        client.terminate();
                    }
                }
                return sum;
            });
            assertShares(proxy, answered, 0.02, 0, 0.25, 0.75);
            before.forEach((port, count) -> answered.merge(port, count, Integer::sum));
            assertThat(shown(proxy)).isEqualTo(answered);
        }
    }
}
