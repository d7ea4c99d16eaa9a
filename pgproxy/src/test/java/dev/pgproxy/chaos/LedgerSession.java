package dev.pgproxy.chaos;

import dev.pgproxy.chaos.Ledger.Told;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A client that writes and reads, takes down what it is told, and goes on over a new connection where one was lost. Each
 * write has a number and adds one to a counter in the same transaction, so that one that is applied twice shows. Confined to
 * its thread.
 */
final class LedgerSession implements Runnable {
    /** Each has a partition, so that not every write takes every result from the cache. */
    static final int MAX_SESSIONS = 64;

    static final List<String> SCHEMA = Stream.concat(
                    Stream.of(
                            "CREATE EXTENSION pg_walinspect",
                            "CREATE TABLE ledger (session int, number int, PRIMARY KEY (session, number))"
                                    + " PARTITION BY LIST (session)",
                            "CREATE TABLE counter (session int PRIMARY KEY, applied int NOT NULL)"),
                    IntStream.range(0, MAX_SESSIONS)
                            .mapToObj(session -> "CREATE TABLE " + table(session)
                                    + " PARTITION OF ledger FOR VALUES IN (" + session + ")"))
            .toList();

    /** Steps of a session that only reads for a while. */
    private static final int CALM = 40;

    /** A client that waits longer for an answer, or to be let in again, has been forgotten. */
    private static final long PATIENCE = 50_000_000_000L;

    private final Endpoint proxied;
    private final Ledger ledger;
    private final Ledger.Page page;
    private final Random random;
    private final AtomicBoolean over;
    private @Nullable RawClient client;
    private int number;
    private int calm;

    /** Its row of the counter has to be there. */
    LedgerSession(Endpoint proxied, Ledger ledger, Ledger.Page page, long seed, AtomicBoolean over) {
        this.proxied = proxied;
        this.ledger = ledger;
        this.page = page;
        this.random = new Random(seed);
        this.over = over;
    }

    @Override
    public void run() {
        try {
            while (!over.get()) {
                RawClient connected = connected();
                if (connected == null) {
                    return;
                }
                step(connected);
            }
        } catch (RuntimeException | AssertionError e) {
            ledger.violation("session " + page.session() + " was not answered: " + e);
        } finally {
            leave();
        }
    }

    private @Nullable RawClient connected() {
        RawClient open = client;
        long deadline = System.nanoTime() + PATIENCE;
        while (open == null && !over.get()) {
            RawClient next = proxied.connect();
            List<Message> login = next.login(proxied.user(), proxied.password(), proxied.database());
            if (login.getLast().isReady()) {
                open = next;
            } else {
                next.close();
                if (login.stream().noneMatch(message -> message.type() == 'E')) {
                    ledger.violation("session " + page.session() + " was sent away without a word");
                }
                if (System.nanoTime() - deadline > 0) {
                    ledger.violation("session " + page.session() + " is not let in any more: " + login);
                    return null;
                }
                LockSupport.parkNanos(50_000_000);
            }
        }
        client = open;
        return open;
    }

    private void leave() {
        if (client != null) {
            client.close();
            client = null;
        }
    }

    private void step(RawClient open) {
        long begun = System.nanoTime();
        if (random.nextInt(2 * CALM) == 0) {
            calm = CALM;
        }
        calm = Math.max(0, calm - 1);
        switch (calm > 0 ? 7 : random.nextInt(8)) {
            case 0, 1 -> write(open, List.of(both()));
            case 2 -> write(open, List.of("BEGIN", insert(), update(), "COMMIT"));
            case 3 -> write(open, List.of("BEGIN; " + insert(), update() + "; COMMIT"));
            case 4 -> prepared(open);
            default -> read(open);
        }
        ledger.answered(System.nanoTime() - begun);
    }

    private static String table(int session) {
        return "ledger_" + session;
    }

    private String insert() {
        return "INSERT INTO " + (random.nextInt(32) == 0 ? "ledger" : table(page.session())) + " VALUES ("
                + page.session() + ", " + (number + 1) + ")";
    }

    private String update() {
        return "UPDATE counter SET applied = applied + 1 WHERE session = " + page.session();
    }

    private String both() {
        return random.nextBoolean() ? insert() + "; " + update() : "WITH i AS (" + insert() + ") " + update();
    }

    /** The last text is the one that commits. */
    private void write(RawClient open, List<String> texts) {
        for (int i = 0; i < texts.size(); i++) {
            List<Message> answer = open.query(texts.get(i)).readUntilReady();
            if (isEnd(answer, i == texts.size() - 1)) {
                return;
            }
        }
    }

    private void prepared(RawClient open) {
        open.batch(c -> c.parse(
                        "w",
                        "WITH i AS (INSERT INTO " + table(page.session()) + " VALUES (" + page.session() + ", $1)) "
                                + update())
                .bind("", "w", Integer.toString(number + 1))
                .execute("")
                .closeStatement("w")
                .sync());
        isEnd(open.readUntilReady(), true);
    }

    /** Takes down how a write ended; false if it goes on. */
    private boolean isEnd(List<Message> answer, boolean commits) {
        Message error = error(answer);
        boolean lost = answer.getLast().isClosed();
        if (error == null && !lost && !commits) {
            return false;
        }
        number++;
        if (lost && error == null) {
            ledger.violation("write " + number + " of session " + page.session() + " was cut off without a word");
            page.write(number, Told.UNKNOWN);
        } else if (error == null) {
            page.write(number, Told.DONE);
        } else if (error.field('C').equals("08007")) {
            page.write(number, Told.UNKNOWN);
        } else {
            page.write(number, Told.REFUSED);
        }
        if (lost || error != null) {
            leave(); // a transaction that has failed ends with its connection
        }
        return true;
    }

    private static @Nullable Message error(List<Message> answer) {
        return answer.stream()
                .filter(message -> message.type() == 'E')
                .findFirst()
                .orElse(null);
    }

    /** Of its own page, or of somebody else's. */
    private void read(RawClient open) {
        List<Ledger.Page> pages = ledger.pages();
        Ledger.Page of = random.nextBoolean() ? page : pages.get(random.nextInt(pages.size()));
        int before = of.done();
        List<Message> answer = open.query(
                        random.nextInt(4) == 0
                                ? "SELECT count(*) FROM ledger WHERE session = " + of.session()
                                : "SELECT count(*) FROM " + table(of.session()))
                .readUntilReady();
        List<List<@Nullable String>> rows = Message.rows(answer);
        if (error(answer) == null && !answer.getLast().isClosed()) {
            ledger.read(
                    of, before, Long.parseLong(String.valueOf(rows.getFirst().getFirst())));
            return;
        }
        ledger.refusedRead();
        if (error(answer) == null) {
            ledger.violation("a read of session " + page.session() + " was cut off without a word");
        }
        leave();
    }
}
