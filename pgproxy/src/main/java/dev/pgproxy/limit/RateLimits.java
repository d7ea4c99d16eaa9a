package dev.pgproxy.limit;

import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.RateLimit;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The rate limits of all clients, of databases and of users, of this process alone. Thread-safe: one lock, held for some tens
 * of nanoseconds at a transaction's start.
 */
public final class RateLimits {
    private static final int SWEEP_FROM = 64;
    private static final long NANOS = 1_000_000_000L;

    /** No limit, for clients within the process. */
    public static final RateLimits NONE = new RateLimits();

    /**
     * One limit as it stands.
     *
     * @param scope all, database or user
     * @param name of the database or user; null for all
     * @param used transactions that started within the last window
     * @param started transactions that have started, since it was first used
     * @param refused transactions that were refused because of it
     */
    public record Standing(
            String scope, @Nullable String name, RateLimit limit, long used, long started, long refused) {}

    /** The windows of databases, or of users; those in which nothing has started for a while are forgotten. */
    private static final class Named {
        private final String scope;
        private final Map<String, SlidingWindow> windows = new HashMap<>();
        private int sweepAt = SWEEP_FROM;

        Named(String scope) {
            this.scope = scope;
        }

        @Nullable
        SlidingWindow find(String name, RateLimit limit, long now) {
            if (limit.isNone()) {
                return null;
            }
            SlidingWindow found = windows.get(name);
            if (found == null) {
                if (windows.size() >= sweepAt) {
                    sweep(now);
                }
                found = new SlidingWindow(limit);
                windows.put(name, found);
            }
            return found;
        }

        void sweep(long now) {
            windows.values().removeIf(window -> window.isIdle(now));
            sweepAt = Math.max(SWEEP_FROM, 2 * windows.size());
        }

        void reload(Function<String, RateLimit> limits) {
            windows.keySet().removeIf(name -> limits.apply(name).isNone());
            windows.replaceAll((name, window) -> changed(window, limits.apply(name)));
        }

        void show(List<Standing> rows, long now) {
            new TreeMap<>(windows).forEach((name, window) -> rows.add(standing(scope, name, window, now)));
        }
    }

    private final LongSupplier clock;
    private final Named databases = new Named("database");
    private final Named users = new Named("user");
    private @Nullable SlidingWindow all;

    /** Null while nobody is limited. */
    private volatile @Nullable ProxyConfig limiting;

    private RateLimits() {
        clock = System::nanoTime;
    }

    /** @param clock nanoseconds that never go back, as {@link System#nanoTime} */
    public RateLimits(ProxyConfig config, LongSupplier clock) {
        this.clock = clock;
        reload(config);
    }

    /** RELOAD: what has started counts on under the new limits. */
    public synchronized void reload(ProxyConfig changed) {
        RateLimit general = changed.rates().all();
        if (general.isNone()) {
            all = null;
        } else {
            all = all == null ? new SlidingWindow(general) : changed(all, general);
        }
        databases.reload(changed::rateOfDatabase);
        users.reload(changed::rateOfUser);
        limiting = changed.limitsRates() ? changed : null;
    }

    private static SlidingWindow changed(SlidingWindow window, RateLimit limit) {
        return window.limit().equals(limit) ? window : window.under(limit);
    }

    /** Whether transactions of a user are counted at all. */
    public boolean concern(String user) {
        ProxyConfig config = limiting;
        return config != null && !config.rates().exempt().contains(user);
    }

    /** So many transactions want to start together: null if they may, and are counted, else why not. */
    public synchronized @Nullable ErrorFields start(String database, String user, int count) {
        ProxyConfig config = limiting;
        if (config == null) {
            return null;
        }
        long now = clock.getAsLong();
        SlidingWindow ofDatabase = databases.find(database, config.rateOfDatabase(database), now);
        SlidingWindow ofUser = users.find(user, config.rateOfUser(user), now);
        long forUser = delay(ofUser, count, now);
        long forDatabase = delay(ofDatabase, count, now);
        long forAll = delay(all, count, now);
        long longest = Math.max(forUser, Math.max(forDatabase, forAll));
        if (longest == 0) {
            start(ofUser, count, now);
            start(ofDatabase, count, now);
            start(all, count, now);
            return null;
        }
        if (ofUser != null && forUser == longest) {
            return refused(ofUser, "user \"" + user + "\"", count, longest);
        }
        return ofDatabase != null && forDatabase == longest
                ? refused(ofDatabase, "database \"" + database + "\"", count, longest)
                : refused(all, "all clients", count, longest);
    }

    /** So many transactions start that cannot be refused any more: they count. */
    public synchronized void count(String database, String user, int count) {
        ProxyConfig config = limiting;
        if (config != null) {
            long now = clock.getAsLong();
            start(users.find(user, config.rateOfUser(user), now), count, now);
            start(databases.find(database, config.rateOfDatabase(database), now), count, now);
            start(all, count, now);
        }
    }

    private static long delay(@Nullable SlidingWindow window, int count, long now) {
        return window == null ? 0 : window.delay(count, now);
    }

    private static void start(@Nullable SlidingWindow window, int count, long now) {
        if (window != null) {
            window.start(count, now);
        }
    }

    private static ErrorFields refused(@Nullable SlidingWindow window, String whose, int count, long wait) {
        if (window == null) {
            throw new IllegalStateException("no limit of " + whose);
        }
        window.refuse(count);
        long seconds = (wait - 1) / NANOS + 1;
        return ErrorFields.error(
                SqlState.CONFIGURATION_LIMIT_EXCEEDED,
                "rate limit of " + whose + " is reached: " + window.limit(),
                wait == SlidingWindow.NEVER
                        ? "It would start " + count + " transactions at once: send them one by one."
                        : "Try again in " + seconds + (seconds == 1 ? " second." : " seconds."));
    }

    /** Every limit that has been used within its window, for people. */
    public synchronized List<Standing> show() {
        long now = clock.getAsLong();
        databases.sweep(now);
        users.sweep(now);
        List<Standing> rows = new ArrayList<>();
        if (all != null) {
            rows.add(standing("all", null, all, now));
        }
        databases.show(rows, now);
        users.show(rows, now);
        return rows;
    }

    /** How many users are remembered. */
    synchronized int users() {
        return users.windows.size();
    }

    private static Standing standing(String scope, @Nullable String name, SlidingWindow window, long now) {
        return new Standing(scope, name, window.limit(), window.used(now), window.started(), window.refused());
    }
}
