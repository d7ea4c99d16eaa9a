package dev.pgproxy.results;

import java.util.Locale;

/** A key as {@link dev.pgproxy.cache.KeyHash} makes it. Immutable. */
public record Key(long high, long low) {
    /** Both halves as hexadecimal digits. */
    public String shown() {
        return String.format(Locale.ROOT, "%016x%016x", high, low);
    }
}
