package dev.pgproxy.migrate;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.zip.CRC32;
import org.flywaydb.core.api.MigrationInfo;

/**
 * Flyway's table, in the schema where it keeps it: the first of search_path. Confined to one thread.
 *
 * @param table quoted, with its schema
 */
record History(Connection connection, String table) {
    /** As Flyway calls it. */
    static final String TABLE = "flyway_schema_history";

    /** What the number of Flyway's lock begins with; behind it comes the hash of the table's name, quoted. */
    private static final long LOCK = 77_431_708_279_161L;

    private static final Duration PAUSE = Duration.ofMillis(100);

    static History of(Connection connection) throws SQLException {
        try (Statement asks = connection.createStatement();
                ResultSet row = asks.executeQuery("SELECT pg_catalog.current_schema()")) {
            row.next();
            return new History(connection, quoted(String.valueOf(row.getString(1))) + "." + quoted(TABLE));
        }
    }

    private static String quoted(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }

    /** Takes the lock that Flyway takes, for the session. */
    void lock(Duration patience) throws SQLException, MigrationException {
        long end = System.nanoTime() + patience.toNanos();
        try (PreparedStatement asks = connection.prepareStatement("SELECT pg_catalog.pg_try_advisory_lock(?)")) {
            asks.setLong(1, LOCK + table.hashCode());
            while (true) {
                try (ResultSet row = asks.executeQuery()) {
                    if (row.next() && row.getBoolean(1)) {
                        return;
                    }
                }
                if (System.nanoTime() - end >= 0) {
                    throw new MigrationException("another migration of this database is running: waited "
                            + patience.toSeconds() + " s for it (--wait)");
                }
                Migrations.rest(PAUSE);
            }
        }
    }

    /** Says that a migration was taken back: the row of the migration stays, and another one takes its effect away. */
    void rolledBack(MigrationInfo migration, String script, String text, long millis) throws SQLException {
        CRC32 checksum = new CRC32();
        checksum.update(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO " + table
                + " (installed_rank, version, description, type, script, checksum, installed_by, execution_time, success)"
                + " SELECT max(installed_rank) + 1, ?, ?, 'DELETE', ?, ?, current_user, ?, true FROM " + table)) {
            insert.setString(1, migration.getVersion().toString());
            insert.setString(2, cut("rolled back: " + migration.getDescription(), 200));
            insert.setString(3, cut(script, 1000));
            insert.setInt(4, (int) checksum.getValue());
            insert.setInt(5, (int) millis);
            insert.executeUpdate();
        }
    }

    private static String cut(String text, int length) {
        return text.length() > length ? text.substring(0, length) : text;
    }
}
