package dev.pgproxy.config;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What results are kept, and for how long at most. Immutable.
 *
 * @param mode whether any are
 * @param size bytes of heap for all of them
 * @param maxResult bytes of the largest that is kept
 * @param ttl how long one is served at most that was read from tables whose writes elsewhere are not seen
 * @param coveredTtl the same where they are seen
 * @param changeFeed how writes elsewhere are to be seen
 * @param flightWait how long a read waits for the same read of another client
 * @param refreshAhead percent of a result's time, at its end, in which one read asks a server while others are served
 * @param serveStale how long after its time a result is served while one read asks a server
 * @param shared whether other instances are given results, and asked for theirs
 * @param shadowSample of a hundred reads that could be answered from the cache, how many are compared in shadow mode
 * @param warmMostAsked how many of the reads that clients ask most often are asked again when everything was forgotten
 * @param warmFile where these are kept for the next start; null = nowhere
 */
public record CacheSettings(
        CacheMode mode,
        long size,
        int maxResult,
        Duration ttl,
        Duration coveredTtl,
        ChangeFeedLevel changeFeed,
        Duration flightWait,
        int refreshAhead,
        Duration serveStale,
        boolean shared,
        int shadowSample,
        int warmMostAsked,
        @Nullable Path warmFile) {
    static final long MB = 1 << 20;

    static final SettingGroup GROUP = new SettingGroup("Cache");
    static final Setting<CacheMode> CACHE_MODE = GROUP.live(
            "cache_mode",
            SettingTypes.choice(CacheMode.class),
            CacheMode.OFF,
            "on = keep results of reads and serve them until a table is written; shadow = compare only; needs control_user.");
    static final Setting<CachePreset> CACHE_PRESET = GROUP.fixed(
            "cache_preset",
            SettingTypes.choice(CachePreset.class),
            CachePreset.MODERATE,
            "What several of the settings below are where they are not set; see caching.md.");
    static final Setting<Long> CACHE_SIZE = GROUP.fixed(
            "cache_size",
            SettingTypes.size(0, 1L << 40),
            256 * MB,
            "Heap for cached results and their keys; half of the heap where that is less.");
    static final Setting<Long> CACHE_MAX_RESULT =
            GROUP.fixed("cache_max_result", SettingTypes.size(0, 64 * MB), MB, "The largest result that is kept.");
    static final Setting<Duration> CACHE_TTL = GROUP.live(
            "cache_ttl",
            SettingTypes.duration(),
            Duration.ofSeconds(60),
            "How long a result is served at most where writes that do not pass through pgproxy are not seen.");
    static final Setting<Duration> CACHE_COVERED_TTL = GROUP.live(
            "cache_covered_ttl",
            SettingTypes.duration(),
            Duration.ofHours(1),
            "The same for tables whose writes elsewhere the change feed tells.");
    static final Setting<ChangeFeedLevel> CHANGE_FEED = GROUP.live(
            "change_feed",
            ChangeFeedLevel.type(),
            ChangeFeedLevel.LOGICAL,
            "Learn of writes elsewhere: logical = by a slot, and by NOTIFY; notify = by NOTIFY alone; see caching.md.");
    static final Setting<Duration> CACHE_FLIGHT_WAIT = GROUP.live(
            "cache_flight_wait",
            SettingTypes.timeout(),
            Duration.ofSeconds(1),
            "How long a read waits for the answer to the same read of another client; 0 = not at all.");
    static final Setting<Integer> CACHE_REFRESH_AHEAD = GROUP.live(
            "cache_refresh_ahead",
            SettingTypes.integer(0, 90),
            0,
            "In this last percent of a result's time one read asks a server while others are served; 0 = not.");
    static final Setting<Duration> CACHE_SERVE_STALE = GROUP.live(
            "cache_serve_stale",
            SettingTypes.timeout(),
            Duration.ZERO,
            "So long after its time is over a result is served while one read asks a server; 0 = not.");
    static final Setting<Boolean> CACHE_SHARED = GROUP.live(
            "cache_shared",
            SettingTypes.flag(),
            true,
            "Whether instances give each other results through Redis; they hear of each other's writes in any case.");
    static final Setting<Integer> CACHE_SHADOW_SAMPLE = GROUP.live(
            "cache_shadow_sample",
            SettingTypes.integer(0, 100),
            10,
            "Percent of the reads that cache_mode = shadow could serve whose answer is compared with the server's.");

    static final Setting<Integer> CACHE_WARM_MOST_ASKED = GROUP.live(
            "cache_warm_most_asked",
            SettingTypes.integer(0, 1000),
            0,
            "How many of the reads that it answers most often are asked again once all was forgotten; 0 = none.");
    static final Setting<Path> CACHE_WARM_FILE = GROUP.fixed(
            "cache_warm_file",
            SettingTypes.path(),
            null,
            "Keeps these reads, with their values, for the next start; empty = they are not kept.");

    static CacheSettings from(SettingValues values) {
        return new CacheSettings(
                values.get(CACHE_MODE),
                values.get(CACHE_SIZE),
                Math.toIntExact(values.get(CACHE_MAX_RESULT)),
                values.get(CACHE_TTL),
                values.get(CACHE_COVERED_TTL),
                values.get(CHANGE_FEED),
                values.get(CACHE_FLIGHT_WAIT),
                values.get(CACHE_REFRESH_AHEAD),
                values.get(CACHE_SERVE_STALE),
                values.get(CACHE_SHARED),
                values.get(CACHE_SHADOW_SAMPLE),
                values.get(CACHE_WARM_MOST_ASKED),
                values.find(CACHE_WARM_FILE));
    }

    /** Whether any results are kept. */
    public boolean isOn() {
        return mode != CacheMode.OFF;
    }

    /** Whether clients are answered with what is kept. */
    public boolean serves() {
        return mode == CacheMode.ON;
    }
}
