package dev.pgproxy.query;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.insight.DeadlockSide;
import dev.pgproxy.pool.PoolCounters;
import dev.pgproxy.pool.PoolCounters.Counter;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.server.ServerConnection;
import org.jspecify.annotations.Nullable;

/**
 * When what happened to a client, by System.nanoTime, and the counters that follow from it. Confined to the client's
 * loop.
 */
public final class FlowTimes {
    private final PoolCounters.Row counters;
    private final StatementWatch watch;
    private long waitingSince;
    private long transactionSince;
    private long sentAt;

    /** The time of the lease, while it is still the time: reading the clock costs as much as many a message. */
    private long sendingSince;

    /** Since when the exchange that is next has waited for whatever it needs to be sent; 0 = it has not. */
    private long complete;

    private long lastReply = System.nanoTime();

    FlowTimes(PoolStatements statements) {
        this.counters = statements.counters();
        this.watch = statements.watch();
    }

    /** An exchange is whole, and is looked at for the first time. */
    void next() {
        complete = 0;
    }

    void waiting() {
        waitingSince = System.nanoTime();
        complete = complete == 0 ? waitingSince : complete;
    }

    /** It has a server, {@code atOnce} where it did not wait for it. */
    void leased(ServerConnection server, boolean atOnce) {
        watch.leased(server);
        long now = atOnce ? waitingSince : System.nanoTime();
        counters.add(Counter.SERVER_ASSIGNMENT_COUNT, 1);
        counters.add(Counter.WAIT_TIME, (now - waitingSince) / 1000);
        transactionSince = now;
        sendingSince = now;
    }

    /** Nothing can be sent before something else has come. */
    void held() {
        sendingSince = 0;
        complete = complete == 0 ? System.nanoTime() : complete;
    }

    void sent() {
        boolean first = sentAt == 0;
        if (first) {
            sentAt = sendingSince == 0 ? System.nanoTime() : sendingSince;
        }
        sendingSince = 0;
        watch.sending(complete, first ? sentAt : 0);
        complete = 0;
    }

    /** The client has sent so much, whatever of it a server sees. */
    public void received(int bytes) {
        counters.add(Counter.RECEIVED, bytes);
        watch.values().received();
    }

    void replied(int bytes) {
        counters.add(Counter.SENT, bytes);
    }

    /** An exchange that was looked up at {@code asked} was answered with so many bytes and rows, and no server has seen it. */
    void cached(int bytes, @Nullable Shape shape, long rows, long asked) {
        counters.add(Counter.SENT, bytes);
        counters.add(Counter.QUERY_COUNT, 1);
        counters.add(Counter.XACT_COUNT, 1);
        lastReply = System.nanoTime();
        if (shape != null) {
            watch.cached(shape, rows, bytes, complete, asked, lastReply);
        }
        complete = 0;
    }

    /** The cache does not answer the exchange that is sent next. */
    void missed(CacheReason reason) {
        watch.missed(reason);
    }

    /** The answer is an error of the server's, or one in place of what the server has answered. */
    void failed(String sqlState) {
        counters.add(Counter.ERROR_COUNT, 1);
        watch.failed(sqlState);
    }

    /** The answer to an exchange that no server has seen is an error of ours. */
    void refused(Exchange exchange, String sqlState) {
        counters.add(Counter.REFUSED_COUNT, 1);
        watch.refused(exchange, sqlState, complete);
        complete = 0;
    }

    /** The server is lost in the middle of something, and the client is told this; null if it has heard why already. */
    void lost(@Nullable ErrorFields told) {
        if (told != null) {
            counters.add(Counter.REFUSED_COUNT, 1);
        }
        watch.lost(told == null ? SqlState.CONNECTION_FAILURE.code() : told.code());
    }

    /** ReadyForQuery; {@code quiet} if nothing else is expected. */
    void ready(byte status, boolean quiet) {
        long now = System.nanoTime();
        lastReply = now;
        counters.add(Counter.QUERY_COUNT, 1);
        counters.add(Counter.QUERY_TIME, (now - sentAt) / 1000);
        watch.ready(now, quiet);
        sentAt = quiet ? 0 : now;
        if (status == TransactionStatus.IDLE) {
            counters.add(Counter.XACT_COUNT, 1);
            counters.add(Counter.XACT_TIME, (now - transactionSince) / 1000);
            transactionSince = now;
        }
    }

    /** The statement that runs, or waits to be sent; null if none does. */
    public @Nullable Active active(Exchange next) {
        Active running = watch.running();
        return running == null ? watch.waiting(next, complete) : running;
    }

    /** What ran on a backend at a moment; null if nothing of this client did. */
    public @Nullable DeadlockSide ranAt(HostAddress host, int processId, long moment) {
        return watch.ranAt(host, processId, moment);
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
