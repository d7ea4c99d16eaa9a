package dev.pgproxy.advice.facts;

import java.time.Duration;

/**
 * A transaction that has been open for some time. Immutable.
 *
 * @param pid of the server process
 * @param isIdle whether it waits for its client
 * @param idle since its last statement ended
 */
public record OpenTransaction(int pid, String user, String application, boolean isIdle, Duration open, Duration idle) {}
