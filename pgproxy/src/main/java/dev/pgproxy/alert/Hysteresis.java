package dev.pgproxy.alert;

/**
 * Whether something is raised: it becomes so when it has been beyond its threshold for some time, and ceases to be when it has
 * been well for some time. Times are nanoseconds of one clock. Confined to one thread.
 */
final class Hysteresis {
    private boolean raised;

    /** Whether it would turn, if it goes on like this; and since when. */
    private boolean turning;

    private long since;

    /**
     * Takes a value.
     *
     * @return whether it has turned
     */
    boolean look(double value, Threshold threshold, long raiseAfter, long clearAfter, long now) {
        boolean turns = raised ? threshold.isWell(value) : threshold.isExceeded(value);
        if (!turns) { // nor does what is not known
            turning = false;
            return false;
        }
        if (!turning) {
            turning = true;
            since = now;
        }
        if (now - since < (raised ? clearAfter : raiseAfter)) {
            return false;
        }
        raised = !raised;
        turning = false;
        return true;
    }

    boolean isRaised() {
        return raised;
    }

    /** Whether there is nothing to remember. */
    boolean isQuiet() {
        return !raised && !turning;
    }
}
