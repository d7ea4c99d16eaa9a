package dev.pgproxy.config;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What is worth an alert, and who is told. Immutable.
 *
 * @param source who this is for those who are told; null = the name of the machine
 * @param raiseAfter how long something must have been over its threshold
 * @param clearAfter how long it must have been under the lower one
 * @param window what shares of hits and errors are of
 * @param replicaLag time between a commit and its arrival at a replica; zero = no alert
 * @param poolWait time that a client waits for a server of a pool that is full; zero = no alert
 * @param hitRate percent of look-ups in the cache that should be hits; 0 = no alert
 * @param errorRate percent of statements that may fail; 0 = no alert
 * @param disk percent of a host's disk that may be used; 0 = no alert
 * @param perMinute alerts that a sink is told of in any minute
 */
public record AlertSettings(
        @Nullable String source,
        Duration raiseAfter,
        Duration clearAfter,
        Duration window,
        Duration replicaLag,
        Duration poolWait,
        int hitRate,
        int errorRate,
        int disk,
        int perMinute,
        AlertTargets targets) {
    static final SettingGroup GROUP = new SettingGroup("Alerts");
    static final Setting<String> SOURCE = GROUP.live(
            "alert_source", SettingTypes.text(), null, "Who this is in alerts; empty = the name of the machine.");
    static final Setting<Duration> RAISE_AFTER = GROUP.live(
            "alert_raise_after",
            SettingTypes.duration(),
            Duration.ofSeconds(5),
            "How long something must have been over its threshold before there is an alert.");
    static final Setting<Duration> CLEAR_AFTER = GROUP.live(
            "alert_clear_after",
            SettingTypes.duration(),
            Duration.ofSeconds(30),
            "How long it must have been well again before the alert is cleared.");
    static final Setting<Duration> WINDOW = GROUP.live(
            "alert_window",
            SettingTypes.duration(),
            Duration.ofMinutes(1),
            "The last so long is what shares of hits and of errors are of.");
    static final Setting<Duration> REPLICA_LAG = GROUP.live(
            "alert_replica_lag",
            SettingTypes.timeout(),
            Duration.ofSeconds(5),
            "replication_lag: a replica is further behind; 0 = no such alert.");
    static final Setting<Duration> POOL_WAIT = GROUP.live(
            "alert_pool_wait",
            SettingTypes.timeout(),
            Duration.ofSeconds(1),
            "pool_saturated: a pool is full and a client waits for longer; 0 = no such alert.");
    static final Setting<Integer> HIT_RATE = GROUP.live(
            "alert_hit_rate",
            SettingTypes.integer(0, 100),
            70,
            "cache_hit_rate: a smaller share of look-ups was hits, in percent; 0 = no such alert.");
    static final Setting<Integer> ERROR_RATE = GROUP.live(
            "alert_error_rate",
            SettingTypes.integer(0, 100),
            10,
            "error_rate: a larger share of statements failed, in percent; 0 = no such alert.");
    static final Setting<Integer> DISK = GROUP.live(
            "alert_disk",
            SettingTypes.integer(0, 100),
            90,
            "disk_full: more of a host's disk is used, in percent; 0 = no such alert.");
    static final Setting<Integer> PER_MINUTE = GROUP.live(
            "alert_per_minute",
            SettingTypes.integer(1, 1000),
            20,
            "Alerts that each webhook and the mail server are told of in any minute; of more only their number.");

    static AlertSettings from(SettingValues values, AlertTargets targets) {
        return new AlertSettings(
                values.find(SOURCE),
                values.get(RAISE_AFTER),
                values.get(CLEAR_AFTER),
                values.get(WINDOW),
                values.get(REPLICA_LAG),
                values.get(POOL_WAIT),
                values.get(HIT_RATE),
                values.get(ERROR_RATE),
                values.get(DISK),
                values.get(PER_MINUTE),
                targets);
    }
}
