package dev.pgproxy;

import static dev.pgproxy.testing.CachingProxy.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.cache.redis.DelayingProxy;
import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import dev.pgproxy.testing.Signals;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code failover = promote} and SWITCHOVER: with synchronous replicas nothing that was acknowledged is lost. */
@Timeout(240)
final class PromotionIT extends FailoverCase {
    private static final Logger LOG = LoggerFactory.getLogger(PromotionIT.class);
    private static final String PROMOTE = """
            failover = promote
            failover_after = 1s
            failover_wait = 30s
            health_interval = 1s
            cache_mode = off
            """;

    @Override
    ClusterOptions options() {
        return super.options().withSetting("synchronous_standby_names", "ANY 1 (replica_1, replica_2)");
    }

    private String state() {
        return String.valueOf(console("SHOW FAILOVER").getFirst().getLast());
    }

    /** As docs/operations.md says. */
    private void makeControlUser() {
        List.of(
                        "CREATE ROLE keeper LOGIN PASSWORD 'keeper'",
                        "GRANT pg_monitor TO keeper",
                        "GRANT EXECUTE ON FUNCTION pg_promote TO keeper",
                        "GRANT EXECUTE ON FUNCTION pg_reload_conf TO keeper",
                        "GRANT ALTER SYSTEM ON PARAMETER primary_conninfo TO keeper",
                        "ALTER ROLE keeper REPLICATION",
                        "GRANT pg_signal_backend TO keeper")
                .forEach(direct(primary())::run);
        awaitReplay();
    }

    @Test
    void theReplicaThatHasEverythingIsPromotedAndTheOtherFollows() throws Exception {
        makeControlUser();
        start(PROMOTE + "control_user = keeper\ncontrol_password = keeper\n");
        Writer writer = new Writer();
        try (writer) {
            writer.awaitMore(50);
            primary().kill9();
            long killed = System.nanoTime();
            writer.awaitMore(1);
            LOG.info(
                    "{} ms without writes",
                    Duration.ofNanos(System.nanoTime() - killed).toMillis());
            writer.awaitMore(50);
            assertThat(console("SHOW FAILOVER").getFirst().get(3)).isEqualTo("1");
            primary().start(); // it knows nothing of a promotion
            await().until(() -> state().contains("takes writes beside the primary"));
            writer.awaitMore(50);
        }
        int promoted = isReplica(0) ? 1 : 0;
        try (RawClient reader = proxied().login()) {
            await().untilAsserted(() -> assertThat(value(reader, RoutedProxy.HERE))
                    .as(() -> console("SHOW REPLICAS").toString())
                    .isEqualTo(Integer.toString(replica(1 - promoted).port())));
        }
        assertThat(ids(replica(promoted))).containsAll(writer.acknowledged);
        assertThat(writer.unknown.size())
                .as("in flight when the primary was killed")
                .isLessThan(5);
        await().untilAsserted(() -> assertThat(ids(replica(1 - promoted))).isEqualTo(ids(replica(promoted))));
        assertThat(ids(primary()).getLast())
                .as("written to who was left")
                .isLessThan(writer.acknowledged.getLast() - 99);
    }

    /** It knows nothing of a promotion: it stood still, with all its connections, and moves again. */
    @Test
    void aPrimaryThatStoodStillAcknowledgesNothingWhenItMovesAgain() throws Exception {
        start(PROMOTE);
        Writer writer = new Writer();
        try (writer;
                RawClient past = direct(primary()).login()) {
            writer.awaitMore(20);
            List<Long> processes = Signals.processesOf(primary());
            Signals.send("STOP", processes);
            past.query("INSERT INTO t VALUES (-1)");
            try {
                writer.awaitMore(1);
            } finally {
                Signals.send("CONT", processes);
            }
            writer.awaitMore(20);
            await().ignoreExceptions()
                    .untilAsserted(() -> assertThat(Message.rows(direct(primary())
                                    .run("SELECT state, wait_event, (SELECT string_agg(application_name || state, ' ')"
                                            + " FROM pg_stat_replication) FROM pg_stat_activity"
                                            + " WHERE query = 'INSERT INTO t VALUES (-1)'")))
                            .singleElement()
                            .asString()
                            .contains("SyncRep"));
            assertThat(past.poll(1))
                    .as("it waits for replicas that have left it")
                    .isNull();
        }
        int promoted = isReplica(0) ? 1 : 0;
        List<Integer> there = ids(replica(promoted));
        assertThat(there).containsAll(writer.acknowledged).doesNotContain(-1);
        await().untilAsserted(() -> assertThat(ids(replica(1 - promoted))).isEqualTo(there));
    }

