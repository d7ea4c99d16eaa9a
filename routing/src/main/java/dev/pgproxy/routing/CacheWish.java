package dev.pgproxy.routing;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What somebody asks for the results of reads: {@code nocache}, or {@code cache ttl=30s tag=a,b}. Immutable.
 *
 * @param isSaid whether anything is asked for at all
 * @param never whether results are neither kept nor taken from the cache
 * @param ttl how long one is served at most; null if that is not said
 * @param tags names by which results can be invalidated
 */
public record CacheWish(
        boolean isSaid, boolean never, @Nullable Duration ttl, List<String> tags) {
    /** Nothing is asked for. */
    public static final CacheWish NONE = new CacheWish(false, false, null, List.of());

    /** Times that have a name. */
    private static final Map<String, Duration> CLASSES = Map.of(
            "short", Duration.ofMinutes(5),
            "medium", Duration.ofMinutes(30),
            "long", Duration.ofHours(1),
            "very_long", Duration.ofHours(24));

    /** How many tags a result bears at most. */
    public static final int MOST_TAGS = 8;

    public CacheWish {
        tags = List.copyOf(tags);
    }

    /** This, and where it says nothing what the other says. */
    public CacheWish over(CacheWish other) {
        if (!other.isSaid || never) {
            return this;
        }
        return isSaid
                ? new CacheWish(true, false, ttl == null ? other.ttl : ttl, tags.isEmpty() ? other.tags : tags)
                : other;
    }

    /** This and another word of the same hint. */
    CacheWish and(CacheWish word) {
        return new CacheWish(
                true, never || word.never, word.ttl == null ? ttl : word.ttl, word.tags.isEmpty() ? tags : word.tags);
    }

    /** The time called {@code short}, {@code medium}, {@code long} or {@code very_long}; null for other names. */
    public static @Nullable Duration named(String text) {
        return CLASSES.get(text);
    }

    private static @Nullable Duration time(String text) {
        Duration named = named(text);
        return named == null ? RoutingHint.duration(text) : named;
    }

    /** Whether a word of a hint, in lower case, is about the cache. */
    static boolean isOne(String word) {
        return word.equals("nocache") || word.equals("cache") || word.startsWith("ttl=") || word.startsWith("tag=");
    }

    /** What such a word asks for; what is wrong with it is added to the problems. */
    static CacheWish parse(String word, List<String> problems) {
        if (word.startsWith("ttl=")) {
            Duration ttl = time(word.substring(4));
            if (ttl == null || ttl.isZero()) {
                problems.add("ttl expects a duration such as 30s, or short, medium, long, very_long");
            }
            return new CacheWish(true, false, ttl, List.of());
        }
        if (word.startsWith("tag=")) {
            List<String> tags = List.of(word.substring(4).split(",", -1));
            if (tags.contains("") || tags.size() > MOST_TAGS) {
                problems.add("tag expects one to " + MOST_TAGS + " names with commas between them");
            }
            return new CacheWish(true, false, null, tags);
        }
        return new CacheWish(true, word.equals("nocache"), null, List.of());
    }
}
