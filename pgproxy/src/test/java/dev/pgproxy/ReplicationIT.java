package dev.pgproxy;

import static dev.pgproxy.testing.Frontend.VERSION_3_0;
import static dev.pgproxy.testing.Transcript.assertSameFromStart;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import dev.pgproxy.testing.Transcript;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Replication connections: what passes through them, and that they count as others do. Source: manual, "Streaming Replication Protocol". */
final class ReplicationIT {
    private static final RawClient.Listener DEAF = new RawClient.Listener() {
        @Override
        public void sent(String words) {}

        @Override
        public void received(Message message) {}
    };

    private static Map<String, String> parameters(String user, String database, String replication) {
        return RawClient.parameters("user", user, "database", database, "replication", replication);
    }

    /** Places in the log differ from run to run: the scenario notes what does not. */
    private static void begin(RawClient c, Transcript t, String replication) {
        c.login(
                VERSION_3_0,
                t.endpoint().password(),
                parameters(t.endpoint().user(), t.endpoint().database(), replication));
        c.listener(DEAF);
        List<Message> system = c.query("IDENTIFY_SYSTEM").readUntilReady();
        List<@Nullable String> row = system.get(1).values();
        t.note(Message.types(system) + " " + row.get(0) + " " + row.get(1) + " " + row.get(3));
    }

    /** Reads the stream until {@code last}; notes the kinds of its messages, each once: w for data, k for keepalive. */
    private static void stream(RawClient c, Transcript t, String last) {
        TreeSet<Character> kinds = new TreeSet<>();
        StringBuilder data = new StringBuilder();
        while (data.indexOf(last) < 0) {
            Message message = c.readMessage();
            assertThat(message.type()).as("%s", message).isEqualTo('d');
            kinds.add((char) message.body()[0]);
            data.append(new String(message.body(), StandardCharsets.ISO_8859_1));
        }
        kinds.remove('k'); // these come when they come
        t.note("stream of " + kinds);
    }

    /** Says where it is, and asks for a keepalive. */
    private static void ping(RawClient c, Transcript t) {
        ByteBuffer status = ByteBuffer.allocate(34).put((byte) 'r').put(33, (byte) 1);
        c.copyData(status.array());
        Message answer = c.readMessage();
        while (answer.type() == 'd' && answer.body()[0] == 'w') {
            answer = c.readMessage();
        }
        t.note("answer " + answer.type() + (char) answer.body()[0]);
    }

    private static void end(RawClient c, Transcript t) {
        c.copyDone();
        StringBuilder types = new StringBuilder();
        for (Message message : c.readUntilReady()) {
            types.append(message.type() == 'd' ? "" : message.type());
        }
        t.note("the end " + types);
    }

    @Test
    void aPhysicalStreamPasses() {
        assertSameFromStart((c, t) -> {
            begin(c, t, "true");
            List<Message> slot = c.query("CREATE_REPLICATION_SLOT physical_it TEMPORARY PHYSICAL RESERVE_WAL")
                    .readUntilReady();
            t.note(Message.types(slot) + " " + slot.get(1).values().getFirst());
            String at = String.valueOf(
                    c.query("IDENTIFY_SYSTEM").readUntilReady().get(1).values().get(2));
            t.note(Message.types(
                    c.query("START_REPLICATION SLOT physical_it PHYSICAL " + at).readUntil('W')));
            String mark = "mark of " + System.nanoTime();
            t.quietly("SELECT pg_logical_emit_message(true, 'it', '" + mark + "')");
            stream(c, t, mark);
            ping(c, t);
            end(c, t);
            t.note(Message.types(c.query("SHOW wal_level").readUntilReady()));
        });
    }

    @Test
    void aLogicalStreamPasses() {
        assertSameFromStart((c, t) -> {
            t.quietly("DROP TABLE IF EXISTS streamed");
            t.quietly("CREATE TABLE streamed (a text)");
            t.quietly("DROP PUBLICATION IF EXISTS streamed");
            t.quietly("CREATE PUBLICATION streamed FOR TABLE streamed");
            begin(c, t, "database");
            List<Message> slot = c.query("CREATE_REPLICATION_SLOT logical_it TEMPORARY LOGICAL pgoutput")
                    .readUntilReady();
            t.note(Message.types(slot) + " " + slot.get(1).values().getFirst() + " "
                    + slot.get(1).values().get(3));
            t.note(Message.types(c.query(
                            "START_REPLICATION SLOT logical_it LOGICAL 0/0 (proto_version '1', publication_names 'streamed')")
                    .readUntil('W')));
            t.quietly("INSERT INTO streamed VALUES ('first row'), ('" + "x".repeat(300_000) + " last row')");
            stream(c, t, "last row");
            ping(c, t);
            end(c, t);
            t.note(Message.types(c.query("SELECT count(*) FROM streamed").readUntilReady()));
        });
    }

