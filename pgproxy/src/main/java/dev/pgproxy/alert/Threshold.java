package dev.pgproxy.alert;

/**
 * From where on something is too much, and where it is well again. What lies between changes nothing. Immutable.
 *
 * @param raise beyond it something is too much
 * @param clear here, or on the other side of it, it is well
 * @param below whether too little is what is bad
 */
record Threshold(double raise, double clear, boolean below) {
    /** Of what is so (1) or not (0). */
    static final Threshold YES = new Threshold(0.5, 0.5, false);

    /** More than this is too much, well again a tenth below it. */
    static Threshold above(double limit) {
        return new Threshold(limit, 0.9 * limit, false);
    }

    /** Less percent than this is too little, well again a twentieth above it. */
    static Threshold belowPercent(double limit) {
        return new Threshold(limit, Math.min(1.05 * limit, 100), true);
    }

    boolean isExceeded(double value) {
        return below ? value < raise : value > raise;
    }

    boolean isWell(double value) {
        return below ? value >= clear : value <= clear;
    }
}
