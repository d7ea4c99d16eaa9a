package dev.pgproxy.testing;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The rows of an answer by the names of their columns. Stateless. */
public final class Rows {
    private Rows() {}

    /** A row; NULL is the word null. */
    public record Row(Map<String, @Nullable String> values) {
        /** What stands in a column. */
        public String get(String column) {
            if (!values.containsKey(column)) {
                throw new AssertionError("no " + column + " in " + values.keySet());
            }
            return Objects.requireNonNullElse(values.get(column), "null");
        }

        /** A whole number that stands there. */
        public long number(String column) {
            return Long.parseLong(get(column));
        }
    }

    /** What a SHOW gives. */
    public static List<Row> of(Endpoint console, String show) {
        List<Message> answer = console.run(show);
        List<String> columns = columns(answer);
        List<Row> rows = new ArrayList<>();
        for (List<@Nullable String> values : Message.rows(answer)) {
            Map<String, @Nullable String> row = new TreeMap<>();
            for (int i = 0; i < columns.size(); i++) {
                row.put(columns.get(i), values.get(i));
            }
            rows.add(new Row(row));
        }
        return rows;
    }

    /** The names in a RowDescription. */
    private static List<String> columns(List<Message> answer) {
        List<String> names = new ArrayList<>();
        for (Message message : answer) {
            if (message.type() == 'T') {
                ByteBuffer in = ByteBuffer.wrap(message.body());
                for (int left = in.getShort(); left > 0; left--) {
                    StringBuilder name = new StringBuilder();
                    for (byte b = in.get(); b != 0; b = in.get()) {
                        name.append((char) b);
                    }
                    names.add(name.toString());
                    in.position(in.position() + 18);
                }
            }
        }
        return names;
    }
}