    // ---- limits

    private final EmbeddedPostgres server = TestCluster.primary();
    private final String database = TestCluster.freshDatabase();

    private TestProxy start(String settings) {
        return TestProxy.start(
                server, TestProxy.user("postgres", TestCluster.PASSWORD) + "admin_users = [postgres]\n" + settings);
    }

    private RawClient ordinary(TestProxy proxy) {
        return proxy.as("postgres", TestCluster.PASSWORD, database).login();
    }

    /** Authenticated; what follows depends on the limits. */
    private RawClient replicating(TestProxy proxy) {
        RawClient client = proxy.connect();
        client.startup(VERSION_3_0, parameters("postgres", database, "database"));
        Message last = client.authenticate("postgres", TestCluster.PASSWORD).getLast();
        assertThat(last.type()).as("%s", last).isIn('R', 'E');
        return client;
    }

    private static void assertServed(RawClient client) {
        assertThat(client.readUntilReady().getLast().isReady()).isTrue();
        assertThat(Message.types(client.query("SHOW wal_level").readUntilReady()))
                .isEqualTo("TDCZ");
    }

    private static List<List<@Nullable String>> show(TestProxy proxy, String command) {
        return Message.rows(
                proxy.as("postgres", TestCluster.PASSWORD, "pgproxy").run("SHOW " + command));
    }

    @Test
    void aReplicationConnectionCountsAsClientAndAsServerAndIsShown() {
        try (TestProxy proxy = start("max_client_conn = 2\nmax_db_connections = 1\n");
                RawClient stream = replicating(proxy)) {
            assertServed(stream);
            assertThat(show(proxy, "CLIENTS").getFirst().subList(0, 5))
                    .containsExactly("C", "postgres", database, "logical", "active");
            List<@Nullable String> shown = show(proxy, "SERVERS").getFirst();
            assertThat(shown.subList(0, 5)).containsExactly("S", "postgres", database, "logical", "active");
            assertThat(shown.get(15))
                    .isEqualTo(show(proxy, "CLIENTS").getFirst().get(14));
            try (RawClient waits = proxy.connect()) {
                waits.startup(VERSION_3_0, RawClient.parameters("user", "postgres", "database", database));
                waits.authenticate("postgres", TestCluster.PASSWORD);
                assertThat(waits.poll(500)).isNull();
                assertThat(proxy.attempt("postgres", TestCluster.PASSWORD, database)
                                .field('M'))
                        .isEqualTo("no more connections allowed (max_client_conn)");
                stream.terminate().readUntilClosed();
                assertThat(waits.readUntilReady().getLast().isReady()).isTrue();
            }
            Awaitility.await().until(() -> show(proxy, "SERVERS").stream().allMatch(row -> "none".equals(row.get(3))));
        }
    }

    @Test
    void itWaitsForItsTurnAsOthersDoAndNotForEver() {
        try (TestProxy proxy = start("max_user_connections = 1\n");
                RawClient busy = ordinary(proxy)) {
            busy.query("BEGIN").readUntilReady();
            try (RawClient stream = replicating(proxy)) {
                assertThat(stream.poll(500)).isNull();
                assertThat(show(proxy, "CLIENTS").get(1).subList(3, 5)).containsExactly("logical", "waiting");
                busy.query("COMMIT").readUntilReady();
                assertServed(stream); // the server that is free now has made room
                stream.terminate().readUntilClosed();
            }
            busy.query("BEGIN").readUntilReady();
            proxy.reload(TestProxy.user("postgres", TestCluster.PASSWORD)
                    + "max_user_connections = 1\nquery_wait_timeout = 500ms\n");
            try (RawClient late = replicating(proxy)) {
                assertThat(late.readMessage().field('M')).isEqualTo("query_wait_timeout");
                assertThat(late.readMessage().isClosed()).isTrue();
            }
        }
    }

    @Test
    void whatIsSentBeforeThereIsAServerWaitsInTheSocket() throws InterruptedException {
        int length = 64 << 20;
        try (TestProxy proxy = start("max_db_connections = 1\n");
                RawClient busy = ordinary(proxy)) {
            busy.query("BEGIN").readUntilReady();
            try (RawClient stream = replicating(proxy)) {
                Thread sender = Thread.ofPlatform()
                        .daemon()
                        .start(() -> stream.query("SELECT length('" + "x".repeat(length) + "')"));
                sender.join(1500);
                assertThat(sender.isAlive()).isTrue();
                busy.query("COMMIT").readUntilReady();
                stream.readUntilReady();
                assertThat(stream.readUntilReady().get(1).values()).containsExactly(String.valueOf(length));
                sender.join();
            }
        }
    }
}
