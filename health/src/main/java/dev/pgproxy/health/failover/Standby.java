package dev.pgproxy.health.failover;

import dev.pgproxy.health.probe.ControlConnections;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.routing.freshness.Lsn;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a host says of itself when it is to be promoted, or to follow another primary. Immutable. Source: manual,
 * pg_stat_wal_receiver.
 *
 * @param target which
 * @param inRecovery false: it takes writes
 * @param received up to where it has the primary's WAL, unsigned
 * @param timeline of what it has, as far as its control file knows; that lags
 * @param receiving the timeline that it receives now; 0 = it receives nothing; the highest number if it may not say
 * @param receiver process id of what receives it; 0 = nothing does
 * @param heardSeconds since its primary was heard last; negative if it receives nothing
 * @param conninfo its {@code primary_conninfo}; may hold a password
 * @param slot its {@code primary_slot_name}
 * @param applicationName by which its primary knows it
 * @param mayPromote whether the role may call pg_promote there
 */
record Standby(
        ControlTarget target,
        boolean inRecovery,
        long received,
        int timeline,
        int receiving,
        int receiver,
        double heardSeconds,
        String conninfo,
        String slot,
        String applicationName,
        boolean mayPromote) {
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private static final String QUESTION = """
            SELECT pg_is_in_recovery(), coalesce(pg_last_wal_receive_lsn(), '0/0'), coalesce(pg_last_wal_replay_lsn(), '0/0'),
                   greatest((SELECT timeline_id FROM pg_control_checkpoint()),
                            (SELECT min_recovery_end_timeline FROM pg_control_recovery())),
                   CASE WHEN status = 'streaming' THEN received_tli WHEN pid IS NULL OR status IS NOT NULL THEN 0
                        ELSE 2147483647 END,
                   extract(epoch FROM clock_timestamp() - last_msg_receipt_time)::float8,
                   current_setting('primary_conninfo'), current_setting('primary_slot_name'), current_setting('cluster_name'),
                   has_function_privilege('pg_promote(boolean,integer)', 'execute'), coalesce(pid, 0)
            FROM (SELECT 1) AS one LEFT JOIN pg_stat_wal_receiver ON true
            """;

    /** Asks over a connection of its own. Waits some seconds at most. */
    static Standby ask(ControlTarget target) throws SQLException {
        try (Connection connection = connect(target);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(QUESTION)) {
            row.next();
            long received = Lsn.parse(row.getString(2));
            long replayed = Lsn.parse(row.getString(3));
            double heard = row.getDouble(6);
            String conninfo = row.getString(7);
            return new Standby(
                    target,
                    row.getBoolean(1),
                    Long.compareUnsigned(received, replayed) > 0 ? received : replayed,
                    row.getInt(4),
                    row.getInt(5),
                    row.getInt(11),
                    heard,
                    conninfo,
                    row.getString(8),
                    applicationName(conninfo, row.getString(9)),
                    row.getBoolean(10));
        }
    }

    static Connection connect(ControlTarget target) throws SQLException {
        return ControlConnections.alone(target, PATIENCE, Map.of());
    }

    /** As the walreceiver calls itself (src/backend/replication/walreceiver.c, WalReceiverMain). */
    private static String applicationName(String conninfo, String clusterName) {
        String chosen = null;
        try {
            chosen = ConnInfo.parse(conninfo).get("application_name");
        } catch (IllegalArgumentException e) {
            // a URI: by its default name, or not known
        }
        return chosen != null ? chosen : clusterName.isEmpty() ? "walreceiver" : clusterName;
    }

    /** The same, which was seen to follow this timeline; 0 = none. */
    Standby following(int seen) {
        return new Standby(
                target,
                inRecovery,
                received,
                Math.max(timeline, seen),
                receiving,
                receiver,
                heardSeconds,
                conninfo,
                slot,
                applicationName,
                mayPromote);
    }

    /** Why it cannot be promoted, whatever it has; empty if it can. */
    String hindrance() {
        return mayPromote
                ? ""
                : "control_user must not call pg_promote on " + target.host()
                        + ": GRANT EXECUTE ON FUNCTION pg_promote TO it";
    }

    /** Its connection string; null if it has none that can be changed. */
    @Nullable
    ConnInfo primary() {
        try {
            return conninfo.isEmpty() ? null : ConnInfo.parse(conninfo);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Without anything secret. */
    @Override
    public String toString() {
        return target.host() + " at " + Lsn.toString(received);
    }
}
