package dev.pgproxy.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Folders of files that load and of files that do not, the latter with what is said about them. */
class ConfigLoaderTest {
    private static final Path FILES = Path.of("src/test/resources/config");
    private static final Map<String, String> ENVIRONMENT = Map.of("PORT", "what");

    static Stream<Path> validFiles() throws IOException {
        return files("valid");
    }

    static Stream<Path> invalidFiles() throws IOException {
        return files("invalid");
    }

    private static Stream<Path> files(String folder) throws IOException {
        try (Stream<Path> all = Files.list(FILES.resolve(folder))) {
            return all.filter(f -> f.toString().endsWith(".conf")).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("validFiles")
    void validFilesLoad(Path file) throws ConfigProblems {
        assertThat(ConfigLoader.load(file, Map.of())).isEqualTo(ConfigLoader.load(file, Map.of()));
    }

    @ParameterizedTest
    @MethodSource("invalidFiles")
    void invalidFilesNameEverythingThatIsWrong(Path file) throws IOException {
        ConfigProblems problems =
                catchThrowableOfType(ConfigProblems.class, () -> ConfigLoader.load(file, ENVIRONMENT));
        Path folder = FILES.resolve("invalid");
        List<String> messages = problems.problems().stream()
                .map(p -> p.replace(folder.toAbsolutePath() + "/", "").replace(folder + "/", ""))
                .toList();
        Path expected = Path.of(file.toString().replace(".conf", ".txt"));
        assertThat(messages).isEqualTo(Files.readAllLines(expected)).isNotEmpty();
        assertThat(problems.getMessage()).doesNotContain("hush");
    }

    @Test
    void includesAndTheEnvironmentFillIn() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.load(FILES.resolve("valid/include.conf"), Map.of("PORT", "7001"));
        assertThat(config.listen().listenPort()).isEqualTo(7001);
        assertThat(config.pool().defaultPoolSize()).isEqualTo(33);
        assertThat(config.auth().authUser()).isNull();
        assertThat(config.databases().get("other"))
                .isNotNull()
                .extracting(DatabaseSettings::poolSize, DatabaseSettings::primary)
                .containsExactly(3, new HostAddress("127.0.0.1", 5432));
    }

    @Test
    void emptyTextAndNullMeanNotSet() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.load(FILES.resolve("valid/unset.conf"), Map.of());
        assertThat(config.listen().unixSocketDir()).isNull();
        assertThat(config.listen().listenAddr()).containsExactly("*");
        DatabaseSettings any = Objects.requireNonNull(config.wildcard());
        assertThat(any.primary().socketPath()).isEqualTo("/run/postgresql/.s.PGSQL.5432");
        assertThat(any.poolSize()).isNull();
        assertThat(any.password()).isNull();
        assertThat(any.replicas()).isEmpty();
    }

    @Test
    void damagedFilesLoadOrAreComplainedAbout() throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        String text = Files.readString(FILES.resolve("valid/full.conf"));
        for (int i = 0; i < 500; i++) {
            StringBuilder damaged = new StringBuilder(text);
            for (int n = random.nextInt(1, 6); n > 0; n--) {
                int at = random.nextInt(damaged.length());
                switch (random.nextInt(3)) {
                    case 0 -> damaged.deleteCharAt(at);
                    case 1 -> damaged.insert(at, " \n\"{}[]=:,$#\\\u0000\u00e9".charAt(random.nextInt(15)));
                    default -> damaged.delete(at, Math.min(damaged.length(), at + random.nextInt(200)));
                }
            }
            String file = damaged.toString();
            assertThatCode(() -> {
                        try {
                            assertThat(ConfigLoader.parse(file).databasesAndWildcard())
                                    .isNotEmpty();
                        } catch (ConfigProblems e) {
                            assertThat(e.problems()).isNotEmpty().allMatch(p -> p.contains(": "));
                        }
                    })
                    .as("seed %s, round %s:%n%s", seed, i, file)
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void aProblemIsOneLineWhateverWasWritten() {
        ConfigProblems problems = catchThrowableOfType(
                ConfigProblems.class,
                () -> ConfigLoader.parse("pool_mode = \"a\\nb\"\ndatabases { a { primary = db } }"));
        assertThat(problems.problems())
                .containsExactly("text:1: pool_mode: expects one of session, transaction, statement, not 'a b'");
    }

    @Test
    void aFileThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> ConfigLoader.load(Path.of("nowhere.conf"), Map.of()))
                .isInstanceOf(ConfigProblems.class)
                .hasMessage("nowhere.conf: cannot be read");
    }
}
