package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.routing.Priority;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When several wait for a server: whose turn it is, and who is given one of the reserve. */
final class PriorityIT {
    private static final int EACH = 20;

    private final EmbeddedPostgres server = TestCluster.primary();
    private final String database = TestCluster.freshDatabase();
    private final TestProxy proxy = TestProxy.start(server, settings(""));
    private final RawClient holder = login("");

    private String settings(String more) {
        return TestProxy.trusting(server) + "default_pool_size = 1\n"
                + "critical_applications = [checkout]\nbatch_applications = [jobs]\n" + more;
    }

    private RawClient login(String application) {
        RawClient client = proxy.as("postgres", "", database).login();
        if (!application.isEmpty()) {
            client.query("SET application_name = " + application).readUntilReady();
        }
        return client;
    }

    @AfterEach
    void stop() {
        holder.close();
        proxy.close();
    }

    private List<List<String>> shown() {
        try (RawClient console = proxy.as("postgres", "", "pgproxy").login()) {
            List<List<String>> rows = new ArrayList<>();
            Message.rows(console.query("SHOW PRIORITIES").readUntilReady())
                    .forEach(row -> rows.add(row.stream().map(String::valueOf).toList()));
            return rows;
        }
    }

    private int waiting(Priority priority) {
        return Integer.parseInt(shown().get(priority.ordinal()).get(2));
    }

    private static String value(RawClient client, String sql) {
        return String.valueOf(Message.row(client.query(sql).readUntilReady()).getFirst());
    }

    @Test
    void turnsAreTakenByWeightAndInOrderWithinAClass() {
        holder.query("CREATE TABLE turns (turn serial, who text)").readUntilReady();
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < EACH; i++) { // those of least weight come first
            clients.add(login("jobs"));
            clients.add(login("web"));
            clients.add(login(i % 2 == 0 ? "checkout" : "jobs"));
        }
        holder.query("BEGIN").readUntilReady();
        value(holder, "SELECT 1");
        for (int i = 0; i < clients.size(); i++) {
            Priority of = i % 3 == 0 ? Priority.BATCH : i % 3 == 1 ? Priority.NORMAL : Priority.CRITICAL;
            String hint = i % 3 == 2 && i % 2 == 1 ? "/* pgproxy: priority=critical */ " : "";
            clients.get(i).query(hint + "INSERT INTO turns (who) VALUES ('" + of + " " + i / 3 + "')");
            int expected = 1 + i / 3;
            await().until(() -> waiting(of) == expected);
        }
        holder.query("COMMIT").readUntilReady();
        clients.forEach(RawClient::readUntilReady);
        List<String> turns = Message.rows(
                        holder.query("SELECT who FROM turns ORDER BY turn").readUntilReady())
                .stream()
                .map(row -> String.valueOf(row.getFirst()))
                .toList();
        for (Priority priority : Priority.values()) {
            assertThat(turns.stream().filter(turn -> turn.startsWith(priority.toString())))
                    .as("first come first served")
                    .containsExactlyElementsOf(java.util.stream.IntStream.range(0, EACH)
                            .mapToObj(i -> priority + " " + i)
                            .toList());
        }
        assertThat(first(turns, 21, Priority.CRITICAL)).isBetween(15L, 17L);
        assertThat(first(turns, 21, Priority.NORMAL)).isBetween(3L, 5L);
        assertThat(first(turns, 21, Priority.BATCH)).isEqualTo(1);
        assertThat(shown().stream().map(row -> Long.parseLong(row.get(3)))).allMatch(served -> served >= EACH);
        clients.forEach(RawClient::close);
    }

    private static long first(List<String> turns, int many, Priority of) {
        return turns.subList(0, many).stream()
                .filter(turn -> turn.startsWith(of.toString()))
                .count();
    }

    @Test
    void theReserveIsForWhoIsCriticalAtOnce() {
        proxy.reload(settings("reserve_pool_size = 1\nreserve_pool_timeout = 1h"));
        try (RawClient jobs = login("jobs");
                RawClient checkout = login("checkout")) {
            holder.query("BEGIN").readUntilReady();
            value(holder, "SELECT 1");
            jobs.query("SELECT 2");
            await().until(() -> waiting(Priority.BATCH) == 1);
            assertThat(value(checkout, "SELECT 3")).isEqualTo("3");
            assertThat(Message.row(jobs.readUntilReady()))
                    .as("it is there, so it is used")
                    .containsExactly("2");
        }
        holder.query("ROLLBACK").readUntilReady();
    }

    @Test
    void aUserHasNoMoreThanHisOwn() {
        proxy.reload(settings("").replace("password = ", "priority = batch, password = "));
        try (RawClient checkout = login("checkout")) {
            holder.query("BEGIN").readUntilReady();
            value(holder, "SELECT 1");
            checkout.query("/* pgproxy: priority=critical */ SELECT 2");
            await().until(() -> waiting(Priority.BATCH) == 1);
            holder.query("ROLLBACK").readUntilReady();
            assertThat(Message.row(checkout.readUntilReady())).containsExactly("2");
        }
    }
}
