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
 * @param caching whether its result may be kept; whatever the other components say against that is said here too
 */
public record Reading(
        RelationSet reads,
        RelationSet writes,
        @Nullable Hindrance hindrance,
        @Nullable String culprit,
        boolean transactionBound,
        CacheFacts caching) {
    /** Of nothing at all. */
    static final Reading NOTHING = new Reading(RelationSet.NONE, RelationSet.NONE, null, null, false, CacheFacts.FREE);

    public Reading {
        if (caching.hindrance() == null) {
            CacheHindrance implied = implied(reads, writes, hindrance, transactionBound);
            caching = implied == null ? caching : caching.with(CacheFacts.hindered(implied, culprit));
        }
    }

    private static @Nullable CacheHindrance implied(
            RelationSet reads, RelationSet writes, @Nullable Hindrance hindrance, boolean transactionBound) {
        CacheHindrance same = hindrance == null ? null : CacheHindrance.of(hindrance);
        if (same != null) {
            return same;
        }
        if (!writes.isEmpty()) {
            return CacheHindrance.WRITE;
        }
        if (reads.isAll()) {
            return CacheHindrance.UNKNOWN;
        }
        return transactionBound ? CacheHindrance.MOMENT : null;
    }

    /** Whether a replica that is fresh enough may answer it. */
    public boolean isHarmless() {
        return hindrance == null;
    }

    /** Why its result may not be kept, however fresh its tables are; null if it may be. See {@link CacheFacts}. */
    public @Nullable CacheHindrance uncacheable() {
        return caching.hindrance();
    }

    /** The name behind {@link #uncacheable}, for people; null if there is none. */
    public @Nullable String uncacheableCulprit() {
        return caching.culprit();
    }

    /** Whether it may look at a parameter of the users' own ({@code app.tenant}) by its name. */
    public boolean dependsOnSettings() {
        return caching.dependsOnSettings();
    }

    /** Whether it says no more than {@link #NOTHING}. */
    boolean isNothing() {
        return hindrance == null && !transactionBound && reads.isEmpty() && writes.isEmpty() && caching.isFree();
    }

    static Reading of(RelationSet reads) {
        return new Reading(reads, RelationSet.NONE, null, null, false, CacheFacts.FREE);
    }

    static Reading of(CacheFacts caching) {
        return new Reading(RelationSet.NONE, RelationSet.NONE, null, null, false, caching);
    }

    static Reading hindered(Hindrance hindrance, @Nullable String culprit) {
        return new Reading(RelationSet.NONE, RelationSet.NONE, hindrance, culprit, false, CacheFacts.FREE);
    }

    /** Of the start of the transaction; the culprit is what asks for it. */
    static Reading ofTransactionTime(@Nullable String culprit) {
        CacheFacts moment = CacheFacts.hindered(CacheHindrance.MOMENT, culprit);
        return new Reading(RelationSet.NONE, RelationSet.NONE, null, null, true, moment);
    }

    Reading withWrites(RelationSet more) {
        return new Reading(reads, writes.with(more), hindrance, culprit, transactionBound, caching);
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
                        transactionBound,
                        caching);
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
        CacheFacts facts = caching.with(other.caching);
        boolean same = first && read == reads && written == writes && bound == transactionBound;
        if (same && facts == caching) {
            return this;
        }
        return new Reading(
                read, written, first ? hindrance : other.hindrance, first ? culprit : other.culprit, bound, facts);
    }
}
