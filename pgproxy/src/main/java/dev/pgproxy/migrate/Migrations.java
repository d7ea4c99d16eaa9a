package dev.pgproxy.migrate;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.core.api.exception.FlywayValidateException;
import org.flywaydb.core.api.output.ValidateOutput;
import org.flywaydb.core.api.output.ValidateResult;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;
import org.jspecify.annotations.Nullable;

/** The migrations of one directory on one database, by Flyway. Confined to one thread. */
public final class Migrations {
    static final String LOCK_NOT_AVAILABLE = "55P03";
    private static final Duration PAUSE = Duration.ofMillis(500);

    private final MigrationSettings settings;
    private final PrintWriter out;

    /** Says on {@code out} what it does. */
    public Migrations(MigrationSettings settings, PrintWriter out) {
        this.settings = settings;
        this.out = out;
    }

    /** With the directory as it is now. */
    private Flyway flyway(@Nullable String target, String... ignored) throws MigrationException {
        if (!Files.isDirectory(settings.directory())) {
            throw new MigrationException("there is no directory " + settings.directory() + "; give --dir");
        }
        FluentConfiguration configuration = Flyway.configure()
                .dataSource(settings.primary())
                .locations("filesystem:" + settings.directory())
                .loggers("slf4j")
                .placeholderReplacement(false) // text is run as it stands
                .lockRetryCount((int) Math.max(1, settings.patience().toSeconds()))
                .ignoreMigrationPatterns(ignored)
                .callbacks(new Progress(settings, out));
        if (settings.baseline() != null) {
            configuration.baselineOnMigrate(true).baselineVersion(settings.baseline());
        }
        if (target != null) {
            configuration.target(target);
        }
        PostgreSQLConfigurationExtension postgres =
                configuration.getPluginRegister().getExact(PostgreSQLConfigurationExtension.class);
        if (postgres != null) {
            // an open transaction would be waited for by CREATE INDEX CONCURRENTLY, for ever
            postgres.setTransactionalLock(false);
        }
        return configuration.load();
    }

    /** Runs what is pending up to a version, null for all. */
    public void up(@Nullable String target) throws MigrationException {
        // an older release of a program may start while a newer one has migrated already
        Flyway flyway = flyway(target, "*:future");
        warnOfNames();
        for (int attempt = 1; ; attempt++) {
            try {
                int done = flyway.migrate().migrationsExecuted;
                out.println(done == 0 ? "nothing to do" : done + " done");
                return;
            } catch (FlywayValidateException e) {
                throw new MigrationException(differences(flyway), e);
            } catch (FlywayException e) {
                if (!LOCK_NOT_AVAILABLE.equals(sqlState(e)) || attempt >= settings.attempts()) {
                    throw failure(e);
                }
                pause(settings, attempt, out);
            }
        }
    }

    /** Everybody who had to wait behind it goes first. */
    static void pause(MigrationSettings settings, int attempt, PrintWriter out) throws MigrationException {
        Duration pause = PAUSE.multipliedBy(attempt);
        out.println("  no lock after " + settings.lockTimeout().toMillis() + " ms, so it was undone; again in "
                + pause.toMillis() + " ms (attempt " + (attempt + 1) + " of " + settings.attempts() + ")");
        out.flush();
        rest(pause);
    }

