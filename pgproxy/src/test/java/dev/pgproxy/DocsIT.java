package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.DocBlock;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The statements and console commands that the documents show are run. */
class DocsIT {
    /** Up to what is no word in capitals, or begins what is to be filled in. */
    private static final Pattern SHOW = Pattern.compile("`SHOW ((?!ROUTE\\b)[A-Z_]+(?: (?!ORDER|LIMIT)[A-Z_]+)*)");

    /** The end of a line of statements, where no comment goes on. */
    private static final Pattern END = Pattern.compile(";(?= *(?:\\n|$|--))");

    /** Documented as refused. */
    private static final Set<String> REFUSED = Set.of("FDS", "PEER_POOLS");

    private static RoutedProxy proxy;

    @BeforeAll
    static void start() {
        proxy = RoutedProxy.start(
                "cache_mode = on",
                List.of(1, 1),
                "CREATE TABLE orders (id int, paid boolean)",
                "CREATE MATERIALIZED VIEW kept AS SELECT * FROM orders",
                "DROP ROLE IF EXISTS reports, pgproxy_control",
                "CREATE ROLE reports",
                "CREATE ROLE pgproxy_control");
    }

    @AfterAll
    static void stop() {
        proxy.direct().run("DROP OWNED BY pgproxy_control");
        proxy.direct().run("DROP ROLE reports");
        proxy.direct().run("DROP ROLE pgproxy_control");
        proxy.close();
    }

    @TestFactory
    Stream<DynamicTest> statementsDoNotFail() {
        List<DocBlock> blocks = DocBlock.tagged("sql");
        assertThat(blocks).hasSizeGreaterThan(3);
        return blocks.stream()
                .map(block -> DynamicTest.dynamicTest(block.toString(), () -> {
                    try (RawClient client = proxy.proxied().login()) {
                        for (String statement : END.split(block.text(), -1)) {
                            assertThat(client.query(statement).readUntilReady())
                                    .as(statement)
                                    .noneMatch(message -> message.type() == 'E');
                        }
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> theConsoleAnswersEverythingThatIsNamed() throws IOException {
        Set<String> named = new TreeSet<>();
        for (Path document : DocBlock.documents()) {
            SHOW.matcher(Files.readString(document)).results().forEach(show -> named.add(show.group(1)));
        }
        assertThat(named).hasSizeGreaterThan(30);
        Endpoint console = new Endpoint("127.0.0.1", proxy.proxy().port(), "pgproxy", "postgres", TestCluster.PASSWORD);
        return named.stream()
                .map(show -> DynamicTest.dynamicTest(show, () -> {
                    try (RawClient client = console.login()) {
                        List<Message> answer = client.query("SHOW " + show).readUntilReady();
                        assertThat(answer.stream().anyMatch(message -> message.type() == 'E'))
                                .as("%s", answer)
                                .isEqualTo(REFUSED.contains(show));
                    }
                }));
    }
}
