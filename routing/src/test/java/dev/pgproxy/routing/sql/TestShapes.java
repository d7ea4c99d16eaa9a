package dev.pgproxy.routing.sql;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/** TestShapes of texts given as strings, and the table of statements that tests share. */
final class TestShapes {
    private static final ShapeReader READER = new ShapeReader();

    private TestShapes() {}

    /** A statement of the table; expected is empty if it is not to be understood. */
    record Row(String sql, String expected) {
        @Override
        public String toString() {
            return sql;
        }
    }

    static StatementShape of(String sql) {
        return of(sql.getBytes(UTF_8), true);
    }

    static StatementShape of(byte[] text, boolean standardConformingStrings) {
        QueryFacts facts = new SqlAnalyzer()
                .analyze(Unpooled.wrappedBuffer(text), 0, text.length, standardConformingStrings, false);
        return READER.read(text, facts, standardConformingStrings);
    }

    /** A shape as the table writes it. */
    static String describe(StatementShape shape) {
        Set<Name> others = new HashSet<>(shape.mentions());
        others.removeAll(shape.relations());
        return "reads " + names(shape.relations())
                + part("writes", shape.written())
                + part("calls", shape.functions())
                + part("mentions", others);
    }

    private static String part(String title, Set<Name> names) {
        return names.isEmpty() ? "" : " | " + title + " " + names(names);
    }

    static String names(Set<Name> names) {
        return names.stream().map(Name::toString).sorted().collect(Collectors.joining(" "));
    }

    static List<Row> table() {
        List<Row> rows = new ArrayList<>();
        String sql = null;
        for (String line : resource().lines().toList()) {
            if (line.startsWith("  ")) {
                rows.add(new Row(Objects.requireNonNull(sql), line.substring(2)));
            } else if (line.startsWith("! ")) {
                rows.add(new Row(line.substring(2).replace("\\n", "\n"), ""));
            } else if (!line.startsWith("#") && !line.isEmpty()) {
                sql = line.replace("\\n", "\n");
            }
        }
        return rows;
    }

    private static String resource() {
        try (InputStream in = Objects.requireNonNull(TestShapes.class.getResourceAsStream("shapes.txt"))) {
            return new String(in.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
