package dev.pgproxy.migrate;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.flywaydb.core.api.CoreMigrationType;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationState;
import org.flywaydb.core.api.MigrationVersion;
import org.jspecify.annotations.Nullable;

/**
 * Takes migrations back, the newest first, each in a transaction with its row in Flyway's table; one that drops an index beside
 * writers has none. Nothing begins unless all can be taken back. Confined to one thread.
 */
public final class Rollback {
    private record Step(MigrationInfo migration, Path file, String text) {}

    private final MigrationSettings settings;
    private final PrintWriter out;

    /** Says on {@code out} what it does. */
    public Rollback(MigrationSettings settings, PrintWriter out) {
        this.settings = settings;
        this.out = out;
    }

    /**
     * Takes back what is newer than a version.
     *
     * @param version null for the newest migration alone, {@code 0} for all
     * @param dry only says what would be run
     */
    public void to(@Nullable String version, boolean dry) throws MigrationException {
        try (Connection connection = settings.primary().getConnection()) {
            History history = History.of(connection);
            if (!dry) {
                history.lock(settings.patience());
            }
            List<Step> steps = steps(version);
            for (Step step : steps) {
                out.println(Progress.name(step.migration) + " by " + step.file + (dry ? ":" : " ..."));
                out.flush();
                if (dry) {
                    step.text.lines().forEach(line -> out.println("  " + line));
                } else {
                    run(step, history);
                }
            }
            out.println(
                    steps.isEmpty() ? "nothing to take back" : steps.size() + (dry ? " to take back" : " taken back"));
        } catch (SQLException | IOException e) {
            throw new MigrationException(String.valueOf(e.getMessage()), e);
        }
    }

    private List<Step> steps(@Nullable String version) throws MigrationException, IOException {
        List<MigrationInfo> applied = new ArrayList<>(new Migrations(settings, out)
                .status().stream().filter(Rollback::isInForce).toList());
        applied.sort((one, other) -> other.getVersion().compareTo(one.getVersion()));
        MigrationVersion keep = version == null ? null : MigrationVersion.fromVersion(version);
        List<Step> steps = new ArrayList<>();
        List<String> refusals = new ArrayList<>();
        for (MigrationInfo migration : applied) {
            boolean wanted = keep == null
                    ? steps.isEmpty() && refusals.isEmpty()
                    : migration.getVersion().compareTo(keep) > 0;
            if (wanted) {
                Step step = step(migration, refusals);
                if (step != null) {
                    steps.add(step);
                }
            }
        }
        if (!refusals.isEmpty()) {
            throw new MigrationException(
                    "nothing was taken back:" + System.lineSeparator() + String.join(System.lineSeparator(), refusals));
        }
        return steps;
    }

    private static boolean isInForce(MigrationInfo migration) {
        MigrationState state = migration.getState();
        return migration.getVersion() != null
                && migration.getType() == CoreMigrationType.SQL
                && state.isApplied()
                && !state.isFailed()
                && state != MigrationState.DELETED
                && state != MigrationState.UNDONE;
    }

    private @Nullable Step step(MigrationInfo migration, List<String> refusals) throws IOException {
        Path file = new RollbackFiles(settings.directory()).find(migration.getVersion());
        if (file == null) {
            refusals.add(Progress.name(migration) + ": there is no U" + migration.getVersion() + "__….sql in "
                    + settings.directory() + "; write it");
            return null;
        }
        String text = Files.readString(file, StandardCharsets.UTF_8);
        List<String> why = RollbackScript.refusals(text);
        why.forEach(each -> refusals.add(Progress.name(migration) + ": " + each + " (" + file + ")"));
        return why.isEmpty() ? new Step(migration, file, text) : null;
    }

    private void run(Step step, History history) throws SQLException, MigrationException {
        List<SqlStatement> statements = SqlStatement.of(step.text);
        boolean concurrent = statements.stream().anyMatch(SqlStatement::isConcurrent);
        for (int attempt = 1; ; attempt++) {
            try {
                long began = System.nanoTime();
                if (concurrent) {
                    runBesideWriters(statements, history.connection());
                } else {
                    runInTransaction(step.text, history.connection());
                }
                long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
                String name = Progress.name(step.migration);
                history.rolledBack(step.migration, step.file.getFileName().toString(), step.text, millis);
                Telling.tell(history.connection(), "rolled back " + name);
                if (!concurrent) {
                    history.connection().commit();
                    history.connection().setAutoCommit(true);
                }
                out.println("  done in " + millis + " ms");
                return;
            } catch (SQLException e) {
                if (!history.connection().getAutoCommit()) {
                    history.connection().rollback();
                    history.connection().setAutoCommit(true);
                }
                if (concurrent
                        || !Migrations.LOCK_NOT_AVAILABLE.equals(e.getSQLState())
                        || attempt >= settings.attempts()) {
                    throw e;
                }
                Migrations.pause(settings, attempt, out);
            }
        }
    }

    private void runInTransaction(String text, Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET lock_timeout = " + settings.lockTimeout().toMillis());
            statement.execute(text);
        }
    }

    private void runBesideWriters(List<SqlStatement> statements, Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (SqlStatement each : statements) {
                statement.execute("SET lock_timeout = "
                        + (each.isConcurrent() ? 0 : settings.lockTimeout().toMillis()));
                statement.execute(each.text());
            }
        }
    }
}
