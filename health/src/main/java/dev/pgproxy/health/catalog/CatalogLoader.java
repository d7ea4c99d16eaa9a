package dev.pgproxy.health.catalog;

import static dev.pgproxy.health.catalog.CatalogQueries.rows;

import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.CatalogRows;
import dev.pgproxy.routing.catalog.CatalogRows.CastRow;
import dev.pgproxy.routing.catalog.CatalogRows.DefinitionKind;
import dev.pgproxy.routing.catalog.CatalogRows.DefinitionRow;
import dev.pgproxy.routing.catalog.CatalogRows.DomainCheckRow;
import dev.pgproxy.routing.catalog.CatalogRows.ForeignKeyRow;
import dev.pgproxy.routing.catalog.CatalogRows.FunctionRow;
import dev.pgproxy.routing.catalog.CatalogRows.InheritanceRow;
import dev.pgproxy.routing.catalog.CatalogRows.OperatorRow;
import dev.pgproxy.routing.catalog.CatalogRows.RelationRow;
import dev.pgproxy.routing.catalog.CatalogRows.SequenceRow;
import dev.pgproxy.routing.catalog.CatalogRows.TriggerRow;
import dev.pgproxy.routing.catalog.CatalogRows.TypeRow;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the {@link Catalog} of the database that a connection is in. Every role that may connect can read all of it: the
 * catalogs it looks at have no columns that are kept from PUBLIC. Each call is one transaction (REPEATABLE READ, READ
 * ONLY) of its own on a connection that is in none, which is afterwards as it was. Blocks; SQLSTATEs are the server's.
 * Thread-safe.
 */
public final class CatalogLoader {
    private CatalogLoader() {}

    /** All definitions as of now, under a version of the caller's choice. */
    public static Catalog load(Connection connection, long version) throws SQLException {
        CatalogRows rows = inSnapshot(connection, () -> read(connection));
        return Catalog.of(rows, version);
    }

    /**
     * A text that differs after any change of definitions, rights, role memberships or settings of roles, and stays the
     * same otherwise, temporary relations aside. VACUUM FULL, CLUSTER and TRUNCATE change it too.
     */
    public static String fingerprint(Connection connection) throws SQLException {
        return inSnapshot(
                connection,
                () -> String.join(",", rows(connection, CatalogFingerprint.QUERY, row -> row.getString(1))));
    }

    @FunctionalInterface
    private interface Work<T> {
        T run() throws SQLException;
    }

    private static <T> T inSnapshot(Connection connection, Work<T> work) throws SQLException {
        boolean autoCommit = connection.getAutoCommit();
        connection.setAutoCommit(false);
        try {
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                        + "SET LOCAL search_path = pg_catalog; SET LOCAL max_parallel_workers_per_gather = 0");
            }
            return work.run();
        } finally {
            // nothing was changed; after an error COMMIT would do the same
            connection.rollback();
            connection.setAutoCommit(autoCommit);
        }
    }

    private static CatalogRows read(Connection connection) throws SQLException {
        int major = connection.getMetaData().getDatabaseMajorVersion();
        return new CatalogRows(
                rows(connection, CatalogQueries.RELATIONS, CatalogLoader::relation),
                rows(connection, CatalogQueries.INHERITANCE, row -> new InheritanceRow(oid(row, 1), oid(row, 2))),
                rows(
                        connection,
                        CatalogQueries.FOREIGN_KEYS,
                        row -> new ForeignKeyRow(
                                oid(row, 1),
                                oid(row, 2),
                                letter(row, 3),
                                letter(row, 4),
                                names(row, 5),
                                names(row, 6))),
                rows(
                        connection,
                        CatalogQueries.TRIGGERS,
                        row -> new TriggerRow(oid(row, 1), oid(row, 2), row.getString(3))),
                rows(
                        connection,
                        CatalogQueries.DEFINITIONS,
                        row -> new DefinitionRow(
                                oid(row, 1), DefinitionKind.valueOf(row.getString(2)), trees(row, 3, 4))),
                rows(connection, CatalogQueries.SEQUENCES, row -> new SequenceRow(oid(row, 1), oid(row, 2))),
                rows(connection, CatalogQueries.functions(major), CatalogLoader::function),
                rows(
                        connection,
                        CatalogQueries.OPERATORS,
                        row -> new OperatorRow(oid(row, 1), row.getString(2), row.getString(3), oid(row, 4))),
                rows(
                        connection,
                        CatalogQueries.CASTS,
                        row -> new CastRow(row.getString(1), oid(row, 2), row.getBoolean(3))),
                rows(
                        connection,
                        CatalogQueries.TYPES,
                        row -> new TypeRow(oid(row, 1), row.getString(2), row.getString(3), oid(row, 4), oid(row, 5))),
                rows(
                        connection,
                        CatalogQueries.DOMAIN_CHECKS,
                        row -> new DomainCheckRow(oid(row, 1), row.getString(2))));
    }

    private static RelationRow relation(ResultSet row) throws SQLException {
        return new RelationRow(
                oid(row, 1),
                row.getString(2),
                row.getString(3),
                letter(row, 4),
                letter(row, 5),
                row.getBoolean(6),
                row.getBoolean(7),
                row.getBoolean(8));
    }

    private static FunctionRow function(ResultSet row) throws SQLException {
        String body = row.getString(7);
        return new FunctionRow(
                oid(row, 1),
                row.getString(2),
                row.getString(3),
                letter(row, 4),
                letter(row, 5),
                row.getString(6),
                body == null ? "" : body,
                trees(row, 8, 9),
                row.getBoolean(10),
                row.getString(11),
                parts(row.getString(12)));
    }

    private static List<Integer> parts(@Nullable String oids) {
        return oids == null
                ? List.of()
                : Arrays.stream(oids.split(" ", -1))
                        .map(Integer::parseUnsignedInt)
                        .filter(oid -> oid != 0)
                        .toList();
    }

    /** Two trees, each of which may be missing, as one text. */
    private static String trees(ResultSet row, int first, int second) throws SQLException {
        String one = row.getString(first);
        String other = row.getString(second);
        return one == null ? (other == null ? "" : other) : (other == null ? one : one + " " + other);
    }

    private static List<String> names(ResultSet row, int column) throws SQLException {
        return List.of((String[]) row.getArray(column).getArray());
    }

    /** OIDs are unsigned; their 32 bits are kept. */
    private static int oid(ResultSet row, int column) throws SQLException {
        return (int) row.getLong(column);
    }

    private static char letter(ResultSet row, int column) throws SQLException {
        return row.getString(column).charAt(0);
    }
}