    private boolean isReplica(int index) {
        return "t"
                .equals(Message.rows(direct(replica(index)).run("SELECT pg_is_in_recovery()"))
                        .getFirst()
                        .getFirst());
    }

    @Test
    void withTooFewSynchronousReplicasNoneIsPromotedUntilItMayBe() throws Exception {
        start(PROMOTE);
        try (RawClient client = proxied().login()) {
            write(client, 1);
            awaitReplay();
            awaitIdle();
            replica(1).stop();
            primary().kill9();
            await().until(() -> state().contains("synchronous replicas answer"));
            assertThat(isReplica(0)).isTrue();
            client.query("INSERT INTO t VALUES (2)");
            proxy().reload(configuration(PROMOTE + "failover_allow_data_loss = true\n"));
            await().until(() -> !isReplica(0));
            replica(1).start(); // commits wait for it
            assertThat(client.readUntilReady()).noneMatch(message -> message.type() == 'E');
        }
        await().untilAsserted(() -> assertThat(ids(replica(1))).containsExactly(1, 2));
    }

    /** The primary is reached through something that can be cut. */
    @Test
    void whoOnlyPgproxyCannotReachStaysThePrimary() throws Exception {
        try (DelayingProxy wire = new DelayingProxy(primary().port())) {
            start(PROMOTE + "databases { \"*\" { primary = \"127.0.0.1:" + wire.port() + "\" } }\n");
            try (RawClient client = proxied().login()) {
                write(client, 1);
                wire.cut(true);
                await().until(() -> {
                    direct(primary()).run("UPDATE t SET id = id");
                    return state().contains("only pgproxy cannot reach it");
                });
                assertThat(isReplica(0)).isTrue();
                assertThat(isReplica(1)).isTrue();
                wire.cut(false);
                await().until(() -> state().equals("null"));
            }
            try (RawClient client = proxied().login()) {
                write(client, 2);
            }
        }
        assertThat(ids(primary())).containsExactly(1, 2);
    }

    @Test
    void aSwitchoverIsAPauseAndLosesNothing() throws Exception {
        start("failover_wait = 20s\n");
        Writer writer = new Writer();
        try (writer) {
            writer.awaitMore(50);
            long begun = System.nanoTime();
            assertThat(Message.types(
                            switchover(replica(1).host() + ":" + replica(1).port())))
                    .isEqualTo("NCZ");
            LOG.info(
                    "SWITCHOVER took {} ms",
                    Duration.ofNanos(System.nanoTime() - begun).toMillis());
            writer.awaitMore(50);
        }
        assertThat(writer.unknown).isEmpty();
        assertThat(ids(replica(1))).isEqualTo(writer.acknowledged);
        await().untilAsserted(() -> assertThat(ids(replica(0))).isEqualTo(writer.acknowledged));
    }

    private List<Message> switchover(String host) {
        return new Endpoint("127.0.0.1", proxy().port(), "pgproxy", "postgres", "").run("SWITCHOVER \"" + host + "\"");
    }

    private Message refused(String host) {
        try (RawClient console = new Endpoint("127.0.0.1", proxy().port(), "pgproxy", "postgres", "").login()) {
            return console.query("SWITCHOVER \"" + host + "\"").readUntilReady().getFirst();
        }
    }

    @Test
    void aSwitchoverThatCannotBeChangesNothing() throws Exception {
        start("failover_wait = 1s\n");
        String primary = primary().host() + ":" + primary().port();
        String replica = replica(0).host() + ":" + replica(0).port();
        try (RawClient client = proxied().login()) {
            assertThat(refused("nowhere:1").field('C')).isEqualTo("42704");
            assertThat(refused(primary).field('M')).endsWith(primary + " is the primary");
            client.query("BEGIN; INSERT INTO t VALUES (1)").readUntilReady();
            assertThat(refused(replica).field('M')).contains("have not ended in failover_wait");
            assertThat(client.query("COMMIT").readUntilReady()).noneMatch(message -> message.type() == 'E');
            write(client, 2);
        }
        assertThat(ids(primary())).containsExactly(1, 2);
        assertThat(isReplica(0)).isTrue();
    }
}
