package dev.pgproxy.insight;

/**
 * One of the statements that have waited for each other. Immutable.
 *
 * @param text without literals
 */
public record DeadlockSide(Caller caller, String fingerprint, String text) {}
