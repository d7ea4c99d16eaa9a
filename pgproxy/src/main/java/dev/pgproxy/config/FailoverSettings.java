package dev.pgproxy.config;

import java.time.Duration;

/**
 * What happens when a primary fails or another host takes its place. Nothing of it matters to databases whose hosts are not
 * watched. Immutable.
 *
 * @param failover whether another primary is followed, or made
 * @param patience how long statements wait for a primary; zero = they fail at once
 * @param after how long there must have been none before a replica is promoted
 * @param allowDataLoss whether one is promoted that may lack acknowledged commits
 */
public record FailoverSettings(Failover failover, Duration patience, Duration after, boolean allowDataLoss) {
    static final SettingGroup GROUP = new SettingGroup("Failover");
    static final Setting<Failover> FAILOVER = GROUP.live(
            "failover",
            SettingTypes.choice(Failover.class),
            Failover.FOLLOW,
            "follow = writes go to whichever host is the primary; promote = also make a replica the primary; off.");
    static final Setting<Duration> FAILOVER_WAIT = GROUP.live(
            "failover_wait",
            SettingTypes.timeout(),
            Duration.ofSeconds(10),
            "How long statements wait while a primary that is watched cannot be reached; 0 = they fail at once.");
    static final Setting<Duration> FAILOVER_AFTER = GROUP.live(
            "failover_after",
            SettingTypes.duration(),
            Duration.ofSeconds(30),
            "How long no host must have been the primary before failover = promote promotes a replica.");
    static final Setting<Boolean> ALLOW_DATA_LOSS = GROUP.live(
            "failover_allow_data_loss",
            SettingTypes.flag(),
            false,
            "Promote although so few synchronous replicas answer that an acknowledged commit may be on none of them.");

    static FailoverSettings from(SettingValues values) {
        return new FailoverSettings(
                values.get(FAILOVER),
                values.get(FAILOVER_WAIT),
                values.get(FAILOVER_AFTER),
                values.get(ALLOW_DATA_LOSS));
    }

    /** Whether a replica is promoted where there is no primary. */
    public boolean promotes() {
        return failover == Failover.PROMOTE;
    }

    /** Whether another primary is followed. */
    public boolean follows() {
        return failover != Failover.OFF;
    }
}
