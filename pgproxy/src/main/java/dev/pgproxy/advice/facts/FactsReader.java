package dev.pgproxy.advice.facts;

import dev.pgproxy.advice.facts.DatabaseFacts.Surroundings;
import dev.pgproxy.advice.facts.TableFacts.Activity;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads {@link DatabaseFacts} in a transaction of its own that only reads, waits for no lock longer than a second, and for
 * no query longer than ten. Of columns it sees the statistics of those that control_user may SELECT. Blocks. Stateless.
 */
public final class FactsReader {
    private static final String BEGIN = "SET TRANSACTION READ ONLY; SET LOCAL search_path = pg_catalog;"
            + " SET LOCAL lock_timeout = 1000; SET LOCAL statement_timeout = 10000";

    @FunctionalInterface
    private interface Row<T> {
        T read(ResultSet row) throws SQLException;
    }

    private FactsReader() {}

    /**
     * Of the database that a connection is in.
     *
     * @param elsewhere scans of its indexes on the replicas, by oid
     * @param isWhole whether all replicas have told
     */
    public static DatabaseFacts read(Connection connection, Map<Long, Long> elsewhere, boolean isWhole)
            throws SQLException {
        connection.setAutoCommit(false);
        try {
            begin(connection);
            Map<Long, TableFacts> tables = tables(connection);
            Long[] oids = tables.keySet().toArray(new Long[0]);
            List<TableFacts> whole = withColumns(connection, tables, oids);
            List<IndexFacts> indexes = new ArrayList<>();
            for (IndexFacts index : indexes(connection, oids)) {
                indexes.add(index.withScans(elsewhere.getOrDefault(index.oid(), 0L)));
            }
            List<ForeignKey> foreignKeys = of(
                    connection,
                    FactsQueries.FOREIGN_KEYS,
                    oids,
                    row -> new ForeignKey(row.getString(1), row.getLong(2), row.getLong(3), texts(row, 4)));
            return new DatabaseFacts(whole, indexes, foreignKeys, surroundings(connection, isWhole));
        } finally {
            connection.rollback();
        }
    }

    /** How often which index was used where this connection leads. */
    public static Map<Long, Long> scans(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try {
            begin(connection);
            Map<Long, Long> scans = new HashMap<>();
            rows(connection, FactsQueries.SCANS, row -> scans.put(row.getLong(1), row.getLong(2)));
            return scans;
        } finally {
            connection.rollback();
        }
    }

