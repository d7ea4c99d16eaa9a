package dev.pgproxy.pgbouncer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.ProxyConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Files of PgBouncer and what they become: each {@code NAME.ini} of the resources has a {@code NAME.conf} beside it, which is
 * what {@code convert} prints of it, but for the directory.
 */
final class PgBouncerIniTest {
    private static final Path FILES = Path.of("src/test/resources/pgbouncer");
    private static final Path DOCS = Path.of("../docs/pgbouncer.md");

    /** Writes what is expected instead, to be read before it is committed. */
    private static final boolean WRITE = Boolean.getBoolean("pgbouncer.write");

    @TempDir
    private Path directory;

    static Stream<Path> files() throws IOException {
        try (Stream<Path> all = Files.list(FILES)) {
            return all.filter(file -> file.toString().endsWith(".ini")).sorted().toList().stream();
        }
    }

    private static PgBouncerIni read(String name) {
        return PgBouncerIni.read(FILES.resolve(name));
    }

    private static ProxyConfig load(String name) throws ConfigProblems {
        return ConfigLoader.load(FILES.resolve(name), Map.of());
    }

    @ParameterizedTest
    @MethodSource("files")
    void aFileBecomesWhatStandsBesideIt(Path file) throws IOException {
        String hocon = PgBouncerIni.read(file)
                .hocon()
                .replace(Path.of("").toAbsolutePath().toString(), "/WORKING");
        Path expected = Path.of(file.toString().replace(".ini", ".conf"));
        if (WRITE) {
            Files.writeString(expected, hocon);
        }
        assertThat(hocon).isEqualTo(Files.readString(expected));
    }

    @ParameterizedTest
    @MethodSource("files")
    void whatIsPrintedLoadsAndIsTheSame(Path file) throws IOException, ConfigProblems {
        assertPrintedIsTheSame(file);
    }

    private void assertPrintedIsTheSame(Path file) throws IOException, ConfigProblems {
        Path printed = directory.resolve("printed.conf");
        Files.writeString(printed, PgBouncerIni.read(file).hocon());
        assertThat(PgBouncerIni.is(printed)).isFalse();
        assertThat(ConfigLoader.load(printed, Map.of())).isEqualTo(ConfigLoader.load(file, Map.of()));
    }

