package dev.pgproxy.limit;

import dev.pgproxy.cache.redis.TokenBank;
import dev.pgproxy.cache.redis.TokenLoan;
import dev.pgproxy.cache.redis.TokenRequest;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.RateLimit;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The rate limits of all clients, of databases, of users and of statement rules: of this process alone, or of all instances that share a {@link
 * TokenBank}. Thread-safe: one lock, held for some tens of nanoseconds at a transaction's start; Redis is asked on the
 * bank's thread.
 */
public final class RateLimits {
    private static final int SWEEP_FROM = 64;
    private static final long NANOS = 1_000_000_000L;

    /** Who waits for tokens waits so long for Redis, in nanoseconds; then each instance has its part of the limit until Redis answers. */
    public static final long PATIENCE = 15_000_000;

    private static final long TELL_MILLIS = 50;

    /** No limit, for clients within the process. */
    public static final RateLimits NONE = new RateLimits();

    /**
     * One limit as it stands.
     *
     * @param scope all, database, user or rule
     * @param name of the database, user or rule; null for all
     * @param used transactions, or statements of a rule, that started within the last window
     * @param started those that have started, since it was first used
     * @param refused those that were refused because of it
     * @param shared whether it holds over all instances together
     * @param apart of those that started: while it did not, or because they could not be refused
     */
    public record Standing(
            String scope,
            @Nullable String name,
            RateLimit limit,
            long used,
            long started,
            long refused,
            Sharing shared,
            long apart) {}

    /** Whether a limit holds over all instances together. */
    public enum Sharing {
        /** There is one for this process. */
        NO,
        YES,
        /** Redis does not answer: each instance has its part of it. */
        APART
    }

    /**
     * What becomes of transactions that want to start.
     *
     * @param waits whether it is not known yet; then the caller is told when to ask again
     * @param refusal why they may not; null if they may, and are counted, or if it is not known
     */
    public record Start(boolean waits, @Nullable ErrorFields refusal) {
        static final Start NOW = new Start(false, null);
        static final Start LATER = new Start(true, null);
    }

    /** One limit: what has started here, and where it is shared the tokens of this process. */
    private static final class Meter {
        private SlidingWindow window;
        private @Nullable Tokens tokens;

        Meter(RateLimit limit, @Nullable Tokens tokens) {
            this.window = new SlidingWindow(limit);
            this.tokens = tokens;
        }
    }

    /** The limits of databases, of users or of rules; those under which nothing has started for a while are forgotten. */
    private final class Named {
        private final String scope;
        private final Map<String, Meter> meters = new HashMap<>();
        private int sweepAt = SWEEP_FROM;

        Named(String scope) {
            this.scope = scope;
        }

        @Nullable
        Meter find(String name, RateLimit limit, long now) {
            if (limit.isNone()) {
                return null;
            }
            Meter found = meters.get(name);
            if (found == null) {
                if (meters.size() >= sweepAt) {
                    sweep(now);
                }
                found = new Meter(limit, tokens(limit, scope + ":" + name, now));
                meters.put(name, found);
            }
            return found;
        }

        void sweep(long now) {
            meters.values()
                    .removeIf(meter -> meter.window.isIdle(now) && (meter.tokens == null || meter.tokens.isIdle(now)));
            sweepAt = Math.max(SWEEP_FROM, 2 * meters.size());
        }

        void reload(Function<String, RateLimit> limits, long now) {
            meters.entrySet().removeIf(entry -> {
                RateLimit limit = limits.apply(entry.getKey());
                if (limit.isNone()) {
                    release(entry.getValue());
                } else {
                    change(entry.getValue(), limit, now);
                }
                return limit.isNone();
            });
        }

        void show(List<Standing> rows, long now) {
            new TreeMap<>(meters).forEach((name, meter) -> rows.add(standing(scope, name, meter, now)));
        }
    }

    private final LongSupplier clock;
    private final @Nullable TokenBank bank;

    /** Makes ids of blocks this process' own. */
    private final String id = UUID.randomUUID() + "-";

    private long blocks;

    private final Named databases = new Named("database");
    private final Named users = new Named("user");
    private final Named rules = new Named("rule");

    /** Those of which Redis may have to be told something. */
    private final Set<Meter> borrowing = new LinkedHashSet<>();

    private @Nullable Meter all;

    /** Whether Redis has not answered in time, the last time. */
    private boolean late;

    /** Null while nobody is limited. */
    private volatile @Nullable ProxyConfig limiting;

    private volatile Set<String> exempt = Set.of();

    private RateLimits() {
        clock = System::nanoTime;
        bank = null;
    }

    /**
     * As the configuration says.
     *
     * @param clock nanoseconds that never go back, as {@link System#nanoTime}
     * @param bank where tokens are borrowed; null if there is only this instance
     */
    public RateLimits(ProxyConfig config, LongSupplier clock, @Nullable TokenBank bank) {
        this.clock = clock;
        this.bank = bank;
        reload(config);
        if (bank != null) {
            bank.every(TELL_MILLIS, this::tell);
        }
    }

