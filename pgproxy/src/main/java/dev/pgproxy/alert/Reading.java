package dev.pgproxy.alert;

/**
 * How something is at this moment. Immutable.
 *
 * @param subject which host, pool or database
 * @param value in the unit of the threshold; not a number = not known, so nothing is raised or cleared
 * @param text what to say of it if it is too much
 */
record Reading(String subject, double value, Threshold threshold, String text) {
    /** Of something that is so or not. */
    static Reading of(String subject, boolean bad, String text) {
        return new Reading(subject, bad ? 1 : 0, Threshold.YES, text);
    }
}
