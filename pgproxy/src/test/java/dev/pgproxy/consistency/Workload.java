package dev.pgproxy.consistency;

import java.time.Duration;
import java.util.Set;

/**
 * What sessions do. Immutable.
 *
 * @param hot of a hundred steps, how many are reads that are asked again and again, for a cache
 * @param families that are written and read
 * @param outside of a hundred writes, how many go straight to the primary
 * @param outsideBound when, after the answer to such a write, every read has to have it
 * @param slack by which every read may be older than the mode promises; 0 for not at all
 */
record Workload(int hot, Set<Family> families, int outside, Duration outsideBound, Duration slack) {
    static final Workload USUAL = new Workload(0, Set.of(Family.values()), 0, Duration.ZERO, Duration.ZERO);

    Workload withHotReads(int percent) {
        return new Workload(percent, families, outside, outsideBound, slack);
    }

    /** Only these; all if there are none. */
    Workload only(Set<Family> wanted) {
        return new Workload(hot, wanted.isEmpty() ? Set.of(Family.values()) : wanted, outside, outsideBound, slack);
    }

    Workload withOutside(int percent, Duration bound) {
        return new Workload(hot, families, percent, bound, slack);
    }

    Workload withSlack(Duration now) {
        return new Workload(hot, families, outside, outsideBound, now);
    }

    boolean isFocused() {
        return families.size() < Family.values().length;
    }
}
