package dev.pgproxy.cache.feed;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;

/**
 * Asks the server what the stream does not tell. Confined to the feed's thread, except {@link #close}; a statement that is
 * not answered in time fails.
 */
final class FeedWatch implements AutoCloseable {
    private static final String SNAPSHOT = "SELECT pg_current_snapshot()::text";
    private static final String POSITIONS = """
            SELECT pg_current_snapshot()::text, pg_current_wal_lsn() - '0/0'::pg_lsn,
                (SELECT restart_lsn - '0/0'::pg_lsn FROM pg_replication_slots WHERE slot_name = ?),
                current_setting('synchronous_standby_names')
            """;

    /**
     * What is known at one moment. Immutable.
     *
     * @param running the transactions that have not ended
     * @param written up to where WAL is
     * @param kept how much of it the slot keeps; 0 if there is no slot yet
     */
    record Positions(Running running, long written, long kept, String synchronousStandbys) {}

    private final Connection connection;
    private final FeedFacts facts;

    private FeedWatch(Connection connection, FeedFacts facts) {
        this.connection = connection;
        this.facts = facts;
    }

    static FeedWatch open(Connection connection, Duration timeout) throws SQLException {
        try {
            connection.setNetworkTimeout(Runnable::run, (int) timeout.toMillis());
            return new FeedWatch(connection, FeedFacts.ask(connection));
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    FeedFacts facts() {
        return facts;
    }

    Running running() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(SNAPSHOT);
                ResultSet row = statement.executeQuery()) {
            row.next();
            return Running.parse(row.getString(1));
        }
    }

    Positions positions(String slot) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(POSITIONS)) {
            statement.setString(1, slot);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                long written = row.getLong(2);
                long restart = row.getLong(3);
                return new Positions(
                        Running.parse(row.getString(1)),
                        written,
                        row.wasNull() ? 0 : Math.max(0, written - restart),
                        row.getString(4));
            }
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
