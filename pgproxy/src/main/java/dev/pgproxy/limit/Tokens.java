package dev.pgproxy.limit;

import dev.pgproxy.cache.redis.TokenLoan;
import dev.pgproxy.cache.redis.TokenRequest;
import dev.pgproxy.cache.redis.TokenUse;
import dev.pgproxy.config.RateLimit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What this process has borrowed of a limit that instances share, and what Redis is to be told of it. Blocks grow while they
 * are used up, and shrink when their time ends before. Times are nanoseconds of one clock. Guarded by the lock of {@link
 * RateLimits}.
 */
final class Tokens {
    /** There is no token at hand, but there may be some. */
    static final long WAIT = -1;

    /** When all are gone, Redis is asked again after such a time: others may have returned some. */
    private static final long ASK_AGAIN = 50_000_000;

    private static final long SHORTEST = 100_000_000;
    private static final long LONGEST = 1_000_000_000;

    /** What was used without tokens is told in so many parts of the window. */
    private static final int PARTS = 16;

    private static final int MOST_TOLD = 256;

    /** Clocks may run unequally by an eighth. */
    private static final int DRIFT = 8;

    /** What all blocks of all instances may hold at the most, while each has one. */
    private static final int HELD_OF_LIMIT = 10;

    private static final class Block {
        private final String id;

        /** After that none of it may be used. */
        private final long until;

        private int left;
        private int used;
        private long lastUse;

        Block(String id, int tokens, long until, long now) {
            this.id = id;
            this.left = tokens;
            this.until = until;
            this.lastUse = now;
        }
    }

    /** What Redis is to be told, of a block or of what started without a token. */
    private record Use(String block, int count, long first, long last) {
        boolean isApart() {
            return block.equals(TokenUse.NONE);
        }
    }

    private record Waiter(int count, Runnable again) {}

    private final RateLimit limit;
    private final String key;
    private final Supplier<String> ids;
    private final long window;
    private final long valid;
    private final Deque<Block> blocks = new ArrayDeque<>();
    private final List<Use> uses = new ArrayList<>();
    private final List<Use> underWay = new ArrayList<>();
    private final List<Waiter> waiters = new ArrayList<>();
    private int atHand;
    private int size = 1;
    private boolean asking;
    private long askedAt;
    private @Nullable String askedBlock;
    private boolean denied;
    private long deniedAt;
    private long freeAt;
    private boolean young;
    private long youngUntil;

    /** Transactions without tokens, not told yet: how many, when the first and the last started. */
    private int apart;

    private long startedApart;
    private long apartFirst;
    private long apartLast;

    /** The part of this instance, while each has one; null if they share. */
    private @Nullable SlidingWindow part;

    private int partOf;

    /** @param ids of blocks, each of which nobody else ever has */
    Tokens(RateLimit limit, String key, Supplier<String> ids, long now) {
        this.limit = limit;
        this.key = key;
        this.ids = ids;
        this.window = limit.window().toNanos();
        this.valid = Math.clamp(window / 10, SHORTEST, LONGEST);
        this.askedAt = now - ASK_AGAIN;
    }

    /** The same under another limit: tokens of the old one are not used any more. */
    Tokens under(RateLimit other, long now) {
        Tokens next = new Tokens(other, key, ids, now);
        blocks.forEach(this::settle);
        tellApart();
        underWay.forEach(next::tell);
        uses.forEach(next::tell);
        next.startedApart = startedApart;
        return next;
    }

    /**
     * Nanoseconds until so many may start, {@link SlidingWindow#NEVER}, 0 = now, or {@link #WAIT}.
     *
     * @param own all that started here
     * @param away whether Redis does not answer
     * @param instances that there are
     */
    long delay(int count, long now, SlidingWindow own, boolean away, int instances) {
        if (count > limit.transactions()) {
            return SlidingWindow.NEVER;
        }
        expire(now);
        if (away || young && youngUntil - now > 0) {
            long forPart = part(own, instances).delay(count, now);
            if (away || forPart > 0) {
                return forPart;
            }
        } else {
            part = null;
        }
        if (atHand >= count) {
            return 0;
        }
        return isDenied(now) ? freeAt - now : WAIT;
    }

    private boolean isDenied(long now) {
        return denied && now - deniedAt < ASK_AGAIN && freeAt - now > 0;
    }

    private SlidingWindow part(SlidingWindow own, int instances) {
        SlidingWindow current = part;
        if (current == null || partOf != instances) {
            current = own.under(new RateLimit(Math.max(1, limit.transactions() / instances), limit.window()));
            part = current;
            partOf = instances;
        }
        return current;
    }

    /** So many start, whether there are tokens or not. */
    void start(int count, long now) {
        if (part != null) {
            part.start(count, now);
        }
        expire(now);
        int lacking = count;
        while (lacking > 0 && !blocks.isEmpty()) {
            Block block = blocks.getFirst();
            int taken = Math.min(lacking, block.left);
            block.left -= taken;
            block.used += taken;
            block.lastUse = now;
            atHand -= taken;
            lacking -= taken;
            if (block.left == 0) {
                blocks.removeFirst();
                settle(block);
                size *= size < limit.transactions() ? 2 : 1;
            }
        }
        if (lacking > 0) {
            if (apart > 0 && now - apartFirst > window / PARTS) {
                tellApart();
            }
            apartFirst = apart == 0 ? now : apartFirst;
            apartLast = now;
            apart += lacking;
            startedApart += lacking;
        }
    }

