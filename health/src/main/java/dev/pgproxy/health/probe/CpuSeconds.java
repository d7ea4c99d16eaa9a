package dev.pgproxy.health.probe;

/**
 * Seconds, or other equal units, of all CPUs since a host started. Immutable.
 *
 * @param idle those in which nothing ran, waiting for a disk included
 * @param all of them
 */
record CpuSeconds(double idle, double all) {
    static final CpuSeconds NONE = new CpuSeconds(0, 0);

    CpuSeconds plus(double seconds, boolean isIdle) {
        return new CpuSeconds(isIdle ? idle + seconds : idle, all + seconds);
    }

    /** The share of time that was not idle since an earlier moment; negative if no time passed or the host restarted. */
    double usedSince(CpuSeconds earlier) {
        double passed = all - earlier.all;
        return passed <= 0 ? -1 : Math.clamp(1 - (idle - earlier.idle) / passed, 0, 1);
    }
}
