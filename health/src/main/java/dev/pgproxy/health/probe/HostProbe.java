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
import org.jspecify.annotations.Nullable;

/**
 * Asks one host for its role and WAL position, over one connection kept for that. Confined to its thread.
 *
 * <p>Everything about one moment is one statement, in this order: the role once, so that a promotion meanwhile cannot mix two
 * answers; then the position; then the timeline. A replica that is about to replay another timeline announces it before it
 * replays the first record of it (RequestXLogStreaming in walreceiverfuncs.c), so that a position is never taken for one of an
 * older timeline.
 */
public final class HostProbe {
    private static final String IDENTITY = """
            SELECT system_identifier, current_setting('wal_block_size')::int,
                   pg_size_bytes(current_setting('wal_segment_size'))
            FROM pg_control_system()
            """;

    private static final String POSITION = """
            SELECT in_recovery,
                   CASE WHEN in_recovery THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END,
                   CASE WHEN in_recovery THEN (SELECT received_tli FROM pg_stat_get_wal_receiver())
                        ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int END
            FROM (SELECT pg_is_in_recovery() AS in_recovery OFFSET 0) AS role
            """;

    private final ControlConnections connections;
    private @Nullable Session session;

    /** What belongs to one connection: a server keeps its identity and its layout as long as it runs. */
    private record Session(
            Connection connection, PreparedStatement position, long systemIdentifier, WalLayout layout) {}

    public HostProbe(ControlConnections connections) {
        this.connections = connections;
    }

    /** Waits for the answer, as long as the limit of its connections. After an error the next one logs in anew. */
    public Answer ask() throws SQLException {
        Session asking = session;
        try {
            if (asking == null) {
                asking = open();
                session = asking;
            }
            return ask(asking);
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
            return new Session(connection, connection.prepareStatement(POSITION), identity.getLong(1), layout);
        } catch (SQLException e) {
            connections.discard(connection);
            throw e;
        }
    }

    private static Answer ask(Session session) throws SQLException {
        long asked = Monotonic.now();
        try (ResultSet row = session.position().executeQuery()) {
            row.next();
            String text = row.getString(2);
            long lsn = text == null ? 0 : Lsn.parse(text);
            return row.getBoolean(1)
                    ? new Answer(asked, HostRole.REPLICA, session.systemIdentifier(), row.getInt(3), lsn)
                    : new Answer(
                            asked,
                            HostRole.PRIMARY,
                            session.systemIdentifier(),
                            row.getInt(3),
                            session.layout().endBefore(lsn));
        }
    }

    /** Whether the question failed for lack of a privilege, which no repetition mends. */
    public static boolean isForbidden(SQLException e) {
        return "42501".equals(e.getSQLState());
    }
}
