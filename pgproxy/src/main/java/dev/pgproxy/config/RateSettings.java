package dev.pgproxy.config;

import java.util.List;
import java.util.Set;

/**
 * How many transactions may start, where neither database nor user says otherwise. Immutable.
 *
 * @param all of all clients together
 * @param perDatabase of the clients of each database
 * @param perUser of the clients of each user
 * @param exempt users who are neither limited nor counted
 */
public record RateSettings(RateLimit all, RateLimit perDatabase, RateLimit perUser, Set<String> exempt) {
    static final SettingGroup GROUP = new SettingGroup("Rate limits");
    static final Setting<RateLimit> RATE_LIMIT = GROUP.live(
            "rate_limit",
            SettingTypes.rate(),
            RateLimit.NONE,
            "Transactions that all clients together may start in any such time; 0 = no limit.");
    static final Setting<RateLimit> DB_RATE_LIMIT = GROUP.live(
            "db_rate_limit",
            SettingTypes.rate(),
            RateLimit.NONE,
            "Transactions that the clients of one database may start in any such time; 0 = no limit.");
    static final Setting<RateLimit> USER_RATE_LIMIT = GROUP.live(
            "user_rate_limit",
            SettingTypes.rate(),
            RateLimit.NONE,
            "Transactions that the clients of one user may start in any such time; 0 = no limit.");
    static final Setting<List<String>> RATE_LIMIT_EXEMPT = GROUP.live(
            "rate_limit_exempt",
            SettingTypes.list(SettingTypes.text()),
            List.of(),
            "Users who are neither limited nor counted by any of these.");

    public RateSettings {
        exempt = Set.copyOf(exempt);
    }

    static RateSettings from(SettingValues values) {
        return new RateSettings(
                values.get(RATE_LIMIT),
                values.get(DB_RATE_LIMIT),
                values.get(USER_RATE_LIMIT),
                Set.copyOf(values.get(RATE_LIMIT_EXEMPT)));
    }
}
