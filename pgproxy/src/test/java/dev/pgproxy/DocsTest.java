package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.typesafe.config.ConfigFactory;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.testing.DocBlock;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import picocli.CommandLine;

/**
 * What the documents show is so: a block of settings loads, a command line has the options that there are, a link leads
 * somewhere. Statements and console commands are run by {@code DocsIT}, whole sessions of a shell by {@code benchmarks/docs}.
 */
class DocsTest {
    private static final Set<String> TAGS = Set.of("console", "hocon", "sh", "sql", "systemd", "text", "yaml");
    private static final Pattern LINK = Pattern.compile("(?<!`)\\[[^\\]\\n]*\\]\\(([^)\\s]+)\\)");
    private static final Pattern COMMAND =
            Pattern.compile("(?m)^(?:\\$ )?(?:\\w+=\\S+ )*bin/pgproxy (.*?)(?: &| > \\S+)?(?: +#.*)?$");

    /** What settings of a block may speak of. */
    private static final String AROUND = """
            databases { app { primary = "10.0.0.1" }, "*" { primary = "10.0.0.1" } }
            users { web { password = x }, nightly { password = x } }
            """;

    @Test
    void everyBlockSaysWhatItIs() {
        assertThat(DocBlock.all())
                .isNotEmpty()
                .allSatisfy(block ->
                        assertThat(TAGS).as("tag of the block at %s", block).contains(block.tag()));
    }

    @TestFactory
    Stream<DynamicTest> settingsLoad() {
        List<DocBlock> blocks = DocBlock.tagged("hocon");
        assertThat(blocks).hasSizeGreaterThan(5);
        return blocks.stream()
                .map(block -> DynamicTest.dynamicTest(block.toString(), () -> {
                    String text = block.text()
                            .replaceAll("\\$\\{\\w+}", "\"https://told.example\"")
                            .replace("/run/pgproxy", System.getProperty("java.io.tmpdir"));
                    boolean hasOwn = ConfigFactory.parseString(text).hasPath("databases");
                    assertThatCode(() -> ConfigLoader.parse((hasOwn ? "" : AROUND) + text))
                            .doesNotThrowAnyException();
                }));
    }

    @TestFactory
    Stream<DynamicTest> commandLinesHaveOptionsThatThereAre() {
        CommandLine program = Main.commandLine();
        List<DynamicTest> tests = new ArrayList<>();
        for (DocBlock block : DocBlock.all()) {
            Matcher command = COMMAND.matcher(block.text());
            while (command.find()) {
                String line = command.group(1).strip();
                tests.add(DynamicTest.dynamicTest(
                        block + " " + line,
                        () -> assertThatCode(() -> program.parseArgs(line.split(" +")))
                                .doesNotThrowAnyException()));
            }
        }
        assertThat(tests).hasSizeGreaterThan(5);
        return tests.stream();
    }

    @Test
    void linksLeadSomewhere() throws IOException {
        List<String> broken = new ArrayList<>();
        int seen = 0;
        for (Path document : DocBlock.documents()) {
            Matcher link = LINK.matcher(Files.readString(document));
            while (link.find()) {
                seen++;
                if (!leadsSomewhere(document, link.group(1))) {
                    broken.add(document + ": " + link.group(1));
                }
            }
        }
        assertThat(seen).isGreaterThan(50);
        assertThat(broken).isEmpty();
    }

    private static boolean leadsSomewhere(Path from, String link) throws IOException {
        if (URI.create(link).isAbsolute()) {
            return true; // of others: not asked here
        }
        String[] parts = link.split("#", 2);
        Path target = parts[0].isEmpty() ? from : from.resolveSibling(parts[0]);
        return Files.exists(target) && (parts.length == 1 || anchors(target).contains(parts[1]));
    }

    /** Of the headings, as GitHub makes them. */
    private static Set<String> anchors(Path document) throws IOException {
        return Arrays.stream(Files.readString(document).split("\n"))
                .filter(line -> line.startsWith("#"))
                .map(line -> line.replaceFirst("^#+ ", "")
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{N} _-]", "")
                        .replace(' ', '-'))
                .collect(Collectors.toSet());
    }
}
