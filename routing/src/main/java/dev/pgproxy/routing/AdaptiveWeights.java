package dev.pgproxy.routing;

/**
 * How much of their configured weight hosts have now, from what was seen of them. Pure: time comes in as an argument, in
 * nanoseconds. Confined to its owner.
 *
 * <ul>
 *   <li>A host whose typical response time is more than twice that of the best one, and at least {@link #NOTICEABLE} longer,
 *       has a share that falls in proportion. The typical time is a running mean of logarithms weighted by the number of
 *       answers: a few slow statements do not move it, a slow host does within tens of answers.
 *   <li>Above 80 % CPU it falls in a straight line to {@link #FLOOR} at 100 %.
 *   <li>A host that comes back, from silence, an open breaker or too far behind, begins with a tenth and has its whole weight after 30 s.
 * </ul>
 *
 * The smallest of the three counts. A loss takes effect at once, a gain by no more than a tenth of the configured weight per
 * second. A host always keeps {@link #FLOOR}, without which nobody would see it recover.
 */
public final class AdaptiveWeights {
    /** The least that a host keeps of its weight. */
    public static final double FLOOR = 0.05;
    /** A difference in response time below this does not matter, in nanoseconds. */
    public static final long NOTICEABLE = 1_000_000;

    private static final double SECOND = 1e9;
    private static final double SLOW_START_SECONDS = 30;
    private static final double SLOW_START_FROM = 0.1;
    private static final double GAIN_PER_SECOND = 0.1;
    private static final double TOLERATED_RATIO = 2;
    private static final double HIGH_CPU = 0.8;
    /** As many answers weigh as much as all before them. */
    private static final double MEMORY = 16;
    /** A host that has answered nothing for so long is not known to be slow any more. */
    private static final double EVIDENCE_SECONDS = 10;
    /** Hosts seen for the first time this early were up before us. */
    private static final double BEGINNING_SECONDS = 10;

    private final boolean enabled;
    private final long began;
    private final Seen[] hosts;
    private double best = Double.POSITIVE_INFINITY;

    /** What is remembered of one host. */
    private static final class Seen {
        boolean up;
        boolean everUp;
        long upSince;
        long updated;
        double factor;
        double logarithm;
        long answered;
        boolean hasAnswered;
        double cpu = -1;
    }

    /**
     * For hosts of which nothing is known yet.
     *
     * @param enabled false leaves every weight as configured
     * @param hosts number of
     * @param now this moment
     */
    public AdaptiveWeights(boolean enabled, int hosts, long now) {
        this.enabled = enabled;
        began = now;
        this.hosts = new Seen[hosts];
        for (int i = 0; i < hosts; i++) {
            this.hosts[i] = new Seen();
        }
    }

    /** Whether the host answers as primary or replica, and can be used. */
    public void up(int host, boolean up, long now) {
        Seen seen = hosts[host];
        if (up == seen.up) {
            return;
        }
        seen.up = up;
        seen.hasAnswered = false;
        seen.cpu = -1;
        if (up) {
            boolean wasUpBefore = !seen.everUp && now - began <= BEGINNING_SECONDS * SECOND;
            seen.everUp = true;
            seen.upSince = wasUpBefore ? now - (long) (SLOW_START_SECONDS * SECOND) : now;
            seen.factor = wasUpBefore ? 1 : SLOW_START_FROM;
            seen.updated = now;
        }
    }

    /** The host is too far behind to get any reads: it begins slowly from the last moment of which this is said. */
    public void behind(int host, long now) {
        hosts[host].upSince = now;
    }

    /**
     * What the host answered in one interval.
     *
     * @param count of answers
     * @param logarithm mean of the logarithms of their times in nanoseconds, to base 2
     */
    public void answered(int host, long count, double logarithm, long now) {
        Seen seen = hosts[host];
        if (count == 0 || !seen.up) {
            return;
        }
        if (!seen.hasAnswered) {
            seen.logarithm = Double.isFinite(best) ? best : logarithm; // the first answer alone may be an outlier
        }
        double share = count / (count + MEMORY);
        seen.logarithm += share * (logarithm - seen.logarithm);
        seen.hasAnswered = true;
        seen.answered = now;
    }

    /** The share of all CPUs that is in use, 0 to 1; negative if not known. */
    public void cpu(int host, double used) {
        hosts[host].cpu = used;
    }

    /** Takes what was told into account. To be called a few times per second. */
    public void update(long now) {
        best = Double.POSITIVE_INFINITY;
        for (Seen seen : hosts) {
            if (isKnown(seen, now)) {
                best = Math.min(best, seen.logarithm);
            }
        }
        for (Seen seen : hosts) {
            if (seen.up) {
                double wanted = Math.min(Math.min(bySpeed(seen, now), byCpu(seen)), bySlowStart(seen, now));
                double gain = GAIN_PER_SECOND * (now - seen.updated) / SECOND;
                seen.factor = Math.min(wanted, seen.factor + gain);
                seen.updated = now;
            }
        }
    }

    /** The weight that counts: the configured one or less; 0 for a host that does not answer. */
    public double weight(int host, int configured) {
        if (!enabled) {
            return configured;
        }
        return hosts[host].up ? configured * hosts[host].factor : 0;
    }

    /** The typical response time in nanoseconds; 0 if not known. */
    public long typicalNanos(int host, long now) {
        return isKnown(hosts[host], now) ? (long) nanos(hosts[host].logarithm) : 0;
    }

    private static boolean isKnown(Seen seen, long now) {
        return seen.up && seen.hasAnswered && now - seen.answered <= EVIDENCE_SECONDS * SECOND;
    }

    private static double nanos(double logarithm) {
        return Math.pow(2, logarithm);
    }

    private double bySpeed(Seen seen, long now) {
        if (!isKnown(seen, now) || nanos(seen.logarithm) - nanos(best) < NOTICEABLE) {
            return 1;
        }
        double ratio = nanos(seen.logarithm - best);
        return Math.max(FLOOR, Math.min(1, TOLERATED_RATIO / ratio));
    }

    private static double byCpu(Seen seen) {
        double above = Math.min(1, (seen.cpu - HIGH_CPU) / (1 - HIGH_CPU));
        return above <= 0 ? 1 : 1 - above * (1 - FLOOR);
    }

    private static double bySlowStart(Seen seen, long now) {
        double passed = Math.min(1, (now - seen.upSince) / SECOND / SLOW_START_SECONDS);
        return SLOW_START_FROM + passed * (1 - SLOW_START_FROM);
    }
}
