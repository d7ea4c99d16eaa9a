package dev.pgproxy.insight;

import dev.pgproxy.config.HostAddress;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the plan of one statement, as one user runs it in one database. Immutable.
 *
 * @param high of the statement's shape, as {@code low}
 * @param query its text without literals
 * @param capturedAt when it was asked for the last time; null if it was not yet
 * @param host who has answered; null = nobody
 * @param how it was asked for
 * @param plan the last that there was; null if there was none
 * @param reason why there was none the last time; empty if there was
 * @param changes how often it was another than before
 * @param before the plan before the last change; null = there was none
 * @param changedAt when the last change was found; null = never
 */
public record PlanReport(
        String fingerprint,
        String database,
        String user,
        long high,
        long low,
        String query,
        @Nullable Instant capturedAt,
        @Nullable HostAddress host,
        String how,
        @Nullable ExplainedPlan plan,
        String reason,
        long changes,
        @Nullable ExplainedPlan before,
        @Nullable Instant changedAt) {

    /** Nothing is known yet. */
    static PlanReport of(SlowStatement slow, long high, long low) {
        return unknown(slow.fingerprint(), slow.caller(), high, low, slow.text());
    }

    /** Nothing is known yet. */
    static PlanReport of(StatementReport statement) {
        StatementKey key = statement.key();
        return unknown(statement.fingerprint(), key.caller(), key.high(), key.low(), statement.text());
    }

    private static PlanReport unknown(String fingerprint, Caller caller, long high, long low, String query) {
        return new PlanReport(
                fingerprint,
                caller.database(),
                caller.user(),
                high,
                low,
                query,
                null,
                null,
                "",
                null,
                "waits for its next run",
                0,
                null,
                null);
    }

    /** There is no plan now. */
    PlanReport without(String why, @Nullable HostAddress asked) {
        return new PlanReport(
                fingerprint,
                database,
                user,
                high,
                low,
                query,
                Instant.now(),
                asked,
                how,
                plan,
                why,
                changes,
                before,
                changedAt);
    }

    /** This is the plan now. */
    PlanReport with(ExplainedPlan now, @Nullable HostAddress by, String asked) {
        boolean differs = differs(now);
        return new PlanReport(
                fingerprint,
                database,
                user,
                high,
                low,
                query,
                Instant.now(),
                by,
                asked,
                now,
                "",
                differs ? changes + 1 : changes,
                differs ? plan : before,
                differs ? Instant.now() : changedAt);
    }

    /** Whether this would be another plan than before. */
    boolean differs(ExplainedPlan now) {
        return plan != null && !plan.hash().equals(now.hash());
    }
}