    private void tellApart() {
        if (apart > 0) {
            tell(new Use(TokenUse.NONE, apart, apartFirst, apartLast));
            apart = 0;
        }
    }

    /** What started close together is told as one. */
    private void tell(Use use) {
        Use before = uses.isEmpty() ? null : uses.getLast();
        if (before != null && before.isApart() && use.isApart() && use.last() - before.first() <= window / PARTS) {
            uses.removeLast();
            uses.add(new Use(TokenUse.NONE, before.count() + use.count(), before.first(), use.last()));
        } else {
            uses.add(use);
        }
    }

    private void settle(Block block) {
        tell(new Use(block.id, block.used, block.lastUse, block.lastUse));
    }

    /** What was not used in time is returned. */
    private void expire(long now) {
        while (!blocks.isEmpty() && blocks.getFirst().until - now <= 0) {
            Block block = blocks.removeFirst();
            atHand -= block.left;
            size = Math.max(1, block.used);
            settle(block);
        }
        uses.removeIf(use -> now - use.last() >= (use.isApart() ? window : window + 2 * valid)); // it counts no more
    }

    /** Is called when there is an answer, once. */
    void await(int count, Runnable again) {
        waiters.add(new Waiter(count, again));
    }

    /** Those who have waited. */
    List<Runnable> awaiting() {
        List<Runnable> all = waiters.stream().map(Waiter::again).toList();
        waiters.clear();
        return all;
    }

    /** Whether somebody waits for the answer to this request. */
    boolean isLate(long sentAt) {
        return asking && askedAt == sentAt && !waiters.isEmpty();
    }

    /** Whether there has been no answer for so long. */
    boolean isOverdue(long now, long patience) {
        return asking && now - askedAt >= patience;
    }

    /** Whether tokens are nearly gone that are used steadily. */
    boolean runsLow(long now, int instances) {
        return !asking && !isDenied(now) && !blocks.isEmpty() && 2 * atHand < size(instances);
    }

    /** Whether Redis is to be told something, or has not been asked for a while. */
    boolean hasToTell(long now) {
        expire(now);
        return !asking && (apart > 0 || !uses.isEmpty());
    }

    /** Whether Redis may be asked whether it is there again. */
    boolean mayTry(long now) {
        return !asking && now - askedAt >= ASK_AGAIN;
    }

    boolean isAsking() {
        return asking;
    }

    /** Whether nothing of it is known elsewhere or waited for. */
    boolean isIdle(long now) {
        return !hasToTell(now) && !asking && blocks.isEmpty() && waiters.isEmpty();
    }

    /** Blocks of all instances together are a small part of the limit. */
    private int size(int instances) {
        int largest = Math.max(1, limit.transactions() / (HELD_OF_LIMIT * Math.max(2, instances)));
        size = Math.min(size, largest);
        return size;
    }

    /** What is asked for next; the answer goes to {@link #answered}. */
    TokenRequest ask(long now, int instances) {
        boolean ahead = runsLow(now, instances);
        expire(now);
        tellApart();
        underWay.addAll(uses);
        uses.clear();
        int need = ahead ? 1 : 0;
        int waiting = 0;
        for (Waiter waiter : waiters) {
            need = Math.max(need, waiter.count());
            waiting = Math.min(limit.transactions(), waiting + waiter.count());
        }
        int usual = size(instances);
        int want = waiting > 0 ? Math.max(waiting, usual) : ahead ? usual : 0;
        String block = ids.get();
        asking = true;
        askedAt = now;
        askedBlock = block;
        return new TokenRequest(
                key,
                limit.transactions(),
                window / 1000,
                valid / 1000,
                block,
                want,
                need,
                underWay.stream()
                        .map(use -> new TokenUse(use.block(), use.count(), age(now - use.last())))
                        .toList());
    }

    private static long age(long nanos) {
        return Math.max(0, nanos - nanos / DRIFT) / 1000;
    }

    /** How many have started without tokens at all. */
    long startedApart() {
        return startedApart;
    }

    /** Redis has answered, or has not: then it is told again, and what it may have lent is returned. */
    void answered(@Nullable TokenLoan loan, long now) {
        asking = false;
        String block = askedBlock;
        if (block == null) {
            throw new IllegalStateException("not asked");
        }
        if (loan == null) {
            List<Use> later = List.copyOf(uses);
            uses.clear();
            underWay.forEach(this::tell);
            later.forEach(this::tell);
            underWay.clear();
            if (uses.size() < MOST_TOLD) { // else what was lent counts until its time is over
                tell(new Use(block, 0, now, now));
            }
            return;
        }
        underWay.clear();
        young = loan.youngMicros() > 0;
        youngUntil = now + 1000 * loan.youngMicros();
        denied = loan.waitMicros() > 0;
        if (denied) {
            deniedAt = now;
            freeAt = now + 1000 * loan.waitMicros();
        }
        if (loan.tokens() > 0) {
            blocks.addLast(new Block(block, loan.tokens(), askedAt + valid - valid / DRIFT, now));
            atHand += loan.tokens();
            expire(now);
        }
    }
}
