package dev.pgproxy.consistency;

import java.time.Duration;
import java.util.Set;

/**
 * What sessions do. Immutable.
 *
 * @param hot whether many reads are asked again and again, for a cache
 * @param families that are written and read
 * @param outside of a hundred writes, how many go straight to the primary
 * @param outsideBound when, after the answer to such a write, every read has to have it
 */
record Workload(boolean hot, Set<Family> families, int outside, Duration outsideBound) {
    static final Workload USUAL = new Workload(false, Set.of(Family.values()), 0, Duration.ZERO);

    Workload withHotReads(boolean nowHot) {
        return new Workload(nowHot, families, outside, outsideBound);
    }

    /** Only these; all if there are none. */
    Workload only(Set<Family> wanted) {
        return new Workload(hot, wanted.isEmpty() ? Set.of(Family.values()) : wanted, outside, outsideBound);
    }

    Workload withOutside(int percent, Duration bound) {
        return new Workload(hot, families, percent, bound);
    }

    boolean isFocused() {
        return families.size() < Family.values().length;
    }
}
