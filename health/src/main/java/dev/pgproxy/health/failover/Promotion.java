package dev.pgproxy.health.failover;

import dev.pgproxy.routing.freshness.Lsn;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether a replica may take the place of a primary that is gone, and which. Pure.
 *
 * <p>Of those that have the last primary's timeline the one that has most of its WAL. Where commits wait for replicas, so many
 * of these must be seen that one of them has every acknowledged commit; then it is in the one that has most.
 */
sealed interface Promotion {
    /** Seconds by which two measurements of one moment may differ. */
    double CLOCK = 0.1;

    /**
     * This one.
     *
     * @param candidates all that could be, with it
     * @param hasAll whether the one of them that has most surely has every acknowledged commit
     */
    record Of(Standby chosen, List<Standby> candidates, boolean hasAll) implements Promotion {
        public Of {
            candidates = List.copyOf(candidates);
        }
    }

    /** None, for a reason that a person understands. */
    record Refused(String reason) implements Promotion {}

    /**
     * Decides.
     *
     * @param seen replicas that have just answered
     * @param timeline number of the last primary's
     * @param waited for whom the last primary's commits waited
     * @param replicas how many are configured
     * @param lostSeconds since when the primary does not answer
     */
    static Promotion decide(
            List<Standby> seen,
            int timeline,
            SynchronousStandbys waited,
            int replicas,
            Rules rules,
            double lostSeconds) {
        Standby chosen = null;
        List<Standby> candidates = new ArrayList<>();
        int synchronous = 0;
        for (Standby standby : seen) {
            if (!standby.inRecovery()) {
                return new Refused(standby.target().host() + " takes writes already");
            }
            if (standby.receiving() != 0 && standby.heardSeconds() < lostSeconds - CLOCK) {
                return new Refused(
                        standby.target().host() + " still hears of the primary: only pgproxy cannot reach it");
            }
            if (standby.timeline() < timeline) {
                continue;
            }
            candidates.add(standby);
            synchronous += waited.names(standby.applicationName()) ? 1 : 0;
            if (chosen == null || Long.compareUnsigned(standby.received(), chosen.received()) > 0) {
                chosen = standby;
            }
        }
        if (chosen == null) {
            return new Refused("no replica answers that has followed the last primary's timeline");
        }
        int needed = waited.needed(replicas);
        if (synchronous < needed && !rules.allowDataLoss()) {
            return new Refused("only " + synchronous + " of the " + needed
                    + " synchronous replicas answer that must, so that one of them surely has every acknowledged commit"
                    + " (synchronous_standby_names); failover_allow_data_loss = on promotes "
                    + chosen.target().host()
                    + " at " + Lsn.toString(chosen.received()) + " all the same");
        }
        String hindrance = chosen.hindrance();
        boolean hasAll = needed > 0 && synchronous >= needed;
        return hindrance.isEmpty() ? new Of(chosen, candidates, hasAll) : new Refused(hindrance);
    }
}
