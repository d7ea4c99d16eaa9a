package dev.pgproxy.config;

import java.util.Locale;

/** Whether results of reads are kept and served again. Immutable. */
public enum CacheMode {
    /** Every read is answered by a server. */
    OFF,
    /** As with {@link #ON}, but servers answer all the same, and a sample of their answers is compared. */
    SHADOW,
    /** Reads are answered from the cache where that is as good. */
    ON;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
