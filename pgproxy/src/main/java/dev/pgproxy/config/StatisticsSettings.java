package dev.pgproxy.config;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of statements. Immutable.
 *
 * @param queryStats whether statements are counted at all
 * @param queryStatsMax statements, each by database, user, application and host, that an event loop counts at most
 * @param slowQueryThreshold from when on a call is remembered by itself; zero = never
 * @param nPlusOneThreshold executions with differing values behind one read that are N+1; 0 = nobody looks
 * @param adviceInterval how often statements and databases are looked at for advice; zero = only when somebody asks
 * @param queryStatsFile where what was counted is kept for the next start; null = nowhere
 */
public record StatisticsSettings(
        boolean queryStats,
        int queryStatsMax,
        Duration slowQueryThreshold,
        int nPlusOneThreshold,
        Duration adviceInterval,
        @Nullable Path queryStatsFile) {
    static final SettingGroup GROUP = new SettingGroup("Statistics");
    static final Setting<Boolean> QUERY_STATS = GROUP.fixed(
            "query_stats",
            SettingTypes.flag(),
            true,
            "Count calls, times, rows and errors of each statement: SHOW QUERIES, SHOW SLOW.");
    static final Setting<Integer> QUERY_STATS_MAX = GROUP.fixed(
            "query_stats_max",
            SettingTypes.integer(10, 100_000),
            5000,
            "Statements that each event loop counts; those with the least time and calls leave first.");
    static final Setting<Duration> SLOW_QUERY_THRESHOLD = GROUP.live(
            "slow_query_threshold",
            SettingTypes.timeout(),
            Duration.ofMillis(100),
            "SHOW SLOW has calls that took so long, of query_stats; 0 = none.");
    static final Setting<Integer> N_PLUS_ONE_THRESHOLD = GROUP.live(
            "n_plus_one_threshold",
            SettingTypes.integer(0, 10_000),
            5,
            "SHOW NPLUSONE has reads repeated so often with differing values behind another one; 0 = none.");
    static final Setting<Duration> ADVICE_INTERVAL = GROUP.live(
            "advice_interval",
            SettingTypes.timeout(),
            Duration.ofMinutes(10),
            "How often what tables are written is looked at for SHOW ADVICE; 0 = only when somebody asks.");
    static final Setting<Path> QUERY_STATS_FILE = GROUP.fixed(
            "query_stats_file",
            SettingTypes.path(),
            null,
            "Where what is counted of statements is kept for the next start; nobody else may read it. Unset: nowhere.");

    /** Nanoseconds from which on a call is slow by such a threshold: never if it is zero, or none. */
    public static long slowFrom(@Nullable Duration threshold) {
        return threshold == null || threshold.isZero() ? Long.MAX_VALUE : threshold.toNanos();
    }

    static StatisticsSettings from(SettingValues values) {
        return new StatisticsSettings(
                values.get(QUERY_STATS),
                values.get(QUERY_STATS_MAX),
                values.get(SLOW_QUERY_THRESHOLD),
                values.get(N_PLUS_ONE_THRESHOLD),
                values.get(ADVICE_INTERVAL),
                values.find(QUERY_STATS_FILE));
    }
}
