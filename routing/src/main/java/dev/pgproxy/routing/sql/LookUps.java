package dev.pgproxy.routing.sql;

/**
 * How many of one shape's look-ups in the cache have found something of late; and where hardly any did, which keys are looked
 * up all the same, so that it is noticed when they do repeat.
 *
 * <p>A look-up that finds nothing, and what it leaves behind, costs as much as two or three reads that just pass, as its code
 * and data are cold: so it is some in a second, whatever is asked. Keys are divided into parts by a digest, and one part after
 * the other is looked at: of the keys of one part all repetitions are met. The more is asked, the more parts.
 *
 * <p>Thread-safe: guesses, so that it does not matter if of two threads that count at once one is lost.
 */
final class LookUps {
    /** Where everything is looked up it is looked back after so many, and one in a hundred has to have found something. */
    private static final int MANY = 1024;

    /** Of one part so many are looked up at most, */
    private static final int FEW = 32;

    /** and so many of them may have found something by chance. */
    private static final int BY_CHANCE = 1;

    /** Nanoseconds for which one part is looked at, at most. */
    private static final long LONGEST = 4_000_000_000L;

    /** So many look-ups in a second are wanted where they are of no use. */
    private static final int PER_SECOND = 64;

    private static final int MOST_PARTS = 1024;
    private static final int SECOND = 1_000_000_000;

    private long since;
    private int lookedUp;
    private int found;

    /** How many parts there are: a power of two, 1 if everything is looked up. */
    private int parts = 1;

    /** Which of them is looked at, in its lower bits. */
    private int turn;

    /** For a shape that is met now, by the clock of {@link #count}. */
    LookUps(long now) {
        since = now;
    }

    /**
     * A key was looked up.
     *
     * @param hit whether it was found
     * @param now nanoseconds of a monotonic clock
     */
    void count(boolean hit, long now) {
        lookedUp++;
        if (hit) {
            found++;
        }
        boolean useless = found <= (parts == 1 ? MANY / 100 : BY_CHANCE);
        boolean over = parts == 1 ? lookedUp >= MANY : !useless || lookedUp >= FEW || now - since >= LONGEST;
        if (!over) {
            return;
        }
        parts = useless ? parts(now - since) : 1;
        turn++;
        since = now;
        lookedUp = 0;
        found = 0;
    }

    /** By how often keys were asked for in these nanoseconds. */
    private int parts(long nanos) {
        long asked = (long) lookedUp * parts * SECOND / Math.max(nanos, 1);
        long wanted = Math.clamp(asked / PER_SECOND, 1, MOST_PARTS);
        return Integer.highestOneBit((int) wanted);
    }

    /** Whether fewer than one in a hundred has found something, and not all are looked up any more. */
    boolean areSeldomOfUse() {
        return parts > 1;
    }

    /**
     * Whether the key with this digest is looked up.
     *
     * @param digest the same for the same key, others mostly have others
     */
    boolean isWanted(int digest) {
        return ((digest ^ turn) & parts - 1) == 0;
    }
}
