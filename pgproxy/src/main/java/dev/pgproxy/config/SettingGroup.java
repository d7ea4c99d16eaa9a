package dev.pgproxy.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The settings of one record, in the order of the documentation. Filled while the record's class is initialised,
 * unchanged afterwards.
 */
final class SettingGroup {
    private final String title;
    private final List<Setting<?>> settings = new ArrayList<>();

    SettingGroup(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    List<Setting<?>> settings() {
        return Collections.unmodifiableList(settings);
    }

    /** Declares a setting that can change while running. */
    <T> Setting<T> live(String key, SettingType<T> type, @Nullable T defaultValue, String description) {
        return add(new Setting<>(key, type, defaultValue, true, description));
    }

    /** Declares a setting that is read at the start only. */
    <T> Setting<T> fixed(String key, SettingType<T> type, @Nullable T defaultValue, String description) {
        return add(new Setting<>(key, type, defaultValue, false, description));
    }

    private <T> Setting<T> add(Setting<T> setting) {
        settings.add(setting);
        return setting;
    }
}
