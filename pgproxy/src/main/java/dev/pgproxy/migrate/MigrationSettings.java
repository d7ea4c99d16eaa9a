package dev.pgproxy.migrate;

import java.nio.file.Path;
import java.time.Duration;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Where migrations are, and how they run. Immutable.
 *
 * @param primary makes connections to the primary; they wait for a lock as long as {@code lockTimeout}
 * @param directory of the files
 * @param lockTimeout how long a statement in a transaction waits for a lock, and with it everybody who comes behind it; zero = for ever
 * @param attempts how often a migration begins that did not get its lock
 * @param patience how long another migration of the same database is waited for
 * @param writesRollbacks whether a script that takes a migration back is written where there is none
 * @param baseline the version that a database has which was not made by migrations; null if it is to be refused
 */
public record MigrationSettings(
        DataSource primary,
        Path directory,
        Duration lockTimeout,
        int attempts,
        Duration patience,
        boolean writesRollbacks,
        @Nullable String baseline) {}
