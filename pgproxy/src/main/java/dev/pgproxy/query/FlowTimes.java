package dev.pgproxy.query;

import dev.pgproxy.pool.PoolCounters;
import dev.pgproxy.pool.PoolCounters.Counter;
import dev.pgproxy.protocol.frame.TransactionStatus;

/**
 * When what happened to a client, by System.nanoTime, and the counters that follow from it. Confined to the client's
 * loop.
 */
public final class FlowTimes {
    private final PoolCounters.Row counters;
    private long waitingSince;
    private long transactionSince;
    private long sentAt;
    private long lastReply = System.nanoTime();

    FlowTimes(PoolCounters.Row counters) {
        this.counters = counters;
    }

    void waiting() {
        waitingSince = System.nanoTime();
    }

    void leased() {
        long now = System.nanoTime();
        counters.add(Counter.SERVER_ASSIGNMENT_COUNT, 1);
        counters.add(Counter.WAIT_TIME, (now - waitingSince) / 1000);
        transactionSince = now;
    }

    void sent() {
        if (sentAt == 0) {
            sentAt = System.nanoTime();
        }
    }

    /** The client has sent so much, whatever of it a server sees. */
    public void received(int bytes) {
        counters.add(Counter.RECEIVED, bytes);
    }

    void replied(int bytes) {
        counters.add(Counter.SENT, bytes);
    }

    /** ReadyForQuery; {@code quiet} if nothing else is expected. */
    void ready(byte status, boolean quiet) {
        long now = System.nanoTime();
        lastReply = now;
        counters.add(Counter.QUERY_COUNT, 1);
        counters.add(Counter.QUERY_TIME, (now - sentAt) / 1000);
        sentAt = quiet ? 0 : now;
        if (status == TransactionStatus.IDLE) {
            counters.add(Counter.XACT_COUNT, 1);
            counters.add(Counter.XACT_TIME, (now - transactionSince) / 1000);
            transactionSince = now;
        }
    }

    /** Since when it has waited for a server, if it does. */
    public long waitingSince() {
        return waitingSince;
    }

    /** Since when a transaction has been open, if one is. */
    public long transactionSince() {
        return transactionSince;
    }

    /** Since when a query has been running; 0 if none is. */
    public long runningSince() {
        return sentAt;
    }

    /** When the server last became ready. */
    public long lastReply() {
        return lastReply;
    }
}
