package dev.pgproxy;

import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.migrate.MigrationException;
import dev.pgproxy.migrate.MigrationSettings;
import dev.pgproxy.migrate.Migrations;
import dev.pgproxy.migrate.PrimaryConnections;
import dev.pgproxy.migrate.Rollback;
import dev.pgproxy.migrate.StatusTable;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code pgproxy migrate}: runs versioned SQL files on the primary, and takes them back. Exit codes: 0 all well, 1 something
 * could not be done or differs, 2 wrong usage, 78 the configuration is wrong. Confined to the thread that runs it.
 */
@Command(
        name = "migrate",
        description = "Changes the schema of a database by versioned SQL files, straight on its primary.",
        mixinStandardHelpOptions = true,
        subcommands = {Migrate.Up.class, Migrate.Status.class, Migrate.Validate.class, Migrate.Back.class})
final class Migrate implements Runnable {
    @CommandLine.Spec
    private CommandLine.Model.@Nullable CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                Objects.requireNonNull(spec).commandLine(), "which? up, status, validate or rollback");
    }

    /** Options of all of them. */
    static final class Common {
        @Mixin
        private PrimarySource source = new PrimarySource();

        @Option(
                names = "--user",
                paramLabel = "NAME",
                description =
                        "Who owns the tables, if not control_user; the password is PGPASSWORD, or asked for by -W.")
        private @Nullable String user;

        @Option(
                names = {"-W", "--ask-password"},
                interactive = true,
                arity = "0",
                description = "Asks for the password of --user.")
        private char @Nullable [] typed;

        @Option(
                names = "--dir",
                paramLabel = "DIR",
                description = "Where the files are (default: ${DEFAULT-VALUE}).",
                defaultValue = "migrations")
        private Path directory = Path.of("migrations");

        @Option(
                names = "--lock-timeout",
                paramLabel = "MS",
                description =
                        "How long a statement waits for a lock, and others behind it (default: ${DEFAULT-VALUE}).",
                defaultValue = "2000")
        private int lockTimeout;

        @Option(
                names = "--attempts",
                paramLabel = "N",
                description = "How often a migration that got no lock is begun (default: ${DEFAULT-VALUE}).",
                defaultValue = "10")
        private int attempts;

        @Option(
                names = "--wait",
                paramLabel = "SECONDS",
                description = "How long another migration of this database is waited for (default: ${DEFAULT-VALUE}).",
                defaultValue = "60")
        private int patience;

        MigrationSettings settings(CommandLine line, boolean writesRollbacks, @Nullable String baseline)
                throws ConfigProblems, IOException, SQLException, MigrationException {
            if (lockTimeout < 0 || attempts < 1 || patience < 1) {
                throw new CommandLine.ParameterException(
                        line, "--lock-timeout must not be negative, --attempts and --wait not be less than 1");
            }
            ControlTarget target = source.target(line, user == null ? null : PrimarySource.as(user, typed));
            PrimaryConnections primary = new PrimaryConnections(target);
            try (Connection connection = primary.getConnection();
                    Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT pg_is_in_recovery()")) {
                if (row.next() && row.getBoolean(1)) {
                    throw new SQLException("the server is a standby; give its primary");
                }
            }
            return new MigrationSettings(
                    primary,
                    directory,
                    Duration.ofMillis(lockTimeout),
                    attempts,
                    Duration.ofSeconds(patience),
                    writesRollbacks,
                    baseline);
        }
    }

    private interface Work {
        int on(CommandLine line) throws ConfigProblems, IOException, SQLException, MigrationException;
    }

    private static int run(CommandLine.Model.@Nullable CommandSpec spec, Work work) {
        CommandLine line = Objects.requireNonNull(spec).commandLine();
        PrintWriter err = line.getErr();
        Logging.silence("org.flywaydb"); // what there is to say is printed
        try {
            return work.on(line);
        } catch (ConfigProblems e) {
            err.println(e.getMessage());
            return Main.CONFIGURATION;
        } catch (IOException | SQLException | MigrationException e) {
            line.getOut().flush();
            err.println("pgproxy: " + e.getMessage());
            return Main.FAILED;
        } finally {
            line.getOut().flush();
            err.flush();
        }
    }

    /** {@code migrate up}. */
    @Command(name = "up", description = "Runs what has not been run yet.", mixinStandardHelpOptions = true)
    static final class Up implements Callable<Integer> {
        @Mixin
        private Common common = new Common();

        @Option(names = "--to", paramLabel = "VERSION", description = "Nothing newer than this.")
        private @Nullable String version;

        @Option(names = "--dry-run", description = "Print what would be run and what would take it back.")
        private boolean dryRun;

        @Option(names = "--no-rollback-scripts", description = "Write no U<version>__….sql for what has none.")
        private boolean withoutRollbacks;

        @Option(
                names = "--baseline",
                paramLabel = "VERSION",
                description = "What a database without migrations counts as; only what is newer is run.")
        private @Nullable String baseline;

        @CommandLine.Spec
        private CommandLine.Model.@Nullable CommandSpec spec;

        @Override
        public Integer call() {
            return run(spec, line -> {
                Migrations migrations =
                        new Migrations(common.settings(line, !withoutRollbacks, baseline), line.getOut());
                if (dryRun) {
                    migrations.plan(version);
                } else {
                    migrations.up(version);
                }
                return 0;
            });
        }
    }

    /** {@code migrate status}. */
    @Command(
            name = "status",
            description = "Prints all migrations and what became of them.",
            mixinStandardHelpOptions = true)
    static final class Status implements Callable<Integer> {
        @Mixin
        private Common common = new Common();

        @CommandLine.Spec
        private CommandLine.Model.@Nullable CommandSpec spec;

        @Override
        public Integer call() {
            return run(spec, line -> {
                PrintWriter out = line.getOut();
                StatusTable.of(new Migrations(common.settings(line, false, null), out).status())
                        .forEach(out::println);
                return 0;
            });
        }
    }

    /** {@code migrate validate}. */
    @Command(name = "validate", description = "Compares the files with what was run.", mixinStandardHelpOptions = true)
    static final class Validate implements Callable<Integer> {
        @Mixin
        private Common common = new Common();

        @CommandLine.Spec
        private CommandLine.Model.@Nullable CommandSpec spec;

        @Override
        public Integer call() {
            return run(spec, line -> {
                List<String> differences = new Migrations(common.settings(line, false, null), line.getOut()).validate();
                differences.forEach(line.getErr()::println);
                if (differences.isEmpty()) {
                    line.getOut().println("all is as it was run");
                }
                return differences.isEmpty() ? 0 : Main.FAILED;
            });
        }
    }

    /** {@code migrate rollback}. */
    @Command(
            name = "rollback",
            description = "Takes the newest migration back, or all that are newer than a version.",
            mixinStandardHelpOptions = true)
    static final class Back implements Callable<Integer> {
        @Mixin
        private Common common = new Common();

        @Option(names = "--to", paramLabel = "VERSION", description = "All that are newer than this; 0 = all.")
        private @Nullable String version;

        @Option(names = "--dry-run", description = "Print what would be run.")
        private boolean dryRun;

        @CommandLine.Spec
        private CommandLine.Model.@Nullable CommandSpec spec;

        @Override
        public Integer call() {
            return run(spec, line -> {
                new Rollback(common.settings(line, false, null), line.getOut()).to(version, dryRun);
                return 0;
            });
        }
    }
}
