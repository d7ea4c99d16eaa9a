package dev.pgproxy.health.probe;

import dev.pgproxy.routing.HostRole;
import dev.pgproxy.routing.freshness.Lsn;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.freshness.WalLayout;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks one host for its role and WAL position, over one connection kept for that. Confined to its thread.
 *
 * <p>Everything about one moment is one statement, in this order: the role once, so that a promotion meanwhile cannot mix two
 * answers; then the position; then the timeline. A replica that is about to replay another timeline announces it before it
 * replays the first record of it (RequestXLogStreaming in walreceiverfuncs.c), so that a position is never taken for one of an
 * older timeline.
 */
public final class HostProbe {
    private static final Logger LOG = LoggerFactory.getLogger(HostProbe.class);

    private static final String IDENTITY = """
            SELECT system_identifier, current_setting('wal_block_size')::int,
                   pg_size_bytes(current_setting('wal_segment_size')), current_setting('server_version_num')::int
            FROM pg_control_system()
            """;

    /** By whose version of the C library or ICU texts are sorted here; null where they are compared by their bytes. */
    private static final String COLLATION_15 = """
            SELECT pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = current_database()
            """;

    private static final String COLLATION = """
            SELECT max(pg_collation_actual_version(c.oid))
            FROM pg_collation c, pg_database d
            WHERE d.datname = current_database() AND d.datcollate NOT IN ('C', 'POSIX')
              AND c.collprovider = 'c' AND c.collcollate NOT IN ('C', 'POSIX')
            """;

    /**
     * Parameters of the configuration file, which is not replicated, that change what a read says. pgjdbc hides the host's
     * TimeZone and DateStyle; these are given to each connection to a replica.
     */
    private static final String SETTINGS = """
            SELECT name, reset_val FROM pg_settings WHERE name = ANY (ARRAY['array_nulls', 'backslash_quote',
                'bytea_output', 'default_text_search_config', 'extra_float_digits', 'gin_fuzzy_search_limit',
                'lc_monetary', 'lc_numeric', 'lc_time', 'quote_all_identifiers', 'row_security', 'search_path',
                'timezone_abbreviations', 'transform_null_equals', 'xmlbinary', 'xmloption'])
            """;

    private static final long SETTINGS_INTERVAL = Duration.ofSeconds(1).toNanos();

    private static final String POSITION = """
            SELECT in_recovery,
                   CASE WHEN in_recovery THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END,
                   CASE WHEN in_recovery THEN (SELECT received_tli FROM pg_stat_get_wal_receiver())
                        ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int END,
                   CASE WHEN NOT in_recovery THEN pg_current_wal_flush_lsn() END,
                   current_setting('synchronous_standby_names')
            FROM (SELECT pg_is_in_recovery() AS in_recovery OFFSET 0) AS role
            """;

    /** A commit that changes nothing and waits for no disk and no standby: the WAL writer flushes what is before it. */
    private static final String FLUSH = "SELECT set_config('synchronous_commit', 'off', true), pg_current_xact_id()";

    private final ControlConnections connections;
    private @Nullable Session session;

    private Map<String, String> settings = Map.of();
    private long settingsAsked;

    /** What belongs to one connection: a server keeps its identity and its layout as long as it runs. */
    private record Session(
            Connection connection,
            PreparedStatement position,
            PreparedStatement settings,
            @Nullable String collation,
            long systemIdentifier,
            WalLayout layout,
            UnflushedWal unflushed) {}

    public HostProbe(ControlConnections connections) {
        this.connections = connections;
    }

    /**
     * Waits for the answer, as long as the limit of its connections. After an error the next one logs in anew.
     *
     * @param flush a primary that keeps WAL in memory for longer than a second is made to flush it
     */
    public Answer ask(boolean flush) throws SQLException {
        Session asking = session;
        try {
            if (asking == null) {
                asking = open();
                session = asking;
                settingsAsked = Monotonic.now() - SETTINGS_INTERVAL;
            }
            if (Monotonic.now() - settingsAsked >= SETTINGS_INTERVAL) {
                settingsAsked = Monotonic.now();
                settings = settings(asking);
            }
            return ask(asking, flush);
        } catch (SQLException e) {
            session = null;
            if (asking != null) {
                connections.discard(asking.connection());
            }
            throw e;
        }
    }

    private Session open() throws SQLException {
        Connection connection = connections.connection();
        try (Statement statement = connection.createStatement();
                ResultSet identity = statement.executeQuery(IDENTITY)) {
            identity.next();
            WalLayout layout = new WalLayout(identity.getInt(2), identity.getLong(3));
            PreparedStatement position = connection.prepareStatement(POSITION);
            PreparedStatement settings = connection.prepareStatement(SETTINGS);
            String collation = collation(connection, identity.getInt(4));
            long system = identity.getLong(1);
            return new Session(connection, position, settings, collation, system, layout, new UnflushedWal());
        } catch (SQLException e) {
            connections.discard(connection);
            throw e;
        }
    }

    private static @Nullable String collation(Connection connection, int version) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(version < 150_000 ? COLLATION : COLLATION_15)) {
            return row.next() ? row.getString(1) : null;
        }
    }

    private static Map<String, String> settings(Session session) throws SQLException {
        Map<String, String> settings = new TreeMap<>();
        if (session.collation() != null) {
            settings.put("the version of its collation", session.collation());
        }
        try (ResultSet rows = session.settings().executeQuery()) {
            while (rows.next()) {
                settings.put(rows.getString(1), rows.getString(2));
            }
        }
        return Collections.unmodifiableMap(settings);
    }

    private Answer ask(Session session, boolean flush) throws SQLException {
        long asked = Monotonic.now();
        try (ResultSet row = session.position().executeQuery()) {
            row.next();
            long system = session.systemIdentifier();
            int timeline = row.getInt(3);
            if (row.getBoolean(1)) {
                return new Answer(asked, HostRole.REPLICA, system, timeline, lsn(row, 2), settings, row.getString(5));
            }
            long end = session.layout().endBefore(lsn(row, 2));
            if (flush && session.unflushed().isStuck(asked, end, lsn(row, 4))) {
                flush(session);
            }
            return new Answer(asked, HostRole.PRIMARY, system, timeline, end, settings, row.getString(5));
        }
    }

    private static long lsn(ResultSet row, int column) throws SQLException {
        String text = row.getString(column);
        return text == null ? 0 : Lsn.parse(text);
    }

    /** Without it replicas only look as if they were behind, so it may fail. */
    private static void flush(Session session) throws SQLException {
        try (Statement statement = session.connection().createStatement()) {
            statement.execute(FLUSH);
        } catch (SQLException e) {
            if (session.connection().isClosed()) {
                throw e;
            }
            LOG.debug("its WAL cannot be flushed: {}", e.getMessage());
        }
    }

    /** Whether the question failed for lack of a privilege, which no repetition mends. */
    public static boolean isForbidden(SQLException e) {
        return "42501".equals(e.getSQLState());
    }
}
