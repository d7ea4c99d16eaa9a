package dev.pgproxy.chaos;

import static org.awaitility.Awaitility.await;

import dev.pgproxy.chaos.Ledger.Told;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.awaitility.core.ConditionTimeoutException;

/**
 * Clients write and read through a proxy while its hosts and the network before them fail, one after the other; at the end
 * the database is held to what the clients were told.
 */
final class Chaos {
    /** The proxy has to be whole again by then, and some clients served. */
    private static final Duration RECOVERY = Duration.ofSeconds(90);

    /**
     * A fault, whether it struck the primary, for how long nobody's write was acknowledged, how many reads and writes failed,
     * and how many acknowledged writes PostgreSQL lost.
     */
    record Struck(
            Fault fault,
            boolean primary,
            long millisWithoutWrites,
            long refusedReads,
            long refusedWrites,
            int acknowledgedLost) {}

    private final Estate estate;
    private final Random random;
    private final Consumer<String> progress;
    private final Ledger ledger;
    private final AtomicBoolean over = new AtomicBoolean();
    private final List<Thread> threads = new ArrayList<>();
    private final List<Struck> struck = new ArrayList<>();

    /** Begins with so many clients. */
    Chaos(Estate estate, int sessions, long seed, Consumer<String> progress) {
        this.estate = estate;
        this.random = new Random(seed);
        this.progress = progress;
        this.ledger = new Ledger(!estate.layout().synchronous());
        Endpoint primary = estate.direct(estate.primary());
        List<Ledger.Page> pages = new ArrayList<>();
        for (int i = 0; i < sessions; i++) {
            pages.add(ledger.page());
            primary.run("INSERT INTO counter VALUES (" + i + ", 0)");
        }
        for (Ledger.Page page : pages) {
            Endpoint instance = estate.proxied(page.session() % estate.layout().proxies());
            LedgerSession session = new LedgerSession(instance, ledger, page, random.nextLong(), over);
            threads.add(Thread.ofPlatform().name("session-" + page.session()).start(session));
        }
        awaitWrites(50);
    }

    Ledger ledger() {
        return ledger;
    }

    List<Struck> struck() {
        return struck;
    }

    /** What strikes, at any host, and how the proxy gets over it. */
    void strike(Fault fault) throws Exception {
        int host = random.nextInt(estate.size());
        boolean primary = host == estate.primary() && !fault.isRedis() || fault.isPrimarys();
        long readsBefore = ledger.refusedReads();
        long writesBefore = ledger.refusedWrites();
        int lostBefore = ledger.acknowledgedLost();
        Silence silence = new Silence();
        try {
            fault.strike(estate, host, random);
        } finally {
            estate.mend();
        }
        try {
            await().atMost(RECOVERY).ignoreExceptions().until(() -> {
                estate.takeInStrays(ledger);
                return estate.isWhole();
            });
            awaitWrites(20);
            awaitHits();
        } catch (ConditionTimeoutException e) {
            ledger.violation("after " + fault + " at host " + host + " it did not recover: "
                    + estate.console(0, "SHOW REPLICAS") + " " + estate.console(0, "SHOW FAILOVER") + " "
                    + estate.console(0, "SHOW INSTANCES"));
        }
        struck.add(new Struck(
                fault,
                primary,
                silence.longest(),
                ledger.refusedReads() - readsBefore,
                ledger.refusedWrites() - writesBefore,
                ledger.acknowledgedLost() - lostBefore));
        if (fault.isRedis()
                && struck.getLast().refusedReads() + struck.getLast().refusedWrites() > 0) {
            ledger.violation("queries failed because of Redis: " + struck.getLast());
        }
        progress.accept(struck.getLast() + ", " + ledger.count(Told.DONE) + " writes and " + ledger.reads()
                + " reads so far, " + ledger.violations().size() + " violations");
    }

    private void awaitWrites(int more) {
        long wanted = ledger.count(Told.DONE) + more;
        await().atMost(RECOVERY).until(() -> ledger.count(Told.DONE) >= wanted);
    }

    private void awaitHits() {
        long wanted = estate.hits() + 20;
        await().atMost(RECOVERY).until(() -> !estate.layout().cache() || estate.hits() >= wanted);
    }

    /** Measures for how long the number of acknowledged writes stands still. */
    private final class Silence {
        private final AtomicBoolean ended = new AtomicBoolean();
        private final Thread watch = Thread.ofPlatform().daemon().start(this::watch);
        private long longest;

        private void watch() {
            long count = ledger.count(Told.DONE);
            long since = System.nanoTime();
            while (!ended.get()) {
                long now = ledger.count(Told.DONE);
                if (now != count) {
                    count = now;
                    since = System.nanoTime();
                }
                longest = Math.max(longest, System.nanoTime() - since);
                LockSupport.parkNanos(1_000_000);
            }
        }

        long longest() {
            ended.set(true);
            join(watch);
            return longest / 1_000_000;
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends the clients, and holds every host to the ledger. */
    void judge() {
        over.set(true);
        threads.forEach(Chaos::join);
        int primary = estate.primary();
        for (Ledger.Page page : ledger.pages()) {
            List<Integer> numbers = Message.rows(estate.direct(primary)
                            .run("SELECT number FROM ledger WHERE session = " + page.session() + " ORDER BY number"))
                    .stream()
                    .map(row -> Integer.valueOf(String.valueOf(row.getFirst())))
                    .toList();
            long applied = Long.parseLong(
                    estate.value(primary, "SELECT applied FROM counter WHERE session = " + page.session()));
            ledger.compare(page, numbers, applied);
        }
        String all = "SELECT count(*) || ' ' || coalesce(sum(number), 0) FROM ledger";
        String wanted = estate.value(primary, all);
        for (int i = 0; i < estate.size(); i++) {
            int host = i;
            try {
                await().atMost(RECOVERY).until(() -> estate.value(host, all).equals(wanted));
            } catch (ConditionTimeoutException e) {
                ledger.violation("host " + i + " does not become what the primary is");
            }
        }
        progress.accept(ledger.count(Told.DONE) + " writes acknowledged, " + ledger.count(Told.REFUSED) + " refused, "
                + ledger.count(Told.UNKNOWN) + " unknown, " + ledger.reads() + " reads and " + ledger.refusedReads()
                + " refused, slowest answer "
                + ledger.slowestMillis() + " ms, " + estate.hits() + " reads from the cache, " + estate.redisHits()
                + " of them from Redis, " + ledger.acknowledgedLost() + " acknowledged writes lost by PostgreSQL, "
                + ledger.violations().size() + " violations");
    }
}
