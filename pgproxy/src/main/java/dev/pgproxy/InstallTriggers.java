package dev.pgproxy;

import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.health.catalog.InvalidationTriggers;
import dev.pgproxy.health.catalog.InvalidationTriggers.Table;
import dev.pgproxy.health.probe.ControlConnections;
import java.io.IOException;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code pgproxy install-triggers}: makes a database tell by NOTIFY what is written to its tables, for level
 * {@code notify}; see {@link InvalidationTriggers}. Each table is a transaction of its own. Exit codes: 0 all well, 1 something
 * could not be done, 2 wrong usage, 78 the configuration is wrong. Confined to the thread that runs it.
 */
@Command(
        name = "install-triggers",
        description = "Creates triggers by which a database tells pgproxy of writes that pass it by.",
        mixinStandardHelpOptions = true)
final class InstallTriggers implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final String FACTS = "SELECT pg_is_in_recovery(), current_setting('max_prepared_transactions')::int,"
            + " current_setting('synchronous_standby_names') <> '', (SELECT string_agg(proname, ', ') FROM pg_proc"
            + " WHERE pronamespace = 'pg_catalog'::regnamespace AND NOT has_function_privilege('public', oid, 'EXECUTE')"
            + " AND proname IN ('pg_notify', 'pg_notification_queue_usage', 'concat', 'current_setting'))";

    @Mixin
    private PrimarySource source = new PrimarySource();

    @Option(names = "--schema", paramLabel = "NAME", description = "Only tables in this schema; may be repeated.")
    private List<String> schemas = List.of();

    @Option(
            names = "--table",
            paramLabel = "NAME",
            description = "Only this table, schema.name or name; may be repeated.")
    private List<String> tables = List.of();

    @Option(names = "--remove", description = "Remove what this command has created.")
    private boolean remove;

    @Option(names = "--dry-run", description = "Print the SQL, and execute none of it.")
    private boolean dryRun;

    @Option(
            names = "--lock-timeout",
            paramLabel = "SECONDS",
            description = "How long to wait for a table that is being written (default: ${DEFAULT-VALUE}).",
            defaultValue = "2")
    private int lockTimeout;

    @Option(
            names = "--with-prepared-transactions-failing",
            description = "Also where max_prepared_transactions > 0: PREPARE TRANSACTION then fails after a write.")
    private boolean preparedFailing;

    @CommandLine.Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    private int done;
    private int there;
    private int skipped;
    private int failed;

    @Override
    public Integer call() {
        CommandLine line = Objects.requireNonNull(spec).commandLine();
        PrintWriter err = line.getErr();
        try (Connection connection = connect()) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET search_path = pg_catalog");
                statement.execute("SET lock_timeout = '" + lockTimeout + "s'");
            }
            String refusal = refusal(connection, line.getOut());
            if (refusal != null) {
                err.println("pgproxy: " + refusal);
                return Main.FAILED;
            }
            work(connection, line.getOut());
            line.getOut().flush();
            return failed == 0 ? 0 : Main.FAILED;
        } catch (ConfigProblems e) {
            err.println(e.getMessage());
            return Main.CONFIGURATION;
        } catch (IOException | SQLException e) {
            err.println("pgproxy: " + e.getMessage());
            return Main.FAILED;
        }
    }

    private Connection connect() throws ConfigProblems, IOException, SQLException {
        return ControlConnections.alone(
                source.target(Objects.requireNonNull(spec).commandLine(), null),
                PATIENCE,
                // a table may be locked for as long as --lock-timeout says
                Map.of("socketTimeout", "0"));
    }

    /** Why nothing is done. */
    private @Nullable String refusal(Connection connection, PrintWriter out) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(FACTS)) {
            row.next();
            if (row.getBoolean(1)) {
                return "the server is a standby; give its primary";
            }
            if (remove) {
                return null;
            }
            if (row.getString(4) != null) {
                return "not everybody may execute " + row.getString(4)
                        + ", so that statements would fail; GRANT EXECUTE ON"
                        + " FUNCTION ... TO PUBLIC is PostgreSQL's default";
            }
            if (row.getInt(2) > 0 && !preparedFailing) {
                return "max_prepared_transactions is " + row.getInt(2)
                        + ", and a transaction that has sent a notification"
                        + " cannot be prepared. If nobody uses PREPARE TRANSACTION on these tables, set it to 0 and restart"
                        + " the server, or give --with-prepared-transactions-failing";
            }
            if (row.getBoolean(3)) {
                out.println(
                        "-- synchronous_standby_names is set: commits that notify wait for the standby one after the"
                                + " other");
            }
            return null;
        }
    }

    private void work(Connection connection, PrintWriter out) throws SQLException {
        connection.setAutoCommit(false);
        if (!remove && !InvalidationTriggers.hasShared(connection, preparedFailing)) {
            execute(connection, InvalidationTriggers.shared(preparedFailing), out);
        }
        Set<String> unmatched = new HashSet<>(tables);
        for (Table table : InvalidationTriggers.tables(connection)) {
            if (isWanted(table, unmatched)) {
                one(connection, table, out);
            }
        }
        connection.rollback();
        for (String table : unmatched) {
            failed++;
            out.println("-- there is no table " + table);
        }
        if (remove && !dryRun) {
            removeShared(connection, out);
        } else if (remove) {
            InvalidationTriggers.dropShared().forEach(sql -> out.println(sql + ";"));
        }
        out.println("-- " + done + (remove ? " removed, " : " installed, ") + there
                + (remove ? " had none, " : " there already, ") + skipped + " skipped, " + failed + " failed");
    }

    private boolean isWanted(Table table, Set<String> unmatched) {
        boolean named = tables.isEmpty();
        for (String spelled : tables) {
            if (spelled.equals(table.schema() + "." + table.name())
                    || spelled.equals(table.name())
                    || spelled.equals(table.quoted())) {
                unmatched.remove(spelled);
                named = true;
            }
        }
        return named && (schemas.isEmpty() || schemas.contains(table.schema()));
    }

    private void one(Connection connection, Table table, PrintWriter out) throws SQLException {
        if (remove ? !table.touched() : table.telling()) {
            there++;
        } else if (!remove && table.impossible() != null) {
            skip(table, table.impossible(), out);
        } else if (!table.owned()) {
            skip(table, "its owner is another role", out);
        } else {
            try {
                execute(
                        connection,
                        remove ? List.of(InvalidationTriggers.drop(table)) : InvalidationTriggers.install(table),
                        out);
                done++;
                if (!dryRun) {
                    out.println((remove ? "-- removed from " : "-- installed on ") + table.quoted());
                }
            } catch (SQLException e) {
                connection.rollback();
                failed++;
                out.println("-- failed on " + table.quoted() + ": " + e.getMessage());
            }
        }
    }

    private void skip(Table table, String why, PrintWriter out) {
        skipped++;
        out.println("-- skipped " + table.quoted() + ": " + why);
    }

    private void execute(Connection connection, List<String> statements, PrintWriter out) throws SQLException {
        if (dryRun) {
            statements.forEach(sql -> out.println(sql + ";"));
            return;
        }
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
        connection.commit();
    }

    private void removeShared(Connection connection, PrintWriter out) throws SQLException {
        if (InvalidationTriggers.areLeft(connection)) {
            out.println("-- function pgproxy.invalidate() is kept, as other triggers use it");
            return;
        }
        try {
            execute(connection, InvalidationTriggers.dropShared(), out);
        } catch (SQLException e) {
            connection.rollback();
            failed++;
            out.println("-- failed on schema pgproxy: " + e.getMessage());
        }
    }
}
