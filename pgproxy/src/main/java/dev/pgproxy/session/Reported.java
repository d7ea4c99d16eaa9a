package dev.pgproxy.session;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The parameters that a server has reported by ParameterStatus, in the order of its start-up. Immutable; changes make
 * another one. Shared: equal ones are mostly the same object, since servers of one host report the same.
 */
public final class Reported {
    /** Nothing reported yet. */
    public static final Reported NONE = new Reported(Map.of());

    private static final Shared<Reported> SHARED = new Shared<>();

    /** Client encodings in which an ASCII byte may be a part of a character: their text cannot be read bytewise. */
    private static final Set<String> ASCII_UNSAFE =
            Set.of("BIG5", "GBK", "GB18030", "JOHAB", "SJIS", "SHIFT_JIS_2004", "UHC");

    private final Map<String, String> values;
    private final int hash;
    private final boolean conforming;
    private final boolean asciiUnsafe;

    private Reported(Map<String, String> values) {
        this.values = values;
        this.hash = values.hashCode();
        this.conforming = !"off".equals(values.get("standard_conforming_strings"));
        String encoding = values.get("client_encoding");
        this.asciiUnsafe = encoding != null && ASCII_UNSAFE.contains(encoding);
    }

    private static Reported share(Map<String, String> values) {
        return SHARED.of(new Reported(Collections.unmodifiableMap(values)));
    }

    /** Copies values in their order. */
    public static Reported of(Map<String, String> values) {
        return share(new LinkedHashMap<>(values));
    }

    /** All of them. */
    public Map<String, String> values() {
        return values;
    }

    /** One value. */
    public @Nullable String get(String name) {
        return values.get(name);
    }

    /** Whether backslashes in ordinary literals are only backslashes: standard_conforming_strings. */
    public boolean isConforming() {
        return conforming;
    }

    /** Whether text in client_encoding cannot be read byte by byte. */
    public boolean isAsciiUnsafe() {
        return asciiUnsafe;
    }

    /** The same with one value changed. */
    public Reported with(String name, String value) {
        if (value.equals(values.get(name))) {
            return this;
        }
        Map<String, String> copy = new LinkedHashMap<>(values);
        copy.put(name, value);
        return share(copy);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || other instanceof Reported that && hash == that.hash && values.equals(that.values);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public String toString() {
        return values.toString();
    }
}
