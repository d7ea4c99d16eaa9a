package dev.pgproxy.config;

import java.util.Locale;

/** Whether results of reads are kept and served again. Immutable. */
public enum CacheMode {
    /** Every read is answered by a server. */
    OFF,
    /** Reads are answered from the cache where that is as good. */
    ON;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
