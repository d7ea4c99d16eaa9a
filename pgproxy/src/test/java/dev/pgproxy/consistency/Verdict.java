package dev.pgproxy.consistency;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a run has shown. Immutable.
 *
 * @param reads statements that were answered and judged
 * @param versions that these have returned
 * @param writes acknowledged
 * @param firstAfter reads made before the first violation, or -1
 * @param violations the first of them
 * @param errors by SQLSTATE, all of them explained by disturbances unless they are violations
 */
record Verdict(
        Mode mode,
        long seed,
        Duration duration,
        long reads,
        long versions,
        long writes,
        long transactions,
        long violationCount,
        long firstAfter,
        List<Violation> violations,
        Map<String, Long> errors,
        Map<String, Integer> disturbances,
        Delays delays) {

    boolean isClean() {
        return violationCount == 0;
    }

    /** Whether one of the first violations is of a kind. */
    boolean found(Violation.Kind kind) {
        return violations.stream().anyMatch(violation -> violation.kind() == kind);
    }

    String summary() {
        double seconds = duration.toNanos() / 1e9;
        return mode + ", seed " + seed + ": " + reads + " reads of " + versions + " versions in " + Math.round(seconds)
                + " s (" + Math.round(reads / seconds) + "/s), " + writes + " writes, " + transactions
                + " transactions, " + violationCount + " violations"
                + (isClean() ? "" : " (the first after " + firstAfter + " reads)") + "; errors " + errors
                + "; disturbances " + disturbances + (delays.writes() == 0 ? "" : "; " + delays);
    }

    @Override
    public String toString() {
        return summary()
                + violations.stream().map(violation -> "\n" + violation).collect(Collectors.joining());
    }
}