    private @Nullable Tokens tokens(RateLimit limit, String key, long now) {
        return bank == null ? null : new Tokens(limit, key, () -> id + blocks++, now);
    }

    /** RELOAD: what has started counts on under the new limits. */
    public synchronized void reload(ProxyConfig changed) {
        long now = clock.getAsLong();
        RateLimit general = changed.rates().all();
        if (all != null && general.isNone()) {
            release(all);
            all = null;
        } else if (all != null) {
            change(all, general, now);
        } else if (!general.isNone()) {
            all = new Meter(general, tokens(general, "all", now));
        }
        databases.reload(changed::rateOfDatabase, now);
        users.reload(changed::rateOfUser, now);
        limiting = changed.limitsRates() ? changed : null;
        exempt = changed.rates().exempt();
    }

    private void change(Meter meter, RateLimit limit, long now) {
        if (!meter.window.limit().equals(limit)) {
            release(meter);
            meter.window = meter.window.under(limit);
            meter.tokens = meter.tokens == null ? null : meter.tokens.under(limit, now);
            borrowing.add(meter);
        }
    }

    /** Those who wait for it look again. */
    private void release(Meter meter) {
        if (bank != null && meter.tokens != null) {
            wake(bank, meter.tokens);
        }
    }

    private static void wake(TokenBank on, Tokens tokens) {
        for (Runnable again : tokens.awaiting()) {
            on.execute(again, 0);
        }
    }

    /** Whether transactions of a user are counted at all. */
    public boolean concern(String user) {
        return limiting != null && !isExempt(user);
    }

    /** Whether a user is neither limited nor counted by anything. */
    public boolean isExempt(String user) {
        return exempt.contains(user);
    }

    /**
     * So many transactions want to start together.
     *
     * @param again is called once, on any thread, if they have to wait for tokens: that takes some milliseconds at the most.
     *     Null if the caller has waited long enough: then the part of this instance decides
     */
    public synchronized Start start(String database, String user, int count, @Nullable Runnable again) {
        ProxyConfig config = limiting;
        if (config == null) {
            return Start.NOW;
        }
        long now = clock.getAsLong();
        Meter ofDatabase = databases.find(database, config.rateOfDatabase(database), now);
        Meter ofUser = users.find(user, config.rateOfUser(user), now);
        boolean waits = again != null;
        long forUser = delay(ofUser, count, now, waits);
        long forDatabase = delay(ofDatabase, count, now, waits);
        long forAll = delay(all, count, now, waits);
        long longest = Math.max(forUser, Math.max(forDatabase, forAll));
        if (forUser == 0 && forDatabase == 0 && forAll == 0) {
            start(ofUser, count, now);
            start(ofDatabase, count, now);
            start(all, count, now);
            return Start.NOW;
        }
        if (longest <= 0) {
            Runnable once = lacks(ofUser, forUser, count, again);
            once = lacks(ofDatabase, forDatabase, count, once);
            lacks(all, forAll, count, once);
            return Start.LATER;
        }
        String them = count + " transactions";
        if (ofUser != null && forUser == longest) {
            return refused(ofUser, "user \"" + user + "\"", count, them, longest);
        }
        return ofDatabase != null && forDatabase == longest
                ? refused(ofDatabase, "database \"" + database + "\"", count, them, longest)
                : refused(all, "all clients", count, them, longest);
    }

