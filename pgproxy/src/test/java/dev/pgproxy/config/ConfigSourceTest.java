package dev.pgproxy.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

/** Configurations from the command line: a file, URLs, or DATABASE_URL. */
class ConfigSourceTest {
    private static final String URL = "postgres://demo:se%40cret@db1:5433/notes";

    @Command
    private static final class Probe {
        @Mixin
        private ConfigSource source = new ConfigSource();
    }

    private static ProxyConfig load(Map<String, String> environment, String... arguments) throws ConfigProblems {
        Probe probe = new Probe();
        new CommandLine(probe).parseArgs(arguments);
        return probe.source.load(environment);
    }

    @Test
    void aFileIsLoaded() throws ConfigProblems {
        ProxyConfig config = load(Map.of("DATABASE_URL", URL), "-c", "src/test/resources/config/valid/minimal.conf");
        assertThat(config.databases()).isEmpty();
        assertThat(config.wildcard()).isNotNull();
    }

    @Test
    void urlsGiveTheDatabaseTheWildcardAndTheUser() throws ConfigProblems {
        ProxyConfig config = load(
                Map.of(), "--primary", URL, "--replica", "postgres://r1/notes", "--replica", "postgresql://r2:5434");
        DatabaseSettings notes = Objects.requireNonNull(config.databases().get("notes"));
        assertThat(notes.primary()).isEqualTo(new HostAddress("db1", 5433));
        assertThat(notes.replicas())
                .extracting(ReplicaAddress::address)
                .containsExactly(new HostAddress("r1", 5432), new HostAddress("r2", 5434));
        assertThat(config.wildcard())
                .isNotNull()
                .extracting(DatabaseSettings::primary)
                .isEqualTo(notes.primary());
        assertThat(config.users().get("demo"))
                .isNotNull()
                .extracting(UserSettings::password)
                .isEqualTo(new Secret("se@cret"));
        assertThat(config.auth().authType()).isEqualTo(AuthType.SCRAM_SHA_256);
        assertThat(config.admin().adminUsers()).containsExactly("demo");
    }

    @Test
    void theVariableStandsInForThePrimary() throws ConfigProblems {
        ProxyConfig config = load(Map.of("DATABASE_URL", URL), "--listen", "0.0.0.0:7000");
        assertThat(config.databases()).containsOnlyKeys("notes");
        assertThat(config.listen().listenAddr()).containsExactly("0.0.0.0");
        assertThat(config.listen().listenPort()).isEqualTo(7000);
        assertThat(load(Map.of("DATABASE_URL", URL)).databases()).containsOnlyKeys("notes");
    }

    @Test
    void withoutAnythingItSaysWhatToGive() {
        assertThatThrownBy(() -> load(Map.of()))
                .isInstanceOf(ConfigProblems.class)
                .hasMessage("no server: give FILE or --primary URL, or set DATABASE_URL");
    }

    @Test
    void aFileAndUrlsExcludeEachOther() {
        assertThatThrownBy(() -> load(Map.of(), "-c", "a.conf", "--primary", URL))
                .isInstanceOf(ParameterException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "7000, 127.0.0.1, 7000",
        ":7000, 127.0.0.1, 7000",
        "*:7000, *, 7000",
        "10.0.0.1, 10.0.0.1, 6432",
        "[::1]:7000, ::1, 7000",
        "[::1], ::1, 6432",
        "::, ::, 6432"
    })
    void theListenAddressMayLackItsHostOrItsPort(String listen, String host, int port) throws ConfigProblems {
        ListenSettings settings = ConfigLoader.fromUrls(URL, List.of(), listen).listen();
        assertThat(settings.listenAddr()).containsExactly(host);
        assertThat(settings.listenPort()).isEqualTo(port);
    }

    @Test
    void aDirectoryIsListenedOnAsAUnixSocket() throws ConfigProblems {
        ListenSettings settings = ConfigLoader.fromUrls(URL, List.of(), "/").listen();
        assertThat(settings.listenAddr()).isEmpty();
        assertThat(settings.unixSocketDir()).isEqualTo(Path.of("/"));
    }

    @Test
    void theUrlIsReadAsLibpqReadsIt() {
        assertThat(PostgresUrl.parse("postgres://u:p@h1:1,h2,[::1]:3/d?sslmode=require"))
                .isEqualTo(new PostgresUrl(
                        List.of(new HostAddress("h1", 1), new HostAddress("h2", 5432), new HostAddress("::1", 3)),
                        "u",
                        new Secret("p"),
                        "d",
                        Map.of("sslmode", "require")));
        assertThat(PostgresUrl.parse("postgresql://%2Frun%2Fpg:5433/d").hosts())
                .containsExactly(new HostAddress("/run/pg", 5433));
        assertThat(PostgresUrl.parse("postgresql:///d?host=/run/pg,h&port=1,2&user=a&password=b+c"))
                .isEqualTo(new PostgresUrl(
                        List.of(new HostAddress("/run/pg", 1), new HostAddress("h", 2)),
                        "a",
                        new Secret("b+c"),
                        "d",
                        Map.of()));
        assertThat(PostgresUrl.parse("postgres://u:a@b/c:d@h/x").password()).isEqualTo(new Secret("a@b/c:d"));
        assertThat(PostgresUrl.parse("postgres://").hosts()).containsExactly(new HostAddress("localhost", 5432));
    }

    @Test
    void parametersOfTheUrlBecomeSettingsOrAreRefused() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.fromUrls(
                URL + "?sslmode=verify-full&sslrootcert=system&connect_timeout=3&schema=public", List.of(), null);
        assertThat(config.serverTls().sslMode()).isEqualTo(SslMode.VERIFY_FULL);
        assertThat(config.serverTls().caFile()).isNull();
        assertThat(config.timeouts().serverConnectTimeout()).hasSeconds(3);
        assertThatThrownBy(() -> ConfigLoader.fromUrls(
                        URL + "?sslmode=maybe&optoins=x&channel_binding=require", List.of(), "a:b"))
                .isInstanceOf(ConfigProblems.class)
                .message()
                .startsWith("listen address: port: expects a whole number between 0 and 65535, not 'b'");
    }

    @Test
    void complaintsAboutUrlsRepeatNoPassword() {
        for (String url : List.of(
                "hush",
                "mysql://u:hush@h/d",
                "postgres://u:hu?sh@h/d",
                "postgres://u:hush@h:port/d",
                "postgres://u:%hush@h/d",
                "postgres://u:hush@h/d?x",
                "postgres://u:hush@a b/d",
                "postgres://:hush@h/d",
                "postgres://u:hush@h/d?options=1")) {
            assertThatThrownBy(() -> ConfigLoader.fromUrls(url, List.of(url), null))
                    .isInstanceOf(ConfigProblems.class)
                    .message()
                    .startsWith("primary URL: ")
                    .doesNotContain("hu", "sh");
        }
        assertThatThrownBy(() -> ConfigLoader.fromUrls(URL, List.of("postgres://demo:hush@r/notes"), null))
                .hasMessage("replica URL: user, password, database and parameters must be the primary's, or left out");
    }
}
