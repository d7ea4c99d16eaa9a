package dev.pgproxy.cache.redis;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What this instance has in doubt, and which of it still waits for others. Confined to the link's thread.
 *
 * <p>A doubt is confirmed by all (each instance that was there when it was published has applied it), or by time: when so
 * long has passed since it was surely published, or since contact was lost, that no instance that has not applied it can
 * serve a hit.
 */
final class OwnDoubts {
    /** How one was confirmed. */
    enum By {
        ALL,
        TIME,
        APART
    }

    private static final class Own {
        private final Doubt doubt;
        private final long since;

        /** Null once it was called. */
        private @Nullable Runnable confirmed;

        private long safeAt;
        private boolean bounded;

        Own(Doubt doubt, long since, @Nullable Runnable confirmed) {
            this.doubt = doubt;
            this.since = since;
            this.confirmed = confirmed;
        }

        void safeAt(long moment) {
            if (!bounded || moment - safeAt < 0) {
                safeAt = moment;
                bounded = true;
            }
        }
    }

    /** What was published at once. */
    private static final class Batch {
        private final long number;
        private final List<Own> doubts;

        /** Instances and incarnations that must apply it; null until Redis has answered. */
        private @Nullable Map<String, Long> members;

        Batch(long number, List<Own> doubts) {
            this.number = number;
            this.doubts = doubts;
        }
    }

    private final Map<Long, Own> open = new LinkedHashMap<>();
    private final Map<Long, Own> unpublished = new LinkedHashMap<>();
    private final ArrayDeque<Batch> batches = new ArrayDeque<>();

    /** Those whose callbacks wait. */
    private final Map<Long, Own> waiting = new LinkedHashMap<>();

    private final long[] counts = new long[By.values().length];
    private long waited;
    private long batchNumber;

    int size() {
        return open.size();
    }

    long count(By by) {
        return counts[by.ordinal()];
    }

    /** Nanoseconds that confirmed ones have waited, all together. */
    long waited() {
        return waited;
    }

    boolean hasUnpublished() {
        return !unpublished.isEmpty();
    }

    void add(Doubt doubt, @Nullable Runnable confirmed, long now) {
        Own own = new Own(doubt, now, confirmed);
        open.put(doubt.number(), own);
        unpublished.put(doubt.number(), own);
        if (confirmed != null) {
            waiting.put(doubt.number(), own);
        }
    }

    /** Its outcome is known. Null if it is not open. */
    @Nullable
    Doubt remove(long number) {
        Own own = open.remove(number);
        if (own == null) {
            return null;
        }
        unpublished.remove(number);
        waiting.remove(number);
        own.confirmed = null; // nobody waits for it any more
        return own.doubt;
    }

    /** Everything that is open is published at once now, as the batch with the returned number. */
    long publishAll() {
        batches.clear();
        unpublished.clear();
        batches.add(new Batch(++batchNumber, List.copyOf(open.values())));
        return batchNumber;
    }

    List<Doubt> open() {
        return open.values().stream().map(own -> own.doubt).toList();
    }

    /** Up to so many of those that are not published yet, which are published now, as the batch with {@link #batch}. */
    List<Doubt> publishSome(int most) {
        List<Own> some = new ArrayList<>(Math.min(most, unpublished.size()));
        Iterator<Own> next = unpublished.values().iterator();
        while (next.hasNext() && some.size() < most) {
            some.add(next.next());
            next.remove();
        }
        batches.add(new Batch(++batchNumber, some));
        return some.stream().map(own -> own.doubt).toList();
    }

    /** The number of the last batch. */
    long batch() {
        return batchNumber;
    }

    /**
     * Redis has published a batch.
     *
     * @param members who was there: instance to incarnation
     * @param safeAt from when on nobody serves a hit who has not applied it
     */
    void published(long number, Map<String, Long> members, long safeAt) {
        for (Batch batch : batches) {
            if (batch.number == number) {
                batch.members = new HashMap<>(members);
                batch.doubts.forEach(own -> own.safeAt(safeAt));
            }
        }
    }

    /** Contact is lost: nobody who could confirm is heard, and what is open must be published anew. */
    void apart(long safeAt) {
        batches.clear();
        unpublished.putAll(open);
        bound(safeAt);
    }

    /** From this moment on nobody serves a hit who has not applied what is open now. */
    void bound(long safeAt) {
        waiting.values().forEach(own -> own.safeAt(safeAt));
    }

    /**
     * Calls back for those of which every instance has confirmed the batch.
     *
     * @param peers who has confirmed what
     */
    void confirmByAll(Peers peers, long now) {
        Iterator<Batch> next = batches.iterator();
        while (next.hasNext()) {
            Batch batch = next.next();
            if (batch.members == null) {
                return; // answers come in order
            }
            batch.members
                    .entrySet()
                    .removeIf(member -> peers.hasConfirmed(member.getKey(), member.getValue(), batch.number));
            if (batch.members.isEmpty()) {
                next.remove();
                batch.doubts.forEach(own -> confirm(own, By.ALL, now));
            }
        }
    }

    /** Calls back for those whose time has come. Returns how many. */
    int confirmByTime(By by, long now) {
        List<Own> due = new ArrayList<>();
        for (Own own : waiting.values()) {
            if (own.bounded && own.safeAt - now <= 0) {
                due.add(own);
            }
        }
        due.forEach(own -> confirm(own, by, now));
        return due.size();
    }

    private void confirm(Own own, By by, long now) {
        waiting.remove(own.doubt.number());
        Runnable confirmed = own.confirmed;
        if (confirmed != null) {
            own.confirmed = null;
            counts[by.ordinal()]++;
            waited += now - own.since;
            confirmed.run();
        }
    }
}
