package dev.pgproxy.routing;

/**
 * How long hosts took to answer. Thread-safe: each event loop writes its own row, with plain additions and no contention; one
 * reader compares what it sees with what it saw before. Counts and sums only ever grow.
 */
public final class ResponseTimes {
    private static final int COUNT = 0;
    private static final int NANOS = 1;
    private static final int LOGARITHMS = 2;
    private static final int COLUMNS = 3;

    /** Two cache lines before and behind a row, so that no loop slows down its neighbour. */
    private static final int PADDING = 16;

    /** A logarithm is kept in parts of this. */
    private static final int FRACTION_BITS = 10;

    private final LoopCounters[] rows;
    private final int hosts;

    public ResponseTimes(int loops, int hosts) {
        this.hosts = hosts;
        rows = new LoopCounters[loops];
        for (int i = 0; i < loops; i++) {
            rows[i] = new LoopCounters(PADDING + hosts * COLUMNS + PADDING);
        }
    }

    public int hosts() {
        return hosts;
    }

    /**
     * An answer has begun to come. Called by the loop alone that the row belongs to.
     *
     * @param nanos since the request was sent
     */
    public void record(int loop, int hostIndex, long nanos) {
        LoopCounters row = rows[loop];
        int cell = PADDING + hostIndex * COLUMNS;
        row.add(cell + LOGARITHMS, logarithm(nanos));
        row.add(cell + NANOS, nanos);
        row.add(cell + COUNT, 1);
    }

    /** The logarithm to base 2, linear between the powers: at most 0.09 too small. In 1/1024. */
    static long logarithm(long nanos) {
        if (nanos < 1) {
            return 0;
        }
        int whole = 63 - Long.numberOfLeadingZeros(nanos);
        long beyond = nanos - (1L << whole);
        long fraction = whole >= FRACTION_BITS ? beyond >>> (whole - FRACTION_BITS) : beyond << (FRACTION_BITS - whole);
        return ((long) whole << FRACTION_BITS) + fraction;
    }

    /** Begins with what is recorded from now on. */
    public Reader reader() {
        return new Reader(this);
    }

    /** What was recorded between its last two steps. Confined to its owner. */
    public static final class Reader {
        private final ResponseTimes times;
        private final long[] before;
        private final long[] interval;

        private Reader(ResponseTimes times) {
            this.times = times;
            before = new long[times.hosts * COLUMNS];
            interval = new long[times.hosts * COLUMNS];
            advance();
        }

        /** Ends an interval and begins the next. */
        public void advance() {
            for (int cell = 0; cell < before.length; cell++) {
                long sum = 0;
                for (LoopCounters row : times.rows) {
                    sum += row.get(PADDING + cell);
                }
                interval[cell] = sum - before[cell];
                before[cell] = sum;
            }
        }

        /** Answers within the interval. */
        public long count(int hostIndex) {
            return interval[hostIndex * COLUMNS + COUNT];
        }

        /** Their mean in nanoseconds; 0 without any. */
        public long meanNanos(int hostIndex) {
            long count = count(hostIndex);
            return count == 0 ? 0 : interval[hostIndex * COLUMNS + NANOS] / count;
        }

        /**
         * The mean of their logarithms to base 2: of an interval with one answer in a hundred that took a thousand times as
         * long, it hardly differs from that of the others. 0 without any.
         */
        public double meanLogarithm(int hostIndex) {
            long count = count(hostIndex);
            return count == 0 ? 0 : interval[hostIndex * COLUMNS + LOGARITHMS] / (double) (count << FRACTION_BITS);
        }
    }
}
