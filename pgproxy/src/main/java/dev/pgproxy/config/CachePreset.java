package dev.pgproxy.config;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;

/** Values for several settings of the cache at once; what the configuration says itself wins. Immutable. */
public enum CachePreset {
    /** The defaults of all settings. */
    MODERATE,
    /** Little memory, and nothing that is written elsewhere is missed for long. */
    LIGHT,
    /** Much memory, and results are kept for long. */
    AGGRESSIVE,
    /** Each instance keeps its own results. */
    MEMORY_ONLY,
    /** The memory of Redis rather than our own. */
    DISTRIBUTED;

    /** What it says of settings. */
    Map<Setting<?>, Object> says() { // not a field: the settings are declared with the names of these constants
        return switch (this) {
            case MODERATE -> Map.of();
            case LIGHT ->
                Map.of(
                        CacheSettings.CACHE_SIZE,
                        64 * CacheSettings.MB,
                        CacheSettings.CACHE_MAX_RESULT,
                        CacheSettings.MB / 16,
                        CacheSettings.CACHE_TTL,
                        Duration.ofSeconds(10),
                        CacheSettings.CACHE_COVERED_TTL,
                        Duration.ofMinutes(5));
            case AGGRESSIVE ->
                Map.of(
                        CacheSettings.CACHE_SIZE,
                        1024 * CacheSettings.MB,
                        CacheSettings.CACHE_MAX_RESULT,
                        8 * CacheSettings.MB,
                        CacheSettings.CACHE_TTL,
                        Duration.ofMinutes(5),
                        CacheSettings.CACHE_COVERED_TTL,
                        Duration.ofHours(24),
                        CacheSettings.CACHE_REFRESH_AHEAD,
                        10);
            case MEMORY_ONLY -> Map.of(CacheSettings.CACHE_SHARED, false);
            case DISTRIBUTED ->
                Map.of(
                        CacheSettings.CACHE_SIZE,
                        64 * CacheSettings.MB,
                        CacheSettings.CACHE_COVERED_TTL,
                        Duration.ofHours(24),
                        CacheSettings.CACHE_REFRESH_AHEAD,
                        10);
        };
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
