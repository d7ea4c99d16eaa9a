package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigSyntax;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code slow_query_log}, and what is slow by databases and rules. */
final class SlowLogIT {
    @TempDir
    private Path directory;

    private static List<@Nullable String> totals(ProxyUnderTest under) {
        return Message.row(under.proxied().withDatabase("pgproxy").run("SHOW SLOW TOTALS"));
    }

    private static Config json(String line) {
        return ConfigFactory.parseString(line, ConfigParseOptions.defaults().setSyntax(ConfigSyntax.JSON));
    }

    private static List<String> lines(Path file) throws IOException {
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }

    private static void reload(ProxyUnderTest.InThisJvm under, String settings) throws ConfigProblems, IOException {
        under.proxy().reload(ConfigLoader.parse(ProxyUnderTest.settings(settings)));
    }

    @Test
    void eachSlowStatementIsALineWithoutItsValues() throws IOException {
        Path log = directory.resolve("slow.json");
        ProxyUnderTest.InThisJvm under =
                ProxyUnderTest.with("slow_query_threshold = 1us\nslow_query_log = \"" + log + "\"\n");
        try (var proxy = under.proxy();
                RawClient client = under.proxied().login()) {
            client.query("SET application_name = 'web \"1\"\t'").readUntilReady();
            client.query("SELECT 's3cret' FROM generate_series(1, 3)").readUntilReady();
            client.query("SELECT 1 / 0").readUntilReady();
            await().until(() -> lines(log).size() >= 3);
        }
        assertThat(Files.readString(log)).doesNotContain("s3cret");
        Config read = json(lines(log).get(1));
        assertThat(read.getString("query")).isEqualTo("SELECT ? FROM generate_series(?, ?)");
        assertThat(read.getString("database")).isEqualTo(under.database());
        assertThat(read.getString("user")).isEqualTo("postgres");
        assertThat(read.getString("application_name")).startsWith("web \"1\"");
        assertThat(read.getString("host")).isEqualTo(under.server().toString());
        assertThat(read.getString("addr")).isEqualTo("127.0.0.1");
        assertThat(read.getString("fingerprint")).hasSize(32);
        assertThat(read.getInt("rows")).isEqualTo(3);
        assertThat(read.getDouble("server_ms")).isPositive();
        assertThat(read.getIsNull("sqlstate")).isTrue();
        assertThat(java.time.Instant.parse(read.getString("time"))).isBefore(java.time.Instant.now());
        assertThat(json(lines(log).get(2)).getString("sqlstate")).isEqualTo("22012");
        assertThat(Files.getPosixFilePermissions(log)).hasSize(2);
    }

    @Test
    void filesRotateBySizeAndNumberAndAreOpenedAgainAtReload() throws IOException, ConfigProblems {
        Path log = directory.resolve("slow.json");
        String settings = "slow_query_threshold = 1us\nslow_query_log_size = 2kB\nslow_query_log_files = 3\n"
                + "slow_query_log = \"" + log + "\"\n";
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with(settings);
        try (var proxy = under.proxy();
                RawClient client = under.proxied().login()) {
            for (int i = 0; i < 60; i++) {
                client.query("SELECT " + i).readUntilReady();
            }
            await().until(() -> "60".equals(totals(under).get(2)));
            try (Stream<Path> files = Files.list(directory)) {
                assertThat(files.map(file -> file.getFileName().toString()))
                        .containsExactlyInAnyOrder("slow.json", "slow.json.1", "slow.json.2");
            }
            for (String name : List.of("slow.json", "slow.json.1", "slow.json.2")) {
                Path file = directory.resolve(name);
                assertThat(Files.size(file)).isLessThanOrEqualTo(2048);
                assertThat(lines(file))
                        .isNotEmpty()
                        .allSatisfy(line -> json(line).getString("query"));
            }
            Path moved = directory.resolve("moved");
            Files.move(log, moved);
            long size = Files.size(moved);
            reload(under, settings);
            client.query("SELECT 1").readUntilReady();
            await().until(() -> lines(log).size() == 1);
            assertThat(Files.size(moved)).isEqualTo(size);
            assertThat(totals(under).get(3)).isEqualTo("0");
        }
    }

    @Test
    void aFileThatCannotBeWrittenStopsNothing() throws IOException {
        Path missing = directory.resolve("missing");
        for (Path log : List.of(missing.resolve("slow.json"), Path.of("/dev/full"))) {
            ProxyUnderTest.InThisJvm under =
                    ProxyUnderTest.with("slow_query_threshold = 1us\nslow_query_log = \"" + log + "\"\n");
            try (var proxy = under.proxy();
                    RawClient client = under.proxied().login()) {
                for (int i = 0; i < 5; i++) {
                    assertThat(Message.row(client.query("SELECT 7").readUntilReady()))
                            .containsExactly("7");
                }
                await().until(() -> "5".equals(totals(under).get(3)));
                assertThat(totals(under).get(1)).isEqualTo("failing");
                assertThat(totals(under).get(2)).isEqualTo("0");
                if (log.startsWith(missing)) {
                    Files.createDirectory(missing);
                    client.query("SELECT 8").readUntilReady();
                    await().until(() -> lines(log).size() == 1);
                    assertThat(totals(under).get(1)).isEqualTo("on");
                }
            }
        }
    }

    @Test
    void aDatabaseAndARuleSayWhatIsSlow() throws ConfigProblems, IOException {
        String rule = "statement_rules { r { pattern = \"generate_series\", slow_query_threshold = 1us } }\n";
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("slow_query_threshold = 0\n" + rule);
        try (var proxy = under.proxy();
                RawClient client = under.proxied().login()) {
            client.query("SELECT 1").readUntilReady();
            client.query("SELECT * FROM generate_series(1, 2)").readUntilReady();
            client.batch(b -> b.parse("", "SELECT $1::int + generate_series(1, 2)")
                            .bind("", "", "1")
                            .execute("")
                            .sync())
                    .readUntilReady();
            assertThat(slow(under))
                    .containsExactly("SELECT $1::int + generate_series(?, ?)", "SELECT * FROM generate_series(?, ?)");
            reload(
                    under,
                    "slow_query_threshold = 0\ndatabases { \"*\" { slow_query_threshold = 1us } }\n"
                            + rule.replace("1us", "0"));
            client.query("SELECT 2 AS b").readUntilReady();
            client.query("SELECT 2 FROM generate_series(1, 2)").readUntilReady();
            assertThat(slow(under)).startsWith("SELECT ? AS b").hasSize(3);
        }
    }

    private static List<String> slow(ProxyUnderTest.InThisJvm under) {
        return Message.rows(under.proxied().withDatabase("pgproxy").run("SHOW SLOW")).stream()
                .map(row -> String.valueOf(row.getLast()))
                .toList();
    }
}
