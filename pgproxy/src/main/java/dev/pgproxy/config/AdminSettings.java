package dev.pgproxy.config;

import java.util.List;

/**
 * Who may use the console, the databases {@code pgproxy} and {@code pgbouncer}. Immutable.
 *
 * @param adminUsers may use every command
 * @param statsUsers may use SHOW
 */
public record AdminSettings(List<String> adminUsers, List<String> statsUsers) {
    static final SettingGroup GROUP = new SettingGroup("Console");
    static final Setting<List<String>> ADMIN_USERS = GROUP.live(
            "admin_users",
            SettingTypes.list(SettingTypes.text()),
            List.of(),
            "Users that may run every command of the console (database pgproxy or pgbouncer).");
    static final Setting<List<String>> STATS_USERS = GROUP.live(
            "stats_users",
            SettingTypes.list(SettingTypes.text()),
            List.of(),
            "Users that may run the SHOW commands of the console.");

    static AdminSettings from(SettingValues values) {
        return new AdminSettings(values.get(ADMIN_USERS), values.get(STATS_USERS));
    }
}
