package dev.pgproxy.warm;

import dev.pgproxy.results.HotRead;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What clients of one database asked most often, asked again one after the other. Confined to the loop of {@link Warming}. */
final class HotTurn {
    /** No two rounds begin sooner: what is forgotten all the time is not worth asking for. */
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** What is true of the database from a moment on at which all of its results were forgotten, until the next. */
    record Era(long flushed, long written, long definitions) {}

    private final WarmTurn turn;
    private final Deque<HotRead> left = new ArrayDeque<>();
    private @Nullable Era era;
    private int asked;
    private int kept;
    private String failure = "";

    HotTurn(String database) {
        turn = new WarmTurn("(most asked)", database, "", null);
        turn.due(0);
    }

    WarmTurn turn() {
        return turn;
    }

    /**
     * Whether a round is to begin: a new era has.
     *
     * @param restored whether the first is one, since clients of an earlier process have asked
     */
    boolean isDue(Era now, boolean restored) {
        boolean first = era == null;
        if (first && !restored) {
            era = now;
        }
        return !now.equals(era);
    }

    void begin(Era now, Collection<HotRead> reads, long moment) {
        era = now;
        left.addAll(reads);
        asked = reads.size();
        kept = 0;
        failure = "";
        turn.begun(moment);
    }

    /** What is asked next; null if the round is over. */
    @Nullable
    HotRead next() {
        return left.poll();
    }

    /** The last one has ended so: of errors only what they are called, as their texts may have values in them. */
    void ended(String how) {
        if (how.equals(InsideSession.KEPT)) {
            kept++;
        } else {
            failure = how.split(":", 2)[0];
        }
    }

    /** Returns what came of the round. */
    String over(long moment) {
        String result = kept == asked
                ? "asked again: " + asked
                : "asked again: " + kept + " of " + asked + ", the last failure: " + failure;
        turn.ended(result, moment);
        turn.due(moment + PAUSE_NANOS);
        return result;
    }
}
