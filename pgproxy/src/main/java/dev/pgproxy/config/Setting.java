package dev.pgproxy.config;

import org.jspecify.annotations.Nullable;

/**
 * The declaration of one setting: the only place that knows its name, type, range, default and meaning. Immutable.
 *
 * @param key name in files, {@code SET} and {@code SHOW CONFIG}; PgBouncer's where the meaning is the same
 * @param type reads, checks and shows values
 * @param defaultValue what holds where nothing is set; null = not set
 * @param reloadable whether RELOAD and SET can change it while running
 * @param description one line for the documentation and the example file
 */
record Setting<T>(String key, SettingType<T> type, @Nullable T defaultValue, boolean reloadable, String description) {
    /** The default as it would stand in a file; empty where there is none. */
    String defaultText() {
        return defaultValue == null ? "" : type.show(defaultValue);
    }
}
