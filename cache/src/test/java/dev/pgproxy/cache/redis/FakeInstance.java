package dev.pgproxy.cache.redis;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A process with a cache, a clock of tables and a link: what pgproxy is, as far as coherence goes. Its faults are planted,
 * so that it can be seen that the checker finds them.
 */
final class FakeInstance implements LinkListener, AutoCloseable {
    /** What it may do wrong. */
    enum Fault {
        NONE,
        /** It confirms a doubt before it holds the tables in doubt. */
        CONFIRMS_EARLY,
        /** It serves hits whether it has a lease or not. */
        SERVES_WITHOUT_LEASE,
        /** It does not learn of the doubts that were open when it came. */
        IGNORES_OPEN_DOUBTS,
        /** It keeps what it had before it lost contact. */
        KEEPS_AFTER_LOSS,
        /** It says that a backend is gone without having looked. */
        RESOLVES_UNSEEN
    }

    /** A cached answer. */
    private record Entry(long value, long asOf) {}

    private final FakeDatabase database;
    private final Fault fault;
    private final ScheduledExecutorService timer;
    private final InstanceLink link;
    private final Map<Integer, Entry> cache = new ConcurrentHashMap<>();
    private final long[] written;
    private final int[] doubts;
    private long allWritten;
    private int allDoubts;
    private boolean hasServed;
    private volatile boolean dead;

    private final AtomicLong hits = new AtomicLong();
    private final AtomicLong longestWait = new AtomicLong();
    private volatile String violation = "";

    FakeInstance(
            FakeDatabase database,
            RedisAccess access,
            LinkSettings settings,
            Fault fault,
            ScheduledExecutorService timer) {
        this.database = database;
        this.fault = fault;
        this.timer = timer;
        this.written = new long[database.tables()];
        this.doubts = new int[database.tables()];
        this.allWritten = System.nanoTime();
        Arrays.fill(written, allWritten);
        this.link =
                new InstanceLink(access, "a secret of all instances".getBytes(StandardCharsets.UTF_8), settings, this);
        link.start();
    }

    InstanceLink link() {
        return link;
    }

    long hits() {
        return hits.get();
    }

    /** Milliseconds. */
    long longestWait() {
        return longestWait.get() / 1_000_000;
    }

    /** What was served that must not be; empty if nothing. */
    String violation() {
        return violation;
    }

    boolean isDead() {
        return dead;
    }

    /** One write by a client. What it was told of counts as known from then. */
    void write(int table, Random random) {
        if (link.standing() == Standing.UNSEEN) {
            return;
        }
        int pid = database.connect();
        doubt(TableSet.of(table), 1, false);
        CompletableFuture<Void> confirmed = new CompletableFuture<>();
        long begun = System.nanoTime();
        long number = link.doubt(FakeDatabase.NAME, TableSet.of(table), pid, 0, () -> confirmed.complete(null));
        try {
            confirmed.get(5, TimeUnit.SECONDS);
            longestWait.accumulateAndGet(System.nanoTime() - begun, Math::max);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            if (!dead) {
                violation = "a writer waits for ever";
            }
            database.disconnect(pid);
            return;
        }
        if (link.standing() == Standing.UNSEEN) {
            link.settle(number, Ending.NOTHING);
            doubt(TableSet.of(table), -1, false);
            database.disconnect(pid);
            return;
        }
        LockSupport.parkNanos(random.nextInt(3_000_000));
        long value = database.commit(table);
        LockSupport.parkNanos(random.nextInt(500_000));
        database.disconnect(pid);
        if (dead) {
            return; // nobody heard of it
        }
        doubt(TableSet.of(table), -1, true);
        link.settle(number, Ending.WRITTEN);
        database.tell(table, value);
    }

    /** One read by a client. */
    void read(int table, Random random) {
        long least = database.known(table);
        boolean serves = fault == Fault.SERVES_WITHOUT_LEASE || link.mayServe();
        Entry entry = serves ? cache.get(table) : null;
        if (entry != null && isTrue(table, entry.asOf())) {
            hasServed = true;
            hits.incrementAndGet();
            check(table, entry.value(), least, "a hit");
            return;
        }
        long asOf = System.nanoTime();
        boolean quiet = isTrue(table, asOf);
        long value = database.read(table);
        LockSupport.parkNanos(random.nextInt(200_000));
        check(table, value, least, "a read");
        if (quiet && isTrue(table, asOf)) {
            cache.put(table, new Entry(value, asOf));
        }
    }

    private void check(int table, long value, long least, String what) {
        if (value < least && !dead) {
            violation = what + " of table " + table + " at " + link.id() + " is " + value + ", known was " + least;
        }
        database.tell(table, value);
    }

    private synchronized boolean isTrue(int table, long asOf) {
        return doubts[table] == 0 && allDoubts == 0 && written[table] - asOf < 0 && allWritten - asOf < 0;
    }

    private synchronized void doubt(TableSet tables, int change, boolean wrote) {
        long now = System.nanoTime();
        if (tables.isAll()) {
            allDoubts += change;
            allWritten = wrote ? now : allWritten;
        }
        for (int i = 0; i < tables.size(); i++) {
            doubts[tables.id(i)] += change;
            if (wrote) {
                written[tables.id(i)] = now;
            }
        }
    }

    private boolean isMine(String name) {
        return name.equals(FakeDatabase.NAME);
    }

    @Override
    public void doubted(String name, TableSet tables) {
        if (isMine(name)) {
            switch (fault) {
                case CONFIRMS_EARLY -> timer.schedule(() -> doubt(tables, 1, false), 20, TimeUnit.MILLISECONDS);
                case IGNORES_OPEN_DOUBTS -> {
                    if (hasServed) {
                        doubt(tables, 1, false);
                    }
                }
                default -> doubt(tables, 1, false);
            }
        }
    }

    @Override
    public void settled(String name, TableSet tables, Ending ending) {
        if (isMine(name)) {
            switch (fault) {
                case CONFIRMS_EARLY ->
                    timer.schedule(() -> doubt(tables, -1, ending.wrote()), 20, TimeUnit.MILLISECONDS);
                case IGNORES_OPEN_DOUBTS -> {
                    if (hasServed) {
                        doubt(tables, -1, ending.wrote());
                    }
                }
                default -> doubt(tables, -1, ending.wrote());
            }
        }
    }

    @Override
    public void written(String name, TableSet tables, Ending ending) {
        if (isMine(name)) {
            doubt(tables, 0, true);
        }
    }

    @Override
    public synchronized void flushed() {
        if (fault != Fault.KEEPS_AFTER_LOSS) {
            allWritten = System.nanoTime();
        }
    }

    @Override
    public void orphaned(String name, TableSet tables, int pid, long start, Runnable resolved) {
        if (fault == Fault.RESOLVES_UNSEEN || !database.isConnected(pid)) {
            resolved.run();
        } else if (!dead) {
            timer.schedule(() -> orphaned(name, tables, pid, start, resolved), 5, TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public void lost(String instance, Runnable gone) {
        // the checker knows who is dead, and says so
    }

    /** Ends like a killed process. */
    void kill() {
        dead = true;
        link.kill();
    }

    @Override
    public void close() {
        dead = true;
        link.close();
    }
}