    private static void begin(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(BEGIN);
        }
    }

    private static Map<Long, TableFacts> tables(Connection connection) throws SQLException {
        Map<Long, TableFacts> tables = new HashMap<>();
        rows(
                connection,
                FactsQueries.TABLES,
                row -> tables.put(
                        row.getLong(1),
                        new TableFacts(
                                row.getLong(1),
                                row.getString(2),
                                row.getString(3),
                                row.getString(4).charAt(0),
                                row.getLong(5),
                                row.getDouble(6),
                                row.getDouble(7),
                                row.getDouble(16),
                                new Activity(
                                        row.getLong(8),
                                        row.getLong(9),
                                        row.getLong(10),
                                        row.getLong(11),
                                        row.getLong(12),
                                        row.getBoolean(13),
                                        row.getLong(14)),
                                Set.copyOf(texts(row, 15)),
                                List.of())));
        return tables;
    }

    private static List<TableFacts> withColumns(Connection connection, Map<Long, TableFacts> tables, Long[] oids)
            throws SQLException {
        Map<Long, List<ColumnFacts>> columns = new HashMap<>();
        of(
                connection,
                FactsQueries.COLUMNS,
                oids,
                row -> columns.computeIfAbsent(row.getLong(1), table -> new ArrayList<>())
                        .add(new ColumnFacts(
                                row.getString(2),
                                row.getString(3),
                                row.getBoolean(4),
                                row.getBoolean(5),
                                row.getDouble(6),
                                row.getDouble(7),
                                row.getDouble(8),
                                row.getDouble(9),
                                row.getInt(10))));
        Map<Long, double[]> sizes = new HashMap<>(); // rows and pages of partitions count for all tables above them
        for (TableFacts table : tables.values()) {
            TableFacts above = tables.get(table.parent());
            for (int level = 0; above != null && level < 10; level++) {
                double[] size = sizes.computeIfAbsent(above.oid(), oid -> new double[2]);
                size[0] += table.kind() == 'p' ? 0 : table.tuples();
                size[1] += table.pages();
                above = tables.get(above.parent());
            }
        }
        List<TableFacts> whole = new ArrayList<>();
        for (TableFacts table : tables.values()) {
            double[] size = table.kind() == 'p'
                    ? sizes.getOrDefault(table.oid(), new double[2])
                    : new double[] {table.tuples(), table.pages()};
            whole.add(new TableFacts(
                    table.oid(),
                    table.schema(),
                    table.name(),
                    table.kind(),
                    table.parent(),
                    size[0],
                    size[1],
                    table.visible(),
                    table.activity(),
                    table.partitionedBy(),
                    columns.getOrDefault(table.oid(), List.of())));
        }
        return whole;
    }

    private static List<IndexFacts> indexes(Connection connection, Long[] oids) throws SQLException {
        Map<Long, List<IndexFacts.Key>> keys = new HashMap<>();
        Map<Long, List<String>> included = new HashMap<>();
        of(connection, FactsQueries.KEYS, oids, row -> {
            long index = row.getLong(1);
            String text = row.getString(2);
            return row.getBoolean(7)
                    ? keys.computeIfAbsent(index, oid -> new ArrayList<>(2))
                            .add(new IndexFacts.Key(
                                    text, row.getBoolean(3), row.getString(4), row.getLong(5), row.getInt(6)))
                    : included.computeIfAbsent(index, oid -> new ArrayList<>(2)).add(text);
        });
        return of(
                connection,
                FactsQueries.INDEXES,
                oids,
                row -> new IndexFacts(
                        row.getLong(1),
                        row.getLong(2),
                        row.getString(3),
                        row.getString(4),
                        row.getString(5),
                        row.getBoolean(6),
                        row.getBoolean(7),
                        row.getBoolean(8),
                        row.getBoolean(9),
                        keys.getOrDefault(row.getLong(1), List.of()),
                        included.getOrDefault(row.getLong(1), List.of()),
                        row.getString(10),
                        row.getLong(11),
                        row.getLong(12)));
    }

    private static Surroundings surroundings(Connection connection, boolean isWhole) throws SQLException {
        PlannerCosts costs = rows(
                        connection,
                        FactsQueries.COSTS,
                        row -> new PlannerCosts(
                                number(row, 1), number(row, 2), number(row, 3), number(row, 4), number(row, 5)))
                .getFirst();
        List<Instant> since =
                rows(connection, FactsQueries.SINCE, row -> Instant.ofEpochMilli((long) (1000 * row.getDouble(1))));
        return new Surroundings(
                new HashSet<>(rows(connection, FactsQueries.EXTENSIONS, row -> row.getString(1))),
                new HashSet<>(rows(connection, FactsQueries.FUNCTIONS, row -> row.getString(1))),
                costs,
                since.isEmpty() ? null : since.getFirst(),
                rows(
                        connection,
                        FactsQueries.OPEN,
                        row -> new OpenTransaction(
                                row.getInt(1),
                                row.getString(2),
                                row.getString(3),
                                row.getBoolean(4),
                                seconds(row, 5),
                                seconds(row, 6))),
                isWhole);
    }

    private static double number(ResultSet row, int column) throws SQLException {
        return Double.parseDouble(row.getString(column));
    }

    private static Duration seconds(ResultSet row, int column) throws SQLException {
        return Duration.ofMillis((long) (1000 * row.getDouble(column)));
    }

    private static List<String> texts(ResultSet row, int column) throws SQLException {
        Array array = row.getArray(column);
        return Arrays.asList((String[]) array.getArray());
    }

    private static <T> List<T> rows(Connection connection, String query, Row<T> row) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet results = statement.executeQuery(query)) {
            return all(results, row);
        }
    }

    private static <T> List<T> of(Connection connection, String query, Long[] oids, Row<T> row) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            statement.setArray(1, connection.createArrayOf("int8", oids));
            try (ResultSet results = statement.executeQuery()) {
                return all(results, row);
            }
        }
    }

    private static <T> List<T> all(ResultSet results, Row<T> row) throws SQLException {
        List<T> rows = new ArrayList<>();
        while (results.next()) {
            rows.add(row.read(results));
        }
        return rows;
    }
}
