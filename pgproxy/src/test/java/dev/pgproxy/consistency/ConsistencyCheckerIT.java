package dev.pgproxy.consistency;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The checker finds nothing where nothing is wrong, and finds every planted fault. */
final class ConsistencyCheckerIT {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    @Test
    void thePrimaryKeepsEveryPromise() throws Exception {
        Arena arena = Arena.fresh();
        Verdict verdict = ConsistencyChecker.of(Mode.TABLE, Duration.ofSeconds(6))
                .run(arena, Targets.at(arena.primary()), oracle -> oracle.hasJudged(2_001, 201));

        assertThat(verdict.isClean()).as(verdict.toString()).isTrue();
        assertThat(verdict.reads()).isGreaterThan(2_000);
        assertThat(verdict.writes()).isGreaterThan(200);
    }

    @Test
    void readsOfAnyReplicaAreFoundInEveryMode() throws Exception {
        caught(ConsistencyChecker.of(Mode.TABLE, LIMIT), Fault.NO_CHECK, Violation.Kind.STALE);
        caught(ConsistencyChecker.of(Mode.SESSION, LIMIT), Fault.NO_CHECK, Violation.Kind.STALE);
        caught(
                ConsistencyChecker.of(Mode.EVENTUAL, LIMIT).withAges(Duration.ofMillis(100), Duration.ofSeconds(1)),
                Fault.NO_CHECK,
                Violation.Kind.STALE);
    }

    @Test
    void aTimeInsteadOfAPositionIsFound() throws Exception {
        caught(ConsistencyChecker.of(Mode.TABLE, LIMIT), Fault.OWN_WRITES_FOR_50_MS, Violation.Kind.STALE);
        caught(ConsistencyChecker.of(Mode.SESSION, LIMIT), Fault.OWN_WRITES_FOR_50_MS, Violation.Kind.STALE);
    }

    @Test
    void aReplicaPerSessionIsFound() throws Exception {
        caught(ConsistencyChecker.of(Mode.TABLE, LIMIT), Fault.STICKY_REPLICA, Violation.Kind.STALE);
        caught(ConsistencyChecker.of(Mode.SESSION, LIMIT), Fault.STICKY_REPLICA, Violation.Kind.STALE);
    }

    @Test
    void aSnapshotOverTwoReplicasIsFound() throws Exception {
        caught(ConsistencyChecker.of(Mode.EVENTUAL, LIMIT), Fault.SCATTERED_SNAPSHOT, Violation.Kind.TORN);
    }

    @Test
    void aTransactionThatEndsTheOtherWayIsFound() throws Exception {
        caught(ConsistencyChecker.of(Mode.EVENTUAL, LIMIT), Fault.ROLLBACK_COMMITS, Violation.Kind.ROLLED_BACK);
        caught(ConsistencyChecker.of(Mode.TABLE, LIMIT), Fault.COMMIT_ROLLS_BACK, Violation.Kind.STALE);
    }

    private static void caught(ConsistencyChecker checker, Fault fault, Violation.Kind kind) throws Exception {
        Arena arena = Arena.fresh();
        Verdict verdict = checker.run(arena, Targets.split(fault, arena.primary(), arena.replicas()));

        assertThat(verdict.found(kind)).as(fault + ": " + verdict).isTrue();
    }
}
