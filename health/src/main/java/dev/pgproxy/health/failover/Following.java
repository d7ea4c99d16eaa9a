package dev.pgproxy.health.failover;

import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.HostRole;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.Topology;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes replicas follow the primary that do not: those that look elsewhere are pointed to it, those that look there and hear
 * nothing are made to try anew, and what does not help is said. Confined to its owner's lock.
 */
final class Following {
    private static final Logger LOG = LoggerFactory.getLogger(Following.class);

    /** A replica that was pointed to the primary, or told to try anew, so many times in vain needs a person. */
    private static final int PATIENCE = 3;

    /** Its text holds a password, which the server must not write into its log. For a superuser; others have no say. */
    private static final String UNLOGGED = """
            SELECT set_config(name, setting, false) FROM (VALUES ('log_statement', 'none'), ('log_min_error_statement', 'panic'),
                ('log_min_duration_statement', '-1')) AS wanted (name, setting)
            WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
            """;

    private static final String SLOT = """
            SELECT pg_create_physical_replication_slot(name, true) FROM (SELECT ?::text AS name) AS wanted
            WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = name)
            """;

    private final List<ControlTarget> targets;
    private final Map<String, String> problems = new TreeMap<>();
    private final Map<Integer, Integer> tries = new TreeMap<>();

    Following(List<ControlTarget> targets) {
        this.targets = targets;
    }

    /** What needs a person; empty if nothing does. */
    String problems() {
        return String.join("; ", problems.values());
    }

    /** Asks every replica that answers, and mends what can be. Returns whether it has tried to mend anything. Waits. */
    boolean look(Host primary, Topology topology, int timeline) {
        boolean mended = false;
        for (HostState host : topology.hosts()) {
            int index = host.host().index();
            if (index == primary.index()) {
                problems.remove(host.host().name());
            } else if (host.role() == HostRole.REPLICA) {
                mended |= look(targets.get(index), targets.get(primary.index()), timeline);
            } else if (host.polledAt() == HostState.NEVER || !isLeftBehind(targets.get(index))) {
                problems.remove(host.host().name());
            }
        }
        return mended;
    }

    private boolean isLeftBehind(ControlTarget host) {
        try {
            if (Standby.ask(host).inRecovery()) {
                return false;
            }
        } catch (SQLException e) {
            return false;
        }
        String name = host.host().name();
        problems.put(
                name,
                name
                        + " takes writes beside the primary, and gets none from here: stop it, run pg_rewind if it is of the"
                        + " same cluster, and start it as a replica");
        return true;
    }

    private boolean look(ControlTarget replica, ControlTarget primary, int timeline) {
        String name = replica.host().name();
        int index = replica.host().index();
        try {
            Standby standby = Standby.ask(replica);
            ConnInfo conninfo = standby.primary();
            boolean leadsThere = conninfo != null && conninfo.leadsTo(primary.hostName(), primary.port());
            if (!standby.inRecovery()
                    || standby.receiving() >= timeline
                    || standby.conninfo().isEmpty()) {
                tries.remove(index); // one that lives on an archive alone does as it was told to
                problems.remove(name);
                return false;
            } else if (conninfo == null) {
                problems.put(name, name + " does not follow, and its primary_conninfo is a URI: change it");
                return false;
            }
            int tried = tries.merge(index, 1, Integer::sum);
            if (tried > PATIENCE) {
                problems.put(
                        name,
                        name
                                + " does not follow the primary, though it is told to: see its log. If WAL that it needs is"
                                + " gone, it must be made anew");
            }
            if (!standby.slot().isEmpty()) {
                makeSlot(primary, standby.slot());
            }
            if (leadsThere && tried > 1) {
                restartReceiver(replica);
            }
            if (leadsThere) {
                return false; // it tries by itself
            }
            point(replica, conninfo.to(primary.hostName(), primary.port()));
            problems.remove(name);
            LOG.warn("{} follows {} now, told to by ALTER SYSTEM SET primary_conninfo", name, primary.host());
            return true;
        } catch (SQLException e) {
            problems.put(name, name + " cannot be made to follow the primary: " + e.getMessage());
            return false;
        }
    }

    static void makeSlot(ControlTarget primary, String slot) throws SQLException {
        try (Connection connection = Standby.connect(primary);
                PreparedStatement statement = connection.prepareStatement(SLOT)) {
            statement.setString(1, slot);
            statement.execute();
        }
    }

    private static void restartReceiver(ControlTarget replica) throws SQLException {
        try (Connection connection = Standby.connect(replica);
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_wal_receiver");
        }
    }

    /** By ALTER SYSTEM, unlogged. */
    static void point(ControlTarget replica, ConnInfo to) throws SQLException {
        try (Connection connection = Standby.connect(replica);
                Statement statement = connection.createStatement();
                PreparedStatement command =
                        connection.prepareStatement("SELECT format('ALTER SYSTEM SET primary_conninfo = %L', ?)")) {
            statement.execute(UNLOGGED);
            command.setString(1, to.text());
            String sql;
            try (ResultSet row = command.executeQuery()) {
                row.next();
                sql = row.getString(1);
            }
            statement.execute(sql);
            statement.execute("SELECT pg_reload_conf()");
        }
    }
}
