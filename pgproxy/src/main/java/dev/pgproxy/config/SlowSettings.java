package dev.pgproxy.config;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of slow statements besides SHOW SLOW. Immutable.
 *
 * @param log one JSON object per line for each; null = none is written
 * @param logSize bytes from which on another file is begun
 * @param logFiles how many there are at most, the one that is written included
 * @param planCapture whether their plans are asked for
 * @param planInterval how often at most that of one statement is
 * @param planTimeout how long a host may work on one
 * @param planAnalyze whether reads are executed for it
 */
public record SlowSettings(
        @Nullable Path log,
        long logSize,
        int logFiles,
        boolean planCapture,
        Duration planInterval,
        Duration planTimeout,
        boolean planAnalyze) {
    static final SettingGroup GROUP = new SettingGroup("Slow statements");
    static final Setting<Path> SLOW_QUERY_LOG = GROUP.live(
            "slow_query_log",
            SettingTypes.path(),
            null,
            "File that each slow statement is written to as a line of JSON, literals masked; empty = none.");
    static final Setting<Long> SLOW_QUERY_LOG_SIZE = GROUP.live(
            "slow_query_log_size",
            SettingTypes.size(1024, 1L << 40),
            10L << 20,
            "From this size on that file is renamed to .1, what was .1 to .2, and so on.");
    static final Setting<Integer> SLOW_QUERY_LOG_FILES = GROUP.live(
            "slow_query_log_files",
            SettingTypes.integer(1, 1000),
            5,
            "Files that are kept, the one that is written included; the oldest is deleted.");
    static final Setting<Boolean> PLAN_CAPTURE = GROUP.live(
            "plan_capture",
            SettingTypes.flag(),
            false,
            "Ask for the plans of slow statements, and of HypoPG's indexes, by EXPLAIN, each as its own user: SHOW PLANS.");
    static final Setting<Duration> PLAN_INTERVAL = GROUP.live(
            "plan_interval",
            SettingTypes.duration(),
            Duration.ofHours(1),
            "The plan of one statement, database and user is asked for once in such a time.");
    static final Setting<Duration> PLAN_TIMEOUT = GROUP.live(
            "plan_timeout",
            SettingTypes.duration(),
            Duration.ofSeconds(5),
            "statement_timeout of that EXPLAIN, which holds a server of the user's pool so long at most.");
    static final Setting<Boolean> PLAN_ANALYZE = GROUP.live(
            "plan_analyze",
            SettingTypes.flag(),
            false,
            "Execute what is known to be a harmless read without parameters once more: EXPLAIN (ANALYZE).");

    static SlowSettings from(SettingValues values) {
        return new SlowSettings(
                values.find(SLOW_QUERY_LOG),
                values.get(SLOW_QUERY_LOG_SIZE),
                values.get(SLOW_QUERY_LOG_FILES),
                values.get(PLAN_CAPTURE),
                values.get(PLAN_INTERVAL),
                values.get(PLAN_TIMEOUT),
                values.get(PLAN_ANALYZE));
    }
}
