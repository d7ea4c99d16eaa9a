package dev.pgproxy.config;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one block of the configuration sets, by declaration; everything else has its default. Immutable.
 */
final class SettingValues {
    private final Map<Setting<?>, Object> values;

    /** Where each value was written, for complaints that concern several settings; not part of equality. */
    private final Map<Setting<?>, Place> places;

    private final Path directory;

    private SettingValues(Map<Setting<?>, Object> values, Map<Setting<?>, Place> places, Path directory) {
        this.values = Map.copyOf(values);
        this.places = Map.copyOf(places);
        this.directory = directory;
    }

    /** Nothing set; file names will be relative to the directory. */
    static SettingValues none(Path directory) {
        return new SettingValues(Map.of(), Map.of(), directory);
    }

    <T> SettingValues with(Setting<T> setting, @Nullable T value, Place place) {
        Map<Setting<?>, Object> changed = new HashMap<>(values);
        Map<Setting<?>, Place> moved = new HashMap<>(places);
        moved.put(setting, place);
        if (value == null) {
            changed.remove(setting);
        } else {
            changed.put(setting, value);
        }
        return new SettingValues(changed, moved, directory);
    }

    /** With one setting as the other values have it. */
    <T> SettingValues as(SettingValues other, Setting<T> setting) {
        return with(setting, other.find(setting), other.place(setting, new Place("", 0)));
    }

    /** The value of a setting that has a default. */
    <T> T get(Setting<T> setting) {
        T value = find(setting);
        if (value == null) {
            throw new IllegalStateException(setting.key() + " has neither value nor default");
        }
        return value;
    }

    /** The value, what the preset says, or the default, null where there is none of them. */
    @SuppressWarnings("unchecked") // with() put a T under this setting
    <T> @Nullable T find(Setting<T> setting) {
        Object value = values.get(setting);
        if (value == null && values.get(CacheSettings.CACHE_PRESET) instanceof CachePreset preset) {
            value = preset.says().get(setting);
        }
        return value == null ? setting.defaultValue() : (T) value;
    }

    boolean has(Setting<?> setting) {
        return values.containsKey(setting);
    }

    /** Where it was written; where it was not, the place given. */
    Place place(Setting<?> setting, Place otherwise) {
        return places.getOrDefault(setting, otherwise);
    }

    Path directory() {
        return directory;
    }

    /** As {@code SHOW CONFIG} shows it: secrets masked, empty where not set. */
    <T> String show(Setting<T> setting) {
        T value = find(setting);
        return value == null ? "" : setting.type().show(value);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SettingValues that && values.equals(that.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        values.keySet().stream()
                .sorted((a, b) -> a.key().compareTo(b.key()))
                .forEach(s -> text.append(s.key()).append('=').append(show(s)).append(' '));
        return text.toString().strip();
    }
}
