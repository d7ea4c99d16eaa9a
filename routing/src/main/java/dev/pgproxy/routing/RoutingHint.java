package dev.pgproxy.routing;

import dev.pgproxy.protocol.sql.TextHint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for beside its SQL: {@code primary}, {@code replica}, {@code host=10.0.0.2:5432},
 * {@code max_staleness=2s}, {@code nocache}, {@code cache ttl=30s tag=a,b}, {@code noretry},
 * {@code priority=batch}. Immutable.
 *
 * @param target where to; null if that is not said
 * @param host the host for {@link Target#HOST}
 * @param maxStaleness an answer from a replica may lack what was acknowledged within this time; null if that is not said
 * @param cache what is to become of the result
 * @param once whether the statement is not run again: its client wants to be told of a failure that this would mend
 * @param priority among whom it waits for a server; null if that is not said
 */
public record RoutingHint(
        @Nullable Target target,
        @Nullable String host,
        @Nullable Duration maxStaleness,
        CacheWish cache,
        boolean once,
        @Nullable Priority priority)
        implements TextHint {
    /** Nothing is asked for. */
    public static final RoutingHint NONE = new RoutingHint(null, null, null, CacheWish.NONE, false, null);

    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|min|h)?");

    /** Where a statement is to go. */
    public enum Target {
        PRIMARY,
        /** A replica, however stale within max_replica_lag, if it is a harmless read. */
        REPLICA,
        /** This host, if it can answer. */
        HOST
    }

    /**
     * What a text asks for.
     *
     * @param hint {@link #NONE} if there are problems: it is not obeyed halfway
     * @param problems sentences for the client
     */
    public record Parsed(RoutingHint hint, List<String> problems) {
        public Parsed {
            problems = List.copyOf(problems);
        }
    }

    /** This, and where it says nothing what the other says. */
    public RoutingHint over(RoutingHint other) {
        if (this == NONE || other == NONE) {
            return this == NONE ? other : this;
        }
        return new RoutingHint(
                target == null ? other.target : target,
                target == null ? other.host : host,
                maxStaleness == null ? other.maxStaleness : maxStaleness,
                cache.over(other.cache),
                once || other.once,
                priority == null ? other.priority : priority);
    }

    /** The earlier of two moments: what is required otherwise, and what {@link #maxStaleness} allows to lack. */
    public long bound(long asOf, long now) {
        return maxStaleness == null ? asOf : Math.min(asOf, Math.max(0, now - maxStaleness.toNanos()));
    }

    /** Reads words separated by white space. */
    public static Parsed parse(String text) {
        List<String> problems = new ArrayList<>(0);
        Target target = null;
        String host = null;
        Duration staleness = null;
        CacheWish cache = CacheWish.NONE;
        boolean once = false;
        Priority priority = null;
        for (String word : text.strip().split("\\s+", -1)) {
            String lower = word.toLowerCase(Locale.ROOT);
            Target asked = switch (lower) {
                case "primary" -> Target.PRIMARY;
                case "replica" -> Target.REPLICA;
                default -> lower.startsWith("host=") && lower.length() > 5 ? Target.HOST : null;
            };
            if (asked != null) {
                if (target != null) {
                    problems.add("\"" + word + "\" contradicts what stands before it");
                }
                target = asked;
                host = asked == Target.HOST ? word.substring(5) : null;
            } else if (lower.startsWith("max_staleness=")) {
                staleness = duration(lower.substring(14));
                if (staleness == null) {
                    problems.add("max_staleness expects a duration such as 500ms or 2s");
                }
            } else if (lower.startsWith("priority=")) {
                priority = Priority.of(lower.substring(9));
                if (priority == null) {
                    problems.add("priority expects critical, normal or batch");
                }
            } else if (lower.equals("noretry")) {
                once = true;
            } else if (CacheWish.isOne(lower)) {
                cache = cache.and(CacheWish.parse(lower, problems));
            } else if (!lower.isEmpty()) {
                problems.add(
                        "\"" + word + "\" is not known; there are primary, replica, host=…, max_staleness=…, nocache,"
                                + " cache, ttl=…, tag=…, noretry, priority=…");
            }
        }
        if (cache.never() && (cache.ttl() != null || !cache.tags().isEmpty())) {
            problems.add("nocache contradicts ttl and tag");
        }
        boolean empty = target == null && staleness == null && !cache.isSaid() && !once && priority == null;
        if (empty && problems.isEmpty()) {
            problems.add("it is empty");
        }
        RoutingHint all = new RoutingHint(target, host, staleness, cache, once, priority);
        return new Parsed(problems.isEmpty() ? all : NONE, problems);
    }

    static @Nullable Duration duration(String text) {
        Matcher matcher = DURATION.matcher(text);
        if (!matcher.matches()) {
            return null;
        }
        long amount = Long.parseLong(matcher.group(1));
        String unit = matcher.group(2);
        if (unit == null) {
            return Duration.ofSeconds(amount);
        }
        return switch (unit) {
            case "ms" -> Duration.ofMillis(amount);
            case "min" -> Duration.ofMinutes(amount);
            case "h" -> Duration.ofHours(amount);
            default -> Duration.ofSeconds(amount);
        };
    }
}
