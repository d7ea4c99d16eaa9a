package dev.pgproxy.insight;

import dev.pgproxy.routing.LoopCounters;
import dev.pgproxy.routing.sql.Shape;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A statement that one caller executes again and again in a row, as one event loop has seen it. Written by its loop alone, with
 * no lock prefix; read by any thread, which may see one figure a little before another.
 */
final class Finding {
    /** What it is that repeats. */
    enum Kind {
        /** A read with differing values behind one that gave several rows. */
        READ_BY_ROW,
        /** A read with the same values: what a cache would save. */
        SAME_VALUES,
        /** INSERT, UPDATE, DELETE or MERGE, one after the other. */
        WRITE_BY_ROW
    }

    /** What is counted: first in transaction blocks, then outside of them; times in nanoseconds. */
    enum Counter {
        OCCURRENCES,
        EXECUTIONS,
        NANOS,
        /** Occurrences with about as many executions as the parent gave rows. */
        EXACT,
        /** With at least half as many. */
        MATCHED;

        private static final int COUNT = values().length;
    }

    /** How often a statement was there that may be the parent. Written by the loop. */
    static final class Parent {
        private final Statement statement;
        private volatile long occurrences;

        Parent(Statement statement) {
            this.statement = statement;
        }

        Statement statement() {
            return statement;
        }

        long occurrences() {
            return occurrences;
        }
    }

    /** The parents that are kept: what was seen first stays. */
    private static final int PARENTS = 6;

    private final Kind kind;
    private final Statement statement;
    private final Caller caller;
    private final long firstSeen;
    private final LoopCounters counters = new LoopCounters(2 * Counter.COUNT);
    private volatile List<Parent> parents = List.of();
    private volatile long lastSeen;
    private volatile @Nullable String tags;

    Finding(Kind kind, Statement statement, Caller caller, long now) {
        this.kind = kind;
        this.statement = statement;
        this.caller = caller;
        this.firstSeen = now;
        this.lastSeen = now;
    }

    void add(Counter counter, boolean inBlock, long n) {
        counters.add(counter.ordinal() + (inBlock ? 0 : Counter.COUNT), n);
    }

    void seen(long now) {
        lastSeen = now;
    }

    void tags(@Nullable String of) {
        if (of != null) {
            tags = of;
        }
    }

    /** This one stood before it once more. */
    void follows(Shape parent) {
        for (Parent known : parents) {
            if (known.statement.isOf(parent)) {
                long occurrences = known.occurrences + 1; // its loop alone writes
                known.occurrences = occurrences;
                return;
            }
        }
        if (parents.size() < PARENTS) {
            List<Parent> more = new ArrayList<>(parents);
            Parent added = new Parent(Statement.of(parent));
            added.occurrences = 1;
            more.add(added);
            parents = List.copyOf(more);
        }
    }

    long get(Counter counter, boolean inBlock) {
        return counters.get(counter.ordinal() + (inBlock ? 0 : Counter.COUNT));
    }

    /** What it is worth to be kept: microseconds and executions. */
    long value() {
        long nanos = get(Counter.NANOS, true) + get(Counter.NANOS, false);
        return nanos / 1000 + 100 * (get(Counter.EXECUTIONS, true) + get(Counter.EXECUTIONS, false));
    }

    Kind kind() {
        return kind;
    }

    Statement statement() {
        return statement;
    }

    Caller caller() {
        return caller;
    }

    List<Parent> parents() {
        return parents;
    }

    /** By System.nanoTime. */
    long firstSeen() {
        return firstSeen;
    }

    /** By System.nanoTime. */
    long lastSeen() {
        return lastSeen;
    }

    @Nullable
    String tags() {
        return tags;
    }
}
