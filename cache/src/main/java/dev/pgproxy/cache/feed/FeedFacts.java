package dev.pgproxy.cache.feed;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import org.postgresql.core.Encoding;

/**
 * What a server says about itself before a feed begins. Immutable.
 *
 * @param version server_version_num
 * @param encoding of the database
 * @param mayReplicate whether the user is a superuser or has REPLICATION; there are clouds that permit it otherwise
 */
record FeedFacts(
        int version,
        String walLevel,
        boolean inRecovery,
        String synchronousStandbys,
        String encoding,
        String user,
        boolean mayReplicate,
        int maxSlots,
        int maxWalSenders,
        int walSenders) {
    private static final String QUERY = """
            SELECT current_setting('server_version_num')::int, current_setting('wal_level'), pg_is_in_recovery(),
                current_setting('synchronous_standby_names'), getdatabaseencoding(), current_user,
                (SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user),
                current_setting('max_replication_slots')::int, current_setting('max_wal_senders')::int,
                (SELECT count(*) FROM pg_stat_replication)
            """;

    /** From here on the server raises wal_level by itself when the first logical slot is made. */
    private static final int RAISES_WAL_LEVEL = 190000;

    static FeedFacts ask(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(QUERY)) {
            row.next();
            return new FeedFacts(
                    row.getInt(1),
                    row.getString(2),
                    row.getBoolean(3),
                    row.getString(4),
                    row.getString(5),
                    row.getString(6),
                    row.getBoolean(7),
                    row.getInt(8),
                    row.getInt(9),
                    row.getInt(10));
        }
    }

    /** What is sure to fail, or would do harm, is not tried. */
    Optional<FeedLoss> refusal() {
        if (inRecovery) {
            return Optional.of(FeedLoss.refusal(
                    "The server is a standby, which is not where writes commit.",
                    "Connect the feed to the primary; on a failover pgproxy does so itself."));
        }
        if (!hasLogicalWal() && version < RAISES_WAL_LEVEL) {
            return Optional.of(walLevelTooLow());
        }
        return refusalOf(synchronousStandbys);
    }

    /** With {@code *} every commit would wait for the feed, and trust that it keeps what it has merely read. */
    static Optional<FeedLoss> refusalOf(String synchronousStandbys) {
        return synchronousStandbys.contains("*")
                ? Optional.of(FeedLoss.refusal(
                        "synchronous_standby_names contains *, so the feed would count as a synchronous standby.",
                        "Name the standbys in synchronous_standby_names instead."))
                : Optional.empty();
    }

    boolean hasLogicalWal() {
        return walLevel.equals("logical");
    }

    FeedLoss walLevelTooLow() {
        return FeedLoss.refusal(
                "wal_level is " + walLevel + ", and only logical tells changes.",
                "ALTER SYSTEM SET wal_level = logical, and restart the server.");
    }

    /** That of the names in the stream, which are not converted to client_encoding. */
    Charset charset() {
        if (encoding.equals("UTF8") || encoding.equals("SQL_ASCII")) {
            return StandardCharsets.UTF_8;
        }
        String name = Encoding.getDatabaseEncoding(encoding).name();
        // PostgreSQL's encoding that Java does not know: names beyond ASCII then count as everything
        return Charset.isSupported(name) ? Charset.forName(name) : StandardCharsets.US_ASCII;
    }
}
