package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyProcess;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One process follows another on the same listening sockets, and nobody who connects meanwhile is refused. */
@EnabledOnOs(OS.LINUX)
final class HandoverIT {
    private static final Logger LOG = LoggerFactory.getLogger(HandoverIT.class);
    private static final int REPLACEMENTS = Integer.getInteger("handover.replacements", 4);

    @TempDir
    private Path directory;

    private ProxyProcess run(String more) {
        return ProxyProcess.run(
                directory.resolve("pgproxy.conf"), "handover_socket = handover.sock\nunix_socket_dir = .\n" + more);
    }

    private RawClient unix() {
        return RawClient.connect(UnixDomainSocketAddress.of(directory.resolve(".s.PGSQL.0")));
    }

    /** What became of those who came. */
    private static final class Ledger {
        final AtomicBoolean over = new AtomicBoolean();
        final AtomicInteger served = new AtomicInteger();
        final AtomicInteger sentAway = new AtomicInteger();
        final AtomicInteger acknowledged = new AtomicInteger();
        final List<String> faults = java.util.Collections.synchronizedList(new ArrayList<>());

        /** Connects, asks and leaves, again and again. */
        void come(Supplier<RawClient> door, String database) {
            while (!over.get()) {
                try (RawClient client = door.get()) {
                    Message greeting = client.login("postgres", TestCluster.PASSWORD, database)
                            .getLast();
                    if (!greeting.isReady()) {
                        faults.add("login: " + greeting);
                        continue;
                    }
                    List<Message> answer = client.query("SELECT 1").readUntilReady();
                    if (Message.types(answer).equals("TDCZ")) {
                        served.incrementAndGet();
                        client.terminate().readUntilClosed();
                    } else {
                        left("SELECT", answer);
                    }
                } catch (UncheckedIOException e) {
                    faults.add("connect: " + e);
                }
            }
        }

        /** Writes, one transaction of four messages after the other, on one connection for as long as it lasts. */
        void stay(Endpoint endpoint) {
            while (!over.get()) {
                try (RawClient client = endpoint.login()) {
                    while (!over.get()) {
                        List<Message> begun = client.query("BEGIN").readUntilReady();
                        if (!Message.types(begun).equals("CZ")) {
                            left("BEGIN", begun);
                            break;
                        }
                        must("CZ", client.query("INSERT INTO t VALUES (1)").readUntilReady());
                        must("TDCZ", client.query("SELECT 1").readUntilReady());
                        must("CZ", client.query("COMMIT").readUntilReady());
                        acknowledged.incrementAndGet();
                    }
                } catch (UncheckedIOException | AssertionError e) {
                    faults.add("session: " + e);
                }
            }
        }

        private void must(String types, List<Message> answer) {
            if (!Message.types(answer).equals(types)) {
                faults.add("inside a transaction: " + answer);
            }
        }

        private void left(String where, List<Message> answer) {
            Message first = answer.getFirst();
            if (first.type() == 'E' && first.field('C').equals("57P01")) {
                sentAway.incrementAndGet();
            } else {
                faults.add(where + ": " + answer);
            }
        }
    }

