package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.console.ShutdownMode;
import dev.pgproxy.testing.Browser;
import dev.pgproxy.testing.RawClient;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a load balancer hears of /health/ready while the primary is away. */
@Timeout(180)
final class ReadyIT extends FailoverCase {
    private static final String HTTP = "http_addr = [127.0.0.1]\nhttp_port = 0\n";

    private Browser browser() {
        return new Browser(proxy().httpPort());
    }

    private void awaitReady() {
        await().until(() -> browser().status("/health/ready") == 200);
        assertThat(browser().metrics().of("pgproxy_ready")).isEqualTo(1);
        assertThat(browser().json("/health/db").getBoolean("all.ready")).isTrue();
    }

    private void awaitNotReady(String why) {
        await().until(() -> browser().status("/health/ready") == 503);
        HttpResponse<String> ready = browser().get("/health/ready");
        assertThat(ready.statusCode()).isEqualTo(503);
        assertThat(ready.body()).isEqualTo(why + "\n");
        assertThat(browser().metrics().of("pgproxy_ready")).isZero();
        assertThat(browser().json("/health/db").getBoolean("all.ready")).isFalse();
        assertThat(browser().get("/health/db/report").body()).contains(": not ready, " + why + "\n");
        assertThat(browser().status("/health/live")).isEqualTo(200);
    }

    @Test
    void itIsNotReadyWhileThePrimaryIsAwayNorWhileItDrains() throws Exception {
        start(HTTP);
        awaitReady();
        String first = primary().host() + ":" + primary().port();
        killThePrimary();
        awaitNotReady("no primary for " + first);
        primary().start();
        awaitReady();
        try (RawClient busy = proxied().login()) {
            write(busy, 1);
            busy.query("BEGIN; SELECT 1").readUntilReady();
            proxy().shutdown(ShutdownMode.WAIT_FOR_CLIENTS);
            awaitNotReady("draining");
            busy.query("COMMIT").readUntilReady();
        }
        proxy().stopped().toCompletableFuture().join();
    }

    @Test
    void itIsNotReadyBeforeAPrimaryWasSeen() throws Exception {
        startUnseen(HTTP + "control_user = nobody_there\n"); // who cannot log in to ask
        proxied().run("SELECT 1"); // from now on it is watched
        awaitNotReady("no primary for " + primary().host() + ":" + primary().port() + ": none was seen yet");
    }

    /** A database with a name is watched before anybody has used it. */
    @Test
    void itIsNotReadyWhenThePrimaryIsDeadFromTheStartOn() throws Exception {
        String first = primary().host() + ":" + primary().port();
        primary().kill9();
        startUnseen(HTTP + "databases { postgres { primary = \"" + first + "\", replicas = [\""
                + replica(0).host() + ":" + replica(0).port() + "\"] } }\n");
        await().until(() -> browser().status("/health/ready") == 503);
        assertThat(browser().get("/health/ready").body()).startsWith("no primary for " + first);
        primary().start();
        awaitReady();
    }

    @Test
    void itIsReadyAgainWhenAnotherHostTakesWrites() throws Exception {
        start(HTTP + "failover_wait = 30s\n");
        String first = primary().host() + ":" + primary().port();
        try (RawClient client = proxied().login()) {
            write(client, 0);
            killThePrimary();
            awaitNotReady("no primary for " + first);
            client.query("INSERT INTO t VALUES (1)"); // waits, and is not refused
            direct(replica(0)).run("SELECT pg_promote()");
            awaitReady();
            assertThat(client.readUntilReady()).noneMatch(message -> message.type() == 'E');
        }
        assertThat(browser()
                        .json("/health/db")
                        .getConfigList("all.databases")
                        .getFirst()
                        .getString("primary"))
                .isEqualTo(replica(0).host() + ":" + replica(0).port());
    }
}
