package dev.pgproxy.cache.redis;

import dev.pgproxy.cache.KeyHash;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which tables are in doubt anywhere, and at which sequence number each was last written, as far as this instance has
 * heard. Thread-safe: the link's thread tells, event loops ask.
 */
final class EpochBook {
    /** One database. */
    private static final class Tables {
        private final Map<Integer, Integer> doubts = new HashMap<>();
        private final Map<Integer, Long> epochs = new HashMap<>();
        private int doubtsOfAll;
        private int doubtsOfAny;
        private long epochOfAll;
        private long epochOfAny;
        private final List<Tables> around;

        Tables(List<Tables> around) {
            this.around = around;
        }

        void doubt(TableSet tables, int change) {
            doubtsOfAny += change;
            doubtsOfAll += tables.isAll() ? change : 0;
            for (int i = 0; i < tables.size(); i++) {
                doubts.merge(tables.id(i), change, EpochBook::sum);
            }
        }

        boolean inDoubt(TableSet tables) {
            if (tables.isAll() ? doubtsOfAny > 0 : doubtsOfAll > 0) {
                return true;
            }
            for (Tables wider : around) {
                if (wider.doubtsOfAny > 0) {
                    return true;
                }
            }
            for (int i = 0; i < tables.size(); i++) {
                if (doubts.containsKey(tables.id(i))) {
                    return true;
                }
            }
            return false;
        }

        void raise(TableSet tables, long sequence) {
            epochOfAny = Math.max(epochOfAny, sequence);
            if (tables.isAll()) {
                epochOfAll = Math.max(epochOfAll, sequence);
            }
            for (int i = 0; i < tables.size(); i++) {
                epochs.merge(tables.id(i), sequence, Math::max);
            }
        }

        void forgetEpochs() {
            epochs.clear();
            epochOfAll = 0;
            epochOfAny = 0;
        }
    }

    private static @Nullable Integer sum(Integer before, Integer change) {
        int sum = before + change;
        return sum == 0 ? null : sum;
    }

    private final KeyHash hash;
    private final Map<String, Tables> databases = new HashMap<>();
    private String generation = "";
    private long base;

    /** Knows nothing until {@link #begin}. */
    EpochBook(KeyHash hash) {
        this.hash = hash;
    }

    /** What was heard is not to be relied on from now. Doubts stay. */
    synchronized void end() {
        generation = "";
    }

    /** The epochs of a generation, anew. Doubts stay. */
    synchronized void begin(String newGeneration, long newBase) {
        generation = newGeneration;
        raiseAll(newBase);
    }

    /** Every table of every database has been raised to this number. */
    synchronized void raiseAll(long newBase) {
        base = newBase;
        databases.values().forEach(Tables::forgetEpochs);
    }

    synchronized void raise(String database, TableSet tables, long sequence) {
        of(database).raise(tables, sequence);
    }

    synchronized void doubt(Doubt doubt) {
        of(doubt.database()).doubt(doubt.tables(), 1);
    }

    synchronized void undoubt(Doubt doubt) {
        of(doubt.database()).doubt(doubt.tables(), -1);
    }

    synchronized boolean inDoubt(String database, TableSet tables) {
        return of(database).inDoubt(tables);
    }

    /** What the state of these tables is called by; null if it is not known, or one may be changing. */
    synchronized @Nullable Epoch epoch(String database, TableSet tables) {
        if (generation.isEmpty()) {
            return null;
        }
        Tables known = of(database);
        if (known.inDoubt(tables)) {
            return null;
        }
        byte[] name = (generation + " " + database).getBytes(StandardCharsets.UTF_8);
        hash.addBytes(name, 0, name.length);
        hash.addLong(base);
        known.around.forEach(wider -> hash.addLong(wider.epochOfAny));
        hash.addLong(tables.isAll() ? known.epochOfAny : known.epochOfAll);
        hash.addInt(tables.isAll() ? 1 : 0);
        for (int i = 0; i < tables.size(); i++) {
            hash.addInt(tables.id(i));
            hash.addLong(known.epochs.getOrDefault(tables.id(i), 0L));
        }
        hash.finish();
        return new Epoch(hash.high(), hash.low());
    }

    private Tables of(String database) {
        Tables known = databases.get(database);
        if (known == null) {
            List<Tables> around = new ArrayList<>();
            for (String wider : InstanceLink.around(database)) {
                around.add(of(wider));
            }
            known = new Tables(around);
            databases.put(database, known);
        }
        return known;
    }
}