    @Test
    void nobodyIsRefusedWhileProcessesFollowEachOther() throws Exception {
        String database = TestCluster.freshDatabase();
        Ledger visitors = new Ledger();
        Ledger residents = new Ledger();
        ProxyProcess running = run("");
        Endpoint endpoint = running.endpoint(database);
        endpoint.run("CREATE TABLE t (a int)");
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                all.add(threads.submit(() -> visitors.come(endpoint::connect, database)));
                all.add(threads.submit(() -> residents.stay(endpoint)));
            }
            all.add(threads.submit(() -> visitors.come(this::unix, database)));
            for (int i = 0; i < REPLACEMENTS; i++) {
                int before = visitors.served.get();
                await().atMost(java.time.Duration.ofSeconds(60)).until(() -> visitors.served.get() > before + 50);
                try (RawClient busy = endpoint.login()) {
                    assertThat(Message.types(busy.query("BEGIN; INSERT INTO t VALUES (2)")
                                    .readUntilReady()))
                            .isEqualTo("CCZ");
                    ProxyProcess next = run("");
                    next.awaitLine("hands over");
                    running.awaitLine("has taken over");
                    assertThat(next.endpoint(database).port()).isEqualTo(endpoint.port());
                    assertThat(Message.types(busy.query("COMMIT").readUntilReady()))
                            .isEqualTo("CZ");
                    assertThat(busy.readUntilClosed().getFirst().field('C')).isEqualTo("57P01");
                    assertThat(running.exitCode()).isZero();
                    running = next;
                }
            }
            int before = visitors.served.get();
            await().atMost(java.time.Duration.ofSeconds(60)).until(() -> visitors.served.get() > before + 50);
            visitors.over.set(true);
            residents.over.set(true);
            for (Future<?> one : all) {
                one.get(60, TimeUnit.SECONDS);
            }
        } finally {
            visitors.over.set(true);
            residents.over.set(true);
            running.close();
        }
        LOG.info(
                "{} replacements: {} connections served, {} sent away before their query; {} transactions, {} ends of sessions",
                REPLACEMENTS,
                visitors.served,
                visitors.sentAway,
                residents.acknowledged,
                residents.sentAway);
        assertThat(visitors.faults).isEmpty();
        assertThat(residents.faults).isEmpty();
        assertThat(residents.sentAway.get()).isGreaterThanOrEqualTo(REPLACEMENTS);
        Endpoint direct = new Endpoint(
                TestCluster.primary().host(), TestCluster.primary().port(), database, "postgres", TestCluster.PASSWORD);
        assertThat(Message.row(
                        direct.run("SELECT count(*) FILTER (WHERE a = 1), count(*) FILTER (WHERE a = 2) FROM t")))
                .containsExactly(residents.acknowledged.toString(), Integer.toString(REPLACEMENTS));
    }

    @Test
    void aProcessThatCannotStartLeavesTheOtherOneAsItIs() throws Exception {
        try (ProxyProcess running = run("")) {
            Endpoint endpoint = running.endpoint(TestCluster.freshDatabase());
            try (RawClient idle = endpoint.login()) {
                Path file = directory.resolve("wrong.conf");
                Files.writeString(
                        file,
                        ProxyProcess.settings("handover_socket = handover.sock\nunix_socket_dir = .\n"
                                + "listen_addr = [127.0.0.1, 203.0.113.1]"));
                try (ProxyProcess failing = ProxyProcess.start("run", "-c", file.toString())) {
                    failing.awaitLine("hands over");
                    failing.awaitLine("cannot listen on 203.0.113.1:0");
                    assertThat(failing.exitCode()).isOne();
                }
                assertThat(Message.types(idle.query("SELECT 1").readUntilReady()))
                        .isEqualTo("TDCZ");
                endpoint.run("SELECT 1");
                try (RawClient client = unix()) {
                    assertThat(client.sslRequest()).isEqualTo('N');
                }
                assertThat(PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(directory.resolve("handover.sock"))))
                        .isEqualTo("rw-------");
                try (RawClient stranger =
                        RawClient.connect(UnixDomainSocketAddress.of(directory.resolve("handover.sock")))) {
                    stranger.raw((byte) 'x');
                    running.awaitLine("what is not understood");
                }
                try (ProxyProcess next = run("")) {
                    next.awaitLine("hands over");
                    assertThat(running.exitCode()).isZero();
                    endpoint.run("SELECT 1");
                    next.signal("TERM");
                    assertThat(next.exitCode()).isZero();
                }
                assertThat(directory.resolve("handover.sock")).doesNotExist();
                assertThat(directory.resolve(".s.PGSQL.0")).doesNotExist();
            }
        }
    }

    @Test
    void whatIsLeftFromAProcessThatWasKilledIsNoHindrance() throws Exception {
        try (ProxyProcess killed = run("")) {
            killed.endpoint("postgres");
            killed.signal("KILL");
            assertThat(killed.exitCode()).isNotZero();
        }
        assertThat(directory.resolve("handover.sock")).exists();
        try (ProxyProcess next = run("")) {
            next.endpoint("postgres").run("SELECT 1");
            assertThat(next.lines()).noneMatch(line -> line.contains("hands over"));
        }
    }
}
