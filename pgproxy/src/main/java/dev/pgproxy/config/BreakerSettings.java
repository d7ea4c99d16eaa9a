package dev.pgproxy.config;

import dev.pgproxy.health.breaker.BreakerRules;
import java.time.Duration;

/** When a host is left alone whose logins fail. */
final class BreakerSettings {
    static final SettingGroup GROUP = new SettingGroup("Breakers");
    static final Setting<Integer> FAILURE_RATE = GROUP.live(
            "breaker_failure_rate",
            SettingTypes.integer(1, 100),
            50,
            "Leave a host alone when so many percent of its last logins have failed, of 10 or more.");
    static final Setting<Duration> WINDOW = GROUP.live(
            "breaker_window",
            SettingTypes.duration(),
            Duration.ofSeconds(60),
            "The last logins are those of so long; 1s to 1h, in whole seconds.");
    static final Setting<Integer> FAILURES = GROUP.live(
            "breaker_failures",
            SettingTypes.integer(1, 1000),
            5,
            "Leave a host alone after so many failed logins in a row, too.");
    static final Setting<Duration> OPEN_TIME = GROUP.live(
            "breaker_open_time",
            SettingTypes.timeout(),
            Duration.ofSeconds(30),
            "How long a host is left alone before it is tried again; 0 = hosts are never left alone.");
    static final Setting<Integer> PROBES = GROUP.live(
            "breaker_probes",
            SettingTypes.integer(1, 100),
            2,
            "So many logins must succeed one after the other until the host is used again.");

    private BreakerSettings() {}

    static BreakerRules from(SettingValues values) {
        return new BreakerRules(
                values.get(FAILURE_RATE),
                values.get(WINDOW),
                values.get(FAILURES),
                values.get(OPEN_TIME),
                values.get(PROBES));
    }
}
