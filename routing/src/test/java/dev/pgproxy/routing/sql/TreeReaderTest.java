package dev.pgproxy.routing.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class TreeReaderTest {
    @Test
    void offsetsOfTablesAreThoseInTheText() {
        String text = "select c from c . c join ( c cross join c ) on c . c";
        TreeReader.Tree tree = Objects.requireNonNull(new TreeReader(10_000).read(text));
        assertThat(tree.tableOffsets()).containsExactlyInAnyOrder(14, 27, 40);
    }

    @Test
    void onlyOneWholeStatementIsATree() {
        TreeReader reader = new TreeReader(10_000);
        assertThat(reader.read("select 1 ; select 2")).isNull();
        assertThat(reader.read("select 1 select 2")).isNull();
        assertThat(reader.read("")).isNull();
        assertThat(reader.read("select \u0001 {")).isNull();
    }

    @Test
    void aReadingThatTakesTooLongIsGivenUpAndItsThreadStops() {
        String slow = "select c" + " . c".repeat(6_000);
        TreeReader reader = new TreeReader(50);
        long begin = System.nanoTime();
        for (int i = 0; i < 3; i++) {
            assertThat(reader.read(slow)).isNull();
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(10));
        while (!running().isEmpty()) {
            assertThat(Duration.ofNanos(System.nanoTime() - begin))
                    .as(running())
                    .isLessThan(Duration.ofMinutes(2));
            LockSupport.parkNanos(50_000_000);
        }
    }

    /** Where parsers are; empty if none is running. */
    private static String running() {
        return Thread.getAllStackTraces().values().stream()
                .filter(stack -> Arrays.stream(stack)
                        .anyMatch(frame -> frame.getClassName().endsWith("CCJSqlParser")))
                .map(stack -> Arrays.stream(stack)
                        .limit(60)
                        .map(StackTraceElement::toString)
                        .collect(Collectors.joining("\n")))
                .collect(Collectors.joining("\n\n"));
    }
}
