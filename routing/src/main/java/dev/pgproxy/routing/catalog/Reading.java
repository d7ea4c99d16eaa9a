package dev.pgproxy.routing.catalog;

import org.jspecify.annotations.Nullable;

/**
 * What a statement means in a database under a search_path: the closure over views, partitions, functions, triggers,
 * foreign keys, rules and policies. Immutable.
 *
 * @param reads the relations it may read, behind views too; views themselves are not in it, materialized views are
 * @param writes the relations it can change; empty for reads. Definitions count as {@link RelationSet#ALL}
 * @param hindrance why no replica may answer it, whatever is fresh; null if it is a harmless read
 * @param culprit the name behind the hindrance, for people; null if there is none
 * @param transactionBound whether its value may depend on when its transaction began
 */
public record Reading(
        RelationSet reads,
        RelationSet writes,
        @Nullable Hindrance hindrance,
        @Nullable String culprit,
        boolean transactionBound) {
    /** Of nothing at all. */
    static final Reading NOTHING = new Reading(RelationSet.NONE, RelationSet.NONE, null, null, false);

    /** Whether a replica that is fresh enough may answer it. */
    public boolean isHarmless() {
        return hindrance == null;
    }

    /** Whether it says no more than {@link #NOTHING}. */
    boolean isNothing() {
        return hindrance == null && !transactionBound && reads.isEmpty() && writes.isEmpty();
    }

    static Reading of(RelationSet reads) {
        return new Reading(reads, RelationSet.NONE, null, null, false);
    }

    static Reading hindered(Hindrance hindrance, String culprit) {
        return new Reading(RelationSet.NONE, RelationSet.NONE, hindrance, culprit, false);
    }

    Reading withWrites(RelationSet more) {
        return new Reading(reads, writes.with(more), hindrance, culprit, transactionBound);
    }

    /** With sets of at most so many relations; larger ones become {@link RelationSet#ALL}. */
    Reading bounded(int most) {
        return reads.size() <= most && writes.size() <= most
                ? this
                : new Reading(
                        reads.size() <= most ? reads : RelationSet.ALL,
                        writes.size() <= most ? writes : RelationSet.ALL,
                        hindrance,
                        culprit,
                        transactionBound);
    }

    /** Both; the first hindrance stays. */
    Reading with(Reading other) {
        if (other == this || other.isNothing()) {
            return this;
        }
        if (isNothing()) {
            return other;
        }
        RelationSet read = reads.with(other.reads);
        RelationSet written = writes.with(other.writes);
        boolean bound = transactionBound || other.transactionBound;
        boolean first = hindrance != null || other.hindrance == null;
        if (first && read == reads && written == writes && bound == transactionBound) {
            return this;
        }
        return new Reading(read, written, first ? hindrance : other.hindrance, first ? culprit : other.culprit, bound);
    }
}
