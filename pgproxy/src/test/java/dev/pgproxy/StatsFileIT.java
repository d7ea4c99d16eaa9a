package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was counted of statements is there again in the next process. */
final class StatsFileIT {
    private final String database = TestCluster.freshDatabase(TestCluster.primary());

    @TempDir
    private Path directory;

    private TestProxy start(String more) {
        return TestProxy.start(
                TestCluster.primary(),
                TestProxy.trusting(TestCluster.primary()) + "query_stats_file = \"" + file() + "\"\n" + more);
    }

    private Path file() {
        return directory.resolve("stats");
    }

    private Endpoint as(TestProxy proxy, String name) {
        return proxy.as("postgres", TestCluster.PASSWORD, name);
    }

    /** The row of a statement, by the names of the columns; empty if there is none. */
    private Map<String, String> row(TestProxy proxy, String query) {
        List<Message> answer = as(proxy, "pgproxy").run("SHOW QUERIES");
        List<String> columns = Message.columns(answer);
        Map<String, String> found = new TreeMap<>();
        for (List<@Nullable String> row : Message.rows(answer)) {
            if (query.equals(row.get(columns.indexOf("query")))) {
                assertThat(found).as("one row for a statement").isEmpty();
                for (int i = 0; i < columns.size(); i++) {
                    found.put(columns.get(i), String.valueOf(row.get(i)));
                }
            }
        }
        return found;
    }

    private void run(TestProxy proxy, int times) {
        try (RawClient client = as(proxy, database).login()) {
            for (int i = 0; i < times; i++) {
                client.query("SELECT generate_series(1, 3), 'secret'").readUntilReady();
            }
            client.query("SELECT 1/0").readUntilReady();
        }
    }

    @Test
    void countsGoOnAfterARestart() throws IOException {
        Map<String, String> before;
        try (TestProxy proxy = start("")) {
            run(proxy, 10);
            before = row(proxy, "SELECT generate_series(?, ?), ?");
            assertThat(before).containsEntry("calls", "10");
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                .isEqualTo("rw-------");
        assertThat(new String(Files.readAllBytes(file()), java.nio.charset.StandardCharsets.UTF_8))
                .contains("SELECT generate_series")
                .doesNotContain("secret");
        try (TestProxy proxy = start("")) {
            Map<String, String> again = row(proxy, "SELECT generate_series(?, ?), ?");
            before.remove("tables");
            again.remove("tables");
            Map<String, String> times = new TreeMap<>();
            for (String column : List.of("first_seen", "last_seen")) { // to the second, and a millisecond lost
                times.put(column, String.valueOf(before.remove(column)));
                assertThat(again.remove(column)).startsWith(times.get(column).substring(0, 14));
            }
            assertThat(again).isEqualTo(before);
            run(proxy, 5);
            assertThat(row(proxy, "SELECT generate_series(?, ?), ?"))
                    .containsEntry("calls", "15")
                    .containsEntry("rows", "45");
            assertThat(row(proxy, "SELECT ?/?")).containsEntry("calls", "2").containsEntry("sqlstates", "22012:2");
        }
        try (TestProxy proxy = start("")) {
            assertThat(row(proxy, "SELECT generate_series(?, ?), ?")).containsEntry("calls", "15");
            as(proxy, "pgproxy").run("RESET QUERIES");
            assertThat(row(proxy, "SELECT generate_series(?, ?), ?")).isEmpty();
        }
        try (TestProxy proxy = start("")) {
            assertThat(row(proxy, "SELECT generate_series(?, ?), ?")).isEmpty();
        }
    }

    @Test
    void whatIsDamagedIsSaidAndIgnored() throws IOException {
        try (TestProxy proxy = start("")) {
            run(proxy, 3);
        }
        byte[] good = Files.readAllBytes(file());
        List<byte[]> bad = new ArrayList<>();
        for (int i = 0; i < good.length; i += Math.max(1, good.length / 5)) {
            byte[] changed = good.clone();
            changed[i] ^= 4;
            bad.add(changed);
            bad.add(java.util.Arrays.copyOf(good, i));
        }
        for (byte[] bytes : bad) {
            Files.write(file(), bytes);
            try (TestProxy proxy = start("")) {
                assertThat(row(proxy, "SELECT generate_series(?, ?), ?")).isEmpty();
                run(proxy, 1);
                assertThat(row(proxy, "SELECT generate_series(?, ?), ?")).containsEntry("calls", "1");
            }
        }
        Files.write(file(), good);
        Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("rw-r--r--"));
        try (TestProxy proxy = start("")) {
            assertThat(row(proxy, "SELECT generate_series(?, ?), ?")).isEmpty();
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                .isEqualTo("rw-------"); // written anew
    }

    /** Those with the most calls and time are kept, so many and no more. */
    @Test
    void thereAreNoMoreThanAreCounted() throws IOException {
        try (TestProxy proxy = start("query_stats_max = 20\n");
                RawClient client = as(proxy, database).login()) {
            for (int i = 0; i < 30; i++) {
                client.query("SELECT 1 AS often").readUntilReady();
            }
            for (int i = 0; i < 200; i++) {
                client.query("SELECT 1 AS c" + i).readUntilReady();
            }
        }
        assertThat(Files.size(file())).isLessThan(20 * 1000);
        try (TestProxy proxy = start("query_stats_max = 20\n")) {
            assertThat(row(proxy, "SELECT ? AS often")).containsEntry("calls", "30");
        }
    }
}
