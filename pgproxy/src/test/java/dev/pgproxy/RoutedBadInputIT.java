package dev.pgproxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.routing.sql.Shapes;
import dev.pgproxy.testing.Frontend;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Texts that nobody should send, with replicas that they could go to: the answer is the one that the primary gives when it is
 * asked directly, in bounded time and memory, and others are served meanwhile.
 */
final class RoutedBadInputIT {
    private static final int LONG = 1 << 20;
    private static final Duration BOUND = Duration.ofSeconds(5);
    private static final Duration OTHERS_WAIT = Duration.ofSeconds(2);

    /** More shapes than are kept of this length. */
    private static final int FILLING = 5000;

    private static final int SHAPES = Integer.getInteger("test.shapes", 10_000);

    private static final String COMMENT = " /* " + "so long that fewer are kept ".repeat(50) + "*/ ";

    /** What each event loop remembers fills up for a while; a shape that is never given up takes two kilobytes or more. */
    private static final long GROWTH = 16L << 20;

    /** Every lexical construct, read and written; what cuts a write short may change rows, but always in the same way. */
    private static final List<String> STATEMENTS = List.of(
            "SELECT v, 'it''s' AS \"a \"\"name\"\"\" FROM public.t WHERE id = 1 AND v <> -1.5e3",
            "SELECT E'back\\'slash\\u00e9\\\\', U&'d\\0061t\\+000061', B'101', X'1F', N'x' FROM t",
            "SELECT $$dollar$$, $tag$ $$ ' $tag$, v::text FROM t /* one /* two */ one */ -- end",
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT sum(n) FROM r, t",
            "SELECT 'größe' AS größe, '日本' FROM t WHERE id IN (1, 2) ORDER BY v DESC NULLS LAST LIMIT 1",
            "SELECT count(*) FILTER (WHERE v > 0) OVER (PARTITION BY id) FROM t JOIN t AS u USING (id)",
            "SELECT CASE WHEN v BETWEEN 1 AND 2 THEN ARRAY[1, 2] ELSE '{3}'::int[] END FROM t; SELECT 2; VALUES (3)",
            "UPDATE t SET v = 5 WHERE id = (SELECT max(id) FROM t) RETURNING v, 'x'",
            "EXPLAIN (COSTS off) SELECT * FROM t WHERE id = 1",
            "COPY (SELECT id FROM t WHERE id = 1) TO STDOUT",
            "/* /* */ \\ */ SELECT * FROM ONLY t AS x (a, b) WHERE a @> b IS NOT TRUE",
            "SELECT x.a FROM (VALUES (1, 'b')) AS x (a, b) WHERE EXISTS (TABLE t)");

    private static final RoutedProxy PROXY = RoutedProxy.start(
            "threads = 2\n",
            List.of(1, 1),
            "CREATE TABLE t (id int PRIMARY KEY, v int)",
            "INSERT INTO t VALUES (1, 1)");

    private final RawClient direct = PROXY.direct().login();
    private final RawClient proxied = PROXY.proxied().login();
    private final RawClient other = PROXY.proxied().login();
    private volatile boolean running = true;
    private long longestWait;
    private final Thread others = new Thread(() -> {
        while (running) {
            long asked = System.nanoTime();
            RoutedProxy.port(other.query(RoutedProxy.HERE).readUntilReady());
            longestWait = Math.max(longestWait, System.nanoTime() - asked);
            LockSupport.parkNanos(1_000_000);
        }
    });

    @BeforeAll
    static void awaitReplicas() {
        PROXY.awaitReplicas();
    }

    @AfterAll
    static void stop() {
        PROXY.close();
    }

    /** Somebody else, who reads all the time. */
    @BeforeEach
    void startOthers() {
        others.start();
    }

    @AfterEach
    void nobodyElseHasWaited() throws InterruptedException {
        running = false;
        others.join();
        assertThat(Duration.ofNanos(longestWait)).as("wait of somebody else").isLessThan(OTHERS_WAIT);
        List.of(direct, proxied, other).forEach(RawClient::close);
    }

    private static List<String> words(List<Message> answer) {
        return answer.stream().map(Message::toString).toList();
    }

    /** The same messages, to the position of an error and the line of the source that made it. */
    private void assertSame(String what, Consumer<RawClient> question) {
        question.accept(direct);
        List<String> expected = words(direct.readUntilReady());
        long asked = System.nanoTime();
        question.accept(proxied);
        List<String> got = words(proxied.readUntilReady());
        Duration took = Duration.ofNanos(System.nanoTime() - asked);
        assertThat(got).as(what).isEqualTo(expected);
        assertThat(took).as(what).isLessThan(BOUND);
    }

    private static String shown(String sql) {
        return sql.length() <= 100 ? sql : sql.substring(0, 60) + "… of " + sql.length();
    }

