package dev.pgproxy.chaos;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What clients were told of their writes, and what has to be in the database because of it: each write that was
 * acknowledged once, none that was refused, and those of which nobody could say it once or not at all. Where commits do not
 * wait for replicas those may lack that PostgreSQL itself has lost, and no others. Thread-safe.
 */
final class Ledger {
    /** What a client was told. */
    enum Told {
        DONE,
        /** An error that says that nothing has happened. */
        REFUSED,
        /** 08007. */
        UNKNOWN
    }

    /** What one client was told. */
    final class Page {
        private final int session;

        /** By number of the write. */
        private final Map<Integer, Told> writes = new TreeMap<>();

        /** Those that PostgreSQL has lost with a primary. */
        private final Set<Integer> lost = new HashSet<>();

        private int done;
        private int possible;

        /** By how many acknowledged writes a read was behind, at most. */
        private int behind;

        private Page(int session) {
            this.session = session;
        }

        int session() {
            return session;
        }

        synchronized void write(int number, Told told) {
            writes.put(number, told);
            counts.get(told.ordinal()).incrementAndGet();
            if (told == Told.DONE) {
                done++;
            }
            if (told != Told.REFUSED) {
                possible++;
            }
        }

        /** How many were acknowledged until now. */
        synchronized int done() {
            return done;
        }

        /** How many there can be at most, with one that is on its way. */
        synchronized int possible() {
            return possible + 1;
        }
    }

    private final List<Page> pages = new ArrayList<>();
    private final ConcurrentLinkedQueue<String> violations = new ConcurrentLinkedQueue<>();
    private final List<AtomicLong> counts = List.of(new AtomicLong(), new AtomicLong(), new AtomicLong());
    private final AtomicLong reads = new AtomicLong();
    private final AtomicLong refusedReads = new AtomicLong();
    private final AtomicLong slowest = new AtomicLong();
    private final boolean mayLose;

    /**
     * Empty.
     *
     * @param mayLose whether PostgreSQL itself may lose writes that it has acknowledged
     */
    Ledger(boolean mayLose) {
        this.mayLose = mayLose;
    }

    /** A page for a client. */
    synchronized Page page() {
        Page page = new Page(pages.size());
        pages.add(page);
        return page;
    }

    synchronized List<Page> pages() {
        return List.copyOf(pages);
    }

    /** A write whose commit only a primary had that was left behind: PostgreSQL has lost it, if that is permitted. */
    void lost(int session, int number) {
        Page page = pages().get(session);
        synchronized (page) {
            page.lost.add(number);
        }
    }

    /** How many were lost that were acknowledged. */
    int acknowledgedLost() {
        return pages().stream().mapToInt(Ledger::acknowledgedLost).sum();
    }

    private static int acknowledgedLost(Page page) {
        synchronized (page) {
            return (int) page.lost.stream()
                    .filter(number -> page.writes.get(number) == Told.DONE)
                    .count();
        }
    }

    void violation(String what) {
        violations.add(what);
    }

    List<String> violations() {
        return List.copyOf(violations);
    }

    /** A client has waited so long for an answer, in nanoseconds. */
    void answered(long nanos) {
        slowest.accumulateAndGet(nanos, Math::max);
    }

    /** The longest time for an answer, in milliseconds. */
    long slowestMillis() {
        return slowest.get() / 1_000_000;
    }

    /** A read of somebody's page that saw so many writes; those before it began must be among them. */
    void read(Page of, int doneBefore, long seen) {
        reads.incrementAndGet();
        if (seen > of.possible() || seen < doneBefore && !mayLose) {
            violation("a read saw " + seen + " writes of session " + of.session() + ", of which " + doneBefore
                    + " were acknowledged before it, and " + of.possible() + " were possible behind it");
        }
        synchronized (of) {
            of.behind = (int) Math.max(of.behind, doneBefore - seen); // were they lost? that turns out later
        }
    }

    long reads() {
        return reads.get();
    }

    /** A read was answered with an error. */
    void refusedRead() {
        refusedReads.incrementAndGet();
    }

    long refusedReads() {
        return refusedReads.get();
    }

    /** Writes that were not acknowledged. */
    long refusedWrites() {
        return count(Told.REFUSED) + count(Told.UNKNOWN);
    }

    /** How many writes were told so. */
    long count(Told told) {
        return counts.get(told.ordinal()).get();
    }

    /**
     * At the end: holds one page to what is in the database.
     *
     * @param numbers the writes that are there
     * @param applied how often a write of the session was applied, as the database has counted
     */
    void compare(Page page, List<Integer> numbers, long applied) {
        synchronized (page) {
            String whose = " of session " + page.session();
            page.writes.forEach((number, told) -> {
                boolean there = numbers.contains(number);
                boolean mayBeGone = mayLose && page.lost.contains(number);
                if (told == Told.DONE && !there && !mayBeGone) {
                    violation("write " + number + whose + " was acknowledged and is lost");
                } else if (told == Told.REFUSED && there) {
                    violation("write " + number + whose + " was refused and is there");
                }
            });
            numbers.stream()
                    .filter(number -> !page.writes.containsKey(number))
                    .forEach(number -> violation("write " + number + whose + " was never sent"));
            numbers.stream()
                    .filter(page.lost::contains)
                    .forEach(
                            number -> violation("write " + number + whose + " was lost, and somebody has repeated it"));
            if (mayLose && page.behind > acknowledgedLost(page)) {
                violation("a read lacked " + page.behind + " acknowledged writes" + whose + ", of which "
                        + acknowledgedLost(page) + " were lost");
            }
            if (applied != numbers.size()) {
                violation(numbers.size() + " writes" + whose + " are there, and " + applied + " were applied");
            }
        }
    }
}