    /**
     * So many statements that a rule fits want to run together.
     *
     * @param limit of the rule; under another one than before, what has started counts on
     * @param again as for {@link #start}
     */
    public synchronized Start run(String rule, RateLimit limit, int count, @Nullable Runnable again) {
        long now = clock.getAsLong();
        Meter meter = rules.find(rule, limit, now);
        if (meter == null) {
            return Start.NOW;
        }
        change(meter, limit, now);
        long delay = delay(meter, count, now, again != null);
        if (delay == 0) {
            start(meter, count, now);
            return Start.NOW;
        }
        if (delay == Tokens.WAIT) {
            lacks(meter, delay, count, again);
            return Start.LATER;
        }
        return refused(meter, "rule \"" + rule + "\"", count, count + " of its statements", delay);
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

    private long delay(@Nullable Meter meter, int count, long now, boolean waits) {
        if (meter == null) {
            return 0;
        }
        TokenBank lender = bank;
        Tokens tokens = meter.tokens;
        if (lender == null || tokens == null) {
            return meter.window.delay(count, now);
        }
        boolean away = late || !lender.isOpen();
        if (away && lender.isOpen() && tokens.mayTry(now)) {
            ask(lender, meter);
        }
        long delay = tokens.delay(count, now, meter.window, away, lender.instances());
        if (delay != Tokens.WAIT) {
            return delay;
        }
        boolean overdue = tokens.isOverdue(now, PATIENCE); // whoever began to wait now would not be called in time
        late |= overdue;
        return waits && !overdue ? delay : tokens.delay(count, now, meter.window, true, lender.instances());
    }

    /** Asks for the tokens that are lacking; who waits is called when the first of several limits has its answer. */
    private @Nullable Runnable lacks(@Nullable Meter meter, long delay, int count, @Nullable Runnable again) {
        TokenBank lender = bank;
        Tokens tokens = meter == null ? null : meter.tokens;
        if (lender == null || meter == null || tokens == null || delay != Tokens.WAIT) {
            return again;
        }
        tokens.await(count, again == null ? () -> {} : again);
        if (!tokens.isAsking()) {
            ask(lender, meter);
        }
        return null;
    }

    private void start(@Nullable Meter meter, int count, long now) {
        if (meter == null) {
            return;
        }
        meter.window.start(count, now);
        TokenBank lender = bank;
        Tokens tokens = meter.tokens;
        if (lender != null && tokens != null) {
            tokens.start(count, now);
            borrowing.add(meter);
            if (lender.isOpen() && tokens.runsLow(now, lender.instances())) {
                ask(lender, meter);
            }
        }
    }

    // ---- with Redis, on the bank's thread

    /** What is asked is made of what is lacking when the bank's thread comes to it. */
    private void ask(TokenBank lender, Meter meter) {
        lender.execute(() -> send(lender, meter), 0);
    }

    private void send(TokenBank lender, Meter meter) {
        TokenRequest request;
        Tokens tokens;
        long sentAt;
        synchronized (this) {
            tokens = meter.tokens;
            if (tokens == null || tokens.isAsking()) {
                return;
            }
            sentAt = clock.getAsLong();
            request = tokens.ask(sentAt, lender.instances());
            borrowing.add(meter);
        }
        lender.borrow(request, loan -> answered(lender, tokens, loan));
        lender.execute(() -> giveUp(lender, tokens, sentAt), PATIENCE);
    }

    private synchronized void answered(TokenBank lender, Tokens tokens, @Nullable TokenLoan loan) {
        late = loan == null;
        tokens.answered(loan, clock.getAsLong());
        wake(lender, tokens);
    }

    private synchronized void giveUp(TokenBank lender, Tokens tokens, long sentAt) {
        if (tokens.isLate(sentAt)) {
            late = true;
            wake(lender, tokens);
        }
    }

    /** What was used is told, and what was not is returned, soon after. */
    private void tell() {
        TokenBank lender = bank;
        if (lender == null || !lender.isOpen()) {
            return;
        }
        List<Meter> telling = new ArrayList<>();
        synchronized (this) {
            long now = clock.getAsLong();
            for (Meter meter : borrowing) {
                if (meter.tokens != null && meter.tokens.hasToTell(now)) {
                    telling.add(meter);
                }
            }
            borrowing.removeIf(meter -> meter.tokens == null || meter.tokens.isIdle(now));
        }
        telling.forEach(meter -> send(lender, meter));
    }

    // ---- for people

    private static Start refused(@Nullable Meter meter, String whose, int count, String them, long wait) {
        if (meter == null) {
            throw new IllegalStateException("no limit of " + whose);
        }
        meter.window.refuse(count);
        long seconds = (wait - 1) / NANOS + 1;
        return new Start(
                false,
                ErrorFields.error(
                        SqlState.CONFIGURATION_LIMIT_EXCEEDED,
                        "rate limit of " + whose + " is reached: " + meter.window.limit(),
                        wait == SlidingWindow.NEVER
                                ? "It would start " + them + " at once: send them one by one."
                                : "Try again in " + seconds + (seconds == 1 ? " second." : " seconds.")));
    }

    /** Every limit that has been used within its window, for people. */
    public synchronized List<Standing> show() {
        long now = clock.getAsLong();
        databases.sweep(now);
        users.sweep(now);
        rules.sweep(now);
        List<Standing> rows = new ArrayList<>();
        if (all != null) {
            rows.add(standing("all", null, all, now));
        }
        databases.show(rows, now);
        users.show(rows, now);
        rules.show(rows, now);
        return rows;
    }

    /** How many users are remembered. */
    synchronized int users() {
        return users.meters.size();
    }

    private Standing standing(String scope, @Nullable String name, Meter meter, long now) {
        SlidingWindow window = meter.window;
        return new Standing(
                scope,
                name,
                window.limit(),
                window.used(now),
                window.started(),
                window.refused(),
                sharing(),
                meter.tokens == null ? 0 : meter.tokens.startedApart());
    }

    private Sharing sharing() {
        if (bank == null) {
            return Sharing.NO;
        }
        return late || !bank.isOpen() ? Sharing.APART : Sharing.YES;
    }
}
