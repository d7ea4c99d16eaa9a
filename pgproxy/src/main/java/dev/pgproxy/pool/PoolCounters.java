package dev.pgproxy.pool;

import dev.pgproxy.routing.LoopCounters;

/**
 * Totals of one pool for SHOW STATS, in the order of PgBouncer's columns. Thread-safe; each loop adds to a row of its own.
 */
public final class PoolCounters {
    /** What is counted; times in microseconds. */
    public enum Counter {
        SERVER_ASSIGNMENT_COUNT,
        XACT_COUNT,
        QUERY_COUNT,
        RECEIVED,
        SENT,
        XACT_TIME,
        QUERY_TIME,
        WAIT_TIME,
        CLIENT_PARSE_COUNT,
        SERVER_PARSE_COUNT,
        BIND_COUNT,
        CLIENT_LOGIN_COUNT,
        /** Statements run again that had lost with 40001. */
        RETRIES_SERIALIZATION,
        /** Statements run again that had lost with 40P01. */
        RETRIES_DEADLOCK,
        /** Statements run again whose plan a change of definitions had made useless. */
        RETRIES_STALE_PLAN,
        /** Reads that a replica or a lost primary had not answered, asked at the primary. */
        RETRIES_READ,
        /** Statements that had been run again, and whose client was told an error all the same. */
        RETRIES_GIVEN_UP,
        /** Errors of servers, which are answers to queries. */
        ERROR_COUNT,
        /** Errors of ours in place of an answer; these are not among the queries. */
        REFUSED_COUNT;

        private static final int COUNT = values().length;
    }

    /** A row of counters that one loop writes. */
    public static final class Row {
        private final LoopCounters values = new LoopCounters(Counter.COUNT);

        /** Adds; only on the row's loop. */
        public void add(Counter counter, long n) {
            values.add(counter.ordinal(), n);
        }
    }

    private final Row[] rows;

    PoolCounters(int loops) {
        rows = new Row[loops];
        for (int i = 0; i < loops; i++) {
            rows[i] = new Row();
        }
    }

    /** The row of a loop. */
    public Row row(int loop) {
        return rows[loop];
    }

    /** The sum over all loops. */
    public long total(Counter counter) {
        long sum = 0;
        for (Row row : rows) {
            sum += row.values.get(counter.ordinal());
        }
        return sum;
    }
}
