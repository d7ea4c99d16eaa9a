package dev.pgproxy.insight;

import dev.pgproxy.config.HostAddress;

/**
 * A statement that its server has ended, so that others can go on: 40P01. Immutable.
 *
 * @param processId of its backend
 * @param detail of the error: who waited for whom
 * @param at when that was told, by System.nanoTime
 */
public record DeadlockVictim(DeadlockSide side, HostAddress host, int processId, String detail, long at) {}
