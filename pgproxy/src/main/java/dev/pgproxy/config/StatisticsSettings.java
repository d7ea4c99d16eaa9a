package dev.pgproxy.config;

import java.time.Duration;

/**
 * What is remembered of statements. Immutable.
 *
 * @param queryStats whether statements are counted at all
 * @param queryStatsMax statements, each by database, user, application and host, that an event loop counts at most
 * @param slowQueryThreshold from when on a call is remembered by itself; zero = never
 */
public record StatisticsSettings(boolean queryStats, int queryStatsMax, Duration slowQueryThreshold) {
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

    static StatisticsSettings from(SettingValues values) {
        return new StatisticsSettings(
                values.get(QUERY_STATS), values.get(QUERY_STATS_MAX), values.get(SLOW_QUERY_THRESHOLD));
    }
}