    @Test
    void namesAndValuesOfAnyKindArePrintedSoThatTheyAreReadAgain() throws IOException, ConfigProblems {
        RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
        String signs = "ab0 \"'\\=${}[]#;:,.+?\u00e4\u20ac\tnull";
        Path file = directory.resolve("random.ini");
        for (int round = 0; round < 300; round++) {
            List<String> texts = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                StringBuilder text = new StringBuilder("x");
                random.ints(random.nextInt(12), 0, signs.length()).forEach(at -> text.append(signs.charAt(at)));
                texts.add(text.append('y').toString());
            }
            String value = texts.get(0).replace("'", "''");
            Files.writeString(
                    file,
                    "[databases]\n\"" + texts.get(1).replace("\"", "\"\"") + "\" = host=db user='" + value
                            + "' password='" + value + "'\n[pgbouncer]\nlisten_addr = localhost\nauth_query = "
                            + texts.get(2) + "\n");
            ProxyConfig config = ConfigLoader.load(file, Map.of());
            var database = Objects.requireNonNull(config.databases().get(texts.get(1)));
            assertThat(database.user()).isEqualTo(texts.get(0));
            assertThat(Objects.requireNonNull(database.password()).reveal()).isEqualTo(texts.get(0));
            assertThat(config.auth().authQuery()).isEqualTo(texts.get(2));
            assertPrintedIsTheSame(file);
        }
    }

    /** PgBouncer reads them with atoi there, and those of [pgbouncer] with strtol. */
    @Test
    void numbersOfADatabaseOrUserAreDecimalAndWhole() throws IOException {
        Path file = directory.resolve("numbers.ini");
        Files.writeString(
                file,
                "[databases]\nd = host=h pool_size=010\n[users]\nu = query_timeout=010 transaction_timeout=0.5"
                        + " client_idle_timeout=00\n[pgbouncer]\ndefault_pool_size = 010\n");
        String hocon = PgBouncerIni.read(file).hocon();
        assertThat(hocon)
                .containsPattern("(?m)^ *pool_size = 10$")
                .containsPattern("query_timeout = 10s")
                .containsPattern("default_pool_size = 8")
                .doesNotContain("transaction_timeout", "client_idle_timeout");
    }

    @Test
    void everyNameThatPgBouncerKnowsIsKnown() throws IOException {
        List<String> names = Files.readAllLines(FILES.resolve("settings-1.25.txt")).stream()
                .filter(line -> !line.startsWith("#"))
                .toList();
        assertThat(names).hasSizeGreaterThan(130).doesNotHaveDuplicates();
        assertThat(names.stream().filter(name -> !name.contains(".")))
                .containsExactlyInAnyOrderElementsOf(GeneralSettings.all().keySet());
        PgBouncerIni everything = read("everything.ini");
        assertThat(everything.errors()).isEmpty();
        String hocon = everything.hocon();
        String ini = Files.readString(FILES.resolve("everything.ini"));
        for (String name : names) {
            String bare = name.substring(name.lastIndexOf('.') + 1);
            assertThat(ini).as(name).containsPattern("(?m)(^|\\s)" + bare + " ?=");
            assertThat(hocon).as("neither mapped nor listed").contains(SPELT.getOrDefault(name, bare));
        }
    }

    /** What has another name here. */
    private static final Map<String, String> SPELT = Map.of(
            "verbose", "log_level",
            "track_extra_parameters", "allow_startup_parameters",
            "client_tls13_ciphers", "client_tls_ciphers",
            "databases.host", "primary",
            "databases.port", "primary",
            "databases.reserve_pool", "reserve_pool_size",
            "databases.load_balance_hosts", "primary", // of one host there is nothing to balance
            "peers.host", "\"peer:6432\"",
            "peers.port", "\"peer:6432\"");

    @Test
    void theDocumentationHasEverySetting() throws IOException {
        List<String> expected = new ArrayList<>();
        GeneralSettings.all()
                .forEach((name, meaning) -> expected.add("| `" + name + "` | " + meaning.inDocumentation() + " |"));
        for (String name : new TreeSet<>(Pairs.DATABASE.keySet())) {
            expected.add("| `" + name + "` | `" + name + "` |");
        }
        new java.util.TreeMap<>(Pairs.DATABASE_ONLY)
                .forEach((name, why) -> expected.add("| `" + name + "` | no equivalent: " + why + " |"));
        for (String name : new TreeSet<>(Pairs.USER.keySet())) {
            expected.add("| `" + name + "` | `" + name + "` |");
        }
        new java.util.TreeMap<>(Pairs.USER_ONLY)
                .forEach((name, why) -> expected.add("| `" + name + "` | no equivalent: " + why + " |"));
        assertThat(Files.readAllLines(DOCS)).containsSubsequence(expected);
    }

    @Test
    void aFileThatNamesNothingHasPgBouncersDefaults() throws ConfigProblems {
        ProxyConfig config = load("minimal.ini");
        assertThat(config.show())
                .filteredOn(shown -> !shown.value().equals(shown.defaultValue()))
                .extracting(shown -> shown.key() + " = " + shown.value())
                .satisfies(lines -> assertThat(lines.removeIf(line -> line.startsWith("auth_file = /")))
                        .isTrue())
                .containsExactlyInAnyOrder(
                        "unix_socket_dir = /tmp",
                        "listen_backlog = 128",
                        "pool_mode = session",
                        "allow_startup_parameters = application_name,client_encoding,datestyle,"
                                + "standard_conforming_strings,timezone,intervalstyle",
                        "max_client_conn = 100",
                        "server_idle_timeout = 600s",
                        "shutdown_timeout = 0",
                        "auth_type = md5");
        assertThat(read("minimal.ini").remarks()).isEmpty();
    }

    @Test
    void everyMistakeIsNamedWithItsLineAndNoSecret() throws IOException {
        for (String name : List.of("wrong/mistakes", "wrong/reserved")) {
            Path expected = FILES.resolve(name + ".txt");
            String problems = problems(name + ".ini");
            if (WRITE) {
                Files.writeString(expected, problems);
            }
            assertThat(problems).isEqualTo(Files.readString(expected)).doesNotContain("two", "words");
        }
        assertThatThrownBy(() -> load("wrong/no-section.ini"))
                .hasMessageContaining("no-section.ini: has no section [pgbouncer]");
    }

    private static String problems(String name) {
        return String.valueOf(catchThrowable(() -> load(name)).getMessage())
                        .replace(Path.of("").toAbsolutePath().toString(), "/WORKING")
                + "\n";
    }

    @Test
    void anIncludeThatIncludesItselfIsAMistake() throws IOException {
        Path file = directory.resolve("round.ini");
        Files.writeString(file, "[pgbouncer]\n%include " + file + "\n");
        assertThat(PgBouncerIni.read(file).errors())
                .extracting(Remark::text)
                .containsExactly("includes are nested more than 10 deep");
    }

    @Test
    void aSecondSectionMakesTheFirstForgotten() throws IOException, ConfigProblems {
        Path file = directory.resolve("twice.ini");
        Files.writeString(file, """
                [pgbouncer]
                max_client_conn = 7
                listen_addr = localhost
                [databases]
                a = host=one
                a = host=two
                [pgbouncer]
                listen_addr = 127.0.0.1
                """);
        ProxyConfig config = ConfigLoader.load(file, Map.of());
        assertThat(config.limits().maxClientConn()).isEqualTo(100);
        assertThat(config.databases().get("a"))
                .isNotNull()
                .satisfies(a -> assertThat(a.primary().host()).isEqualTo("two"));
        assertThat(PgBouncerIni.read(file).remarks())
                .extracting(Remark::toString)
                .containsExactly(file
                        + ":7: [pgbouncer] begins again: what stood under it before is forgotten, as by PgBouncer");
    }

    @Test
    void theFormIsRecognisedByNameAndByContent() throws IOException {
        assertThat(PgBouncerIni.is(Path.of("missing.ini"))).isTrue();
        assertThat(PgBouncerIni.is(Path.of("missing.conf"))).isFalse();
        for (String text : List.of("; x\n\n [databases]\n", "%include a\n")) {
            assertThat(PgBouncerIni.is(Files.writeString(directory.resolve("a.cfg"), text)))
                    .isTrue();
        }
        for (String text : List.of("", "# [databases]\nlisten_port = 1\n", "databases { }\n", "{ }")) {
            assertThat(PgBouncerIni.is(Files.writeString(directory.resolve("a.cfg"), text)))
                    .isFalse();
        }
    }
}
