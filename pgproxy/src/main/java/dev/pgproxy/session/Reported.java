package dev.pgproxy.session;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The parameters that a server has reported by ParameterStatus, in the order of its start-up. Immutable; changes make
 * another one.
 */
public final class Reported {
    /** Nothing reported yet. */
    public static final Reported NONE = new Reported(Map.of());

    private final Map<String, String> values;

    private Reported(Map<String, String> values) {
        this.values = values;
    }

    /** Copies values in their order. */
    public static Reported of(Map<String, String> values) {
        return new Reported(Collections.unmodifiableMap(new LinkedHashMap<>(values)));
    }

    /** All of them. */
    public Map<String, String> values() {
        return values;
    }

    /** One value. */
    public @Nullable String get(String name) {
        return values.get(name);
    }

    /** The same with one value changed. */
    public Reported with(String name, String value) {
        if (value.equals(values.get(name))) {
            return this;
        }
        Map<String, String> copy = new LinkedHashMap<>(values);
        copy.put(name, value);
        return new Reported(Collections.unmodifiableMap(copy));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || other instanceof Reported that && values.equals(that.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    @Override
    public String toString() {
        return values.toString();
    }
}
