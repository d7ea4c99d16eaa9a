package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyProcess;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the program ends: nobody loses a transaction that can be finished, and the exit code is 0. */
final class ShutdownIT {
    @TempDir
    private Path directory;

    private ProxyProcess run(String settings) {
        return ProxyProcess.run(directory.resolve("pgproxy.conf"), settings);
    }

    private static void assertSentAway(RawClient client) {
        Message error = client.readUntilClosed().get(0);
        assertThat(error.type()).isEqualTo('E');
        assertThat(error.field('S')).isEqualTo("FATAL");
        assertThat(error.field('C')).isEqualTo("57P01");
    }

    @Test
    void termLetsTransactionsFinishAndSendsTheOthersAway() {
        try (ProxyProcess proxy = run("")) {
            Endpoint endpoint = proxy.endpoint(TestCluster.freshDatabase());
            try (RawClient idle = endpoint.login();
                    RawClient busy = endpoint.login();
                    RawClient console = proxy.endpoint("pgproxy").login()) {
                busy.query("BEGIN; CREATE TABLE t (a int)").readUntilReady();
                proxy.signal("TERM");
                assertSentAway(idle);
                List<Message> answer = busy.query("INSERT INTO t VALUES (1)").readUntilReady();
                assertThat(Message.types(answer)).isEqualTo("CZ");
                assertThat(Message.types(console.query("SHOW STATE").readUntilReady()))
                        .isEqualTo("TDDDCZ");
                assertThat(Message.types(busy.query("COMMIT").readUntilReady())).isEqualTo("CZ");
                assertSentAway(busy);
                assertSentAway(console);
            }
            assertThat(proxy.exitCode()).isZero();
            Endpoint direct = new Endpoint(
                    TestCluster.primary().host(),
                    TestCluster.primary().port(),
                    endpoint.database(),
                    "postgres",
                    TestCluster.PASSWORD);
            assertThat(Message.types(direct.run("SELECT * FROM t"))).isEqualTo("TDCZ");
            assertThat(proxy.lines()).anyMatch(line -> line.contains("drained, stopping"));
        }
    }

    @Test
    void shutdownTimeoutEndsTheDrain() {
        try (ProxyProcess proxy = run("shutdown_timeout = 500ms")) {
            try (RawClient busy = proxy.endpoint(TestCluster.freshDatabase()).login()) {
                busy.query("BEGIN").readUntilReady();
                proxy.signal("TERM");
                assertSentAway(busy);
            }
            assertThat(proxy.exitCode()).isZero();
            assertThat(proxy.lines()).anyMatch(line -> line.contains("shutdown_timeout is over"));
        }
    }

    @Test
    void nothingIsOpenedAnyMoreWhenItCloses() {
        try (ProxyProcess proxy = run("min_pool_size = 3")) {
            try (RawClient client = proxy.endpoint(TestCluster.freshDatabase()).login()) {
                client.query("SELECT 1").readUntilReady();
                proxy.signal("TERM");
                assertSentAway(client);
            }
            assertThat(proxy.exitCode()).isZero();
            assertThat(proxy.lines()).noneMatch(line -> line.contains("WARN") || line.contains("ERROR"));
        }
    }

    @Test
    void aSecondTermStopsAtOnce() {
        try (ProxyProcess proxy = run("")) {
            try (RawClient busy = proxy.endpoint(TestCluster.freshDatabase()).login()) {
                busy.query("BEGIN").readUntilReady();
                proxy.signal("TERM");
                proxy.awaitLine("SHUTDOWN WAIT_FOR_CLIENTS");
                proxy.signal("TERM");
                assertSentAway(busy);
            }
            assertThat(proxy.exitCode()).isZero();
        }
    }

    @Test
    void intWaitsForServersAndRefusesThoseWhoWantOne() {
        try (ProxyProcess proxy = run("")) {
            Endpoint endpoint = proxy.endpoint(TestCluster.freshDatabase());
            try (RawClient busy = endpoint.login();
                    RawClient idle = endpoint.login()) {
                busy.query("BEGIN").readUntilReady();
                proxy.signal("INT");
                proxy.awaitLine("SHUTDOWN WAIT_FOR_SERVERS");
                idle.query("SELECT 1");
                assertSentAway(idle);
                assertThat(Message.types(busy.query("COMMIT").readUntilReady())).isEqualTo("CZ");
                assertSentAway(busy);
            }
            assertThat(proxy.exitCode()).isZero();
        }
    }

    @Test
    void shutdownInTheConsoleEndsTheProgram() {
        try (ProxyProcess proxy = run("")) {
            try (RawClient console = proxy.endpoint("pgbouncer").login()) {
                console.query("SHUTDOWN");
                assertThat(console.readUntilClosed().getLast().isClosed()).isTrue();
            }
            assertThat(proxy.exitCode()).isZero();
        }
        try (ProxyProcess proxy = run("")) {
            try (RawClient console = proxy.endpoint("pgbouncer").login()) {
                assertThat(Message.types(
                                console.query("SHUTDOWN WAIT_FOR_CLIENTS").readUntilReady()))
                        .isEqualTo("CZ");
            }
            assertThat(proxy.exitCode()).isZero();
        }
    }

    /** Its page may not be there yet. */
    @Test
    void aSignalIsObeyedAsSoonAsItListens() {
        for (int i = 0; i < 3; i++) {
            try (ProxyProcess proxy = run("http_addr = [\"127.0.0.1\"]\nhttp_port = 0")) {
                proxy.signal("HUP");
                proxy.signal("TERM");
                assertThat(proxy.exitCode()).isZero();
                assertThat(proxy.lines()).anyMatch(line -> line.contains("got SIGHUP"));
            }
        }
    }

    @Test
    void signalsReloadPauseAndResume() {
        try (ProxyProcess proxy = run("log_format = json\nstats_period = 300ms")) {
            Endpoint endpoint = proxy.endpoint(TestCluster.freshDatabase());
            try (RawClient client = endpoint.login()) {
                proxy.signal("HUP");
                assertThat(proxy.awaitLine("configuration read again"))
                        .startsWith("{\"time\":\"")
                        .contains("\"level\":\"INFO\"")
                        .endsWith("\"message\":\"configuration read again: no setting differs\"}");
                proxy.awaitLine("stats: ");
                proxy.signal("USR1");
                proxy.awaitLine("got SIGUSR1");
                client.query("SELECT 1");
                assertThat(client.poll(300)).isNull();
                proxy.signal("USR2");
                assertThat(Message.types(client.readUntilReady())).isEqualTo("TDCZ");
            }
            proxy.signal("QUIT");
            proxy.awaitLine("Full thread dump");
            assertThat(proxy.isAlive()).isTrue();
            proxy.signal("TERM");
            assertThat(proxy.exitCode()).isZero();
            await().until(() -> !proxy.isAlive());
        }
    }
}
