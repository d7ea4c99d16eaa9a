package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import dev.pgproxy.testing.TestCluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A replica that is slow or behind loses its share of reads within a second, and gets it back little by little. */
final class ReplicaShareIT {
    private static final int CLIENTS = 6;
    private static final Duration SECOND = Duration.ofSeconds(1);

    /** Before it answers, a server sleeps as long as the table says for its port. */
    private static final List<String> SCHEMA = List.of(
            "CREATE TABLE slowness (port int PRIMARY KEY, seconds float NOT NULL)",
            "CREATE FUNCTION slowly() RETURNS text STABLE LANGUAGE plpgsql AS $$"
                    + " DECLARE found text; BEGIN EXECUTE 'SELECT pg_sleep(seconds) FROM slowness"
                    + " WHERE port = inet_server_port()'; SELECT port INTO found FROM here; RETURN found; END $$",
            "CREATE VIEW slow AS SELECT slowly() AS port",
            "CREATE TABLE written (n bigint)",
            "INSERT INTO written VALUES (0)");

    private final ConcurrentMap<Integer, LongAdder> answered = new ConcurrentHashMap<>();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean running = true;

    private final RoutedProxy proxy = RoutedProxy.start(
            "consistency = eventual\nmax_replica_lag = 700ms\nthreads = 2\n",
            List.of(1, 1),
            SCHEMA.toArray(new String[0]));

    private final int victim = proxy.replicaPort(0);

    private void start(Runnable work) {
        threads.add(Thread.ofPlatform().start(work));
    }

    /** Clients that read without pause, each waiting for its answers. */
    private void startReaders() {
        proxy.awaitReplicas();
        for (int i = 0; i < CLIENTS; i++) {
            start(() -> {
                try (RawClient client = proxy.proxied().login()) {
                    while (running) {
                        int port = RoutedProxy.port(
                                client.query("SELECT port FROM slow").readUntilReady());
                        answered.computeIfAbsent(port, key -> new LongAdder()).increment();
                    }
                }
            });
        }
    }

    @AfterEach
    void stop() throws InterruptedException {
        running = false;
        for (Thread thread : threads) {
            thread.join();
        }
        proxy.close();
    }

    private long answers(int port) {
        LongAdder count = answered.get(port);
        return count == null ? 0 : count.sum();
    }

    private long answers() {
        return answered.values().stream().mapToLong(LongAdder::sum).sum();
    }

    /** The victim's share of the reads that are answered from now on, of several hundred. */
    private double share() {
        long all = answers();
        long of = answers(victim);
        await().pollInterval(Duration.ofMillis(5)).until(() -> answers() >= all + 300);
        return (answers(victim) - of) / (double) (answers() - all);
    }

    /** The victim's weight as the console shows it, of 1. */
    private double weight() {
        return Double.parseDouble(
                Objects.requireNonNull(proxy.shownReplicas().get(victim)).get(4));
    }

    private static void pass(Duration time, long since) {
        await().pollInterval(Duration.ofMillis(5)).until(() -> System.nanoTime() - since >= time.toNanos());
    }

    private void awaitShare(double least) {
        await().until(this::share, now -> now >= least);
    }

    @Test
    void aSlowReplicaLosesItsShareAndGetsItBackGradually() {
        startReaders();
        awaitShare(0.4);
        proxy.direct().run("INSERT INTO slowness VALUES (" + victim + ", 0.2)");
        pass(SECOND, System.nanoTime());
        assertThat(share()).isLessThan(0.35);
        long begun = System.nanoTime();
        double low = weight();
        proxy.direct().run("DELETE FROM slowness");
        await().pollInterval(Duration.ofMillis(100)).until(() -> {
            double now = weight();
            double seconds = (System.nanoTime() - begun) / 1e9;
            // a tenth per second, whatever the machine is busy with; the weight shown first may be a second old
            assertThat(now - low).isLessThanOrEqualTo(0.1 * (seconds + 1));
            return now > 0.5;
        });
        awaitShare(0.3);
    }

    @Test
    void aReplicaThatLagsGetsNothingAndThenItsShareGradually() {
        startReaders();
        awaitShare(0.4);
        start(() -> {
            try (RawClient client = proxy.direct().login()) {
                while (running) {
                    client.query("UPDATE written SET n = n + 1").readUntilReady();
                    LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
                }
            }
        });
        awaitShare(0.4);
        EmbeddedPostgres replica = proxy.cluster().replicas().getFirst();
        TestCluster.execute(replica, "SELECT pg_wal_replay_pause()");
        try {
            pass(SECOND, System.nanoTime());
            assertThat(share()).isZero();
        } finally {
            TestCluster.execute(replica, "SELECT pg_wal_replay_resume()");
        }
        awaitShare(0.02);
        // by its weight: on a busy machine the other replica may have been too far behind as well
        assertThat(weight()).as(() -> proxy.shownReplicas().toString()).isBetween(0.01, 0.5);
        awaitShare(0.15);
    }
}
