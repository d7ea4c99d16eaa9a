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

    /** The time of the lease, while it is still the time: reading the clock costs as much as many a message. */
    private long sendingSince;

    private long lastReply = System.nanoTime();

    FlowTimes(PoolCounters.Row counters) {
        this.counters = counters;
    }

    void waiting() {
        waitingSince = System.nanoTime();
    }

    /** It has a server, {@code atOnce} where it did not wait for it. */
    void leased(boolean atOnce) {
        long now = atOnce ? waitingSince : System.nanoTime();
        counters.add(Counter.SERVER_ASSIGNMENT_COUNT, 1);
        counters.add(Counter.WAIT_TIME, (now - waitingSince) / 1000);
        transactionSince = now;
        sendingSince = now;
    }

    /** Nothing can be sent before something else has come. */
    void held() {
        sendingSince = 0;
    }

    void sent() {
        if (sentAt == 0) {
            sentAt = sendingSince == 0 ? System.nanoTime() : sendingSince;
        }
        sendingSince = 0;
    }

    /** The client has sent so much, whatever of it a server sees. */
    public void received(int bytes) {
        counters.add(Counter.RECEIVED, bytes);
    }

    void replied(int bytes) {
        counters.add(Counter.SENT, bytes);
    }

    /** An exchange was answered with so many bytes, and no server has seen it. */
    void cached(int bytes) {
        counters.add(Counter.SENT, bytes);
        counters.add(Counter.QUERY_COUNT, 1);
        counters.add(Counter.XACT_COUNT, 1);
        lastReply = System.nanoTime();
    }

    /** The answer is an error of the server's. */
    void failed() {
        counters.add(Counter.ERROR_COUNT, 1);
    }

    /** The answer is an error of ours. */
    void refused() {
        counters.add(Counter.REFUSED_COUNT, 1);
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