    /** As a Query, and in the extended protocol. */
    private void assertSame(byte[] sql) {
        assertSameAsQuery(sql);
        assertSameAsParse(sql);
    }

    private void assertSameAsQuery(byte[] sql) {
        byte[] body = Arrays.copyOf(sql, sql.length + 1);
        assertSame("Query " + shown(new String(sql, UTF_8)), c -> c.send("Query", Frontend.message('Q', body)));
    }

    private void assertSameAsParse(byte[] sql) {
        byte[] body = new byte[1 + sql.length + 3]; // no name, no types
        System.arraycopy(sql, 0, body, 1, sql.length);
        assertSame(
                "Parse " + shown(new String(sql, UTF_8)),
                c -> c.batch(b -> b.send("Parse", Frontend.message('P', body))
                        .bind("", "")
                        .describePortal("")
                        .execute("")
                        .sync()));
    }

    private void assertSame(String sql) {
        assertSame(sql.getBytes(UTF_8));
        assertSame("alive after " + shown(sql), c -> c.query("SELECT v FROM t"));
    }

    private static String numbers(int count, String before, String behind) {
        return IntStream.range(0, count).mapToObj(i -> before + i + behind).collect(Collectors.joining(", "));
    }

    @Test
    void aMegabyte() {
        assertSame("SELECT '" + "x".repeat(LONG) + "' FROM t");
        assertSame("SELECT 1 /* " + "comment ".repeat(LONG / 8) + "*/ FROM t");
        assertSame("-- " + "y".repeat(LONG) + "\nSELECT v FROM t");
        assertSame("SELECT v FROM t" + " ".repeat(LONG));
        assertSame("SELECT $q$" + "$$ ' \" /* ".repeat(LONG / 10) + "$q$ FROM t");
        assertSame("SELECT 1 AS " + "z".repeat(LONG) + " FROM t");
        assertSame("SELECT " + "1 + ".repeat(4000) + "1 FROM t");
        assertSame("z".repeat(LONG));
        assertSame("/*".repeat(2000));
        assertSame("SELECT 1;".repeat(5000));
        assertSame(";".repeat(LONG));
    }

