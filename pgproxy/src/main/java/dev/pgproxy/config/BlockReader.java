package dev.pgproxy.config;

import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Reads blocks of a file by the declarations and gathers complaints. Confined to the thread that loads. */
final class BlockReader {
    private final Path directory;
    private final Complaints complaints;

    BlockReader(Path directory, Complaints complaints) {
        this.directory = directory;
        this.complaints = complaints;
    }

    /**
     * The settings of a block.
     *
     * @param path what stands before the keys in complaints, with its dot
     * @param inner keys that are blocks themselves and are left to the caller
     */
    SettingValues read(ConfigObject block, String path, List<Setting<?>> known, List<String> inner) {
        SettingValues values = SettingValues.none(directory);
        for (Map.Entry<String, ConfigValue> entry : block.entrySet()) {
            String key = entry.getKey();
            Setting<?> setting = Settings.find(known, key);
            if (setting != null) {
                values = read(setting, path, entry.getValue(), values);
            } else if (!inner.contains(key)) {
                List<String> names = new ArrayList<>(Settings.keys(known));
                names.addAll(inner);
                complaints.add(Place.of(entry.getValue().origin()), Settings.unknown(path, key, names));
            }
        }
        return values;
    }

    /** The entries of the block under the key, empty where there is none. */
    Map<String, ConfigValue> inner(ConfigObject block, String path, String key) {
        ConfigValue value = block.get(key);
        if (value == null || value.valueType() == ConfigValueType.NULL) {
            return Map.of();
        }
        ConfigObject object = object(value, path + key);
        return object == null ? Map.of() : new TreeMap<>(object);
    }

    /** The value as a block; complains and returns null where it is none. */
    @Nullable
    ConfigObject object(ConfigValue value, String path) {
        if (value instanceof ConfigObject object) {
            return object;
        }
        complaints.add(Place.of(value.origin()), path + ": expects a block { … }");
        return null;
    }

    /** A single value as it was written; complains and returns null where it is a list, a block or null. */
    @Nullable
    String text(ConfigValue value, String path) {
        return switch (value.valueType()) {
            case STRING, NUMBER, BOOLEAN -> value.atKey("value").getString("value");
            case LIST, OBJECT, NULL -> {
                complaints.add(Place.of(value.origin()), path + ": expects a single value");
                yield null;
            }
        };
    }

    private <T> SettingValues read(Setting<T> setting, String path, ConfigValue value, SettingValues values) {
        Place place = Place.of(value.origin());
        String name = path + setting.key();
        if (value.valueType() == ConfigValueType.NULL) {
            return values;
        }
        String text;
        if (value instanceof ConfigList list && setting.type().isList()) {
            List<String> elements = new ArrayList<>();
            for (ConfigValue element : list) {
                String one = text(element, name);
                if (one == null) {
                    return values;
                }
                elements.add(one);
            }
            text = String.join(",", elements);
        } else {
            text = text(value, name);
        }
        return text == null ? values : parse(setting, name, text, place, values);
    }

    /** Takes over one value from its text; empty text unsets what has no default. */
    <T> SettingValues parse(Setting<T> setting, String name, String text, Place place, SettingValues values) {
        if (text.isEmpty() && setting.defaultValue() == null) {
            return values.with(setting, null, place);
        }
        try {
            return values.with(setting, setting.type().parse(text, directory), place);
        } catch (IllegalArgumentException e) {
            complaints.add(place, name + ": " + complaint(setting, text, e));
            return values;
        }
    }

    private static String complaint(Setting<?> setting, String text, IllegalArgumentException e) {
        String detail = e instanceof NumberFormatException ? null : e.getMessage();
        if (detail != null) {
            return detail;
        }
        String expects = "expects " + setting.type().expects();
        return setting.type().isSecret() ? expects : expects + ", not '" + text + "'";
    }
}
