package dev.pgproxy.query;

import dev.pgproxy.results.CacheReason;
import dev.pgproxy.routing.sql.Shape;
import org.jspecify.annotations.Nullable;

/** A statement that was sent, and what its end is; used again and again. Confined to a loop. */
final class Sent {
    Ending ending = Ending.READY;

    @Nullable
    Shape shape;

    /** Whether it may change definitions. */
    boolean defines;

    /** Nanoseconds that it waited before it was sent. */
    long queued;

    /** 0 = while the one before was running. */
    long sentAt;

    /** Rows that an Execute asks for at most. */
    int most;

    /** Why the cache has not answered it; null if it was not asked. */
    @Nullable
    CacheReason missed;

    final ValueWatch.Note note = new ValueWatch.Note();

    /** Nanoseconds from which on it is slow by a rule; -1 = by none. */
    long slowFrom;

    /** What it is over with. */
    enum Ending {
        /** A Query. */
        READY,
        /** An Execute: CommandComplete, or ReadyForQuery where nothing else is before that. */
        COMPLETE,
        /** Sync or FunctionCall: ReadyForQuery, and it is no statement. */
        BOUNDARY
    }
}