    @Test
    void aMegabyteOfNonsense() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        String[] words = {
            "SELECT", "FROM", "t", "(", ")", ",", "'", "\"", "$$", "$1", "/*", "*/", "--", "\n", ";", "::", "1e",
            "E'\\", "U&'", "IN", "JOIN", "ä", "\\", "[", "*", "WITH", "AS"
        };
        for (int i = 0; i < 3; i++) {
            StringBuilder text = new StringBuilder(LONG + 10);
            while (text.length() < LONG) {
                text.append(words[random.nextInt(words.length)]).append(random.nextBoolean() ? " " : "");
            }
            assertSame("-- seed " + seed + "\n" + text);
            assertSame("SELECT " + text);
        }
    }

    @Test
    void tenThousandParentheses() {
        for (int depth : new int[] {200, 1000, 10_000}) {
            assertSame("SELECT " + "(".repeat(depth) + "1" + ")".repeat(depth) + " FROM t");
            assertSame("(".repeat(depth) + "SELECT 1" + ")".repeat(depth));
            assertSame("SELECT " + "(".repeat(depth));
            assertSame("SELECT 1" + ")".repeat(depth));
            assertSame("SELECT * FROM " + "(SELECT * FROM ".repeat(depth) + "t" + ") AS ".repeat(depth));
            assertSame("SELECT " + "ARRAY[".repeat(depth) + "1" + "]".repeat(depth));
            assertSame("SELECT " + "abs(".repeat(depth) + "1" + ")".repeat(depth));
            assertSame("SELECT " + "CASE WHEN true THEN ".repeat(depth) + "1" + " END".repeat(depth));
        }
    }

    @Test
    void fiftyThousandElements() {
        assertSame("SELECT v FROM t WHERE id IN (" + numbers(50_000, "", "") + ")");
        assertSame("SELECT v FROM t WHERE id IN (" + "1,".repeat(49_999) + "1)");
        assertSame("SELECT v FROM t WHERE v::text IN (" + numbers(50_000, "'x", "'") + ")");
        assertSame("SELECT v FROM t WHERE id NOT IN (" + numbers(50_000, "", "") + "");
        assertSame("SELECT v FROM t WHERE id = ANY ('{" + numbers(50_000, "", "") + "}')");
        assertSame("SELECT count(*) FROM (VALUES " + numbers(50_000, "(", ")") + ") AS x");
        assertSame("SELECT " + numbers(1600, "v AS c", "") + " FROM t");
        assertSame("SELECT " + numbers(2000, "v AS c", "") + " FROM t");
        assertSame("SELECT v FROM t WHERE id IN (" + numbers(20_000, "$", "") + ")");
    }

    @Test
    void textsThatEndTooSoon() {
        for (String end : new String[] {
            "'", "'it''", "E'", "E'\\", "E'\\'", "U&'", "U&'\\00", "U&\"", "B'1", "X'", "\"", "\"a\"\"", "$$", "$$ $",
                    "$a$ $$", "$a$ $a",
            "$1$", "/*", "/* /* */", "/*/", "--", "1e", "1.", "0x", "1_", "::", ".", "(", "[", "@", "\\", "$"
        }) {
            assertSame("SELECT v FROM t WHERE v = " + end);
            assertSame(end);
        }
    }

    @Test
    void everyBeginningOfAStatement() {
        for (String statement : STATEMENTS) {
            byte[] whole = statement.getBytes(UTF_8);
            for (int length = 0; length <= whole.length; length++) {
                if (length % 2 == 0) {
                    assertSameAsQuery(Arrays.copyOf(whole, length));
                } else {
                    assertSameAsParse(Arrays.copyOf(whole, length));
                }
            }
        }
    }

    @Test
    void whatIsNotUtf8() {
        for (String bytes : new String[] {
            "\u00c3(",
            "\u00ff",
            "\u0080",
            "\u00c0\u0080",
            "\u00ed\u00a0\u0080",
            "\u00f4\u0090\u0080\u0080",
            "\u00e2\u0082",
            "\u00c3"
        }) {
            for (String frame : new String[] {
                "SELECT '%s' FROM t",
                "SELECT v AS \"%s\" FROM t",
                "SELECT v AS %s FROM t",
                "SELECT v FROM t -- %s",
                "/* %s */ SELECT v FROM t",
                "SELECT $$%s$$ FROM t",
                "SELECT $%s$x$%s$",
                "%s",
                "SELECT v FROM t%s",
                "SELECT '%s"
            }) {
                assertSame(frame.replace("%s", bytes).getBytes(ISO_8859_1));
            }
            byte[] value = bytes.getBytes(ISO_8859_1);
            assertSame(
                    "Bind of " + bytes,
                    c -> c.batch(b -> b.parse("", "SELECT $1::text FROM t")
                            .bind("", "", new int[0], List.of(value), new int[0])
                            .execute("")
                            .sync()));
        }
        assertSame("SELECT v FROM t");
    }

    /** What is no message at all the proxy refuses itself, in its own words. */
    @Test
    void zeroBytesWithinAText() {
        for (String text :
                new String[] {"SELECT 1\0", "\0SELECT 1", "SELECT '\0' FROM t", "SELECT v FROM t\0\0", "\0"}) {
            byte[] bytes = (text + "\0").getBytes(UTF_8);
            assertSameKinds(text, c -> c.send("Query", Frontend.message('Q', bytes)));
            byte[] parse = ("\0" + text + "\0\0\0").getBytes(UTF_8);
            assertSameKinds(
                    text, c -> c.send("Parse", Frontend.message('P', parse)).sync());
            assertSame("SELECT v FROM t");
        }
    }

    private void assertSameKinds(String what, Consumer<RawClient> question) {
        question.accept(direct);
        List<Message> expected = direct.readUntilReady();
        question.accept(proxied);
        List<Message> got = proxied.readUntilReady();
        assertThat(Message.types(got)).as(what).isEqualTo(Message.types(expected));
        for (int i = 0; i < got.size(); i++) {
            if (got.get(i).type() == 'E') {
                assertThat(got.get(i).field('C'))
                        .as(what)
                        .isEqualTo(expected.get(i).field('C'));
            }
        }
    }

    /** Twice as many as are kept; then some that take thirty times as much each. */
    @Test
    void shapesWithoutEnd() {
        Shapes known = PROXY.proxy().services().routes().shapes();
        shapes(0, FILLING);
        long before = usedHeap();
        shapes(FILLING, SHAPES);
        assertThat(known.all().size()).isBetween(1000, FILLING);
        assertThat(usedHeap() - before).as("bytes of heap").isLessThan(GROWTH);
        for (int i = 0; i < 300; i++) {
            String sql = "ALTER " + numbers(2500, "a" + i + "_", "");
            assertThat(Message.types(proxied.query(sql).readUntilReady())).isEqualTo("EZ");
        }
        assertThat(known.all().size()).isLessThan(FILLING);
        assertThat(usedHeap() - before).as("bytes of heap").isLessThan(GROWTH);
    }

    private void shapes(int from, int to) {
        int at = from;
        while (at < to) {
            int first = at;
            int end = Math.min(to, first + 250);
            proxied.batch(b -> {
                for (int i = first; i < end; i++) {
                    b.query("SELECT v AS c" + i + COMMENT + "FROM t");
                }
            });
            for (; at < end; at++) {
                assertThat(Message.types(proxied.readUntilReady())).isEqualTo("TDCZ");
            }
        }
    }

    private static long usedHeap() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            System.gc();
            least = Math.min(
                    least,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return least;
    }
}
