package dev.pgproxy.migrate;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;

/**
 * What is done around each migration, on its own connection and in its own transaction if it has one: what takes it back is
 * written before it runs, while what it changes can still be seen, and every pgproxy is told behind it. Confined to the thread
 * that migrates.
 */
final class Progress implements Callback {
    private final MigrationSettings settings;
    private final PrintWriter out;
    private long began;

    Progress(MigrationSettings settings, PrintWriter out) {
        this.settings = settings;
        this.out = out;
    }

    @Override
    public boolean supports(Event event, Context context) {
        return event == Event.BEFORE_EACH_MIGRATE
                || event == Event.AFTER_EACH_MIGRATE
                || event == Event.AFTER_EACH_MIGRATE_ERROR;
    }

    @Override
    public boolean canHandleInTransaction(Event event, Context context) {
        return true;
    }

    @Override
    public String getCallbackName() {
        return "pgproxy";
    }

    @Override
    public void handle(Event event, Context context) {
        MigrationInfo migration = context.getMigrationInfo();
        Connection connection = context.getConnection();
        try {
            switch (event) {
                case BEFORE_EACH_MIGRATE -> before(migration, connection);
                case AFTER_EACH_MIGRATE -> after(migration, connection);
                default -> out.flush();
            }
        } catch (SQLException | IOException e) {
            throw new FlywayException(name(migration) + ": " + e.getMessage(), e);
        }
    }

    /** As lines and pgproxy call it. */
    static String name(MigrationInfo migration) {
        return migration.getVersion() == null
                ? migration.getDescription() + " (repeatable)"
                : migration.getVersion() + " " + migration.getDescription();
    }

    private void before(MigrationInfo migration, Connection connection) throws SQLException, IOException {
        out.println(name(migration) + " ...");
        out.flush();
        if (migration.getVersion() != null && settings.writesRollbacks()) {
            writeRollback(migration, connection);
        }
        boolean waits = connection.getAutoCommit() && isConcurrent(migration);
        try (Statement statement = connection.createStatement()) {
            // building an index beside writers waits for all of them, and nobody for it; given up it would leave half
            // an index
            statement.execute(
                    "SET lock_timeout = " + (waits ? 0 : settings.lockTimeout().toMillis()));
        }
        began = System.nanoTime();
    }

    private static boolean isConcurrent(MigrationInfo migration) throws IOException {
        String location = migration.getPhysicalLocation();
        return location != null
                && SqlStatement.of(Files.readString(Path.of(location), StandardCharsets.UTF_8)).stream()
                        .allMatch(SqlStatement::isConcurrent);
    }

    private void writeRollback(MigrationInfo migration, Connection connection) throws SQLException, IOException {
        RollbackFiles files = new RollbackFiles(settings.directory());
        if (files.find(migration.getVersion()) != null) {
            return;
        }
        RollbackScript script = RollbackFiles.script(migration, connection);
        try {
            Path file = files.write(migration, script);
            out.println("  rollback: " + file + (script.refusals().isEmpty() ? "" : ", to be completed by you:"));
        } catch (IOException e) {
            out.println("  rollback: not written, " + e);
        }
        script.refusals().forEach(why -> out.println("    " + why));
    }

    private void after(MigrationInfo migration, Connection connection) throws SQLException {
        if (!Telling.tell(connection, "migrated " + name(migration))) {
            out.println("  pgproxy is not told: pg_notify may not be executed, or its queue is half full");
        }
        out.println("  done in " + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began) + " ms");
        out.flush();
    }
}
