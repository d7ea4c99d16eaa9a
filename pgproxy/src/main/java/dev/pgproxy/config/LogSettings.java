package dev.pgproxy.config;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What is written to the log, which goes to standard error and perhaps to a file. Immutable.
 *
 * @param logConnections logins of clients
 * @param logDisconnections their ends, with the reason
 * @param logPoolerErrors errors that pgproxy itself sends to clients
 * @param logStats one line of totals per {@code statsPeriod}
 * @param statsPeriod also the period of the averages of {@code SHOW STATS}
 * @param logFormat for people or for machines
 * @param logLevel the least important line written
 * @param logfile where lines go besides; null = nowhere
 */
public record LogSettings(
        boolean logConnections,
        boolean logDisconnections,
        boolean logPoolerErrors,
        boolean logStats,
        Duration statsPeriod,
        LogFormat logFormat,
        LogLevel logLevel,
        @Nullable Path logfile) {
    static final SettingGroup GROUP = new SettingGroup("Log");
    static final Setting<Boolean> LOG_CONNECTIONS =
            GROUP.live("log_connections", SettingTypes.flag(), true, "Log each login of a client.");
    static final Setting<Boolean> LOG_DISCONNECTIONS =
            GROUP.live("log_disconnections", SettingTypes.flag(), true, "Log why each client went.");
    static final Setting<Boolean> LOG_POOLER_ERRORS = GROUP.live(
            "log_pooler_errors", SettingTypes.flag(), true, "Log each error that pgproxy itself sends to a client.");
    static final Setting<Boolean> LOG_STATS =
            GROUP.live("log_stats", SettingTypes.flag(), true, "Log one line of totals per stats_period.");
    static final Setting<Duration> STATS_PERIOD = GROUP.live(
            "stats_period",
            SettingTypes.duration(),
            Duration.ofSeconds(60),
            "Period of log_stats and of the averages of SHOW STATS.");
    static final Setting<LogFormat> LOG_FORMAT = GROUP.live(
            "log_format",
            SettingTypes.choice(LogFormat.class),
            LogFormat.TEXT,
            "text, or json = one object per line; to standard error.");
    static final Setting<LogLevel> LOG_LEVEL = GROUP.live(
            "log_level",
            SettingTypes.choice(LogLevel.class),
            LogLevel.INFO,
            "Least important line written: error, warn, info, debug, trace.");
    static final Setting<Path> LOGFILE = GROUP.live(
            "logfile",
            SettingTypes.path(),
            null,
            "File for the log, besides standard error; SIGHUP and RELOAD open it anew. Empty = none.");

    static LogSettings from(SettingValues values) {
        return new LogSettings(
                values.get(LOG_CONNECTIONS),
                values.get(LOG_DISCONNECTIONS),
                values.get(LOG_POOLER_ERRORS),
                values.get(LOG_STATS),
                values.get(STATS_PERIOD),
                values.get(LOG_FORMAT),
                values.get(LOG_LEVEL),
                values.find(LOGFILE));
    }
}