    static void rest(Duration pause) throws MigrationException {
        try {
            java.util.concurrent.TimeUnit.NANOSECONDS.sleep(pause.toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MigrationException("interrupted", e);
        }
    }

    private void warnOfNames() throws MigrationException {
        try {
            for (Path file : new RollbackFiles(settings.directory()).unknown()) {
                out.println("ignored: " + file
                        + " is called neither V<version>__<description>.sql nor R__<description>.sql");
            }
        } catch (IOException e) {
            throw new MigrationException(e.toString(), e);
        }
    }

    /** Prints what {@link #up} would do, and what would take it back. */
    public void plan(@Nullable String target) throws MigrationException {
        List<MigrationInfo> pending = call(() -> List.of(flyway(target).info().pending()));
        warnOfNames();
        try (Connection connection = settings.primary().getConnection()) {
            connection.setReadOnly(true);
            for (MigrationInfo migration : pending) {
                out.println(Progress.name(migration) + " (" + migration.getScript() + ")");
                if (migration.getVersion() == null) {
                    continue;
                }
                Path written = new RollbackFiles(settings.directory()).find(migration.getVersion());
                if (written != null) {
                    out.println("  rollback: " + written);
                    continue;
                }
                RollbackScript script = RollbackFiles.script(migration, connection);
                if (script.refusals().isEmpty()) {
                    script.statements().forEach(statement -> out.println("  rollback: " + statement + ";"));
                }
                script.refusals().forEach(why -> out.println("  no rollback: " + why));
            }
            out.println(pending.isEmpty() ? "nothing to do" : pending.size() + " to do");
        } catch (SQLException | IOException e) {
            throw new MigrationException(String.valueOf(e.getMessage()), e);
        }
    }

    /** All migrations, in the order of their versions, and what became of them. */
    public List<MigrationInfo> status() throws MigrationException {
        return call(() -> Arrays.asList(flyway(null).info().all()));
    }

    /** What of the database's history is not as the files say, one sentence each; empty if all is. */
    public List<String> validate() throws MigrationException {
        ValidateResult result = call(() -> flyway(null, "*:pending").validateWithResult());
        List<String> differences = new ArrayList<>();
        for (ValidateOutput each : result.invalidMigrations) {
            String difference = difference(each);
            if (difference != null) {
                differences.add(difference);
            }
        }
        return differences;
    }

    private String differences(Flyway flyway) throws MigrationException {
        List<String> lines = new ArrayList<>();
        for (ValidateOutput each : call(flyway::validateWithResult).invalidMigrations) {
            String line = difference(each);
            if (line != null) {
                lines.add(line);
            }
        }
        return String.join(System.lineSeparator(), lines);
    }

    /** Null for what is only pending. */
    private @Nullable String difference(ValidateOutput found) {
        String code = found.errorDetails.errorCode.toString();
        boolean versioned = found.version != null && !found.version.isEmpty();
        String name = (versioned ? found.version + " " : "") + found.description;
        return switch (code) {
            case "CHECKSUM_MISMATCH" ->
                name + ": " + found.filepath
                        + " has changed since it was applied. Put it back as it was, and write what is to"
                        + " change as a new migration.";
            case "APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED", "APPLIED_REPEATABLE_MIGRATION_NOT_RESOLVED" ->
                name + ": was applied, and its file is not in " + settings.directory() + ". Put it back.";
            case "RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED" ->
                found.errorDetails.errorMessage.contains("outOfOrder")
                        ? name + ": is older than what was applied, so it is never run. Give it a higher version."
                        : null;
            case "RESOLVED_REPEATABLE_MIGRATION_NOT_APPLIED", "OUTDATED_REPEATABLE_MIGRATION" -> null;
            case "FAILED_VERSIONED_MIGRATION", "FAILED_REPEATABLE_MIGRATION" ->
                name
                        + ": has failed outside a transaction, and a part of it may be there. Take that back by hand, and remove its"
                        + " row: DELETE FROM " + History.TABLE + " WHERE NOT success.";
            default -> name + ": " + found.errorDetails.errorMessage;
        };
    }

    private interface Call<T> {
        T call() throws MigrationException;
    }

    private <T> T call(Call<T> call) throws MigrationException {
        try {
            return call.call();
        } catch (FlywayException e) {
            throw failure(e);
        }
    }

    private MigrationException failure(FlywayException e) {
        String message = String.valueOf(e.getMessage());
        if (message.contains("advisory lock")) {
            message = "another migration of this database is running: waited "
                    + settings.patience().toSeconds() + " s for it (--wait)";
        } else if (message.contains("non-empty schema")) {
            message =
                    "the database holds tables, and none of them was made by a migration: say by --baseline VERSION which"
                            + " version they are; what is not newer is then never run";
        }
        return new MigrationException(message.strip(), e);
    }

    /** The SQLSTATE of what it failed with; null if that is not the server's. */
    private static @Nullable String sqlState(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql) {
                return sql.getSQLState();
            }
        }
        return null;
    }
}
