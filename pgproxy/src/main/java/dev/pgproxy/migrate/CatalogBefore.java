package dev.pgproxy.migrate;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Asks the connection that is about to run the migration: names mean there what they will mean to it. */
record CatalogBefore(Connection connection) implements Before {
    private static final String COLUMN = """
            SELECT a.attnotnull, pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> '' OR a.attidentity <> '',
              EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhrelid = a.attrelid OR inhparent = a.attrelid)
            FROM pg_catalog.pg_attribute a
            LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = pg_catalog.to_regclass(?) AND a.attname = ? AND NOT a.attisdropped
            """;

    @Override
    public boolean has(Kind kind, Name name) throws SQLException {
        String text = kind == Kind.EXTENSION ? Name.plain(name.last()) : name.toString();
        try (PreparedStatement asks = connection.prepareStatement(
                        switch (kind) {
                            case RELATION -> "SELECT pg_catalog.to_regclass(?) IS NOT NULL";
                            case SCHEMA -> "SELECT pg_catalog.to_regnamespace(?) IS NOT NULL";
                            case EXTENSION -> "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = ?)";
                        });
                ResultSet row = asked(asks, text)) {
            return row.next() && row.getBoolean(1);
        }
    }

    @Override
    public @Nullable Column column(Name table, String column) throws SQLException {
        try (PreparedStatement asks = connection.prepareStatement(COLUMN);
                ResultSet row = asked(asks, table.toString(), Name.plain(column))) {
            return row.next()
                    ? new Column(row.getBoolean(1), row.getString(2), row.getBoolean(3), row.getBoolean(4))
                    : null;
        }
    }

    private static ResultSet asked(PreparedStatement asks, String... values) throws SQLException {
        for (int i = 0; i < values.length; i++) {
            asks.setString(i + 1, values[i]);
        }
        return asks.executeQuery();
    }
}
