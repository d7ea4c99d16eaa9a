package dev.pgproxy.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Declarations, {@code conf/pgproxy.conf} and {@code docs/config.md} say the same. */
class ConfigFilesTest {
    private static final Path CONF = Path.of("../conf");
    private static final Path DOCS = Path.of("../docs/config.md");
    private static final List<SettingGroup> BLOCKS = List.of(
            DatabaseSettings.GROUP,
            UserSettings.GROUP,
            CacheRule.GROUP,
            StatementRule.GROUP,
            WarmQuery.GROUP,
            WebhookSettings.GROUP,
            SmtpSettings.GROUP);

    @Test
    void theFileShowsEverySettingWithItsDefaultAndItsDescriptionInOrder() throws IOException {
        List<String> lines = Files.readAllLines(CONF.resolve("pgproxy.conf")).stream()
                .map(line -> line.replaceFirst("^  # ", "").strip())
                .toList();
        List<String> expected = new ArrayList<>();
        Stream.concat(Settings.GROUPS.stream(), BLOCKS.stream())
                .flatMap(group -> group.settings().stream())
                .forEach(setting -> {
                    expected.add("# " + setting.description());
                    expected.add(setting.key() + " = " + inFile(setting));
                });
        assertThat(lines).containsSubsequence(expected);
    }

    @Test
    void theFileLoadsAndChangesNoDefault() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.load(CONF.resolve("pgproxy.conf"), Map.of());
        assertThat(config.show())
                .allSatisfy(shown -> assertThat(shown.value()).as(shown.key()).isEqualTo(shown.defaultValue()));
        assertThat(config.wildcard()).isNotNull();
        assertThat(config.users()).isEmpty();
    }

    @Test
    void theCommentedBlocksOfTheFileLoadToo() throws IOException, ConfigProblems {
        String text = Files.readString(CONF.resolve("pgproxy.conf"));
        ProxyConfig config = ConfigLoader.parse(text.replaceAll("(?m)^  # ", "")
                .replace("peer_id = 0", "peer_id = 1")
                .replace("consistency = table", "consistency = session")); // table with peers needs Redis
        assertThat(config.users()).hasSize(1);
        assertThat(config.databases()).hasSize(1);
        assertThat(config.cacheRules()).hasSize(1);
        assertThat(config.statementRules()).hasSize(1);
        assertThat(config.warmQueries()).hasSize(1);
        assertThat(config.alerts().targets().webhooks()).hasSize(1);
        assertThat(config.alerts().targets().smtp()).isNotNull();
        assertThat(config.peers().peers()).hasSize(1);
    }

    @Test
    void theMinimalFileLoads() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.load(CONF.resolve("pgproxy-minimal.conf"), Map.of());
        assertThat(config.wildcard()).isNotNull();
        assertThat(config.auth().authFile()).isNotNull().isReadable();
    }

    @Test
    void theDocumentationHasEverySettingInOrder() throws IOException {
        List<String> expected = new ArrayList<>();
        Stream.concat(Settings.GROUPS.stream(), BLOCKS.stream()).forEach(group -> {
            expected.add("### " + group.title());
            group.settings().forEach(setting -> expected.add(inDocumentation(setting)));
        });
        List<String> lines = Files.readAllLines(DOCS);
        assertThat(lines).containsSubsequence(expected);
        assertThat(lines.stream().filter(line -> line.startsWith("| `"))).hasSameSizeAs(rows(expected));
    }

    @Test
    void everyKeyIsDeclaredOnce() {
        for (List<Setting<?>> settings : List.of(
                Settings.GENERAL,
                DatabaseSettings.GROUP.settings(),
                UserSettings.GROUP.settings(),
                CacheRule.GROUP.settings(),
                StatementRule.GROUP.settings(),
                WarmQuery.GROUP.settings(),
                WebhookSettings.GROUP.settings(),
                SmtpSettings.GROUP.settings())) {
            assertThat(Settings.keys(settings)).doesNotHaveDuplicates().allMatch(key -> key.matches("[a-z_0-9]+"));
            if (!settings.equals(SmtpSettings.GROUP.settings())) { // whose host is what is "primary" of a database
                assertThat(settings)
                        .allSatisfy(
                                s -> assertThat(ForeignNames.advice(s.key())).isNull());
            }
            assertThat(settings)
                    .allSatisfy(s -> assertThat(s.description()).endsWith(".").hasSizeLessThan(120));
        }
    }

    private static List<String> rows(List<String> lines) {
        return lines.stream().filter(line -> line.startsWith("| `")).toList();
    }

    /** What the file writes where there is no default and something must be given. */
    private static final Map<Setting<?>, String> EXAMPLES = Map.of(
            DatabaseSettings.PRIMARY, "\"127.0.0.1:5432\"",
            WarmQuery.DATABASE, "app",
            WarmQuery.USER, "web",
            WarmQuery.QUERY, "\"SELECT 1\"",
            WebhookSettings.URL, "\"https://alerts.example/hook\"",
            SmtpSettings.HOST, "mail.example",
            SmtpSettings.FROM, "\"pgproxy@example.com\"",
            SmtpSettings.TO, "[\"ops@example.com\"]");

    /** The default as the file writes it: empty text where there is none. */
    private static String inFile(Setting<?> setting) {
        String example = EXAMPLES.get(setting);
        if (example != null) {
            return example;
        }
        String text = setting.defaultText();
        if (setting.type().isList()) {
            return Stream.of(text.split(","))
                    .filter(part -> !part.isEmpty())
                    .map(part -> '"' + part + '"')
                    .collect(Collectors.joining(", ", "[", "]"));
        }
        return text.isEmpty() || text.contains(" ") ? '"' + text + '"' : text;
    }

    private static String inDocumentation(Setting<?> setting) {
        return "| `%s` | %s | %s | %s | %s |"
                .formatted(
                        setting.key(),
                        setting.defaultText().isEmpty() ? "" : "`" + setting.defaultText() + "`",
                        setting.type().expects(),
                        setting.reloadable() ? "yes" : "restart",
                        setting.description());
    }
}
