package dev.pgproxy.cache.redis;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What other instances have in doubt: told to this process when it begins and when it ends. A doubt outlives the contact
 * with Redis and the instance that has it; it ends when somebody says so. Confined to the link's thread.
 */
final class ForeignDoubts {
    private final EpochBook book;
    private final LinkListener listener;
    private final Map<Doubt.Id, Doubt> doubts = new HashMap<>();

    /** Those of instances that have ended, of which the process was told. */
    private final Set<Doubt.Id> orphans = new HashSet<>();

    /** Those of them whose backends are gone. */
    private final Set<Doubt.Id> resolved = new HashSet<>();

    ForeignDoubts(EpochBook book, LinkListener listener) {
        this.book = book;
        this.listener = listener;
    }

    int size() {
        return doubts.size();
    }

    Collection<Doubt> all() {
        return doubts.values();
    }

    void add(Doubt doubt) {
        if (doubts.putIfAbsent(doubt.id(), doubt) == null) {
            book.doubt(doubt);
            listener.doubted(doubt.database(), doubt.tables());
        }
    }

    /** Ended, as its own instance or another says. A write that had no doubt here counts as written. */
    void settle(Settlement settlement, long sequence) {
        if (settlement.ending().wrote()) {
            book.raise(settlement.database(), settlement.tables(), sequence);
        }
        if (doubts.containsKey(settlement.doubt())) {
            lift(settlement.doubt(), settlement.ending());
        } else if (settlement.ending().wrote()) {
            listener.written(settlement.database(), settlement.tables(), settlement.ending());
        }
    }

    /** These are all that the instances for which the test is true have in doubt. What else they had may have been written. */
    void replace(Predicate<String> owners, List<Doubt> now) {
        now.forEach(this::add);
        Set<Doubt.Id> left = new HashSet<>();
        now.forEach(doubt -> left.add(doubt.id()));
        for (Doubt.Id id : new ArrayList<>(doubts.keySet())) {
            if (owners.test(id.owner()) && !left.contains(id)) {
                lift(id, null);
            }
        }
    }

    /** @param seen null if nobody has seen it */
    private void lift(Doubt.Id id, @Nullable Ending seen) {
        Doubt doubt = doubts.remove(id);
        orphans.remove(id);
        resolved.remove(id);
        if (doubt != null) {
            Ending ending = seen == null ? Ending.unseen(doubt.tables()) : seen;
            listener.settled(doubt.database(), doubt.tables(), ending);
            book.undoubt(doubt);
        }
    }

    /** An instance is there (again): what it has in doubt is its own business. */
    void adopted(String owner) {
        orphans.removeIf(id -> id.owner().equals(owner));
    }

    /** Tells of each doubt whose instance is not there, once. */
    void tellOrphans(Predicate<String> present, Consumer<Doubt.Id> whenResolved) {
        for (Doubt doubt : new ArrayList<>(doubts.values())) {
            Doubt.Id id = doubt.id();
            if (!present.test(doubt.owner()) && orphans.add(id)) {
                listener.orphaned(
                        doubt.database(),
                        doubt.tables(),
                        doubt.backendPid(),
                        doubt.backendStart(),
                        () -> whenResolved.accept(id));
            }
        }
    }

    /** The backend of this one is gone. */
    void resolve(Doubt.Id id) {
        if (doubts.containsKey(id)) {
            resolved.add(id);
        }
    }

    boolean hasResolved() {
        return !resolved.isEmpty();
    }

    /** What is to be said of those whose backends are gone; to be said again until it is heard. */
    List<Settlement> resolved() {
        List<Settlement> ended = new ArrayList<>(resolved.size());
        for (Doubt.Id id : resolved) {
            Doubt doubt = doubts.get(id);
            if (doubt != null) {
                ended.add(new Settlement(id, Ending.unseen(doubt.tables()), doubt.database(), doubt.tables()));
            }
        }
        return ended;
    }
}
