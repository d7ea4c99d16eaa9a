package dev.pgproxy.config;

import java.time.Duration;

/**
 * What happens when a primary fails or another host takes its place. Nothing of it matters to databases whose hosts are not
 * watched. Immutable.
 *
 * @param failover whether another primary is followed
 * @param patience how long statements wait for a primary; zero = they fail at once
 */
public record FailoverSettings(Failover failover, Duration patience) {
    static final SettingGroup GROUP = new SettingGroup("Failover");
    static final Setting<Failover> FAILOVER = GROUP.live(
            "failover",
            SettingTypes.choice(Failover.class),
            Failover.FOLLOW,
            "follow = send writes to whichever host is the primary; off = to the configured one; see operations.md.");
    static final Setting<Duration> FAILOVER_WAIT = GROUP.live(
            "failover_wait",
            SettingTypes.timeout(),
            Duration.ofSeconds(10),
            "How long statements wait while a primary that is watched cannot be reached; 0 = they fail at once.");

    static FailoverSettings from(SettingValues values) {
        return new FailoverSettings(values.get(FAILOVER), values.get(FAILOVER_WAIT));
    }

    /** Whether another primary is followed. */
    public boolean follows() {
        return failover != Failover.OFF;
    }
}
