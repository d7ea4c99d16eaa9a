package dev.pgproxy.pgbouncer;

import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigOrigin;
import com.typesafe.config.ConfigOriginFactory;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A value of pgproxy's configuration, with the line of the ini file that it comes from. */
sealed interface Node {
    /** Line 0 = PgBouncer's default. */
    String file();

    int line();

    /** As it stands between quotes. */
    record Text(String file, int line, String text) implements Node {}

    /** A list. */
    record Items(String file, int line, List<String> items) implements Node {}

    /** A block, in order. Confined to the thread that converts. */
    record Block(String file, int line, Map<String, Node> entries) implements Node {
        Block(String file, int line) {
            this(file, line, new LinkedHashMap<>());
        }

        Block(IniLine from) {
            this(from.file(), from.line());
        }

        void put(IniLine from, String key, String text) {
            entries.put(key, new Text(from.file(), from.line(), text));
        }

        /** What a form has made of a value: a text or a list of texts. */
        void put(String file, int line, String key, Object converted) {
            if (converted instanceof List<?> list) {
                List<String> items = new ArrayList<>();
                list.forEach(item -> items.add(String.valueOf(item)));
                entries.put(key, new Items(file, line, List.copyOf(items)));
            } else {
                entries.put(key, new Text(file, line, converted.toString()));
            }
        }

        ConfigObject object() {
            Map<String, ConfigValue> values = new LinkedHashMap<>();
            entries.forEach((key, node) -> values.put(key, node.value()));
            return ConfigValueFactory.fromMap(values).withOrigin(origin());
        }
    }

    /** As the loader takes it, with its place for complaints. */
    default ConfigValue value() {
        return switch (this) {
            case Text text -> ConfigValueFactory.fromAnyRef(text.text()).withOrigin(origin());
            case Items items -> ConfigValueFactory.fromIterable(items.items()).withOrigin(origin());
            case Block block -> block.object();
        };
    }

    /** The place. */
    default ConfigOrigin origin() {
        ConfigOrigin origin = ConfigOriginFactory.newFile(file());
        return line() == 0 ? origin : origin.withLineNumber(line());
    }
}
