package dev.pgproxy.insight;

import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.StatementRule;
import dev.pgproxy.config.StatisticsSettings;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * From when on a call is slow, in nanoseconds. Immutable.
 *
 * @param databases by name, where a database is named in the configuration
 * @param others in all other databases
 * @param least no call that took less is slow anywhere, whatever rule fits it
 */
record Thresholds(Map<String, Long> databases, long others, long least) {
    Thresholds {
        databases = Map.copyOf(databases);
    }

    /** The same everywhere. */
    static Thresholds of(StatisticsSettings settings) {
        long all = StatisticsSettings.slowFrom(settings.slowQueryThreshold());
        return new Thresholds(Map.of(), all, all);
    }

    static Thresholds of(ProxyConfig config) {
        Duration general = config.statistics().slowQueryThreshold();
        Map<String, Long> databases = new HashMap<>();
        config.databases().forEach((name, database) -> databases.put(name, nanos(database, general)));
        long others = nanos(config.wildcard(), general);
        long least = others;
        for (long each : databases.values()) {
            least = Math.min(least, each);
        }
        for (StatementRule rule : config.statementRules()) {
            least = Math.min(least, StatisticsSettings.slowFrom(rule.slowQueryThreshold()));
        }
        return new Thresholds(databases, others, least);
    }

    private static long nanos(@Nullable DatabaseSettings database, Duration general) {
        Duration own = database == null ? null : database.slowQueryThreshold();
        return StatisticsSettings.slowFrom(own == null ? general : own);
    }

    long in(String database) {
        Long own = databases.get(database);
        return own == null ? others : own;
    }
}
