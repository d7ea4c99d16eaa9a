package dev.pgproxy.health.probe;

import dev.pgproxy.routing.freshness.Monotonic;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks one host how it is. It takes one of its connections for each question and gives it back. Confined to its thread.
 *
 * <p>What other sessions do is told to who has the privileges of {@code pg_read_all_stats} (of which {@code pg_monitor} is a
 * member), what is in files of the machine to who may call {@code pg_read_file} and is in {@code pg_read_server_files}. Nothing
 * is asked that is known to be forbidden: each such question would be an error in the server's log.
 */
public final class VitalsProbe {
    private static final Logger LOG = LoggerFactory.getLogger(VitalsProbe.class);
    private static final int KNOWS_SINCE_WHEN = 14;

    private static final String VITALS = """
            SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all,
                   has_function_privilege('pg_catalog.pg_read_file(text, bigint, bigint, boolean)', 'EXECUTE')
                       AND pg_has_role('pg_read_server_files', 'USAGE') AS reads_files,
                   current_setting('max_connections')::int AS max_connections,
                   current_setting('superuser_reserved_connections')::int AS reserved,
                   activity.*, counted.*,
                   CASE WHEN pg_is_in_recovery() AND EXISTS (SELECT FROM pg_stat_wal_receiver)
                        THEN CASE WHEN pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0
                                  ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END
                   END AS lag
            FROM (SELECT count(*) FILTER (WHERE backend_type = 'client backend') AS connections,
                         count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting,
                         extract(epoch FROM clock_timestamp() - min(xact_start) FILTER (
                             WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())) AS oldest,
                         extract(epoch FROM clock_timestamp() - min(xact_start) FILTER (
                             WHERE backend_type = 'client backend' AND state LIKE 'idle in transaction%')) AS oldest_idle
                  FROM pg_stat_activity) AS activity,
                 (SELECT sum(deadlocks)::bigint AS deadlocks, sum(blks_hit)::float8 AS hits, sum(blks_read)::float8 AS reads
                  FROM pg_stat_database) AS counted
            """;

    private static final String LONGEST_WAIT =
            "SELECT extract(epoch FROM clock_timestamp() - min(waitstart)) AS longest FROM pg_locks WHERE NOT granted";

    /** With a length, since to their file system these files are empty; null for one that is not there. */
    private static final String FILES = """
            SELECT pg_read_file('/proc/stat', 0, 1024, true), pg_read_file('/proc/meminfo', 0, 4096, true)
            """;

    private final ControlConnections connections;
    private final ProcFiles files = new ProcFiles();
    private boolean readsFiles;
    private double hitsBefore = Double.NaN;
    private double readsBefore = Double.NaN;

    /** @param readsFiles whether to look into files of the machine, if the role may */
    public VitalsProbe(ControlConnections connections, boolean readsFiles) {
        this.connections = connections;
        this.readsFiles = readsFiles;
    }

    /** Waits for the answers, for each as long as the limit of its connections. */
    public HostVitals ask() throws SQLException {
        long asked = Monotonic.now();
        try (Connection connection = connections.connection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(VITALS)) {
            row.next();
            boolean seesAll = row.getBoolean("sees_all");
            long waiting = row.getLong("waiting");
            return new HostVitals(
                    asked,
                    seesAll ? row.getLong("connections") : null,
                    row.getInt("max_connections"),
                    row.getInt("reserved"),
                    seesAll ? age(row, "oldest") : null,
                    seesAll ? age(row, "oldest_idle") : null,
                    seesAll ? waiting : null,
                    seesAll ? longestWait(connection, waiting) : null,
                    deadlocks(row),
                    hitRatio(row),
                    number(row, "lag"),
                    row.getBoolean("reads_files") ? machine(connection) : null);
        }
    }

    private static @Nullable Double number(ResultSet row, String column) throws SQLException {
        double value = row.getDouble(column);
        return row.wasNull() ? null : Math.max(0, value);
    }

    /** Of the first of some, of which there may be none. */
    private static double age(ResultSet row, String column) throws SQLException {
        return Math.max(0, row.getDouble(column));
    }

    private static @Nullable Long deadlocks(ResultSet row) throws SQLException {
        long count = row.getLong("deadlocks");
        return row.wasNull() ? null : count;
    }

    private static @Nullable Double longestWait(Connection connection, long waiting) throws SQLException {
        if (waiting == 0) {
            return 0.0;
        } else if (connection.getMetaData().getDatabaseMajorVersion() < KNOWS_SINCE_WHEN) {
            return null;
        }
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(LONGEST_WAIT)) {
            row.next();
            return age(row, "longest");
        }
    }

    private @Nullable Double hitRatio(ResultSet row) throws SQLException {
        double hits = row.getDouble("hits");
        double reads = row.getDouble("reads");
        double hit = hits - hitsBefore;
        double read = reads - readsBefore;
        hitsBefore = hits;
        readsBefore = reads;
        boolean isKnown = hit >= 0 && read >= 0 && hit + read > 0; // neither the first answer nor after a reset
        return isKnown ? Double.valueOf(hit / (hit + read)) : null;
    }

    private @Nullable MachineLoad machine(Connection connection) throws SQLException {
        if (!readsFiles) {
            return null;
        }
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(FILES)) {
            row.next();
            return files.load(row.getString(1), row.getString(2));
        } catch (SQLException e) {
            if (connection.isClosed() || String.valueOf(e.getSQLState()).startsWith("57")) { // cancelled, shut down
                throw e;
            }
            readsFiles = false; // something beyond privileges forbids it, and will again
            LOG.info("CPU and memory of the machine cannot be read: {}", e.getMessage());
            return null;
        }
    }
}
